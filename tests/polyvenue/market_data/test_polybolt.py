"""PolyBolt: authentication, acknowledgements, snapshots, dense seq, limits and closes."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvenue.market_data.assets import ASSETS
from polyvenue.market_data.frames import Close, Out, Ping
from polyvenue.market_data.oracle import TWAP_60, twap_rule
from polyvenue.market_data.polybolt import SPOT, TWAP, Auth, PolyBoltConnection
from polyvenue.market_data.text import NS
from tests.polyvenue.market_data.samples import KEYS, START_NS, START_S, oracle, sent

AUTH = {"apiKey": KEYS[0], "secret": KEYS[1], "passphrase": KEYS[2]}
BTC_TWAP = {"channel": TWAP, "filter": {"symbol": "btcusd", "window_seconds": 60}}
BTC_SPOT = {"channel": SPOT, "filter": {"symbol": "btcusd"}}


def check(key: str, secret: str, passphrase: str) -> Auth:
    if key in ("expired", "unavailable"):
        return {"expired": Auth.EXPIRED, "unavailable": Auth.UNAVAILABLE}[key]
    return Auth.OK if (key, secret, passphrase) == KEYS else Auth.INVALID


def connect(*, authed: bool = True, now_ns: int = START_NS) -> PolyBoltConnection:
    rules = {60: TWAP_60, 4: twap_rule(60)}
    oracles = {asset: oracle(asset) for asset in ASSETS}
    connection = PolyBoltConnection(oracles, check, now_ns, rules)
    if authed:
        say(connection, {"op": "auth", "rid": "a", "auth": AUTH})
    return connection


def say(connection: PolyBoltConnection, frame: object, now_ns: int = START_NS) -> list[Out]:
    return connection.receive(json.dumps(frame), now_ns)


def subscribe(*items: object, rid: str = "s1") -> dict[str, object]:
    return {"op": "subscribe", "rid": rid, "subscriptions": list(items)}


def test_a_key_is_answered_authed() -> None:
    out = say(connect(authed=False), {"op": "auth", "rid": "1", "auth": AUTH})
    assert sent(out) == [{"op": "authed", "rid": "1"}]


@pytest.mark.parametrize(
    "auth",
    [None, [], {}, AUTH | {"secret": "x"}, AUTH | {"apiKey": 1}, AUTH | {"apiKey": "expired"}],
)
def test_a_bad_key_is_told_and_closed_4001(auth: object) -> None:
    connection = connect(authed=False)
    *errors, close = say(connection, {"op": "auth", "rid": "1", "auth": auth})
    assert sent(errors)[0]["op"] == "error"
    assert str(sent(errors)[0]["code"]).startswith("auth_")
    assert isinstance(close, Close)
    assert close.code == 4001
    assert say(connection, {"op": "ping"}) == []
    assert connection.publish(START_NS + NS) == []


def test_an_unavailable_check_may_be_tried_again() -> None:
    connection = connect(authed=False)
    out = say(connection, {"op": "auth", "auth": AUTH | {"apiKey": "unavailable"}})
    assert [frame["code"] for frame in sent(out)] == ["auth_unavailable"]
    assert sent(say(connection, {"op": "auth", "auth": AUTH})) == [{"op": "authed"}]


def test_the_ninth_auth_frame_closes() -> None:
    connection = connect(authed=False)
    for _ in range(8):
        say(connection, {"op": "auth", "auth": AUTH})
    error, close = say(connection, {"op": "auth", "auth": AUTH})
    assert sent([error])[0]["code"] == "auth_attempts"
    assert close == Close(4008, "auth attempts")


def test_nothing_is_subscribed_without_a_key() -> None:
    connection = connect(authed=False)
    out = sent(say(connection, subscribe(BTC_TWAP, BTC_SPOT)))
    assert [(f["code"], f["channel"], f["rid"]) for f in out] == [
        ("auth_required", TWAP, "s1"),
        ("auth_required", SPOT, "s1"),
    ]
    assert connection.publish(START_NS + 5 * NS) == []


def test_acks_come_in_order_before_the_snapshots() -> None:
    wrong = {"channel": "price.weather", "filter": {}}
    out = sent(say(connect(), subscribe(BTC_TWAP, wrong, BTC_SPOT)))
    assert [(f.get("op"), f["channel"]) for f in out] == [
        ("subscribed", TWAP),
        ("error", "price.weather"),
        ("subscribed", SPOT),
        (None, TWAP),
        (None, SPOT),
    ]
    assert out[0] == {"op": "subscribed", "channel": TWAP, "rid": "s1"}


def test_a_snapshot_holds_the_last_two_minutes() -> None:
    frame = sent(say(connect(), subscribe(BTC_TWAP)))[1]
    assert list(frame) == ["v", "channel", "seq", "ts", "snapshot", "payload"]
    assert (frame["v"], frame["seq"], frame["snapshot"]) == (1, 1, True)
    payload = frame["payload"]
    assert isinstance(payload, dict)
    assert (payload["symbol"], payload["source"], payload["window_seconds"]) == (
        "btcusd",
        "chainlink",
        60,
    )
    times = [point["timestamp"] for point in payload["data"]]
    assert times == list(range(times[0], times[0] + 1_000 * len(times), 1_000))
    assert 117 <= len(times) <= 119
    assert START_S * 1_000 - 2_000 <= times[-1] <= START_S * 1_000 - 1_000


def test_updates_carry_the_exact_value() -> None:
    connection = connect()
    say(connection, subscribe(BTC_TWAP))
    frames = sent(connection.publish(START_NS + 4 * NS))
    assert len(frames) >= 3
    source = oracle()
    for frame in frames:
        assert list(frame) == ["v", "channel", "seq", "ts", "payload"]
        payload = frame["payload"]
        assert isinstance(payload, dict)
        exact = Decimal(payload["full_accuracy_value"])
        second = payload["timestamp"] // 1_000
        assert int(exact.scaleb(18)) == source.twap_e18(second)
        assert abs(float(exact) - payload["value"]) < 1e-6
        assert 900 <= int(str(frame["ts"])) - payload["timestamp"] <= 2_000
        assert payload["is_carried_forward"] is False
    assert connection.publish(START_NS + 4 * NS) == []


def test_seq_is_dense_per_channel() -> None:
    connection = connect()
    eth = {"channel": TWAP, "filter": {"symbol": "ethusd", "window_seconds": 60}}
    frames = sent(say(connection, subscribe(BTC_TWAP, eth, BTC_SPOT)))[3:]
    for second in range(1, 30):
        frames += sent(connection.publish(START_NS + second * NS))
    for channel in (TWAP, SPOT):
        numbers = [frame["seq"] for frame in frames if frame["channel"] == channel]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) > 25


def test_what_a_slow_client_lost_is_counted() -> None:
    connection = connect()
    say(connection, subscribe(BTC_SPOT))
    kept = sent(connection.publish(START_NS + 10 * NS, capacity=2))
    assert [frame["seq"] for frame in kept] == [2, 3]
    after = sent(connection.publish(START_NS + 12 * NS))
    dropped = after[0]["dropped"]
    assert isinstance(dropped, int)
    assert dropped > 5
    assert after[0]["seq"] == 4 + dropped
    assert "dropped" not in after[1]


def test_a_second_subscription_is_acknowledged_without_snapshot() -> None:
    connection = connect()
    say(connection, subscribe(BTC_TWAP))
    again = sent(say(connection, subscribe(BTC_TWAP, rid="s2")))
    assert again == [{"op": "subscribed", "channel": TWAP, "rid": "s2"}]


def test_unsubscribing_stops_the_updates() -> None:
    connection = connect()
    say(connection, subscribe(BTC_TWAP))
    out = sent(say(connection, {"op": "unsubscribe", "rid": "u", "subscriptions": [BTC_TWAP]}))
    assert out == [{"op": "unsubscribed", "channel": TWAP, "rid": "u"}]
    assert connection.publish(START_NS + 9 * NS) == []


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ({"channel": "price.equity", "filter": {"symbol": "aapl"}}, "bad_channel"),
        ({"channel": None, "filter": {"symbol": "btcusd"}}, "bad_channel"),
        ("price.crypto", "bad_channel"),
        ({"channel": SPOT, "filter": {"symbol": "btcusdt"}}, "bad_filter"),
        ({"channel": SPOT, "filter": {"symbol": "btc"}}, "bad_filter"),
        ({"channel": SPOT, "filter": {"symbol": "zecusd"}}, "bad_filter"),
        ({"channel": SPOT, "filter": {"symbol": "btcusd", "provider": "x"}}, "bad_filter"),
        ({"channel": SPOT, "filter": "btcusd"}, "bad_filter"),
        ({"channel": TWAP, "filter": {"symbol": "btcusd"}}, "bad_filter"),
        ({"channel": TWAP, "filter": {"symbol": "btcusd", "window_seconds": 30}}, "bad_filter"),
        ({"channel": TWAP, "filter": {"symbol": "btcusd", "window_seconds": True}}, "bad_filter"),
        (
            {
                "channel": TWAP,
                "filter": {"symbol": "btcusd", "window_seconds": 60, "provider": "pyth"},
            },
            "bad_filter",
        ),
    ],
)
def test_a_wrong_item_has_its_code(item: object, code: str) -> None:
    assert [frame["code"] for frame in sent(say(connect(), subscribe(item)))] == [code]


def test_a_pinned_provider_is_named_in_the_ack() -> None:
    pinned = {"channel": SPOT, "filter": {"symbol": "btcusd", "provider": "pyth"}}
    ack = sent(say(connect(), subscribe(pinned)))[0]
    assert ack == {"op": "subscribed", "channel": SPOT, "rid": "s1", "provider": "chainlink"}


def test_a_scaled_average_says_so() -> None:
    scaled = {"channel": TWAP, "filter": {"symbol": "btcusd", "window_seconds": 4}}
    payload = sent(say(connect(), subscribe(scaled)))[1]["payload"]
    assert isinstance(payload, dict)
    assert (payload["window_seconds"], payload["scaled"]) == (4, True)
    plain = sent(say(connect(), subscribe(BTC_TWAP)))[1]["payload"]
    assert isinstance(plain, dict)
    assert "scaled" not in plain


def test_sixty_four_subscriptions_and_no_more() -> None:
    oracles = {asset: oracle(asset) for asset in ASSETS}
    rules = {window_s: TWAP_60 for window_s in range(60, 69)}
    connection = PolyBoltConnection(oracles, check, START_NS, rules)
    say(connection, {"op": "auth", "auth": AUTH})
    items = [
        {"channel": TWAP, "filter": {"symbol": f"{asset}usd", "window_seconds": window_s}}
        for asset in ASSETS
        for window_s in rules
    ]
    assert len(items) == 72
    out = sent(say(connection, subscribe(*items)))
    acks, snapshots = out[:72], out[72:]
    assert [frame["op"] for frame in acks] == ["subscribed"] * 64 + ["error"] * 8
    assert {frame["code"] for frame in acks[64:]} == {"sub_limit"}
    assert len(snapshots) == 64


def test_twenty_frames_a_second_and_no_more() -> None:
    connection = connect()
    for _ in range(20):
        assert sent(say(connection, subscribe(BTC_TWAP)))[0]["op"] == "subscribed"
    assert sent(say(connection, subscribe(BTC_TWAP)))[0]["code"] == "rate_limited"
    later = START_NS + NS
    assert sent(say(connection, subscribe(BTC_TWAP), later))[0]["op"] == "subscribed"


def test_ping_is_answered_before_authentication_too() -> None:
    assert sent(say(connect(authed=False), {"op": "ping"})) == [{"op": "pong"}]


def test_two_missed_pongs_close_4002() -> None:
    connection = connect()
    assert connection.tick(START_NS + 24 * NS) == []
    assert connection.tick(START_NS + 25 * NS) == [Ping(b"polybolt")]
    connection.pong()
    assert connection.tick(START_NS + 50 * NS) == [Ping(b"polybolt")]
    assert connection.tick(START_NS + 75 * NS) == [Ping(b"polybolt")]
    assert connection.tick(START_NS + 100 * NS) == [Close(4002, "pong timeout")]
    assert connection.tick(START_NS + 125 * NS) == []


def test_the_other_closes() -> None:
    assert connect().drain() == [Close(4003, "draining")]
    assert connect().overflow() == [Close(4002, "slow consumer")]
    error, close = connect().expire()
    assert sent([error])[0]["code"] == "auth_expired"
    assert close == Close(4001, "auth")
    assert connect().receive(b"x" * 65_537, START_NS) == [Close(4008, "frame too large")]


WORDS = st.sampled_from(["op", "rid", "auth", "subscribe", "subscriptions", "channel", "filter"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.lists(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value)), max_size=6))
def test_garbage_gets_an_error_or_a_close(frames: list[bytes | str]) -> None:
    connection = connect()
    for frame in frames:
        out = connection.receive(frame, START_NS)
        assert out or connection.closed
        assert all(isinstance(item, Close) or sent([item])[0]["op"] for item in out)
    connection.publish(START_NS + NS)


@given(JSON, JSON)
def test_any_subscription_is_answered_item_by_item(channel: object, wanted: object) -> None:
    items = [{"channel": channel, "filter": wanted}, {"channel": TWAP, "filter": wanted}]
    out = connect().receive(json.dumps({"op": "subscribe", "subscriptions": items}), START_NS)
    assert len(sent(out)) >= 2


@pytest.mark.parametrize("frame", [b"\xff", "[" * 60_000, "1" * 5_000, "", "[]", '{"op":1}', "{}"])
def test_what_is_no_operation_is_a_bad_op(frame: bytes | str) -> None:
    assert [f["code"] for f in sent(connect().receive(frame, START_NS))] == ["bad_op"]


def test_the_steps_of_publishing_change_nothing() -> None:
    one, other = connect(), connect()
    for connection in (one, other):
        say(connection, subscribe(BTC_TWAP, BTC_SPOT))
    stepped: list[Out] = []
    for step in range(1, 101):
        stepped += other.publish(START_NS + step * NS // 10)
    assert one.publish(START_NS + 10 * NS) == stepped


def test_a_closed_connection_does_nothing_more() -> None:
    connection = connect()
    connection.drain()
    assert connection.drain() == []
    assert connection.expire() == []
    assert connection.tick(START_NS + 99 * NS) == []


@pytest.mark.parametrize("items", [None, [], "x", {}])
def test_a_subscription_names_at_least_one_item(items: object) -> None:
    out = say(connect(), {"op": "subscribe", "rid": "9", "subscriptions": items})
    assert [(frame["code"], frame["rid"]) for frame in sent(out)] == [("bad_op", "9")]
