"""What is compared of a market: samples of its best prices, and figures of them by phase."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise


class Phase(StrEnum):
    """Parts of a window's life, by the seconds that are left."""

    BEFORE = "pre-open"
    EARLY = ">300 s left"
    LATE = "300-60 s left"
    LAST = "<60 s left"


@dataclass(frozen=True, slots=True)
class Sample:
    """The best prices (10^-4) of Up and their quantities (shares), `left_s` before the end."""

    left_s: float
    bid_e4: int | None
    ask_e4: int | None
    bid_qty: float
    ask_qty: float

    @property
    def is_one_sided(self) -> bool:
        """True when a side is empty."""
        return self.bid_e4 is None or self.ask_e4 is None

    @property
    def spread_e4(self) -> int | None:
        """Ask less bid; None when a side is empty."""
        if self.bid_e4 is None or self.ask_e4 is None:
            return None
        return self.ask_e4 - self.bid_e4


@dataclass(frozen=True, slots=True)
class Seen:
    """The samples of one window in order of time, each a changed book."""

    window_s: int
    samples: tuple[Sample, ...]


def bounds(phase: Phase, window_s: int) -> tuple[float, float]:
    """`(from, to)` in seconds left, `from` above `to`; equal when a window has no such phase."""
    match phase:
        case Phase.BEFORE:
            return float("inf"), float(window_s)
        case Phase.EARLY:
            return float(window_s), min(300.0, window_s)
        case Phase.LATE:
            return min(300.0, window_s), min(60.0, window_s)
        case Phase.LAST:
            return min(60.0, window_s), 0.0


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the sorted values lie; they must not be empty."""
    return values[min(len(values) - 1, int(len(values) * share))]


@dataclass(frozen=True, slots=True)
class Figure:
    """One statistic: its value, and over how many observations."""

    name: str
    unit: str
    value: float
    count: int


def figures(windows: Iterable[Seen], phase: Phase) -> list[Figure]:
    """Every statistic of a phase, over all windows together; empty without samples."""
    samples: list[Sample] = []
    moves: list[bool] = []
    covered_s = 0.0
    for seen in windows:
        top, bottom = bounds(phase, seen.window_s)
        inside = [it for it in seen.samples if top >= it.left_s > bottom]
        if inside:
            samples += inside
            moves += [_moved(*pair) for pair in pairwise(inside)]
            covered_s += min(top, seen.samples[0].left_s) - bottom
    if not samples or covered_s <= 0:
        return []
    spreads = sorted(it / 100 for one in samples if (it := one.spread_e4) is not None)
    sides = ((it.bid_e4, it.bid_qty) for it in samples), ((it.ask_e4, it.ask_qty) for it in samples)
    depths = sorted(qty for side in sides for price_e4, qty in side if price_e4 is not None)
    one_sided = sum(it.is_one_sided for it in samples)
    found = _quantiles("spread", "cents", spreads) + _quantiles("touch depth", "shares", depths)
    found.append(Figure("one-sided share", "share", one_sided / len(samples), len(samples)))
    found.append(Figure("updates seen", "per second", len(samples) / covered_s, len(samples)))
    if moves:
        share = sum(moves) / len(moves)
        found.append(Figure("best price moved", "share of updates", share, len(moves)))
    return found


def _quantiles(name: str, unit: str, values: Sequence[float]) -> list[Figure]:
    if not values:
        return []
    show: Callable[[float], str] = "{:.0%}".format
    return [
        Figure(f"{name}, {show(it)} quantile", unit, quantile(values, it), len(values))
        for it in (0.1, 0.5, 0.9)
    ]


def _moved(before: Sample, after: Sample) -> bool:
    return (before.bid_e4, before.ask_e4) != (after.bid_e4, after.ask_e4)
