"""Random orders: the other matcher finds the same fills, and every law holds after every call.

The whole campaign of 10^5 orders is a command: `python -m tests.polyvenue.exchange.campaign`.
POLYVENUE_ORDERS scales what runs here.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from polyvenue.exchange.units import MS_NS
from tests.polyvenue.exchange.campaign import Match, run_chaos

ORDERS = int(os.environ.get("POLYVENUE_ORDERS", "1500"))


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("hold_ms", "cross"), [(0, True), (150, True), (0, False), (50, False)])
def test_the_other_matcher_finds_the_same_fills(seed: int, hold_ms: int, cross: bool) -> None:
    campaign = Match(seed, hold_ns=hold_ms * MS_NS, cross=cross)
    campaign.run(ORDERS, laws_every=50)
    assert len(campaign.brute.fills) > ORDERS // 4


@pytest.mark.parametrize("cross", [True, False])
@pytest.mark.parametrize("seed", [3, 4, 5])
def test_every_law_holds_after_every_call(seed: int, cross: bool) -> None:
    run_chaos(seed, ORDERS // 2, cross=cross)


def test_two_processes_with_other_hash_seeds_give_the_same_trace(repo_dir: Path) -> None:
    code = "from tests.polyvenue.exchange.campaign import run_chaos; print(run_chaos(9, 400))"
    digests = set()
    for hash_seed in ("1", "2"):
        path = os.pathsep.join((str(repo_dir / "src"), str(repo_dir)))
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=repo_dir,
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        digests.add(done.stdout.strip())
    assert digests == {run_chaos(9, 400)}


def test_another_seed_gives_another_trace() -> None:
    assert run_chaos(9, 100) != run_chaos(10, 100)
