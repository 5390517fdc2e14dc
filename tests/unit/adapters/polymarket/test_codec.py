"""The market channel's codec: what becomes an event, what is counted, what is refused."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from polybawt.adapters.polymarket.codec import FRAME_BYTES_MAX, MarketDecoder
from polybawt.adapters.polymarket.text import PRICES_E4, parse_qty_e6, price_text, qty_text
from polybawt.domain.errors import DecodeError
from polybawt.domain.events import (
    BookChanged,
    BookReplaced,
    Evidence,
    MarketResolved,
    TickChanged,
    TradePrinted,
)
from polybawt.domain.ids import Outcome, Side
from polybawt.domain.units import MS_NS
from tests.recordings import MARKET, OPEN_MS, book_frame

CHANGE = {"asset_id": "111", "price": "0.50", "size": "80", "side": "BUY", "best_bid": "0.50"}


@pytest.fixture
def decoder() -> MarketDecoder:
    decoder = MarketDecoder()
    decoder.list_market(MARKET)
    return decoder


def frame(kind: str, **fields: Any) -> bytes:
    message = {"event_type": kind, "market": "0xc0", "asset_id": "111", "timestamp": str(OPEN_MS)}
    return json.dumps(message | fields).encode()


def test_book_replaces_the_levels_in_the_order_of_the_wire(decoder: MarketDecoder) -> None:
    bids = [{"price": "0.1", "size": "7"}, {"price": "0.49", "size": "219.217767"}]
    (event,) = decoder.decode(book_frame(OPEN_MS, bids=bids, tick_size="0.01", hash="ab"))
    assert event == BookReplaced(
        market_id=MARKET.market_id,
        outcome=Outcome.UP,
        bids=((1000, 7_000_000), (4900, 219_217_767)),
        asks=((5100, 44_200_000),),
        venue_ns=OPEN_MS * MS_NS,
    )


def test_one_price_change_carries_both_tokens(decoder: MarketDecoder) -> None:
    other = CHANGE | {"asset_id": "222", "side": "SELL", "size": "0"}
    up, down = decoder.decode(frame("price_change", price_changes=[CHANGE, other]))
    assert isinstance(up, BookChanged)
    assert isinstance(down, BookChanged)
    assert (up.outcome, up.side, up.price_e4, up.qty_e6) == (0, Side.BUY, 5000, 80_000_000)
    assert (down.outcome, down.side, down.qty_e6) == (Outcome.DOWN, Side.SELL, 0)


def test_a_print_keeps_the_takers_side(decoder: MarketDecoder) -> None:
    (event,) = decoder.decode(
        frame("last_trade_price", price=".51", size="12.5", side="SELL", fee_rate_bps="0")
    )
    assert event == TradePrinted(
        market_id=MARKET.market_id,
        outcome=Outcome.UP,
        side=Side.SELL,
        price_e4=5100,
        qty_e6=12_500_000,
        venue_ns=OPEN_MS * MS_NS,
    )


def test_tick_change_and_resolution(decoder: MarketDecoder) -> None:
    payload = frame("tick_size_change", old_tick_size="0.01", new_tick_size="0.001")
    assert decoder.decode(payload) == (TickChanged(market_id=MARKET.market_id, tick_e4=10),)
    payload = frame("market_resolved", winning_asset_id="222", winning_outcome="Down")
    assert decoder.decode(payload) == (
        MarketResolved(
            market_id=MARKET.market_id, payouts_ppm=(0, 1_000_000), evidence=Evidence.OFFICIAL
        ),
    )


def test_an_array_is_one_frame_and_an_empty_one_has_no_events(decoder: MarketDecoder) -> None:
    array = b"[" + book_frame(OPEN_MS) + b"," + book_frame(OPEN_MS, asset_id="222") + b"]"
    events = decoder.decode(array)
    assert [e.outcome for e in events if isinstance(e, BookReplaced)] == [0, 1]
    assert decoder.decode(b"[]") == ()


def test_what_carries_no_event_for_us_is_counted(decoder: MarketDecoder) -> None:
    mixed = b"[" + frame("new_thing") + b"," + book_frame(OPEN_MS) + b"]"
    assert len(decoder.decode(mixed)) == 1
    for payload in (
        frame("best_bid_ask", best_bid="0.5"),
        frame("new_market", outcomes=["Yes", "No"]),
        frame("last_trade_price", asset_id="9", price="0.5", size="1", side="BUY"),
        frame("price_change", price_changes=[CHANGE | {"asset_id": "9"}]),
    ):
        assert decoder.decode(payload) == ()
    assert decoder.ignored == {
        "unknown type new_thing": 1,
        "best_bid_ask": 1,
        "new_market": 1,
        "unknown token": 2,
    }


def test_kinds_counted_are_bounded(decoder: MarketDecoder) -> None:
    for number in range(200):
        decoder.decode(frame(f"kind{number}"))
    assert len(decoder.ignored) <= 65
    assert sum(decoder.ignored.values()) == 200


def test_a_dropped_market_is_unknown_again(decoder: MarketDecoder) -> None:
    decoder.drop_market(MARKET)
    assert decoder.decode(book_frame(OPEN_MS)) == ()
    assert decoder.ignored == {"unknown token": 1}


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "inf",
        "-0.5",
        "5e-1",
        "0.12345",
        "0.50000",
        "0",
        "1",
        "1.5",
        "",
        " 0.5",
        "0,5",
        "\u0660.\u0665",
    ],
)
def test_a_price_that_is_none_is_refused_with_its_name(decoder: MarketDecoder, text: str) -> None:
    with pytest.raises(DecodeError, match=r"price is .*; allowed: 0.0001 to 0.9999"):
        decoder.decode(frame("price_change", price_changes=[CHANGE | {"price": text}]))


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "Infinity",
        "-1",
        "1e3",
        "0.1234567",
        "1_000",
        " 1",
        "1.",
        ".5",
        "+1",
        "1.-5",
        "\u0663",
        "1234567890123",
    ],
)
def test_a_size_that_is_none_is_refused_with_its_name(decoder: MarketDecoder, text: str) -> None:
    with pytest.raises(DecodeError, match=r"size is .*; allowed: 0 to 999999999999"):
        decoder.decode(book_frame(OPEN_MS, bids=[{"price": "0.5", "size": text}]))


@pytest.mark.parametrize("text", ["", "1", "-790586000123", "1_90586000123", "179058600012x"])
def test_a_time_that_is_none_is_refused(decoder: MarketDecoder, text: str) -> None:
    with pytest.raises(DecodeError, match="timestamp is"):
        decoder.decode(book_frame(OPEN_MS, timestamp=text))


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (frame("price_change", price_changes=[CHANGE | {"side": "buy"}]), "side is 'buy'"),
        (frame("tick_size_change", new_tick_size="0.02"), "new_tick_size is '0.02'"),
        (book_frame(OPEN_MS, market="0xother"), "is listed in 0xc0"),
        (frame("price_change", market="0xx", price_changes=[CHANGE]), "is listed in 0xc0"),
        (frame("book", bids=[], asks=None), "Expected `array`"),
        (frame("book", bids=[{"price": 0.5, "size": "1"}], asks=[]), "Expected `str`"),
        (b'{"market": "0xc0"}', "event_type"),
        (b'{"event_type": "book"}', "missing required field"),
        (b'{"event_type": 5}', "Expected `str`"),
        (b"[" * 100_000, "market frame"),
        (b'{"event_type":"x","a":' + b"[" * 100_000, "market frame"),
        (b'{"event_type":"book","market":"\xff\xfe"}', "market frame"),
        (b"7", "market frame"),
        (b"", "market frame"),
        (b"PONG", "market frame"),
        (book_frame(OPEN_MS)[:-5], "market frame"),
        (b'{"event_type":"' + b"x" * FRAME_BYTES_MAX + b'"}', "allowed: at most"),
    ],
)
def test_a_broken_frame_is_one_line(decoder: MarketDecoder, payload: bytes, message: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decoder.decode(payload)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_token_cannot_belong_to_two_markets(decoder: MarketDecoder) -> None:
    decoder.list_market(MARKET)
    with pytest.raises(DecodeError, match="already Up of 0xc0"):
        decoder.list_market(msgspec.structs.replace(MARKET, market_id="0xc1"))


def test_every_price_of_every_grid_has_its_texts() -> None:
    assert PRICES_E4["0.57"] == PRICES_E4["0.570"] == PRICES_E4["0.5700"] == 5700
    assert all(PRICES_E4[price_text(price_e4)] == price_e4 for price_e4 in range(1, 10_000))
    assert len(set(PRICES_E4.values())) == 9999


def test_sizes_are_exact() -> None:
    assert parse_qty_e6("219.217767") == 219_217_767
    assert parse_qty_e6("999999999999.999999") == 999_999_999_999_999_999
    assert qty_text(219_217_767) == "219.217767"
    assert qty_text(30_000_000) == "30"


def compact_type_last(**fields: Any) -> bytes:
    """A price_change exactly as the venue writes it: no spaces, the type at the end."""
    message = {"market": "0xc0", "price_changes": [CHANGE], "timestamp": str(OPEN_MS)} | fields
    return json.dumps(message | {"event_type": "price_change"}, separators=(",", ":")).encode()


def test_the_place_of_the_type_in_a_frame_does_not_matter(decoder: MarketDecoder) -> None:
    first = frame("price_change", price_changes=[CHANGE])
    assert decoder.decode(compact_type_last()) == decoder.decode(first) != ()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"price_changes": [CHANGE | {"price": "2"}]}, "price is '2'"),
        ({"price_changes": [CHANGE | {"side": "buy"}]}, "side is 'buy'"),
        ({"price_changes": None}, "Expected `array`"),
        ({"price_changes": [{}]}, "missing required field `asset_id`"),
        ({"timestamp": 5}, "Expected `str`"),
    ],
)
def test_a_broken_frame_with_its_type_at_the_end(
    decoder: MarketDecoder, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(DecodeError, match=message):
        decoder.decode(compact_type_last(**fields))
