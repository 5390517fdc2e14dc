"""Every rounding names its direction, and nothing is lost on the way in or out."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polybawt.domain.units import (
    E6,
    LOT_E6,
    PPM,
    Rounding,
    div,
    floor_lot_e6,
    from_scaled,
    notional_e6,
    round_e6,
    scale_qty_e6,
    to_scaled,
)


@pytest.mark.parametrize(
    ("numerator", "floor", "ceil", "half_up", "half_even"),
    [
        (24, 2, 3, 2, 2),
        (25, 2, 3, 3, 2),
        (26, 2, 3, 3, 3),
        (35, 3, 4, 4, 4),
        (30, 3, 3, 3, 3),
        (0, 0, 0, 0, 0),
        (-25, -3, -2, -2, -2),
        (-35, -4, -3, -3, -4),
        (-26, -3, -2, -3, -3),
    ],
)
def test_div(numerator: int, floor: int, ceil: int, half_up: int, half_even: int) -> None:
    got = [div(numerator, 10, rounding) for rounding in Rounding]
    assert got == [floor, ceil, half_up, half_even]


@given(numerator=st.integers(), denominator=st.integers(1, 10**20))
def test_half_even_mirrors_and_floor_meets_ceil(numerator: int, denominator: int) -> None:
    even = div(numerator, denominator, Rounding.HALF_EVEN)
    assert div(-numerator, denominator, Rounding.HALF_EVEN) == -even
    floor = div(numerator, denominator, Rounding.FLOOR)
    assert div(-numerator, denominator, Rounding.CEIL) == -floor
    assert floor <= even <= div(numerator, denominator, Rounding.CEIL) <= floor + 1


def test_notional_of_whole_lots_needs_no_rounding() -> None:
    for rounding in Rounding:
        assert notional_e6(3_333, 7 * LOT_E6, rounding) == 23_331
    assert notional_e6(3_333, 1, Rounding.FLOOR) == 0
    assert notional_e6(3_333, 1, Rounding.CEIL) == 1


@given(qty_e6=st.integers(0, 10**12), scale_ppm=st.integers(0, PPM))
def test_scaling_gives_whole_lots_and_never_more(qty_e6: int, scale_ppm: int) -> None:
    scaled = scale_qty_e6(qty_e6, scale_ppm)
    assert scaled % LOT_E6 == 0
    assert 0 <= qty_e6 * scale_ppm - scaled * PPM < LOT_E6 * PPM + PPM
    assert scale_qty_e6(qty_e6, PPM) == floor_lot_e6(qty_e6)


@given(value=st.integers(-(10**15), 10**15))
def test_scaled_decimals_come_back(value: int) -> None:
    assert to_scaled(from_scaled(value, E6), E6, "x") == value


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_a_number_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"price is .*, not a finite number"):
        to_scaled(Decimal(text), E6, "price")


def test_a_finer_number_is_refused_not_rounded() -> None:
    with pytest.raises(ValueError, match="finer than the step of 1/1000000"):
        to_scaled(Decimal("0.0000001"), E6, "price")


@pytest.mark.parametrize(
    ("value", "expected"), [(0.5, 500_000), (0.1234565, 123_456), (-0.1, -100_000)]
)
def test_statistic_rounds_half_to_even(value: float, expected: int) -> None:
    assert round_e6(value) == expected


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_statistic_must_be_finite(value: float) -> None:
    with pytest.raises(ValueError, match="not a finite number"):
        round_e6(value)
