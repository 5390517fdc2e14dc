"""Taker fee and maker rebate, from the market's own schedule.

Source: `fee = C * r * (p(1-p))^e` per match, rounded to five decimals; makers pay nothing. The
direction of the rounding is not stated by the venue: simulate half-up, bound checks with ceil, book
what the venue reports.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from polybawt.domain.ids import BUY, Side
from polybawt.domain.units import CEIL, E4, FEE_STEP_E6, PPM, Rounding, div


class FeeSchedule(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Fee terms of one market. `rate_ppm` 70000 is 0.07; a market without terms has rate 0."""

    rate_ppm: int = 0
    exponent: int = 0
    taker_only: bool = True
    rebate_ppm: int = 0

    def taker_fee_e6(self, qty_e6: int, price_e4: int, rounding: Rounding) -> int:
        """Fee of one match in 10^-6 pUSD, rounded to 10^-5. ValueError outside the domain."""
        if qty_e6 < 0 or not 0 <= price_e4 <= E4:
            raise ValueError(f"fee of {qty_e6} e-6 shares at {price_e4} e-4: outside the domain")
        curve: int = (price_e4 * (E4 - price_e4)) ** self.exponent
        scale: int = PPM * E4 ** (2 * self.exponent) * FEE_STEP_E6
        return div(qty_e6 * self.rate_ppm * curve, scale, rounding) * FEE_STEP_E6

    def worst_fee_e6(self, qty_e6: int, limit_e4: int, side: Side) -> int:
        """Highest fee that a taker order can pay within its limit: the curve peaks at 0.50."""
        half = E4 // 2
        worst_e4 = min(limit_e4, half) if side is BUY else max(limit_e4, half)
        return self.taker_fee_e6(qty_e6, worst_e4, CEIL)

    def rebate_estimate_e6(self, qty_e6: int, price_e4: int) -> int:
        """Maker rebate of a fill if every taker fee of the market had such a maker, floored.

        An estimate: the venue pays per market and day, above a minimum, and only then says it.
        """
        curve: int = (price_e4 * (E4 - price_e4)) ** self.exponent
        scale: int = PPM * PPM * E4 ** (2 * self.exponent)
        return qty_e6 * self.rate_ppm * self.rebate_ppm * curve // scale


def rebate_payout(
    own_e6: int, total_e6: int, pool_e6: int, minimum_e6: int
) -> tuple[Decimal, Decimal]:
    """`(accrued, paid)` in 10^-6 pUSD of a market and day: pro rata, nothing below the minimum."""
    if total_e6 <= 0:
        return Decimal(0), Decimal(0)
    accrued = Decimal(own_e6) / total_e6 * pool_e6
    return accrued, accrued if accrued >= minimum_e6 else Decimal(0)


def max_buy_amount(
    amount: Decimal, price: Decimal, max_spend: Decimal, fees: FeeSchedule, builder: Decimal
) -> Decimal:
    """Largest notional up to `amount` whose cost with all fees stays within `max_spend` (pUSD)."""
    rate = Decimal(fees.rate_ppm) / PPM
    per_notional = rate * (price * (1 - price)) ** fees.exponent / price + builder
    need = amount * (1 + per_notional)
    return max_spend / (1 + per_notional) if max_spend <= need else amount
