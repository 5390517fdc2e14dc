"""Scaled integers: the only place where money is rounded, and every rounding names its direction.

Suffixes: `_e4` 10^-4 pUSD per share, `_e6` 10^-6 pUSD or shares, `_e18` 10^-18 pUSD, `_ppm` parts
per million, `_ns` nanoseconds (Unix UTC for instants).
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

E4 = 10_000
E6 = 1_000_000
E12 = 1_000_000_000_000
E18 = E6 * E12
PPM = 1_000_000
MS_NS = 1_000_000
S_NS = 1_000_000_000
LOT_E6 = 10_000
"""Orders come in steps of 0.01 share (spec: venue order rounding)."""
FEE_STEP_E6 = 10
"""Fees are rounded to five decimals of a pUSD."""


class Rounding(StrEnum):
    """Direction of a rounding; there is no default anywhere."""

    FLOOR = "floor"
    CEIL = "ceil"
    HALF_UP = "half_up"
    HALF_EVEN = "half_even"


FLOOR, CEIL = Rounding.FLOOR, Rounding.CEIL
HALF_UP, HALF_EVEN = Rounding.HALF_UP, Rounding.HALF_EVEN
"""Named as in `domain.ids`: cheap to look up."""


def div(numerator: int, denominator: int, rounding: Rounding) -> int:
    """`numerator / denominator` as an integer, rounded as named. The denominator is positive."""
    quotient, rest = divmod(numerator, denominator)
    if rest == 0 or rounding is FLOOR:
        return quotient
    if rounding is CEIL:
        return quotient + 1
    twice = 2 * rest
    if twice > denominator or (twice == denominator and (rounding is HALF_UP or quotient & 1)):
        return quotient + 1
    return quotient


def notional_e6(price_e4: int, qty_e6: int, rounding: Rounding) -> int:
    """Price times quantity in 10^-6 pUSD. Exact, whatever the rounding, for whole lots of 0.01."""
    return div(price_e4 * qty_e6, E4, rounding)


def floor_lot_e6(qty_e6: int) -> int:
    """The largest whole number of 0.01-share lots that is not above `qty_e6`."""
    return qty_e6 - qty_e6 % LOT_E6


def scale_qty_e6(qty_e6: int, scale_ppm: int) -> int:
    """`qty_e6` scaled down and floored to whole lots; a lot is never rounded up."""
    return floor_lot_e6(qty_e6 * scale_ppm // PPM)


def to_scaled(value: Decimal, scale: int, what: str) -> int:
    """An exact decimal as a scaled integer. ValueError when it is not finite or has more digits."""
    if not value.is_finite():
        raise ValueError(f"{what} is {value}, not a finite number")
    scaled = value * scale
    whole = int(scaled)
    if whole != scaled:
        raise ValueError(f"{what} is {value}: finer than the step of 1/{scale}")
    return whole


def from_scaled(value: int, scale: int) -> Decimal:
    """A scaled integer as an exact decimal."""
    return Decimal(value) / scale


def round_e6(value: float) -> int:
    """A statistic (probability, price estimate) as 10^-6, half to even: symmetric around 0.5.

    Rounding before any comparison is what makes a decision the same on every machine.
    """
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError(f"{value} is not a finite number")
    return round(value * E6)
