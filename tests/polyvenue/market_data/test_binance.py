"""Binance: control frames, wrapping, ids, limits, pings."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvenue.market_data.assets import ASSETS
from polyvenue.market_data.binance import BinanceConnection
from polyvenue.market_data.binance_tape import BinanceTape
from polyvenue.market_data.frames import Close, Out, Ping
from polyvenue.market_data.prices import PricePath
from polyvenue.market_data.text import NS
from tests.polyvenue.market_data.samples import SEED, START_NS, sent


def tape(asset: str = "btc") -> BinanceTape:
    return BinanceTape(SEED, PricePath(SEED, ASSETS[asset]))


def connect(*streams: str, combined: bool = False, micro: bool = False) -> BinanceConnection:
    tapes = {asset: tape(asset) for asset in ("btc", "eth")}
    return BinanceConnection(tapes, streams, START_NS, combined=combined, microseconds=micro)


def say(connection: BinanceConnection, frame: object, now_ns: int = START_NS) -> list[Out]:
    return connection.receive(json.dumps(frame), now_ns)


def call(method: str, *params: object, number: object = 1) -> dict[str, object]:
    return {"method": method, "params": list(params), "id": number}


def test_a_raw_socket_sends_bare_payloads() -> None:
    frames = sent(connect("btcusdt@trade").publish(START_NS + NS))
    assert 9 <= len(frames) <= 11
    assert list(frames[0]) == ["e", "E", "s", "t", "p", "q", "T", "m", "M"]
    assert frames[0]["e"] == "trade"
    assert frames[0]["s"] == "BTCUSDT"


def test_a_combined_socket_wraps() -> None:
    frames = sent(connect("ethusdt@bookTicker", combined=True).publish(START_NS + NS))
    assert list(frames[0]) == ["stream", "data"]
    assert frames[0]["stream"] == "ethusdt@bookTicker"
    data = frames[0]["data"]
    assert isinstance(data, dict)
    assert list(data) == ["u", "s", "b", "B", "a", "A"]
    assert float(data["b"]) < float(data["a"])


def test_ids_are_dense_and_times_do_not_fall() -> None:
    connection = connect("btcusdt@trade", "btcusdt@bookTicker")
    frames = [
        f for step in range(1, 40) for f in sent(connection.publish(START_NS + step * NS // 4))
    ]
    prints = [frame for frame in frames if "t" in frame]
    quotes = [frame for frame in frames if "u" in frame]
    for rows, key in ((prints, "t"), (quotes, "u")):
        numbers = [int(str(row[key])) for row in rows]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert len(numbers) > 90
    times = [int(str(row["T"])) for row in prints]
    assert times == sorted(times)


def test_a_print_trades_at_the_quote_before_it() -> None:
    frames = sent(connect("btcusdt@trade", "btcusdt@bookTicker").publish(START_NS + 10 * NS))
    sides = set()
    for quote, done in zip(frames[::2], frames[1::2], strict=True):
        assert done["p"] == (quote["b"] if done["m"] else quote["a"])
        sides.add(done["m"])
    assert sides == {True, False}


def test_events_arrive_after_they_happen() -> None:
    for event in tape().events(START_NS, START_NS + 5 * NS):
        if "T" in event.payload:
            late_ms = event.at_ns / 1e6 - int(str(event.payload["T"]))
            assert 5 <= late_ms < 50


def test_the_tether_price_is_near_the_path() -> None:
    path = PricePath(SEED, ASSETS["btc"])
    frame = sent(connect("btcusdt@bookTicker").publish(START_NS + NS))[-1]
    assert abs(float(str(frame["b"])) / path.price(START_NS + NS) - 1) < 20e-4


def test_microseconds_on_demand() -> None:
    frame = sent(connect("btcusdt@trade", micro=True).publish(START_NS + NS))[0]
    assert int(str(frame["T"])) >= 10**15
    assert int(str(frame["t"])) < 10**11


def test_control_frames() -> None:
    connection = connect()
    assert connection.publish(START_NS + NS) == []
    ask = [
        (call("SUBSCRIBE", "btcusdt@trade", "btcusdt@kline_1h"), {"result": None, "id": 1}),
        (
            call("LIST_SUBSCRIPTIONS", number="x"),
            {"result": ["btcusdt@trade", "btcusdt@kline_1h"], "id": "x"},
        ),
        (call("UNSUBSCRIBE", "btcusdt@kline_1h", number=None), {"result": None, "id": None}),
        (call("SET_PROPERTY", "combined", True, number=2), {"result": None, "id": 2}),
        (call("GET_PROPERTY", "combined", number=3), {"result": True, "id": 3}),
    ]
    for index, (frame, reply) in enumerate(ask):
        assert sent(say(connection, frame, START_NS + NS + index * NS)) == [reply]
    frames = sent(connection.publish(START_NS + 2 * NS))
    assert {frame["stream"] for frame in frames} == {"btcusdt@trade"}


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", 3),
        ("[1]", 3),
        (b"\xff\xfe\xfd", 3),
        ('{"method":"DANCE","id":1}', 2),
        ('{"method":"SUBSCRIBE","params":[],"id":1}', 2),
        ('{"method":"SUBSCRIBE","params":["BTCUSDT@trade"],"id":1}', 2),
        ('{"method":"SUBSCRIBE","params":["x@y"],"id":1.5}', 2),
        ('{"method":"SUBSCRIBE","params":["x@y"],"id":true}', 2),
        ('{"method":"GET_PROPERTY","params":["colour"],"id":1}', 0),
        ('{"method":"SET_PROPERTY","params":["combined","yes"],"id":1}', 1),
    ],
)
def test_a_wrong_frame_has_its_code(frame: bytes | str, code: int) -> None:
    assert [reply["code"] for reply in sent(connect().receive(frame, START_NS))] == [code]


def test_more_than_1024_streams_are_refused() -> None:
    names = [f"x{number}@trade" for number in range(1_025)]
    assert sent(say(connect(), call("SUBSCRIBE", *names)))[0]["code"] == 2
    assert sent(say(connect(), call("SUBSCRIBE", *names[:1_024])))[0] == {"result": None, "id": 1}


def test_the_sixth_message_in_a_second_closes() -> None:
    connection = connect()
    for _ in range(4):
        say(connection, call("LIST_SUBSCRIPTIONS"))
    assert connection.pong(b"", START_NS) == []
    assert say(connection, call("LIST_SUBSCRIPTIONS")) == [Close(1008, "Too many requests")]
    assert say(connection, call("LIST_SUBSCRIPTIONS"), START_NS + 2 * NS) == []


def test_only_a_pong_with_the_payload_keeps_the_link() -> None:
    good, bad = connect(), connect()
    for connection in (good, bad):
        (ping,) = connection.tick(START_NS + 20 * NS)
        assert isinstance(ping, Ping)
        payload = ping.payload if connection is good else b"other"
        assert connection.pong(payload, START_NS + 21 * NS) == []
    assert good.tick(START_NS + 80 * NS) != [Close(1008, "Pong timeout")]
    assert bad.tick(START_NS + 80 * NS) == [Close(1008, "Pong timeout")]


def test_a_day_is_the_longest_life() -> None:
    assert connect().tick(START_NS + 24 * 3_600 * NS) == [Close(1001, "24 hours")]


def test_the_shutdown_notice() -> None:
    notice = {"e": "serverShutdown", "E": START_NS // 10**6}
    assert sent(connect().shut_down(START_NS)) == [notice]
    wrapped = {"stream": "!serverShutdown", "data": notice}
    assert sent(connect(combined=True).shut_down(START_NS)) == [wrapped]


@given(st.lists(st.binary(max_size=40) | st.text(max_size=40), max_size=4))
def test_garbage_is_an_error(frames: list[bytes | str]) -> None:
    connection = connect()
    for frame in frames:
        for reply in sent(connection.receive(frame, START_NS)):
            assert reply["code"] in (2, 3)


@given(st.lists(st.integers(1, 2_000), min_size=1, max_size=15))
def test_the_steps_of_publishing_change_nothing(steps_ms: list[int]) -> None:
    one = connect("btcusdt@trade", "ethusdt@bookTicker")
    other = connect("btcusdt@trade", "ethusdt@bookTicker")
    at_ns, found = START_NS, []
    for step in steps_ms:
        at_ns += step * 1_000_000
        found += one.publish(at_ns)
    assert found == other.publish(at_ns)


def test_an_oversized_frame_closes() -> None:
    connection = connect("btcusdt@trade")
    assert connection.receive("x" * 65_537, START_NS) == [Close(1009, "Message too big")]
    assert connection.publish(START_NS + NS) == []
    assert connection.tick(START_NS + 30 * NS) == []
    assert connection.shut_down(START_NS) == []


def test_a_flood_of_pongs_closes_once() -> None:
    connection = connect()
    out = [item for _ in range(9) for item in connection.pong(b"", START_NS)]
    assert out == [Close(1008, "Too many requests")]


def test_pings_come_every_twenty_seconds() -> None:
    connection = connect()
    assert connection.tick(START_NS + 19 * NS) == []
    (first,) = connection.tick(START_NS + 20 * NS)
    assert isinstance(first, Ping)
    assert connection.tick(START_NS + 21 * NS) == []
    assert connection.pong(first.payload, START_NS + 22 * NS) == []
    assert connection.tick(START_NS + 40 * NS) != [first]


def test_two_clients_share_a_tape_without_touching_each_other() -> None:
    tapes = {"btc": tape()}
    streams = ("btcusdt@trade", "btcusdt@bookTicker")
    first = BinanceConnection(tapes, streams, START_NS, combined=True, microseconds=True)
    second = BinanceConnection(tapes, streams, START_NS, combined=False)
    changed = sent(first.publish(START_NS + 100 * NS))
    plain = sent(second.publish(START_NS + 100 * NS))
    assert [frame["data"] for frame in changed[::2]] == plain[::2]
    alone = BinanceConnection({"btc": tape()}, streams, START_NS, combined=False)
    assert sent(alone.publish(START_NS + 100 * NS)) == plain
