"""The market channel: framing, rules of the connection, who gets what, golden messages."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvenue.market_data import market_messages as messages
from polyvenue.market_data.frames import Close, Out, Send
from polyvenue.market_data.market_channel import MarketConnection
from polyvenue.market_data.market_messages import LevelChange, Message, PublicPrint, Side
from polyvenue.market_data.records import BookView, MarketRecord, book_hash
from polyvenue.market_data.windows import make_window
from tests.polyvenue.market_data.samples import (
    DOWN,
    SEED,
    SERIES,
    START_NS,
    START_S,
    UP,
    WINDOW,
    down_book,
    up_book,
)

AT_NS = START_NS + 5_123_000_000
REFUSED = [Close(1008, "invalid subscription payload")]
INVALID = [Send("INVALID OPERATION")]
BOOKS = {UP: up_book(), DOWN: down_book()}


def read_book(token_id: str) -> BookView | None:
    return BOOKS.get(token_id)


def connect(*tokens: str, custom: bool = False) -> MarketConnection:
    connection = MarketConnection(read_book)
    say(
        connection,
        {"type": "market", "assets_ids": list(tokens), "custom_feature_enabled": custom},
    )
    return connection


def say(connection: MarketConnection, frame: object) -> list[Out]:
    return connection.receive(json.dumps(frame))


def texts(out: list[Out]) -> list[object]:
    assert all(isinstance(item, Send) for item in out)
    return [json.loads(item.text) for item in out if isinstance(item, Send)]


def hears(connection: MarketConnection, message: Message) -> bool:
    got = connection.deliver(message)
    assert got is None or got.text == message.text
    return got is not None


def test_the_initial_dump_is_one_array_of_books() -> None:
    out = say(MarketConnection(read_book), {"type": "market", "assets_ids": [UP, "5", DOWN]})
    (books,) = texts(out)
    assert isinstance(books, list)
    assert [book["asset_id"] for book in books] == [UP, DOWN]
    assert books[0] == {
        "market": WINDOW.condition_id,
        "asset_id": UP,
        "timestamp": f"{START_S}123",
        "hash": book_hash(up_book()),
        "bids": [{"price": "0.49", "size": "120"}, {"price": "0.5", "size": "30"}],
        "asks": [{"price": "0.53", "size": "50"}, {"price": "0.51", "size": "44.2"}],
        "event_type": "book",
        "tick_size": "0.01",
        "last_trade_price": "0.5",
    }


@pytest.mark.parametrize("tokens", [[], ["5"]])
def test_the_initial_dump_may_be_empty(tokens: list[str]) -> None:
    assert texts(say(MarketConnection(read_book), {"type": "MARKET", "assets_ids": tokens})) == [[]]


def test_the_initial_dump_can_be_declined() -> None:
    connection = MarketConnection(read_book)
    frame = {"type": "market", "assets_ids": [UP], "initial_dump": False, "level": 2}
    assert say(connection, frame) == []
    assert connection.token_ids == (UP,)


@pytest.mark.parametrize(
    "frame",
    [
        *("PING", "", "{}", "[]", b"\xff", "null", '{"type":"market"}', "[" * 50_000),
        '{"type":"user","assets_ids":[]}',
        '{"type":"market","assets_ids":"1"}',
        '{"type":"market","assets_ids":[1]}',
        '{"type":"market","asset_ids":["1"]}',
        '{"operation":"subscribe","assets_ids":["1"]}',
    ],
)
def test_a_first_frame_that_is_no_subscription_closes_1008(frame: bytes | str) -> None:
    connection = MarketConnection(read_book)
    assert connection.receive(frame) == REFUSED
    assert connection.closed
    assert connection.receive("PING") == []
    assert not hears(connection, messages.book_message(up_book()))


def test_ping_is_answered_after_the_subscription() -> None:
    connection = connect(UP)
    assert connection.receive("PING") == [Send("PONG")]
    assert connection.receive(b"PING") == [Send("PONG")]
    assert connection.receive("ping") == INVALID


def test_more_tokens_bring_their_books_only() -> None:
    connection = connect(UP)
    add = {"operation": "subscribe", "assets_ids": [UP, DOWN, DOWN]}
    (books,) = texts(say(connection, add))
    assert isinstance(books, list)
    assert [book["asset_id"] for book in books] == [DOWN]
    assert say(connection, add) == []
    assert list(connection.token_ids) == [UP, DOWN]
    assert say(connection, {"operation": "unsubscribe", "assets_ids": [UP, "5"]}) == []
    assert list(connection.token_ids) == [DOWN]


def test_a_second_first_frame_is_ignored() -> None:
    connection = connect(UP)
    assert say(connection, {"type": "market", "assets_ids": [DOWN]}) == []
    assert connection.token_ids == (UP,)


@pytest.mark.parametrize(
    "frame",
    [
        *("x", "[]", "{}", '{"type":"user"}', b"\xff"),
        '{"operation":"dance","assets_ids":[]}',
        '{"operation":["subscribe"],"assets_ids":[]}',
        '{"operation":"subscribe"}',
        '{"operation":"subscribe","assets_ids":[null]}',
    ],
)
def test_later_nonsense_changes_nothing(frame: bytes | str) -> None:
    connection = connect(UP)
    assert connection.receive(frame) == INVALID
    assert connection.token_ids == (UP,)


def test_an_oversized_frame_closes() -> None:
    assert connect(UP).receive("x" * (2**20 + 1)) == [Close(1009, "message too big")]


def test_a_client_cannot_subscribe_without_bound() -> None:
    connection = connect()
    for start in range(0, 10_000, 2_000):
        names = [str(number) for number in range(start, start + 2_000)]
        assert texts(say(connection, {"operation": "subscribe", "assets_ids": names})) == [[]]
    one_more = say(connection, {"operation": "subscribe", "assets_ids": ["x"]})
    assert one_more == [Close(1008, "too many subscriptions")]
    whole = {"type": "market", "assets_ids": [str(number) for number in range(10_001)]}
    assert say(MarketConnection(read_book), whole) == one_more


def test_the_custom_switch_works_on_a_token_already_subscribed() -> None:
    connection = connect(UP)
    message = messages.best_bid_ask(up_book())
    assert not hears(connection, message)
    on = {"operation": "subscribe", "assets_ids": [UP], "custom_feature_enabled": True}
    assert say(connection, on) == []
    assert hears(connection, message)
    say(connection, on | {"custom_feature_enabled": False})
    assert not hears(connection, message)


def test_who_hears_what() -> None:
    up, down, custom = connect(UP), connect(DOWN), connect(UP, custom=True)
    other = connect("5", custom=True)
    book = messages.book_message(up_book())
    both = messages.price_change(WINDOW.condition_id, changes(), AT_NS)
    resolved = messages.market_resolved(WINDOW, 0, AT_NS)
    listed = messages.new_market(MarketRecord(make_window(SEED, SERIES, START_S)), AT_NS)
    heard = [
        [hears(connection, message) for connection in (up, down, custom, other)]
        for message in (book, both, resolved, listed)
    ]
    assert heard == [
        [True, False, True, False],
        [True, True, True, False],
        [False, False, True, False],
        [False, False, True, True],
    ]
    assert not hears(MarketConnection(read_book), book)


def changes() -> list[LevelChange]:
    return [
        LevelChange(UP, Side.BUY, 3_700, 2_525_000_000, "f" * 40, 4_900, 5_000),
        LevelChange(DOWN, Side.SELL, 6_300, 0, "0" * 40, None, None),
    ]


def test_a_price_change_mixes_both_outcomes() -> None:
    message = messages.price_change(WINDOW.condition_id, changes(), AT_NS)
    assert message.token_ids == (UP, DOWN)
    assert message.text == (
        f'{{"market":"{WINDOW.condition_id}","price_changes":['
        f'{{"asset_id":"{UP}","price":"0.37","size":"2525","side":"BUY","hash":"{"f" * 40}",'
        '"best_bid":"0.49","best_ask":"0.5"},'
        f'{{"asset_id":"{DOWN}","price":"0.63","size":"0","side":"SELL","hash":"{"0" * 40}",'
        '"best_bid":"0","best_ask":"1"}],'
        f'"timestamp":"{START_S + 5}123","event_type":"price_change"}}'
    )


def test_the_book_after_a_print_lacks_tick_and_last_price() -> None:
    body = json.loads(messages.book_message(up_book()).text)
    assert set(messages.book_object(up_book())) - set(body) == {"tick_size", "last_trade_price"}
    assert body["event_type"] == "book"


def test_a_print() -> None:
    done = PublicPrint(WINDOW.condition_id, UP, Side.BUY, 5_100, 12_500_000, AT_NS, "0xab")
    assert json.loads(messages.last_trade_price(done).text) == {
        "market": WINDOW.condition_id,
        "asset_id": UP,
        "price": "0.51",
        "size": "12.5",
        "fee_rate_bps": "0",
        "side": "BUY",
        "timestamp": f"{START_S + 5}123",
        "event_type": "last_trade_price",
        "transaction_hash": "0xab",
    }


def test_a_tick_change_is_sent_twice_for_each_token() -> None:
    sent = messages.tick_size_change(WINDOW, 100, 10, AT_NS)
    assert [message.token_ids for message in sent] == [(UP,), (DOWN,)] * 2
    body = json.loads(sent[0].text)
    assert (body["old_tick_size"], body["new_tick_size"]) == ("0.01", "0.001")


def test_the_custom_events() -> None:
    best = json.loads(messages.best_bid_ask(up_book()).text)
    assert (best["best_bid"], best["best_ask"], best["spread"]) == ("0.5", "0.51", "0.01")
    resolved = json.loads(messages.market_resolved(WINDOW, 1, AT_NS).text)
    assert (resolved["winning_asset_id"], resolved["winning_outcome"]) == (DOWN, "Down")
    assert resolved["assets_ids"] == [UP, DOWN]
    listed = json.loads(messages.new_market(MarketRecord(WINDOW), AT_NS).text)
    assert listed["clob_token_ids"] == [UP, DOWN]
    assert listed["fee_schedule"] == {
        "exponent": "1",
        "rate": "0.07",
        "taker_only": True,
        "rebate_rate": "0.2",
    }


def test_the_hash_is_the_book_s() -> None:
    book = up_book()
    assert book_hash(replace(book, bids=book.bids[::-1])) == book_hash(book)
    assert book_hash(replace(book, bids=book.bids[:1])) != book_hash(book)


@given(st.lists(st.binary(max_size=50) | st.text(max_size=50), min_size=1, max_size=5))
def test_garbage_never_subscribes(frames: list[bytes | str]) -> None:
    fresh, live = MarketConnection(read_book), connect(UP)
    assert fresh.receive(frames[0]) == REFUSED
    for frame in frames:
        assert live.receive(frame) in (INVALID, [Send("PONG")], [])
    assert live.token_ids == (UP,)


FIELDS = st.sampled_from(["type", "operation", "assets_ids", "custom_feature_enabled", "markets"])
VALUES = st.sampled_from(["market", "user", "subscribe", "unsubscribe", True, None, 1, [UP], ["5"]])


@given(st.lists(st.dictionaries(FIELDS, VALUES), max_size=8))
def test_any_objects_leave_a_consistent_connection(frames: list[dict[str, object]]) -> None:
    connection = MarketConnection(read_book)
    for frame in frames:
        out = say(connection, frame)
        assert connection.closed == any(isinstance(item, Close) for item in out) or not out
        assert set(connection.token_ids) <= {UP, "5"}
