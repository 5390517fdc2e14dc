"""The user channel: credentials, markets, one key's messages, golden texts."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvenue.market_data.frames import Close, Out, Send
from polyvenue.market_data.market_messages import Side
from polyvenue.market_data.user_channel import UserConnection
from polyvenue.market_data.user_messages import (
    MakerPart,
    OrderChange,
    OrderStatus,
    TradeStatus,
    UserMessage,
    UserOrder,
    UserTrade,
    order_message,
    trade_messages,
)
from tests.polyvenue.market_data.samples import DOWN, KEYS, START_NS, START_S, UP, WINDOW

AT_NS = START_NS + 5_123_000_000
AUTH = {"apiKey": KEYS[0], "secret": KEYS[1], "passphrase": KEYS[2]}
REFUSED = [Close(1008, "invalid subscription payload")]
MESSAGE = UserMessage("{}", KEYS[0], WINDOW.condition_id)


def check(key: str, secret: str, passphrase: str) -> bool:
    return (key, secret, passphrase) == KEYS


def say(connection: UserConnection, frame: object) -> list[Out]:
    return connection.receive(json.dumps(frame))


def connect(*markets: str, silent: bool = False, **changed: str) -> UserConnection:
    connection = UserConnection(check, silent=silent)
    frame: dict[str, object] = {"type": "user", "auth": AUTH | changed}
    if markets:
        frame["markets"] = list(markets)
    out = say(connection, frame)
    assert out == [] or connection.closed
    return connection


def test_a_subscription_has_no_acknowledgement() -> None:
    connection = connect()
    assert not connection.closed
    assert connection.api_key == KEYS[0]
    assert connection.receive("PING") == [Send("PONG")]


def test_a_bad_key_closes_or_stays_silent() -> None:
    assert connect(secret="x").closed
    silent = connect(silent=True, secret="x")
    assert not silent.closed
    assert silent.receive("PING") == [Send("PONG")]
    assert silent.deliver(MESSAGE) is None


@pytest.mark.parametrize(
    "frame",
    [
        *("PING", "", "[]", "{}", b"\xfe", '{"type":"user"}', '{"type":"market"}'),
        '{"type":"user","auth":[]}',
        '{"type":"user","auth":{},"markets":"0x"}',
        '{"type":"user","auth":{},"markets":[1]}',
    ],
)
def test_a_first_frame_that_is_no_subscription_closes_1008(frame: bytes | str) -> None:
    connection = UserConnection(check)
    assert connection.receive(frame) == REFUSED
    assert connection.receive("PING") == []


def test_only_the_key_s_own_messages_arrive() -> None:
    assert connect().deliver(MESSAGE) == Send("{}")
    assert connect().deliver(UserMessage("{}", "key-2", WINDOW.condition_id)) is None


def test_markets_narrow_what_arrives() -> None:
    connection = connect("0xother")
    assert connection.deliver(MESSAGE) is None
    add = {"operation": "subscribe", "markets": [WINDOW.condition_id]}
    assert say(connection, add) == []
    assert connection.deliver(MESSAGE) == Send("{}")
    assert say(connection, add | {"operation": "unsubscribe"}) == []
    assert connection.deliver(MESSAGE) is None


def test_who_has_all_markets_keeps_them() -> None:
    connection = connect()
    say(connection, {"operation": "subscribe", "markets": ["0xother"]})
    say(connection, {"operation": "unsubscribe", "markets": [WINDOW.condition_id]})
    assert connection.deliver(MESSAGE) == Send("{}")


def test_a_client_cannot_subscribe_without_bound() -> None:
    names = [str(number) for number in range(10_000)]
    assert say(connect("0xother"), {"operation": "subscribe", "markets": names[1:]}) == []
    out = say(connect("0xother"), {"operation": "subscribe", "markets": names})
    assert out == [Close(1008, "too many subscriptions")]


@pytest.mark.parametrize(
    "frame", ["x", "{}", '{"operation":"subscribe"}', '{"operation":"x","markets":[]}', b"\xff"]
)
def test_later_nonsense_is_told(frame: bytes | str) -> None:
    assert connect().receive(frame) == [Send("INVALID OPERATION")]


def test_a_second_first_frame_is_ignored() -> None:
    connection = connect()
    assert say(connection, {"type": "user", "auth": AUTH | {"secret": "x"}}) == []
    assert connection.api_key == KEYS[0]


ORDER = UserOrder(
    order_id="0xorder",
    api_key=KEYS[0],
    maker_address="0xMaker",
    condition_id=WINDOW.condition_id,
    token_id=UP,
    outcome="Up",
    side=Side.BUY,
    price_e4=5_200,
    amount_e6=10_000_000,
    matched_e6=0,
    order_type="GTC",
    status=OrderStatus.LIVE,
    created_ns=START_NS,
)


def test_a_golden_order() -> None:
    message = order_message(ORDER, OrderChange.PLACEMENT, AT_NS)
    assert (message.api_key, message.condition_id) == (KEYS[0], WINDOW.condition_id)
    assert message.text == (
        '{"event_type":"order","type":"PLACEMENT","id":"0xorder","owner":"key-1",'
        '"order_owner":"key-1","maker_address":"0xMaker",'
        f'"market":"{WINDOW.condition_id}","asset_id":"{UP}","outcome":"Up","side":"BUY",'
        '"price":"0.52","original_size":"10","size_matched":"0","order_type":"GTC",'
        '"expiration":"0","status":"LIVE",'
        f'"created_at":"{START_S}","associate_trades":null,"timestamp":"{START_S + 5}123"}}'
    )


def maker(order_id: str, api_key: str) -> MakerPart:
    return MakerPart(order_id, api_key, f"0x{api_key}", DOWN, "Down", 1, Side.BUY, 4_800, 5_000_000)


TRADE = UserTrade(
    trade_id="t-1",
    status=TradeStatus.MATCHED,
    taker_order_id="0xtaker",
    api_key=KEYS[0],
    maker_address="0xTaker",
    condition_id=WINDOW.condition_id,
    token_id=UP,
    outcome="Up",
    side=Side.BUY,
    price_e4=5_200,
    amount_e6=10_000_000,
    matched_ns=START_NS,
    updated_ns=AT_NS,
    makers=(maker("0xm1", "key-2"), maker("0xm2", "key-2"), maker("0xm3", "key-3")),
)


def test_a_trade_is_told_once_to_each_key() -> None:
    bodies = [json.loads(message.text) for message in trade_messages(TRADE, AT_NS)]
    assert [(body["owner"], body["trader_side"], body["maker_address"]) for body in bodies] == [
        ("key-1", "TAKER", "0xTaker"),
        ("key-2", "MAKER", "0xkey-2"),
        ("key-3", "MAKER", "0xkey-3"),
    ]
    for body in bodies:
        assert (body["asset_id"], body["side"], body["price"], body["size"]) == (
            UP,
            "BUY",
            "0.52",
            "10",
        )
        assert [part["order_id"] for part in body["maker_orders"]] == ["0xm1", "0xm2", "0xm3"]
        assert body["maker_orders"][0] == {
            "order_id": "0xm1",
            "owner": "key-2",
            "maker_address": "0xkey-2",
            "matched_amount": "5",
            "price": "0.48",
            "asset_id": DOWN,
            "outcome": "Down",
            "outcome_index": 1,
            "side": "BUY",
            "fee_rate_bps": "0",
        }


def test_a_key_on_both_sides_hears_of_the_trade_once_as_taker() -> None:
    own = replace(TRADE, makers=(maker("0xm1", KEYS[0]),))
    bodies = [json.loads(message.text) for message in trade_messages(own, AT_NS)]
    assert [body["trader_side"] for body in bodies] == ["TAKER"]


@given(st.lists(st.binary(max_size=50) | st.text(max_size=50), min_size=1, max_size=5))
def test_garbage_never_authenticates(frames: list[bytes | str]) -> None:
    fresh, live = UserConnection(check), connect()
    assert fresh.receive(frames[0]) == REFUSED
    assert fresh.api_key is None
    for frame in frames:
        assert live.receive(frame) in ([Send("INVALID OPERATION")], [Send("PONG")], [])
    assert live.deliver(MESSAGE) == Send("{}")


def test_an_oversized_frame_closes() -> None:
    assert connect().receive("x" * (2**20 + 1)) == [Close(1009, "message too big")]
