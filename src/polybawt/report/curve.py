"""Curves and bars of bounded size for runs of any length."""

from __future__ import annotations

from polybawt.domain.units import MS_NS
from polybawt.report.model import Bar, Point


class _Span:
    """First, lowest, highest and last point of one stretch of time."""

    __slots__ = ("first", "high", "last", "low")

    def __init__(self, ns: int, value: int) -> None:
        self.first = self.low = self.high = self.last = (ns, value)

    def add(self, ns: int, value: int) -> None:
        self.last = (ns, value)
        if value < self.low[1]:
            self.low = self.last
        elif value > self.high[1]:
            self.high = self.last

    def join(self, later: _Span) -> None:
        self.last = later.last
        if later.low[1] < self.low[1]:
            self.low = later.low
        if later.high[1] > self.high[1]:
            self.high = later.high


class Curve:
    """At most `4 * spans` points: first, last, lowest and highest of each stretch of time.

    The stretch starts at `width_ns` and doubles whenever the curve outgrows its room, so extremes
    are never lost. Times must not decrease.
    """

    __slots__ = ("_origin_ns", "_room", "_spans", "_width_ns")

    def __init__(self, spans: int, width_ns: int = 250 * MS_NS) -> None:
        self._room = spans
        self._width_ns = width_ns
        self._origin_ns = 0
        self._spans: dict[int, _Span] = {}

    def add(self, ns: int, value: int) -> None:
        """Count one point."""
        if not self._spans:
            self._origin_ns = ns
        index = (ns - self._origin_ns) // self._width_ns
        span = self._spans.get(index)
        if span is not None:
            span.add(ns, value)
            return
        self._spans[index] = _Span(ns, value)
        while len(self._spans) > self._room:
            self._halve()

    def _halve(self) -> None:
        self._width_ns *= 2
        spans: dict[int, _Span] = {}
        for index, span in self._spans.items():
            earlier = spans.get(index // 2)
            if earlier is None:
                spans[index // 2] = span
            else:
                earlier.join(span)
        self._spans = spans

    def points(self, gap_ns: int = 0) -> tuple[Point, ...]:
        """The points in order of time; a silence over `gap_ns` (0: none) breaks the line."""
        points: list[Point] = []
        for span in self._spans.values():
            extremes = sorted((span.low, span.high))
            chosen = tuple(dict.fromkeys((span.first, *extremes, span.last)))
            if points and gap_ns and chosen[0][0] - points[-1][0] > max(gap_ns, 2 * self._width_ns):
                points.append((points[-1][0] + 1, None))
            points.extend(chosen)
        return _thinned(points)


def _thinned(points: list[Point]) -> tuple[Point, ...]:
    """Without points that say what both their neighbours say."""
    last = len(points) - 1
    return tuple(
        point
        for i, point in enumerate(points)
        if i in (0, last) or not points[i - 1][1] == point[1] == points[i + 1][1]
    )


class Bars:
    """Results of windows in the order they settle; neighbours are added up beyond `room` bars."""

    __slots__ = ("_bars", "_group", "_room")

    def __init__(self, room: int) -> None:
        self._room = room
        self._group = 1
        self._bars: list[tuple[int, int, int]] = []

    def add(self, close_ns: int, pnl_e6: int) -> None:
        """Count the result of one window."""
        if self._bars and self._bars[-1][1] < self._group:
            _, count, total = self._bars[-1]
            self._bars[-1] = (close_ns, count + 1, total + pnl_e6)
            return
        self._bars.append((close_ns, 1, pnl_e6))
        if len(self._bars) > self._room:
            self._group *= 2
            bars, self._bars = self._bars, []
            for i in range(0, len(bars), 2):
                pair = bars[i : i + 2]
                self._bars.append((pair[-1][0], sum(b[1] for b in pair), sum(b[2] for b in pair)))

    def result(self) -> tuple[Bar, ...]:
        """The bars, oldest first."""
        return tuple(Bar(close_ns=ns, windows=n, pnl_e6=pnl) for ns, n, pnl in self._bars)
