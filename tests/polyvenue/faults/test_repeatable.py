"""Same seed, same faults: in another process and with another hash seed too."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from polyvenue.server.gate import Cut
from tests.polyvenue.faults.test_http import replies
from tests.polyvenue.faults.test_ws import FRAMES
from tests.polyvenue.faults.world import Wire, World


def trace(seed: int) -> list[Any]:
    """What a mix of faults does to fixed traffic."""
    world, wire = World(), Wire()
    world.order("http", action="reset", probability=0.2, seed=seed)
    world.order("http", action="duplicate", probability=0.2, seed=seed + 1)
    world.order("ws", action="reorder", depth=4, probability=0.5, seed=seed)
    world.order("ws", action="drop", probability=0.2, seed=seed)
    world.order("ws", action="garbage", probability=0.1, seed=seed)
    answers = ["cut" if isinstance(it, Cut) else it.status for it in replies(world, 60)]
    for _ in range(20):
        world.emit(wire, *FRAMES)
        world.timer.move(0.1)
    world.timer.move(5)
    sent = [text[:60] for text in wire.sent]
    return [answers, sent, [(it.seen, it.hits, it.line) for it in world.gate.faults()]]


def test_a_seed_gives_the_same_trace_in_two_processes(repo_dir: Path) -> None:
    code = (
        "import json; from tests.polyvenue.faults.test_repeatable import trace;"
        "print(json.dumps(trace(3)))"
    )
    path = os.pathsep.join((str(repo_dir / "src"), str(repo_dir)))
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": path, "PATH": os.defpath},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1]
    assert json.loads(outputs[0]) == json.loads(json.dumps(trace(3)))
    assert trace(3) != trace(4)
