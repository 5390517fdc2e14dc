"""Markouts: what the market said about our fills a moment later.

The markout of a fill at a horizon is the mid of the filled token then, less the fill price (for a
sell the reverse): positive is good for us, per share, before fees. At settlement the payout takes
the place of the mid. A fill waits for the first mid at or after its horizon; one that comes later
than twice the horizon plus two seconds says nothing about it and counts as no data.

Fills of one window share one fate, so the standard error treats windows as the independent unit.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from fractions import Fraction
from math import sqrt

from polybawt.domain.fill import Fill, Liquidity
from polybawt.domain.ids import FillId, Side, outcome_of
from polybawt.domain.market import Phase
from polybawt.domain.units import E6, S_NS, Rounding, notional_e6
from polybawt.report.model import MarkoutCell

HORIZONS = ("at fill", "1 s", "5 s", "30 s", "settlement")
_WAITS_NS = (S_NS, 5 * S_NS, 30 * S_NS)
_SETTLEMENT = len(HORIZONS) - 1


class Bucket(StrEnum):
    """Where in the life of a window a fill happened."""

    LISTED = "before open"
    EARLY = "open, over 300 s left"
    MIDDLE = "open, 300-60 s left"
    LATE = "under 60 s or closing"


def bucket_of(phase: Phase, left_ns: int) -> Bucket:
    """The bucket of a fill with `left_ns` to the close of its window."""
    if phase is Phase.LISTED:
        return Bucket.LISTED
    if phase is not Phase.OPEN or left_ns < 60 * S_NS:
        return Bucket.LATE
    return Bucket.EARLY if left_ns > 300 * S_NS else Bucket.MIDDLE


class Entry:
    """A fill with what was seen after it; `markouts_e6` follows HORIZONS, None is no data."""

    __slots__ = ("bucket", "fill", "markouts_e6", "now_ns")

    def __init__(self, fill: Fill, bucket: Bucket, mid_up_e6: int | None, now_ns: int) -> None:
        self.fill = fill
        self.bucket = bucket
        self.now_ns = now_ns
        self.markouts_e6: list[int | None] = [None] * len(HORIZONS)
        if mid_up_e6 is not None:
            self.mark(0, mid_up_e6)

    @property
    def notional_e6(self) -> int:
        """Price times quantity."""
        return notional_e6(self.fill.price_e4, self.fill.qty_e6, Rounding.HALF_EVEN)

    def mark(self, horizon: int, up_e6: int) -> None:
        """Note what a share of Up is worth at a horizon."""
        fill = self.fill
        worth_e6 = E6 - up_e6 if outcome_of(fill.instrument) else up_e6
        self.note(horizon, worth_e6)

    def note(self, horizon: int, worth_e6: int) -> None:
        """Note what a share of the filled token is worth at a horizon."""
        gain_e6 = worth_e6 - self.fill.price_e4 * 100
        self.markouts_e6[horizon] = gain_e6 if self.fill.side is Side.BUY else -gain_e6


class Track:
    """The fills of one live market, in order, and those that still wait for a mid."""

    __slots__ = ("_waiting", "entries")

    def __init__(self) -> None:
        self.entries: dict[FillId, Entry] = {}
        self._waiting: tuple[deque[Entry], ...] = tuple(deque() for _ in _WAITS_NS)

    def add(self, entry: Entry) -> bool:
        """Take a fill; False if it is known already."""
        if entry.fill.fill_id in self.entries:
            return False
        self.entries[entry.fill.fill_id] = entry
        for queue in self._waiting:
            queue.append(entry)
        return True

    def void(self, fill_id: FillId) -> bool:
        """The fill never happened; False if it is not known."""
        return self.entries.pop(fill_id, None) is not None

    def observe(self, now_ns: int, mid_up_e6: int) -> None:
        """A mid was seen."""
        for horizon, (wait_ns, queue) in enumerate(zip(_WAITS_NS, self._waiting, strict=True), 1):
            while queue and queue[0].now_ns + wait_ns <= now_ns:
                entry = queue.popleft()
                if now_ns <= entry.now_ns + 2 * wait_ns + 2 * S_NS:
                    entry.mark(horizon, mid_up_e6)

    def settle(self, payouts_ppm: tuple[int, int]) -> None:
        """The outcome is known: payouts per share of (Up, Down); ppm is also 10^-6 pUSD."""
        for entry in self.entries.values():
            entry.note(_SETTLEMENT, payouts_ppm[outcome_of(entry.fill.instrument)])


class _Cell:
    """Sums of one cell over windows: enough for a weighted mean and its clustered error."""

    __slots__ = ("n", "no_data", "q", "qq", "s", "sq", "ss", "windows")

    def __init__(self) -> None:
        self.n = self.windows = self.no_data = 0
        self.q = self.s = self.qq = self.sq = self.ss = 0

    def add_window(self, qty: int, gain: int) -> None:
        self.windows += 1
        self.q += qty
        self.s += gain
        self.qq += qty * qty
        self.sq += qty * gain
        self.ss += gain * gain

    def mean_and_error(self) -> tuple[float | None, float | None]:
        """Mean, and the error of a ratio of sums with windows as clusters."""
        if not self.q:
            return None, None
        mean = Fraction(self.s, self.q)
        if self.windows < 2:
            return float(mean), None
        spread = self.ss - 2 * mean * self.sq + mean * mean * self.qq
        share = Fraction(self.windows, self.windows - 1)
        return float(mean), sqrt(share * spread) / self.q


Key = tuple[Bucket, Liquidity, int]


class Markouts:
    """Markouts of all windows that are over, in constant memory."""

    __slots__ = ("_cells",)

    def __init__(self) -> None:
        self._cells: dict[Key, _Cell] = {}

    def add_window(self, entries: list[Entry]) -> None:
        """Count the fills of one window (of all assets: they share its fate)."""
        sums: dict[Key, list[int]] = {}
        for entry in entries:
            qty = entry.fill.qty_e6
            for horizon, gain_e6 in enumerate(entry.markouts_e6):
                key = (entry.bucket, entry.fill.liquidity, horizon)
                cell = self._cells.setdefault(key, _Cell())
                if gain_e6 is None:
                    cell.no_data += 1
                    continue
                cell.n += 1
                pair = sums.setdefault(key, [0, 0])
                pair[0] += qty
                pair[1] += qty * gain_e6
        for key, (qty, gain) in sums.items():
            self._cells[key].add_window(qty, gain)

    def result(self) -> tuple[MarkoutCell, ...]:
        """Every cell that saw a fill, by bucket, liquidity and horizon."""
        cells = []
        for bucket in Bucket:
            for liquidity in Liquidity:
                for horizon, name in enumerate(HORIZONS):
                    cell = self._cells.get((bucket, liquidity, horizon))
                    if cell is None:
                        continue
                    mean, error = cell.mean_and_error()
                    cells.append(
                        MarkoutCell(
                            bucket=bucket,
                            liquidity=liquidity,
                            horizon=name,
                            n=cell.n,
                            windows=cell.windows,
                            no_data=cell.no_data,
                            qty_e6=cell.q,
                            mean_e6=mean,
                            error_e6=error,
                        )
                    )
        return tuple(cells)
