"""Messages of the public market channel as on the wire; fields that we do not use are skipped."""

from __future__ import annotations

import msgspec


class LevelWire(msgspec.Struct, gc=False):
    """One price and the size that stands there."""

    price: str
    size: str


class _Message(msgspec.Struct, tag_field="event_type", gc=False):
    market: str


class BookWire(_Message, tag="book", kw_only=True, gc=False):
    """A token's whole book."""

    asset_id: str
    timestamp: str
    bids: list[LevelWire]
    asks: list[LevelWire]


class ChangeWire(msgspec.Struct, gc=False):
    """One level of one token."""

    asset_id: str
    price: str
    size: str
    side: str


class PriceChangeWire(_Message, tag="price_change", kw_only=True, gc=False):
    """New absolute sizes; may carry both tokens of the market."""

    price_changes: list[ChangeWire]
    timestamp: str


class PriceChangeBody(msgspec.Struct, gc=False):
    """A price_change whose type is known already."""

    market: str
    price_changes: list[ChangeWire]
    timestamp: str


class PrintWire(_Message, tag="last_trade_price", kw_only=True, gc=False):
    """A public trade; the side is the taker's."""

    asset_id: str
    timestamp: str
    price: str
    size: str
    side: str


class TickWire(_Message, tag="tick_size_change", kw_only=True, gc=False):
    """A new tick; sent once per token and repeated."""

    asset_id: str
    new_tick_size: str


class ResolvedWire(_Message, tag="market_resolved", kw_only=True, gc=False):
    """The winner. Sometimes never delivered."""

    winning_asset_id: str


class TouchWire(_Message, tag="best_bid_ask", gc=False):
    """Known from the book already."""


class NewMarketWire(_Message, tag="new_market", gc=False):
    """Markets are listed from their full description, which this message is not."""


Known = BookWire | PriceChangeWire | PrintWire | TickWire | ResolvedWire | TouchWire | NewMarketWire


class Kind(msgspec.Struct, gc=False):
    """The type of any message."""

    event_type: str


KINDS = frozenset(
    kind.__struct_config__.tag
    for kind in (
        BookWire,
        PriceChangeWire,
        PrintWire,
        TickWire,
        ResolvedWire,
        TouchWire,
        NewMarketWire,
    )
)
