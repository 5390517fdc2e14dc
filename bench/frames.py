"""One process: frames of the market channel, from bytes to an updated book, beside two peers.

The two frames are invented in the shape of the venue's: a `price_change` with one leg per token,
and a `book` of 60 levels a side. nautilus_trader is measured to its own book; the official SDK
keeps no book, so only its decoding is measured.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal

from bench.product import market_of
from bench.timing import interleaved_ns, report
from polybawt.adapters.polymarket.codec import MarketDecoder
from polybawt.domain.events import Batch, MarketListed
from polybawt.domain.ids import Outcome
from polybawt.domain.units import S_NS
from polybawt.portfolio.account import AccountState
from polybawt.portfolio.lots import Method
from polybawt.state import State

ROUNDS = 7
DEPTH = 60
MARKET = market_of(1, 0, 900 * S_NS)
Sides = dict[str, Callable[[], object]]


def price_text(tick: int) -> str:
    """A price in 0.001 as the venue writes it."""
    return f"{tick / 1000:.3f}".rstrip("0")


def book_frame() -> bytes:
    """A whole book, best level last as on the wire."""
    bids = [{"price": price_text(500 - i), "size": f"{37 + 11 * i}.25"} for i in range(DEPTH)]
    asks = [{"price": price_text(503 + i), "size": f"{41 + 13 * i}.5"} for i in range(DEPTH)]
    return _encode(
        {
            "event_type": "book",
            "asset_id": MARKET.token_up,
            "market": MARKET.market_id,
            "bids": bids[::-1],
            "asks": asks[::-1],
            "timestamp": "1790000000123",
            "hash": "0x" + "ab" * 20,
        }
    )


def change_frame() -> bytes:
    """One level of Up and its mirror in Down."""
    common = {"size": "1250.5", "hash": "a1" * 20}
    up = {"asset_id": MARKET.token_up, "price": "0.5", "side": "BUY"}
    down = {"asset_id": MARKET.token_down, "price": "0.5", "side": "SELL"}
    return _encode(
        {
            "market": MARKET.market_id,
            "price_changes": [
                {**up, **common, "best_bid": "0.5", "best_ask": "0.503"},
                {**down, **common, "best_bid": "0.497", "best_ask": "0.5"},
            ],
            "timestamp": "1790000000456",
            "event_type": "price_change",
        }
    )


def _encode(message: dict[str, object]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()


def ours(payload: bytes) -> Callable[[], object]:
    """Decode a frame and apply it to the state, as the live path does."""
    decoder = MarketDecoder()
    decoder.list_market(MARKET)
    state = State(AccountState(0, Method.AVERAGE), 0)
    state.apply(Batch(1, 0, "lifecycle", (MarketListed(market=MARKET),)))
    decode, apply = decoder.decode, state.apply

    def side() -> None:
        apply(Batch(2, 0, "polymarket.market", decode(payload)))

    apply(Batch(2, 0, "polymarket.market", decode(book_frame())))
    side()
    book = state.view(MARKET.market_id, "").book(Outcome.UP)
    assert (book.bid_e4, book.ask_e4) == (5_000, 5_030), "the frame did not reach the book"
    return side


def nautilus(payload: bytes, parse: str) -> Callable[[], object]:
    """The Polymarket adapter of nautilus_trader: decode, parse to deltas, apply to its book."""
    import msgspec
    from nautilus_trader.adapters.polymarket.websocket.types import MARKET_WS_MESSAGE
    from nautilus_trader.model.book import OrderBook
    from nautilus_trader.model.enums import BookType

    from bench.replay_nautilus import MARKET as INSTRUMENT
    from bench.replay_nautilus import instrument

    decode = msgspec.json.Decoder(MARKET_WS_MESSAGE).decode
    book, binary = OrderBook(INSTRUMENT, BookType.L2_MBP), instrument()

    def side() -> None:
        book.apply_deltas(getattr(decode(payload), parse)(binary, 0))

    side()
    assert book.best_bid_price() == Decimal("0.5"), "the frame did not reach the book"
    return side


def sdk(payload: bytes) -> Callable[[], object]:
    """The official SDK's stream path: JSON to its event models."""
    from polymarket._internal.streams.clob.market_protocol import parse_events

    events, dropped = parse_events(json.loads(payload))
    assert events, "the official SDK finds no event in the frame"
    assert not dropped, "the official SDK refuses the frame"
    return lambda: parse_events(json.loads(payload))


def measure(payload: bytes, parse: str) -> dict[str, float | str]:
    """Median ns per frame of each side; a peer that is not installed says so."""
    sides: Sides = {"ours": ours(payload)}
    missing: dict[str, float | str] = {}
    peers = {"nautilus": lambda: nautilus(payload, parse), "sdk": lambda: sdk(payload)}
    for name, make in peers.items():
        try:
            sides[name] = make()
        except ModuleNotFoundError as error:
            missing[name] = f"{error.name} is not installed"
    return {**interleaved_ns(sides, ROUNDS), **missing}


if __name__ == "__main__":
    report(
        {
            "change": measure(change_frame(), "parse_to_deltas"),
            "book": measure(book_frame(), "parse_to_snapshot"),
        }
    )
