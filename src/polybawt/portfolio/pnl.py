"""Marks and unrealised profit. A result is realised only by a trade or the resolved payout.

All values in 10^-18 pUSD, so that no product is rounded.
"""

from __future__ import annotations

import msgspec

from polybawt.domain.ids import StrategyName
from polybawt.domain.units import CEIL, E4, E6, E12, div
from polybawt.portfolio.ops import E8
from polybawt.portfolio.positions import Position


class StrategyTotals(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Everything a strategy did, live and finished markets together. `fills` counts booked ones."""

    strategy: StrategyName
    realized_e18: int = 0
    realized_confirmed_e18: int = 0
    cost_e18: int = 0
    fees_e18: int = 0
    cash_e6: int = 0
    receivable_e6: int = 0
    fills: int = 0

    @property
    def fees_e6(self) -> int:
        """Fees paid in 10^-6 pUSD; rounded up where a fee was taken in shares."""
        return div(self.fees_e18, E12, CEIL)


def liquidation_mark_e18(up_e6: int, down_e6: int, bid_up_e4: int, bid_down_e4: int) -> int:
    """Worth if closed now: pairs at 1, the rest at its own bid; a bid of 0 is no bid.

    ValueError for a negative quantity or a bid outside 0..10000.
    """
    if up_e6 < 0 or down_e6 < 0:
        raise ValueError(f"holding of {up_e6} Up and {down_e6} Down e-6: must not be negative")
    if not (0 <= bid_up_e4 <= E4 and 0 <= bid_down_e4 <= E4):
        raise ValueError(f"bids {bid_up_e4} and {bid_down_e4} e-4: allowed 0..{E4}")
    pairs_e6 = min(up_e6, down_e6)
    rest_e10 = (up_e6 - pairs_e6) * bid_up_e4 + (down_e6 - pairs_e6) * bid_down_e4
    return pairs_e6 * E12 + rest_e10 * E8


def value_e18(up_e6: int, down_e6: int, up_price_e6: int, down_price_e6: int) -> int:
    """Worth at given prices per share in 10^-6, such as mids."""
    return (up_e6 * up_price_e6 + down_e6 * down_price_e6) * E6


def unrealized_e18(position: Position, mark_e18: int) -> int:
    """Mark value less cost."""
    return mark_e18 - position.cost_e18
