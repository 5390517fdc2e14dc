"""Times and memory: what every measurement uses.

Times are CPU seconds of the measuring process: all that is compared here runs in one thread, where
they are the seconds of a machine that does nothing else.
"""

from __future__ import annotations

import gc
import json
import resource
import statistics
from collections.abc import Callable, Mapping
from pathlib import Path
from time import process_time, process_time_ns

RUN_S = 0.12
"""Least time of one timed loop."""


def per_call_ns(call: Callable[[], object], calls: int) -> float:
    """Time of one call, over a loop of `calls`, with a collection before it."""
    gc.collect()
    repeat = range(calls)
    start = process_time_ns()
    for _ in repeat:
        call()
    return (process_time_ns() - start) / calls


def calibrate(call: Callable[[], object]) -> int:
    """How many calls last about `RUN_S`."""
    calls = 1
    while True:
        start = process_time()
        for _ in range(calls):
            call()
        took_s = process_time() - start
        if took_s > RUN_S / 8:
            return max(1, int(calls * RUN_S / took_s))
        calls *= 4


def interleaved_ns(sides: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median time of a call of each side; every round times all sides one after the other.

    A disturbance of the machine then meets all of them, not the one whose turn it was.
    """
    calls = {name: calibrate(call) for name, call in sides.items()}
    seen: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, call in sides.items():
            seen[name].append(per_call_ns(call, calls[name]))
    return {name: statistics.median(times) for name, times in seen.items()}


def peak_mb() -> float:
    """Highest resident memory of this process so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def resident_mb() -> float:
    """Resident memory of this process now, MB; the peak where the system does not say."""
    status = Path("/proc/self/statm")
    if not status.exists():
        return peak_mb()
    return int(status.read_text().split()[1]) * resource.getpagesize() / 2**20


def report(values: Mapping[str, object]) -> None:
    """Hand the result of a measuring process to its parent: the last line it prints."""
    print(json.dumps(values))
