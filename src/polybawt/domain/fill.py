"""Our execution, provisional until the chain confirms it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from polybawt.domain.ids import BUY, FillId, Instrument, OrderId, Side, StrategyName
from polybawt.domain.units import CEIL, FLOOR, notional_e6


class Liquidity(StrEnum):
    """Which side of the match we were."""

    MAKER = "MAKER"
    TAKER = "TAKER"


class FillState(StrEnum):
    """A match is a promise; only CONFIRMED and FAILED are final."""

    PROVISIONAL = "PROVISIONAL"
    CONFIRMED = "CONFIRMED"
    FAILED = "FAILED"


class Fill(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One match of one of our orders. Keyed by `fill_id`, which names (trade, order)."""

    fill_id: FillId
    order_id: OrderId
    strategy: StrategyName
    instrument: Instrument
    side: Side
    liquidity: Liquidity
    price_e4: int
    qty_e6: int
    fee_e6: int
    venue_ns: int
    state: FillState = FillState.PROVISIONAL

    @property
    def cash_e6(self) -> int:
        """Signed change of cash: a buy pays price and fee, a sell receives price less fee.

        Amounts finer than 10^-6 are rounded against us.
        """
        if self.side is BUY:
            return -notional_e6(self.price_e4, self.qty_e6, CEIL) - self.fee_e6
        return notional_e6(self.price_e4, self.qty_e6, FLOOR) - self.fee_e6
