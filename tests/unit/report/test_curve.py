"""Curves and bars stay small and lose no extreme."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from polybawt.domain.units import MS_NS, S_NS
from polybawt.report.curve import Bars, Curve


@given(
    st.lists(st.tuples(st.integers(0, 10**11), st.integers(-99, 99)), min_size=1, max_size=300),
    st.integers(2, 8),
)
def test_a_curve_is_bounded_and_keeps_ends_and_extremes(
    steps: list[tuple[int, int]], spans: int
) -> None:
    curve = Curve(spans)
    ns, fed = 0, []
    for step_ns, value in steps:
        ns += step_ns
        fed.append((ns, value))
        curve.add(ns, value)
    points = curve.points()
    values = [value for _, value in points if value is not None]
    assert len(points) <= 4 * spans
    assert points[0] == fed[0]
    assert points[-1] == fed[-1]
    assert (min(values), max(values)) == (min(v for _, v in fed), max(v for _, v in fed))
    assert [t for t, _ in points] == sorted(t for t, _ in points)
    assert set(points) <= set(fed)


def test_silence_breaks_the_line() -> None:
    curve = Curve(10, 250 * MS_NS)
    for second, value in ((0, 1), (1, 2), (60, 3)):
        curve.add(second * S_NS, value)
    assert (S_NS + 1, None) in curve.points(10 * S_NS)
    assert None not in [value for _, value in curve.points()]


def test_points_that_say_nothing_new_are_left_out() -> None:
    curve = Curve(100)
    for second in range(50):
        curve.add(second * S_NS, 7)
    assert curve.points() == ((0, 7), (49 * S_NS, 7))


@given(st.lists(st.integers(-99, 99), min_size=1, max_size=200), st.integers(2, 9))
def test_bars_are_bounded_and_add_up(values: list[int], room: int) -> None:
    bars = Bars(room)
    for i, value in enumerate(values):
        bars.add(i, value)
    result = bars.result()
    assert len(result) <= room
    assert sum(bar.pnl_e6 for bar in result) == sum(values)
    assert sum(bar.windows for bar in result) == len(values)
    assert result[-1].close_ns == len(values) - 1
    assert len({bar.windows for bar in result[:-1]}) <= 1
