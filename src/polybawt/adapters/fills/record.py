"""What the fill model did, as values for the trace of a run."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from polybawt.domain.fill import Liquidity
from polybawt.domain.ids import Instrument, MarketId, OrderId, Side, StrategyName
from polybawt.domain.order import OrderState


class Code(StrEnum):
    """Why an order was rejected, a cancel refused or an order closed; the venue's meanings."""

    MARKET_CLOSED = "MARKET_CLOSED"
    MARKET_RESOLVED = "MARKET_RESOLVED"
    NO_BOOK = "NO_BOOK"
    PRICE_OFF_TICK = "PRICE_OFF_TICK"
    SIZE_OFF_LOT = "SIZE_OFF_LOT"
    SIZE_BELOW_MIN = "SIZE_BELOW_MIN"
    NOTIONAL_BELOW_MIN = "NOTIONAL_BELOW_MIN"
    CENT_RULE = "CENT_RULE"
    INVALID_POST_ONLY = "INVALID_POST_ONLY"
    INVALID_EXPIRATION = "INVALID_EXPIRATION"
    NOT_ENOUGH_BALANCE = "NOT_ENOUGH_BALANCE"
    SELF_CROSS = "SELF_CROSS"
    POST_ONLY_CROSS = "POST_ONLY_CROSS"
    FOK_NOT_FILLED = "FOK_NOT_FILLED"
    FAK_NO_MATCH = "FAK_NO_MATCH"
    FAK_REST = "FAK_REST"
    VOIDED_NO_DATA = "VOIDED_NO_DATA"
    EXPIRED = "EXPIRED"
    BY_USER = "BY_USER"
    HELD = "HELD"
    NOT_OPEN = "NOT_OPEN"


class RecordKind(StrEnum):
    """What a record tells."""

    ARRIVED = "arrived"
    FILL = "fill"
    CLOSED = "closed"
    CANCEL_REFUSED = "cancel_refused"
    SPLIT = "split"
    MERGE = "merge"
    REDEEM = "redeem"
    REFUSED = "refused"
    REBATE = "rebate"


class VenueRecord(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One effect at the simulated venue, at `ts_ns` of venue time.

    `arrived_ns` is when the order or cancel reached the book; `price_e4` is in the order's own
    token: the limit, or of a fill the match. `qty_e6` is the size that arrived, was matched or was
    left when it closed; of a conversion the pairs, of a redeem and a rebate the cash. `order_id` is
    the job id for chain work and the transfer id for a rebate.
    """

    kind: RecordKind
    ts_ns: int
    order_id: OrderId
    strategy: StrategyName = StrategyName("")
    market_id: MarketId = MarketId("")
    instrument: Instrument | None = None
    side: Side | None = None
    decided_ns: int = 0
    arrived_ns: int = 0
    frame_seq: int = 0
    liquidity: Liquidity | None = None
    price_e4: int = 0
    qty_e6: int = 0
    fee_e6: int = 0
    state: OrderState | None = None
    reason: str = ""
