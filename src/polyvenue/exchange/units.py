"""Scaled integers, fees and their decimal text. Every rounding names its direction.

Suffixes: `_e4` 10^-4 pUSD per share, `_e6` 10^-6 pUSD or shares, `_ppm` parts per million, `_ns`
nanoseconds (Unix UTC for instants).
"""

from enum import StrEnum

import msgspec

E4 = 10_000
E6 = 1_000_000
PPM = 1_000_000
MS_NS = 1_000_000
S_NS = 1_000_000_000
DAY_NS = 86_400 * S_NS
FEE_STEP_E6 = 10
"""Fees have five decimals of a pUSD."""
UNLIMITED_E6 = 2**256 - 1
"""An allowance that is not used up."""


class Rounding(StrEnum):
    """Direction of a rounding; there is no default."""

    FLOOR = "floor"
    CEIL = "ceil"
    HALF_UP = "half_up"


def div(numerator: int, denominator: int, rounding: Rounding) -> int:
    """`numerator / denominator`, both not negative, as an integer rounded as named."""
    if rounding is Rounding.FLOOR:
        return numerator // denominator
    if rounding is Rounding.CEIL:
        return -(-numerator // denominator)
    return (2 * numerator + denominator) // (2 * denominator)


def cost_e6(price_e4: int, qty_e6: int, rounding: Rounding) -> int:
    """Price times quantity in 10^-6 pUSD; exact for whole lots of 0.01 share."""
    return div(price_e4 * qty_e6, E4, rounding)


def decimals_of(value_e6: int) -> int:
    """How many decimals a 10^-6 integer needs: 0 to 6."""
    digits = 6
    while digits and value_e6 % 10 == 0:
        value_e6 //= 10
        digits -= 1
    return digits


def show(value: int, scale: int) -> str:
    """Plain decimal text of `value / scale` (a power of ten) without trailing zeros."""
    whole, rest = divmod(value, scale)
    if not rest:
        return str(whole)
    return f"{whole}.{str(rest).zfill(len(str(scale)) - 1)}".rstrip("0")


class FeeTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Fee schedule of one market: `fee = C * rate * (p(1-p))^exponent`, takers only.

    Makers get `rebate_ppm` of the collected fees, pro rata by what each fill would have paid.
    """

    rate_ppm: int = 70_000
    exponent: int = 1
    rebate_ppm: int = 200_000

    def weight(self, qty_e6: int, price_e4: int) -> int:
        """The unrounded fee, scaled by `scale`: an exact integer to share rebates by."""
        curve: int = (price_e4 * (E4 - price_e4)) ** self.exponent
        return qty_e6 * self.rate_ppm * curve

    @property
    def scale(self) -> int:
        """What divides `weight` to give 10^-6 pUSD."""
        scale: int = PPM * E4 ** (2 * self.exponent)
        return scale

    def taker_fee_e6(self, qty_e6: int, price_e4: int, rounding: Rounding) -> int:
        """Fee of one match in 10^-6 pUSD, rounded to five decimals; below that it is zero."""
        steps = div(self.weight(qty_e6, price_e4), self.scale * FEE_STEP_E6, rounding)
        return steps * FEE_STEP_E6
