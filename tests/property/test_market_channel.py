"""Wire to events to wire: nothing is lost, and no bytes make the decoder fall over."""

from __future__ import annotations

import contextlib
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from polybawt.adapters.datasets.floats import PRICES_E4 as FLOAT_PRICES_E4
from polybawt.adapters.polymarket.codec import MarketDecoder
from polybawt.adapters.polymarket.encode import encode_market
from polybawt.adapters.polymarket.text import parse_qty_e6, price_text, qty_text
from polybawt.domain.errors import DecodeError
from polybawt.domain.events import BookChanged, BookReplaced, Event, TickChanged, TradePrinted
from polybawt.domain.ids import Outcome, Side
from polybawt.domain.ticks import TICKS_E4
from polybawt.domain.units import MS_NS
from tests.recordings import MARKET

UNTIMED = settings(deadline=None)
"""A busy machine is no failure."""
MARKETS = {MARKET.market_id: MARKET}
prices = st.integers(1, 9999)
qtys = st.integers(0, 10**18 - 1)
times = st.integers(10**12, 10**13 - 1).map(lambda ms: ms * MS_NS)
outcomes = st.sampled_from(Outcome)
sides = st.sampled_from(Side)
levels = st.lists(st.tuples(prices, qtys), max_size=8).map(tuple)

events = st.one_of(
    st.builds(
        BookReplaced,
        market_id=st.just(MARKET.market_id),
        outcome=outcomes,
        bids=levels,
        asks=levels,
        venue_ns=times,
    ),
    *(
        st.builds(
            kind,
            market_id=st.just(MARKET.market_id),
            outcome=outcomes,
            side=sides,
            price_e4=prices,
            qty_e6=qtys,
            venue_ns=times,
        )
        for kind in (BookChanged, TradePrinted)
    ),
    st.builds(TickChanged, market_id=st.just(MARKET.market_id), tick_e4=st.sampled_from(TICKS_E4)),
)


def listed() -> MarketDecoder:
    decoder = MarketDecoder()
    decoder.list_market(MARKET)
    return decoder


@UNTIMED
@given(st.lists(events, max_size=6))
def test_events_survive_the_wire(given: list[Event]) -> None:
    wire = encode_market(given, MARKETS)
    assert listed().decode(wire) == tuple(given)
    assert encode_market(listed().decode(wire), MARKETS) == wire


@UNTIMED
@given(qtys)
def test_a_size_survives_its_text(qty_e6: int) -> None:
    assert parse_qty_e6(qty_text(qty_e6)) == qty_e6


@UNTIMED
@given(prices)
def test_a_price_survives_its_float(price_e4: int) -> None:
    assert FLOAT_PRICES_E4[float(price_text(price_e4))] == price_e4
    assert FLOAT_PRICES_E4[price_e4 / 10_000] == price_e4


@UNTIMED
@given(st.text(max_size=16))
def test_a_text_is_a_size_exactly_when_it_is_plain_digits(text: str) -> None:
    whole, _, decimals = text.partition(".")
    digits = set("0123456789")
    plain = (
        0 < len(whole) <= 12
        and set(whole) <= digits
        and set(decimals) <= digits
        and len(decimals) <= 6
        and (bool(decimals) or "." not in text)
    )
    try:
        parse_qty_e6(text)
        assert plain
    except ValueError:
        assert not plain


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=12,
)
names = st.sampled_from(
    ["event_type", "market", "asset_id", "timestamp", "bids", "asks", "price_changes", "price",
     "size", "side", "new_tick_size", "winning_asset_id"]
)  # fmt: skip
values = junk | st.sampled_from(
    ["book", "price_change", "last_trade_price", "tick_size_change", "market_resolved", "0xc0",
     "111", "1790586000000", "0.5", "BUY"]
)  # fmt: skip


@UNTIMED
@given(st.dictionaries(names, values) | junk | st.lists(st.dictionaries(names, values), max_size=3))
def test_any_json_is_events_or_one_line(message: object) -> None:
    with contextlib.suppress(DecodeError):
        assert isinstance(listed().decode(json.dumps(message).encode()), tuple)


@UNTIMED
@given(st.binary(max_size=200))
def test_any_bytes_are_events_or_one_line(payload: bytes) -> None:
    line = ""
    try:
        listed().decode(payload)
    except DecodeError as error:
        line = str(error)
    assert "\n" not in line
