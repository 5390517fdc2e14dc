"""What a user waits for: the sample's replay, the help text, the install."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time

from bench.timing import report

ROOT = Path(__file__).resolve().parents[1]
HELP_RUNS = 5


def command_s(*args: str) -> float:
    """Seconds of one `polybawt` command, from start to exit."""
    start = perf_counter()
    subprocess.run([sys.executable, "-m", "polybawt", *args], check=True, stdout=subprocess.DEVNULL)
    return perf_counter() - start


def help_s() -> float:
    """Median seconds of `polybawt --help`."""
    return statistics.median(command_s("--help") for _ in range(HELP_RUNS))


def engine_alone() -> dict[str, float]:
    """Seconds of the engine over the sample, its frames decoded beforehand."""
    from bench.product import ListSource, build
    from polybawt.adapters.datasets.detect import open_source
    from polybawt.app import sample_path

    source = open_source(sample_path())
    start = process_time()
    batches = list(source.batches())
    decoded = process_time()
    backtest, observer = build(ListSource(batches), "spread_maker")
    begun = process_time()
    backtest.run()
    ended = process_time()
    summary = observer.summary(len(batches), 0)
    return {
        "frames": len(batches),
        "decode_s": decoded - start,
        "run_s": ended - begun,
        "orders": summary.orders,
        "fills": summary.fills,
    }


def install() -> dict[str, float]:
    """A fresh environment of the run level, in a copy of the checkout: seconds and MB."""
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in names.stdout.split("\0"):
            source, target = ROOT / name, copy / name
            if name and source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(source.read_bytes())
                target.chmod(source.stat().st_mode)
        start = perf_counter()
        clean = {k: v for k, v in os.environ.items() if k not in ("PYTHON", "VIRTUAL_ENV", "ARGS")}
        subprocess.run(
            [copy / "scripts" / "bootstrap", "run", "true"],
            check=True,
            env=clean,
            stderr=subprocess.DEVNULL,
        )
        took_s = perf_counter() - start
        return {"install_s": took_s, "install_mb": folder_mb(copy / ".venv")}


def folder_mb(folder: Path) -> float:
    """Disk used by the files below a folder, MB."""
    files = (path.lstat() for path in folder.rglob("*"))
    return sum(stat.st_blocks * 512 for stat in files) / 2**20


if __name__ == "__main__":
    report(engine_alone())
