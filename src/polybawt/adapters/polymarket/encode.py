"""Events to wire JSON of the public market channel: the inverse of codec.py, for our own tapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

import msgspec

from polybawt.adapters.polymarket.text import price_text, qty_text
from polybawt.adapters.polymarket.wire import (
    BookWire,
    ChangeWire,
    LevelWire,
    PriceChangeWire,
    PrintWire,
    TickWire,
)
from polybawt.domain.book import Level
from polybawt.domain.errors import InvariantError
from polybawt.domain.events import BookChanged, BookReplaced, Event, TickChanged, TradePrinted
from polybawt.domain.ids import MarketId
from polybawt.domain.market import Market
from polybawt.domain.units import MS_NS

_Wire = BookWire | PriceChangeWire | PrintWire | TickWire
_PRICE_TEXTS = [price_text(price_e4) for price_e4 in range(10_000)]
_encode = msgspec.json.Encoder().encode


def encode_market(events: Iterable[Event], markets: Mapping[MarketId, Market]) -> bytes:
    """One market-channel frame that decodes to exactly these events.

    One message is an object, any other number an array, as the venue sends them. Raises
    InvariantError for an event that the channel cannot carry.
    """
    messages: list[_Wire] = []
    for key, group in groupby(events, key=_group):
        if isinstance(key, tuple):
            messages.append(_price_change(list(group), markets))
        else:
            messages.extend(_message(event, markets) for event in group)
    return _encode(messages[0] if len(messages) == 1 else messages)


def _group(event: Event) -> tuple[MarketId, int] | None:
    return (event.market_id, event.venue_ns) if isinstance(event, BookChanged) else None


def _price_change(changes: list[Event], markets: Mapping[MarketId, Market]) -> PriceChangeWire:
    legs = [change for change in changes if isinstance(change, BookChanged)]
    market = markets[legs[0].market_id]
    return PriceChangeWire(
        market=market.market_id,
        timestamp=_timestamp(legs[0].venue_ns),
        price_changes=[
            ChangeWire(
                market.token(leg.outcome),
                _PRICE_TEXTS[leg.price_e4],
                qty_text(leg.qty_e6),
                leg.side.name,
            )
            for leg in legs
        ],
    )


def _message(event: Event, markets: Mapping[MarketId, Market]) -> _Wire:
    match event:
        case BookReplaced():
            return BookWire(
                market=event.market_id,
                asset_id=markets[event.market_id].token(event.outcome),
                timestamp=_timestamp(event.venue_ns),
                bids=_levels(event.bids),
                asks=_levels(event.asks),
            )
        case TradePrinted():
            return PrintWire(
                market=event.market_id,
                asset_id=markets[event.market_id].token(event.outcome),
                timestamp=_timestamp(event.venue_ns),
                price=_PRICE_TEXTS[event.price_e4],
                size=qty_text(event.qty_e6),
                side=event.side.name,
            )
        case TickChanged():
            return TickWire(
                market=event.market_id,
                asset_id=markets[event.market_id].token_up,
                new_tick_size=_PRICE_TEXTS[event.tick_e4],
            )
        case _:
            raise InvariantError(f"the market channel cannot carry {type(event).__name__}")


def _levels(levels: tuple[Level, ...]) -> list[LevelWire]:
    return [LevelWire(_PRICE_TEXTS[price_e4], qty_text(qty_e6)) for price_e4, qty_e6 in levels]


def _timestamp(venue_ns: int) -> str:
    if venue_ns % MS_NS:
        raise InvariantError(f"venue time {venue_ns} ns is finer than the channel's milliseconds")
    return str(venue_ns // MS_NS)
