"""What happened, as frozen values in the order in which it happened.

The servers turn these into frames of the market and user channels. Prices of a level are those of
its own token; `is_bid` is the side of that token's book.
"""

from enum import StrEnum

import msgspec

from polyvenue.exchange.orders import OrderView, Placed, Refusal, Side, TradeStatus


class Event(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Base of all events. `at_ns` is when it happened in the exchange."""

    at_ns: int


class LevelChange(msgspec.Struct, frozen=True):
    """New absolute quantity of one price of one token (0 removes) and its best prices after it."""

    token_id: str
    is_bid: bool
    price_e4: int
    qty_e6: int
    best_bid_e4: int | None
    best_ask_e4: int | None


class BookChanged(Event, frozen=True, kw_only=True):
    """Levels that one operation changed, those of both outcomes together."""

    market_id: str
    changes: tuple[LevelChange, ...]


class BookSnapshot(Event, frozen=True, kw_only=True):
    """The whole book of one token; levels are (price, quantity) with the best one last."""

    market_id: str
    token_id: str
    bids: tuple[tuple[int, int], ...]
    asks: tuple[tuple[int, int], ...]
    tick_e4: int
    last_e4: int | None


class TradePrinted(Event, frozen=True, kw_only=True):
    """A public print. Token, side and price are the taker's."""

    market_id: str
    trade_id: str
    token_id: str
    side: Side
    price_e4: int
    qty_e6: int
    tx_hash: str


class TickSizeChanged(Event, frozen=True, kw_only=True):
    """The price grid of a market changed; resting orders stay."""

    market_id: str
    old_tick_e4: int
    new_tick_e4: int


class MarketListed(Event, frozen=True, kw_only=True):
    """A market exists; `accepts_orders` when trading before its window has begun."""

    market_id: str
    token_ids: tuple[str, str]
    accepts_orders: bool


class PhaseChanged(Event, frozen=True, kw_only=True):
    """A market moved on in its life (the value of `market.Phase`)."""

    market_id: str
    phase: str


class MarketResolved(Event, frozen=True, kw_only=True):
    """The payout is known. No winner when both outcomes are paid."""

    market_id: str
    payouts_ppm: tuple[int, int]
    winning_token_id: str | None


class BookRemoved(Event, frozen=True, kw_only=True):
    """From now on the market has no order book."""

    market_id: str


class OrderChangeKind(StrEnum):
    """The `type` of an order event on the user channel."""

    PLACEMENT = "PLACEMENT"
    UPDATE = "UPDATE"
    CANCELLATION = "CANCELLATION"


class OrderChanged(Event, frozen=True, kw_only=True):
    """An order was placed, matched further, or closed; `order` is its state after that."""

    kind: OrderChangeKind
    order: OrderView
    reason: str = ""


class HoldEnded(Event, frozen=True, kw_only=True):
    """The outcome of a held order, for a server whose reply waits for it."""

    order_id: str
    owner: str
    result: Placed | Refusal


class MakerFill(msgspec.Struct, frozen=True, kw_only=True):
    """One maker order's part of a trade, in the maker's own token, side and price.

    `cash_e6` is the collateral that it pays (BUY) or receives (SELL); makers pay no fee.
    """

    order_id: str
    owner: str
    maker: str
    token_id: str
    outcome: int
    side: Side
    price_e4: int
    qty_e6: int
    cash_e6: int


class TradeView(msgspec.Struct, frozen=True, kw_only=True):
    """A trade: one taker order against all it took at one price. The top level is the taker's."""

    trade_id: str
    market_id: str
    taker_order_id: str
    owner: str
    maker: str
    token_id: str
    outcome: int
    side: Side
    price_e4: int
    qty_e6: int
    cash_e6: int
    fee_e6: int
    makers: tuple[MakerFill, ...]
    status: TradeStatus
    matched_ns: int
    updated_ns: int
    tx_hash: str


class TradeStatusChanged(Event, frozen=True, kw_only=True):
    """A trade was made (status MATCHED) or moved on its way to the chain."""

    trade: TradeView


class SelfTradeDetected(Event, frozen=True, kw_only=True):
    """One wallet stood on both sides of a match."""

    trade_id: str
    maker: str
    taker_order_id: str
    maker_order_id: str


class EngineModeChanged(Event, frozen=True, kw_only=True):
    """What the engine accepts has changed (the value of `state.EngineMode`)."""

    mode: str


class HeartbeatExpired(Event, frozen=True, kw_only=True):
    """A key went silent; its open orders were cancelled and its registration removed."""

    owner: str
    canceled: int


class JobState(StrEnum):
    """State of a chain job as the relayer names it."""

    NEW = "STATE_NEW"
    EXECUTED = "STATE_EXECUTED"
    MINED = "STATE_MINED"
    CONFIRMED = "STATE_CONFIRMED"
    FAILED = "STATE_FAILED"
    INVALID = "STATE_INVALID"


class JobKind(StrEnum):
    """What a chain job does: pUSD to pairs, pairs to pUSD, winners to pUSD."""

    SPLIT = "split"
    MERGE = "merge"
    REDEEM = "redeem"


class JobView(msgspec.Struct, frozen=True, kw_only=True):
    """A chain job. `qty_e6` is pairs, or for a redeem what it took; `cash_e6` is signed pUSD."""

    job_id: str
    maker: str
    kind: JobKind
    market_id: str
    qty_e6: int
    cash_e6: int
    nonce: int
    state: JobState
    by_venue: bool
    created_ns: int
    updated_ns: int
    tx_hash: str
    error: str


class JobChanged(Event, frozen=True, kw_only=True):
    """A chain job was made or moved on."""

    job: JobView


class RebatePaid(Event, frozen=True, kw_only=True):
    """A maker's rebate of one day was paid."""

    maker: str
    day: int
    amount_e6: int
