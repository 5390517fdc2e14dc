"""`make bench`: ours beside other projects, from one run. It reports and gates nothing.

Every engine runs in a process of its own, ours and the peers in turn; the table has the medians.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bench import memory, shipped, synthetic
from bench.table import Line, text

Values = dict[str, Any]
PEERS = ("nautilus_trader", "hftbacktest", "polymarket-client", "sortedcontainers")
OWN = ("polybawt", "msgspec")
QUOTER, MAKER, NAUTILUS, HFT = "ours", "ours, SpreadMaker", "nautilus", "hftbacktest"


def measure(module: str, *args: str) -> Values:
    """Run one measuring process and take its result, the last line that it prints."""
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{module}", *args],
        cwd=shipped.ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    values: Values = json.loads(done.stdout.splitlines()[-1])
    return values


def say(what: str) -> None:
    """Progress, apart from the result."""
    print(f"bench: {what}", file=sys.stderr, flush=True)


# --- replay --------------------------------------------------------------------------------------


def replay(folder: Path, events: int, rounds: int) -> dict[str, Values]:
    """Medians of each engine over one tape, the engines taking turns."""
    say(f"writing a tape of {events:,} events")
    synthetic.write_columns(folder, events)
    sides: dict[str, Callable[[], Values]] = {
        QUOTER: lambda: measure("replay_ours", str(folder), "bench_quoter"),
        NAUTILUS: lambda: measure("replay_nautilus", str(folder)),
        MAKER: lambda: measure("replay_ours", str(folder), "spread_maker"),
        HFT: lambda: measure("replay_hftbacktest", str(folder)),
    }
    seen: dict[str, list[Values]] = {name: [] for name in sides}
    for turn in range(rounds):
        for name, side in sides.items():
            if not (seen[name] and "skipped" in seen[name][0]):
                say(f"replay {turn + 1} of {rounds}: {name}")
                seen[name].append(side())
    return {name: medians(runs) for name, runs in seen.items()}


def medians(runs: list[Values]) -> Values:
    """The median of every number, with the rates that follow from the times."""
    if "skipped" in runs[0]:
        return runs[0]
    values = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
    values["run_ev_s"] = values["events"] / values["run_s"]
    total_s = values["load_s"] + values["build_s"] + values["run_s"]
    values["e2e_ev_s"] = values["events"] / total_s
    return values


def replay_lines(results: dict[str, Values]) -> Iterable[Line]:
    """Run, end to end and memory, with hftbacktest beside them."""
    ours = results[QUOTER]
    rows = (
        ("replay, run", "ev/s", "run_ev_s", "more", 5.0),
        ("replay, load + build + run", "ev/s", "e2e_ev_s", "more", 3.0),
        ("replay, peak memory", "MB", "peak_mb", "less", None),
    )
    for what, unit, key, better, aim in rows:
        yield versus(what, unit, ours, results, NAUTILUS, key, better=better, aim_ratio=aim)
    maker = results[MAKER]
    yield versus("replay, run, SpreadMaker", "ev/s", maker, results, NAUTILUS, "run_ev_s")
    yield versus("replay, run", "ev/s", ours, results, HFT, "run_ev_s")
    yield versus("replay, load + build + run", "ev/s", ours, results, HFT, "e2e_ev_s")


def versus(
    what: str,
    unit: str,
    ours: Values,
    results: dict[str, Values],
    peer: str,
    key: str,
    *,
    better: str = "more",
    aim_ratio: float | None = None,
) -> Line:
    """A row of ours beside a peer that may be absent."""
    theirs = results[peer]
    return Line(
        what,
        unit,
        ours[key],
        peer,
        theirs.get(key),
        better=better,
        aim_ratio=aim_ratio,
        note=theirs.get("skipped", ""),
    )


# --- books and frames ----------------------------------------------------------------------------


def small_lines(frames: Values, books: Values) -> Iterable[Line]:
    """Frame to book, and one change with one read."""
    rows = (
        ("price_change frame to book", frames["change"], "nautilus", 5.0),
        ("price_change frame to book", frames["change"], "sdk", 9.0),
        ("2x60 book frame to book", frames["book"], "nautilus", 8.0),
        ("2x60 book frame to book", frames["book"], "sdk", 5.0),
        ("level change + best read", books, "sorted_dict", 6.0),
        ("level change + best read", books, "nautilus", None),
    )
    shown = {"sdk": "SDK (decode only)", "sorted_dict": "SortedDict"}
    for what, times, peer, aim in rows:
        theirs = times[peer]
        missing = theirs if isinstance(theirs, str) else ""
        yield Line(
            what,
            "ns",
            times["ours"],
            shown.get(peer, peer),
            None if missing else theirs,
            aim_ratio=aim,
            note=missing,
        )


# --- ours alone ----------------------------------------------------------------------------------


def memory_lines(folder: Path, frames: int, values: Values) -> Iterable[Line]:
    """Growth over a long stream."""
    tape = folder / "rolling.tape"
    say(f"memory: writing a tape of {frames:,} events")
    memory.write_tape(tape, frames)
    say("memory: replaying it")
    values["memory"] = result = measure("memory", str(tape))
    grown_mb = result["highest_mb"] - result["warm_mb"]
    yield Line(f"memory growth, 1 M to {frames / 1e6:g} M events", "MB", grown_mb, aim_ours=20)
    yield Line("peak memory of that replay", "MB", result["peak_mb"])
    rate = result["events"] / result["run_s"]
    yield Line("replay from our own tape, SpreadMaker", "ev/s", rate, better="more")


def shipped_lines(values: Values, *, install: bool) -> Iterable[Line]:
    """What a user waits for."""
    say("sample, help")
    sample = shipped.ROOT / "src" / "polybawt" / "data" / "sample"
    if sample.is_dir():
        whole_s = statistics.median(shipped.command_s("backtest", "--json") for _ in range(3))
        alone = values["sample"] = measure("shipped")
        yield Line("shipped sample, whole process", "s", whole_s, aim_ours=10)
        yield Line("shipped sample, engine alone", "s", alone["run_s"])
    else:
        yield Line("shipped sample", "s", None, "sample", note="not in this checkout")
    yield Line("polybawt --help", "s", shipped.help_s(), aim_ours=0.3)
    if install:
        say("install into a fresh environment")
        got = values["install"] = shipped.install()
        yield Line("install", "s", got["install_s"])
        yield Line("installed size", "MB", got["install_mb"])
    elif (shipped.ROOT / ".venv").is_dir():
        yield Line("installed size (.venv)", "MB", shipped.folder_mb(shipped.ROOT / ".venv"))


def venue_lines(values: Values) -> Iterable[Line]:
    """polyvenue under load over loopback: acks with full verification, frames to subscribers."""
    say("polyvenue")
    got = values["polyvenue"] = measure("polyvenue_load")
    orders, frames = got["orders"], got["frames"]
    single, batch = orders["single"], orders["batch_15"]
    yield Line(
        f"polyvenue ack p99, {single['requests_per_s']:.0f} orders/s",
        "ms",
        single["p99_ms"],
        aim_ours=10,
    )
    rate = batch["requests_per_s"] * 15
    yield Line(f"polyvenue ack p99, {rate:.0f} orders/s in batches of 15", "ms", batch["p99_ms"])
    yield Line(
        f"polyvenue p99, {frames['frames_per_s']:.0f} frames/s to {frames['subscribers']}",
        "ms",
        frames["p99_ms"],
        aim_ours=20,
    )


def machine() -> Values:
    """Where and with what this was measured."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].partition(":")[2].strip() if names else cpu
    found = {name: _version(name) for name in (*OWN, *PEERS)}
    return {
        "cpu": cpu,
        "cpus": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "date": datetime.now(UTC).isoformat(timespec="minutes"),
        "versions": found,
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def main() -> None:
    """Measure, print the table, write bench.json."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="length of the replay tape")
    parser.add_argument("--rounds", type=int, default=3, help="turns of every replay engine")
    parser.add_argument("--full", action="store_true", help="stream 10 M events, not 2 M")
    parser.add_argument("--install", action="store_true", help="time a fresh install too")
    options = parser.parse_args()
    where = machine()
    values: Values = {"machine": where}
    lines: list[Line] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        values["replay"] = replay(folder, options.events, options.rounds)
        lines += replay_lines(values["replay"])
        say("frames and books")
        values["frames"], values["books"] = measure("frames"), measure("books")
        lines += small_lines(values["frames"], values["books"])
        lines += memory_lines(folder, 10_000_000 if options.full else 2_000_000, values)
    lines += shipped_lines(values, install=options.install)
    lines += venue_lines(values)
    values["table"] = [{**dataclasses.asdict(line), "ratio": line.ratio} for line in lines]
    versions = ", ".join(f"{package} {number}" for package, number in where["versions"].items())
    print(text(lines))
    print(f"\n{where['cpu']}, {where['cpus']} CPUs, {where['system']}, Python {where['python']}")
    print(f"{versions}; {where['date']}")
    out = Path(os.environ.get("OUT_DIR", "out"))
    out.mkdir(parents=True, exist_ok=True)
    (out / "bench.json").write_text(json.dumps(values, indent=1) + "\n")


if __name__ == "__main__":
    main()
