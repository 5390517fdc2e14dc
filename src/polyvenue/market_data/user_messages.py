"""Messages of the user channel as JSON text: orders and trades of one API key.

Shapes: polymarket.md 6.2; no recording of this channel exists. Prices e4, amounts e6, times ns.
"""

from dataclasses import dataclass
from enum import StrEnum

from polyvenue.market_data.market_messages import Side
from polyvenue.market_data.text import (
    JsonObject,
    amount_text,
    dump,
    ms_text,
    price_text,
    seconds_text,
)


class OrderChange(StrEnum):
    """What happened to an order; UPDATE means `matched_e6` changed."""

    PLACEMENT = "PLACEMENT"
    UPDATE = "UPDATE"
    CANCELLATION = "CANCELLATION"


class OrderStatus(StrEnum):
    """The status of an order in the messages (REST may add a prefix)."""

    LIVE = "LIVE"
    MATCHED = "MATCHED"
    DELAYED = "DELAYED"
    UNMATCHED = "UNMATCHED"
    CANCELED = "CANCELED"
    CANCELED_MARKET_RESOLVED = "CANCELED_MARKET_RESOLVED"
    CANCELED_NOT_ENOUGH_BALANCE = "CANCELED_NOT_ENOUGH_BALANCE"
    CANCELED_MARKET_NOT_FOUND = "CANCELED_MARKET_NOT_FOUND"
    CANCELED_EXPIRED_ORDER = "CANCELED_EXPIRED_ORDER"
    CANCELED_ORDER_TIMED_OUT = "CANCELED_ORDER_TIMED_OUT"
    INVALID = "INVALID"


class TradeStatus(StrEnum):
    """Where the settlement of a trade stands; CONFIRMED and FAILED are final."""

    MATCHED = "MATCHED"
    MINED = "MINED"
    CONFIRMED = "CONFIRMED"
    RETRYING = "RETRYING"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class UserMessage:
    """One object for the connections of one API key, within a market."""

    text: str
    api_key: str
    condition_id: str


@dataclass(frozen=True, slots=True)
class UserOrder:
    """An order as its owner sees it. `expires_s` is 0 unless GTD."""

    order_id: str
    api_key: str
    maker_address: str
    condition_id: str
    token_id: str
    outcome: str
    side: Side
    price_e4: int
    amount_e6: int
    matched_e6: int
    order_type: str
    status: OrderStatus
    created_ns: int
    expires_s: int = 0
    trade_ids: tuple[str, ...] = ()


def order_message(order: UserOrder, change: OrderChange, time_ns: int) -> UserMessage:
    """An order event; `associate_trades` is null before the first trade."""
    body: JsonObject = {
        "event_type": "order",
        "type": change.value,
        "id": order.order_id,
        "owner": order.api_key,
        "order_owner": order.api_key,
        "maker_address": order.maker_address,
        "market": order.condition_id,
        "asset_id": order.token_id,
        "outcome": order.outcome,
        "side": order.side.value,
        "price": price_text(order.price_e4),
        "original_size": amount_text(order.amount_e6),
        "size_matched": amount_text(order.matched_e6),
        "order_type": order.order_type,
        "expiration": str(order.expires_s),
        "status": order.status.value,
        "created_at": seconds_text(order.created_ns),
        "associate_trades": list(order.trade_ids) or None,
        "timestamp": ms_text(time_ns),
    }
    return UserMessage(dump(body), order.api_key, order.condition_id)


@dataclass(frozen=True, slots=True)
class MakerPart:
    """One resting order's share of a trade; its token may be the other one (mint, merge)."""

    order_id: str
    api_key: str
    maker_address: str
    token_id: str
    outcome: str
    outcome_index: int
    side: Side
    price_e4: int
    amount_e6: int


@dataclass(frozen=True, slots=True)
class UserTrade:
    """A trade: the taker's token, side, price and amount, and every maker's part.

    `transaction_hash` is empty until the transaction is sent.
    """

    trade_id: str
    status: TradeStatus
    taker_order_id: str
    api_key: str
    maker_address: str
    condition_id: str
    token_id: str
    outcome: str
    side: Side
    price_e4: int
    amount_e6: int
    matched_ns: int
    updated_ns: int
    makers: tuple[MakerPart, ...]
    transaction_hash: str = ""
    bucket_index: int = 0


def trade_messages(trade: UserTrade, time_ns: int) -> list[UserMessage]:
    """The same trade for the taker's key first, then once for each other key among the makers."""
    keys = dict.fromkeys([trade.api_key, *(part.api_key for part in trade.makers)])
    return [_trade_message(trade, key, time_ns) for key in keys]


def _trade_message(trade: UserTrade, api_key: str, time_ns: int) -> UserMessage:
    taker = api_key == trade.api_key
    own = [part for part in trade.makers if part.api_key == api_key]
    address = trade.maker_address if taker else own[0].maker_address
    body: JsonObject = {
        "event_type": "trade",
        "type": "TRADE",
        "id": trade.trade_id,
        "status": trade.status.value,
        "taker_order_id": trade.taker_order_id,
        "market": trade.condition_id,
        "asset_id": trade.token_id,
        "outcome": trade.outcome,
        "side": trade.side.value,
        "size": amount_text(trade.amount_e6),
        "price": price_text(trade.price_e4),
        "fee_rate_bps": "0",
        "trader_side": "TAKER" if taker else "MAKER",
        "owner": api_key,
        "trade_owner": api_key,
        "maker_address": address,
        "transaction_hash": trade.transaction_hash,
        "bucket_index": str(trade.bucket_index),
        "matchtime": seconds_text(trade.matched_ns),
        "last_update": seconds_text(trade.updated_ns),
        "timestamp": ms_text(time_ns),
        "maker_orders": [_maker_json(part) for part in trade.makers],
    }
    return UserMessage(dump(body), api_key, trade.condition_id)


def _maker_json(part: MakerPart) -> JsonObject:
    return {
        "order_id": part.order_id,
        "owner": part.api_key,
        "maker_address": part.maker_address,
        "matched_amount": amount_text(part.amount_e6),
        "price": price_text(part.price_e4),
        "asset_id": part.token_id,
        "outcome": part.outcome,
        "outcome_index": part.outcome_index,
        "side": part.side.value,
        "fee_rate_bps": "0",
    }
