"""The public market channel: wire JSON to events and back. Pure, no guessed fallbacks.

Prices and sizes are strings on the wire and become integers exactly; whatever is not a plain number
in its range is refused with the name of the field. A message type that we do not know is counted.
"""

from __future__ import annotations

from typing import Never

import msgspec

from polybawt.adapters.polymarket.text import (
    PRICE_RANGE,
    PRICES_E4,
    QTY_RANGE,
    QTYS_E6,
    parse_venue_ns,
)
from polybawt.adapters.polymarket.wire import (
    KINDS,
    BookWire,
    ChangeWire,
    Kind,
    Known,
    LevelWire,
    NewMarketWire,
    PriceChangeBody,
    PriceChangeWire,
    PrintWire,
    ResolvedWire,
    TickWire,
    TouchWire,
)
from polybawt.domain.book import Level
from polybawt.domain.errors import DecodeError
from polybawt.domain.events import (
    BookChanged,
    BookReplaced,
    Event,
    Evidence,
    MarketResolved,
    TickChanged,
    TradePrinted,
)
from polybawt.domain.ids import MarketId, Outcome, Side
from polybawt.domain.market import Market
from polybawt.domain.ticks import TICKS_E4
from polybawt.domain.units import PPM

FRAME_BYTES_MAX = 4 * 1024 * 1024
_IGNORED_KINDS_MAX = 64
_SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
_PAYOUTS_PPM = {Outcome.UP: (PPM, 0), Outcome.DOWN: (0, PPM)}


_decode = msgspec.json.Decoder(Known | list[Known]).decode
_decode_price_change = msgspec.json.Decoder(PriceChangeBody).decode
_PRICE_CHANGE_END = b'"event_type":"price_change"}'
_decode_known = msgspec.json.Decoder(Known).decode
_decode_kind = msgspec.json.Decoder(Kind).decode
_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode


class MarketDecoder:
    """Decodes frames of the market channel for the markets it was told of.

    `ignored` counts messages that carry no event for us: unknown types, unknown tokens and types
    that we do not use.
    """

    __slots__ = ("_tokens", "ignored")

    def __init__(self) -> None:
        self._tokens: dict[str, tuple[MarketId, Outcome]] = {}
        self.ignored: dict[str, int] = {}

    def list_market(self, market: Market) -> None:
        """Learn the two tokens of a market. DecodeError if a token belongs to another one."""
        for outcome in Outcome:
            token = market.token(outcome)
            entry = (market.market_id, outcome)
            if self._tokens.setdefault(token, entry) != entry:
                raise DecodeError(
                    f"market {market.market_id}: its {outcome.text} token {token[:40]!r} is already"
                    f" {self._tokens[token][1].text} of {self._tokens[token][0]}"
                )

    def drop_market(self, market: Market) -> None:
        """Forget a market; its further messages are counted as unknown."""
        self._tokens.pop(market.token_up, None)
        self._tokens.pop(market.token_down, None)

    def decode(self, payload: bytes) -> tuple[Event, ...]:
        """The events of one frame (an object or an array), in order.

        Raises DecodeError if any message in it is not what it must be: a frame is atomic.
        """
        if len(payload) > FRAME_BYTES_MAX:
            raise DecodeError(
                f"market frame: {len(payload)} bytes; allowed: at most {FRAME_BYTES_MAX}"
            )
        try:
            # The venue writes the type last, and nearly every frame is a price_change: telling it
            # by its end saves a scan of the whole frame for the type.
            if payload.endswith(_PRICE_CHANGE_END):
                return self._changes(_decode_price_change(payload))
            message = _decode(payload)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return self._decode_mixed(payload)
        if isinstance(message, list):
            return tuple([event for one in message for event in self._events(one)])
        return self._events(message)

    def _decode_mixed(self, payload: bytes) -> tuple[Event, ...]:
        """A frame with an unknown message type in it, or a broken one."""
        events: list[Event] = []
        try:
            is_array = payload.lstrip().startswith(b"[")
            for one in _decode_array(payload) if is_array else [msgspec.Raw(payload)]:
                kind = _decode_kind(one).event_type
                if kind in KINDS:
                    events.extend(self._events(_decode_known(one)))
                else:
                    self._ignore(f"unknown type {kind[:40]}")
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise DecodeError(f"market frame: {str(error)[:200]}") from error
        return tuple(events)

    def _events(self, message: Known) -> tuple[Event, ...]:
        match message:
            case PriceChangeWire():
                return self._changes(message)
            case BookWire():
                entry = self._entry(message.asset_id, message.market)
                return () if entry is None else (book_replaced(message, *entry),)
            case PrintWire():
                entry = self._entry(message.asset_id, message.market)
                return () if entry is None else (_print(message, *entry),)
            case TickWire():
                entry = self._entry(message.asset_id, message.market)
                return () if entry is None else (_tick(message, entry[0]),)
            case ResolvedWire():
                entry = self._entry(message.winning_asset_id, message.market)
                return () if entry is None else (_resolved(*entry),)
            case TouchWire():
                self._ignore("best_bid_ask")
            case NewMarketWire():
                self._ignore("new_market")
        return ()

    def _changes(self, message: PriceChangeWire | PriceChangeBody) -> tuple[Event, ...]:
        tokens, market = self._tokens, message.market
        events: list[Event] = []
        change: ChangeWire | None = None
        try:
            venue_ns = parse_venue_ns(message.timestamp)
            for change in message.price_changes:
                entry = tokens.get(change.asset_id)
                if entry is None:
                    self._ignore("unknown token")
                    continue
                market_id, outcome = entry
                if market_id != market:
                    _refuse_market(change.asset_id, market, market_id)
                events.append(
                    BookChanged(
                        market_id=market_id,
                        outcome=outcome,
                        side=_SIDES[change.side],
                        price_e4=PRICES_E4[change.price],
                        qty_e6=QTYS_E6[change.size],
                        venue_ns=venue_ns,
                    )
                )
        except (KeyError, ValueError):
            side = "BUY" if change is None else change.side
            levels = [] if change is None else [LevelWire(change.price, change.size)]
            _refuse("price_change", message.timestamp, side, levels)
        return tuple(events)

    def _entry(self, token: str, market: str) -> tuple[MarketId, Outcome] | None:
        entry = self._tokens.get(token)
        if entry is None:
            self._ignore("unknown token")
        elif entry[0] != market:
            _refuse_market(token, market, entry[0])
        return entry

    def _ignore(self, what: str) -> None:
        if what not in self.ignored and len(self.ignored) >= _IGNORED_KINDS_MAX:
            what = "other"
        self.ignored[what] = self.ignored.get(what, 0) + 1


def book_replaced(message: BookWire, market_id: MarketId, outcome: Outcome) -> BookReplaced:
    """A `book` message as an event; levels keep the order of the wire. DecodeError as `decode`."""
    try:
        return BookReplaced(
            market_id=market_id,
            outcome=outcome,
            bids=_levels(message.bids),
            asks=_levels(message.asks),
            venue_ns=parse_venue_ns(message.timestamp),
        )
    except (KeyError, ValueError):
        _refuse("book", message.timestamp, "BUY", message.bids + message.asks)


def _levels(levels: list[LevelWire]) -> tuple[Level, ...]:
    prices, qtys = PRICES_E4, QTYS_E6
    return tuple([(prices[level.price], qtys[level.size]) for level in levels])


def _print(message: PrintWire, market_id: MarketId, outcome: Outcome) -> TradePrinted:
    try:
        return TradePrinted(
            market_id=market_id,
            outcome=outcome,
            side=_SIDES[message.side],
            price_e4=PRICES_E4[message.price],
            qty_e6=QTYS_E6[message.size],
            venue_ns=parse_venue_ns(message.timestamp),
        )
    except (KeyError, ValueError):
        levels = [LevelWire(message.price, message.size)]
        _refuse("last_trade_price", message.timestamp, message.side, levels)


def _tick(message: TickWire, market_id: MarketId) -> TickChanged:
    tick_e4 = PRICES_E4.get(message.new_tick_size)
    if tick_e4 not in TICKS_E4:
        raise DecodeError(
            f"tick_size_change: new_tick_size is {message.new_tick_size[:40]!r};"
            " allowed: 0.1, 0.01, 0.005, 0.0025, 0.001, 0.0001"
        )
    return TickChanged(market_id=market_id, tick_e4=tick_e4)


def _resolved(market_id: MarketId, winner: Outcome) -> MarketResolved:
    return MarketResolved(
        market_id=market_id, payouts_ppm=_PAYOUTS_PPM[winner], evidence=Evidence.OFFICIAL
    )


def _refuse_market(token: str, market: str, listed: MarketId) -> Never:
    raise DecodeError(
        f"market channel: token {token[:40]!r} comes with market {market[:80]!r},"
        f" but is listed in {listed}"
    )


def _refuse(kind: str, timestamp: str, side: str, levels: list[LevelWire]) -> Never:
    """Name the first bad field of a message that could not be converted."""
    try:
        parse_venue_ns(timestamp)
    except ValueError:
        raise DecodeError(
            f"{kind}: timestamp is {timestamp[:40]!r}; allowed: milliseconds, 13 digits"
        ) from None
    if side not in _SIDES:
        raise DecodeError(f"{kind}: side is {side[:40]!r}; allowed: BUY, SELL")
    for level in levels:
        if level.price not in PRICES_E4:
            raise DecodeError(f"{kind}: price is {level.price[:40]!r}; allowed: {PRICE_RANGE}")
        try:
            QTYS_E6[level.size]
        except ValueError:
            raise DecodeError(
                f"{kind}: size is {level.size[:40]!r}; allowed: {QTY_RANGE}"
            ) from None
    raise AssertionError(f"{kind}: refused without a bad field")
