"""A synthetic market: one book on the 0.001 grid that walks, as level changes and prints.

Invented, not recorded. Shape: 98 % level changes near a walking mid, 2 % prints, about 500 events a
second. The same seed gives the same events on every machine.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import NamedTuple

START_NS = 1_790_000_100_000_000_000
GAP_MEAN_NS = 2_000_000
PRINT_SHARE, MOVE_SHARE, REMOVE_SHARE = 0.02, 0.01, 0.3
DEPTH_START, DEPTH_MAX, DEPTH_KEPT = 60, 59, 20
MID_START, MID_MIN, MID_MAX = 500, 100, 900
LEVEL, PRINT = 0, 1
BUY, SELL = 0, 1


class Row(NamedTuple):
    """One event. `tick` is in 0.001, `shares` absolute for a level (0 removes it)."""

    ts_ns: int
    kind: int
    side: int
    tick: int
    shares: int


class Walk:
    """The book behind the events; `levels` are (bids, asks) as tick to shares."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._mid = MID_START
        self.ts_ns = START_NS
        self.levels: tuple[dict[int, int], dict[int, int]] = (
            {MID_START - 1 - i: 100 for i in range(DEPTH_START)},
            {MID_START + 1 + i: 100 for i in range(DEPTH_START)},
        )

    def rows(self) -> Iterator[Row]:
        """Events without end."""
        chance, expovariate = self._random.random, self._random.expovariate
        while True:
            self.ts_ns += int(expovariate(1 / GAP_MEAN_NS)) + 1
            yield self._print() if chance() < PRINT_SHARE else self._change()

    def _best(self, side: int) -> int:
        return min(self.levels[SELL]) if side else max(self.levels[BUY])

    def _print(self) -> Row:
        side = self._random.getrandbits(1)
        return Row(self.ts_ns, PRINT, side, self._best(1 - side), self._random.randint(1, 200))

    def _change(self) -> Row:
        chance = self._random
        side = chance.getrandbits(1)
        if chance.random() < MOVE_SHARE:
            self._mid = min(MID_MAX, max(MID_MIN, self._mid + chance.choice((-1, 1))))
        away = 1 + min(DEPTH_MAX, int(chance.expovariate(0.12)))
        tick = self._mid + away if side else self._mid - away
        best = self._best(1 - side)
        if tick <= best if side else tick >= best:
            if len(self.levels[1 - side]) > DEPTH_KEPT:
                # The market moves: the level in the way goes before anything can stand here.
                del self.levels[1 - side][best]
                return Row(self.ts_ns, LEVEL, 1 - side, best, 0)
            tick = best + 1 if side else best - 1
        own = self.levels[side]
        if chance.random() < REMOVE_SHARE and tick in own and len(own) > DEPTH_KEPT:
            del own[tick]
            return Row(self.ts_ns, LEVEL, side, tick, 0)
        own[tick] = chance.randint(1, 5_000)
        return Row(self.ts_ns, LEVEL, side, tick, own[tick])


def write_columns(folder: Path, events: int, seed: int = 3) -> None:
    """One file of 64-bit integers per column: nobody's format, and equally fast for everyone."""
    columns = tuple(array("q") for _ in Row._fields)
    for row in islice(Walk(seed).rows(), events):
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    for name, column in zip(Row._fields, columns, strict=True):
        (folder / name).write_bytes(column.tobytes())


def read_columns(folder: Path) -> tuple[array[int], ...]:
    """The columns in the order of `Row`."""
    columns = []
    for name in Row._fields:
        column = array("q")
        column.frombytes((folder / name).read_bytes())
        columns.append(column)
    return tuple(columns)


def opening_levels(seed: int = 3) -> tuple[dict[int, int], dict[int, int]]:
    """The book before the first event, as (bids, asks)."""
    return Walk(seed).levels


def rows_of(columns: Iterable[array[int]]) -> Iterator[Row]:
    """Columns back to rows."""
    return map(Row._make, zip(*columns, strict=True))
