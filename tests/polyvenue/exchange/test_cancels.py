"""Cancels of every kind, expirations, and the heartbeat of an API key."""

import pytest

from polyvenue.exchange import ExchangeConfig, MarketTerms
from polyvenue.exchange.events import HeartbeatExpired, OrderChanged
from polyvenue.exchange.heartbeats import HeartbeatReply
from polyvenue.exchange.orders import CancelReply, Refusal
from polyvenue.exchange.units import MS_NS, S_NS
from tests.polyvenue.exchange.world import (
    BUY,
    CERTAIN,
    DOWN,
    GTD,
    MARKET,
    START_NS,
    UP,
    World,
    make_world,
    order_id,
)

UNKNOWN = "order not found"
MATCHED = "order already matched"
CLOSED = "order already canceled or matched"


@pytest.fixture
def world() -> World:
    """No hold, two markets."""
    world = make_world()
    world.venue.list_market(START_NS, MarketTerms(market_id="0xc1", token_ids=("3", "4")))
    return world


def test_one_cancel_removes_the_order_and_frees_its_money(world: World) -> None:
    order = world.buy("a", UP, "0.50", "10")
    reply = world.venue.cancel(world.now_ns, "key-a", order)
    assert reply == CancelReply(canceled=(order,))
    world.check()
    assert world.status(order) == "CANCELED"
    assert world.venue.account("a").open == {}
    (placement, cancellation) = world.take(OrderChanged)
    assert isinstance(cancellation, OrderChanged)
    assert cancellation.kind.value == "CANCELLATION"
    assert placement != cancellation


def test_what_cannot_be_cancelled_is_answered_with_a_reason(world: World) -> None:
    matched = world.sell("b", UP, "0.50", "10")
    world.buy("a", UP, "0.50", "10")
    partly = world.sell("b", UP, "0.50", "10")
    closed = world.buy("a", UP, "0.40", "10")
    world.venue.cancel(world.now_ns, "key-a", closed)
    foreign = world.buy("c", UP, "0.40", "10")
    unknown = order_id(999)

    def reason(key: str, order: str) -> CancelReply | Refusal:
        return world.venue.cancel(world.now_ns, key, order)

    assert reason("key-b", matched) == CancelReply(not_canceled=((matched, MATCHED),))
    assert reason("key-a", closed) == CancelReply(not_canceled=((closed, CLOSED),))
    assert reason("key-a", foreign) == CancelReply(not_canceled=((foreign, UNKNOWN),))
    assert reason("key-a", unknown) == CancelReply(not_canceled=((unknown, UNKNOWN),))
    world.buy("a", UP, "0.50", "5")
    assert reason("key-b", partly) == CancelReply(canceled=(partly,))


def test_a_malformed_id_is_refused(world: World) -> None:
    refused = Refusal(status=400, text="Invalid orderID")
    assert world.venue.cancel(world.now_ns, "key-a", "0x12") == refused
    order = world.buy("a", UP, "0.50", "10")
    assert world.venue.cancel_many(world.now_ns, "key-a", [order, "x"]) == refused
    assert world.status(order) == "LIVE"


def test_many_are_cancelled_each_once(world: World) -> None:
    orders = [world.buy("a", UP, "0.50", "10") for _ in range(3)]
    ids = [orders[0], order_id(999), orders[2], orders[0]]
    assert world.venue.cancel_many(world.now_ns, "key-a", ids) == CancelReply(
        canceled=(orders[0], orders[2]), not_canceled=((order_id(999), UNKNOWN),)
    )
    assert world.venue.cancel_many(world.now_ns, "key-a", []) == CancelReply()
    too_many = [order_id(number) for number in range(1001)]
    text = "Too many orders in payload, max allowed: 1000"
    refused = Refusal(status=400, text=text)
    assert world.venue.cancel_many(world.now_ns, "key-a", too_many) == refused


def test_no_kind_of_cancel_passes_a_restart(world: World) -> None:
    order = world.buy("a", UP, "0.40", "10")
    venue, now_ns = world.venue, world.now_ns
    venue.restart(now_ns, 5 * S_NS)
    refused = Refusal(status=425, text="Too Early", retry_after_s=1)
    assert venue.cancel(now_ns, "key-a", order) == refused
    assert venue.cancel_many(now_ns, "key-a", [order]) == refused
    assert venue.cancel_market(now_ns, "key-a", MARKET) == refused
    assert venue.cancel_all(now_ns, "key-a") == refused
    world.wait(5)
    assert venue.cancel_all(world.now_ns, "key-a") == CancelReply(canceled=(order,))


def test_a_market_or_a_token_or_both_can_be_cleared(world: World) -> None:
    up = world.buy("a", UP, "0.40", "10")
    down = world.buy("a", DOWN, "0.40", "10")
    elsewhere = world.buy("a", "3", "0.40", "10")
    foreign = world.buy("b", UP, "0.40", "10")
    venue, now_ns = world.venue, world.now_ns
    assert venue.cancel_market(now_ns, "key-a", "0xc1", UP) == CancelReply()
    assert venue.cancel_market(now_ns, "key-a", None, DOWN) == CancelReply(canceled=(down,))
    assert venue.cancel_market(now_ns, "key-a", MARKET) == CancelReply(canceled=(up,))
    assert venue.cancel_all(now_ns, "key-a") == CancelReply(canceled=(elsewhere,))
    assert venue.cancel_all(now_ns, "key-a") == CancelReply()
    assert world.status(foreign) == "LIVE"
    nothing = Refusal(status=400, text="Invalid payload")
    assert venue.cancel_market(now_ns, "key-a") == nothing


def test_a_gtd_order_dies_a_minute_early(world: World) -> None:
    expiration_s = START_NS // S_NS + 200
    request = world.request("a", BUY, UP, "0.50", "10", GTD, expiration_s=expiration_s)
    order = world.accepted(request)
    world.wait(139.999)
    assert world.status(order) == "LIVE"
    world.wait(0.001)
    assert world.status(order) == "CANCELED_EXPIRED_ORDER"
    assert world.venue.open_orders("key-a") == ()


def test_a_gtd_order_that_ended_before_stays_as_it_was(world: World) -> None:
    expiration_s = START_NS // S_NS + 200
    request = world.request("a", BUY, UP, "0.50", "10", GTD, expiration_s=expiration_s)
    order = world.accepted(request)
    world.venue.cancel(world.now_ns, "key-a", order)
    world.wait(200)
    assert world.status(order) == "CANCELED"


def beat(world: World, heartbeat_id: str | None, key: str = "key-a") -> HeartbeatReply:
    """One heartbeat that must be answered."""
    reply = world.venue.heartbeat(world.now_ns, key, heartbeat_id)
    assert isinstance(reply, HeartbeatReply)
    return reply


def test_each_beat_names_the_id_of_the_last_answer(world: World) -> None:
    first = beat(world, "")
    assert first.error_text is None
    second = beat(world, first.heartbeat_id)
    assert second.heartbeat_id != first.heartbeat_id
    wrong = HeartbeatReply(heartbeat_id=second.heartbeat_id, error_text="Invalid Heartbeat ID")
    assert beat(world, first.heartbeat_id) == wrong
    assert beat(world, "") == wrong
    assert beat(world, wrong.heartbeat_id).error_text is None


def test_a_silent_key_loses_its_orders_and_only_its_own(world: World) -> None:
    mine = [world.buy("a", UP, "0.40", "10"), world.buy("a", "3", "0.40", "10")]
    foreign = world.buy("b", UP, "0.40", "10")
    beat(world, "")
    world.wait(9.999)
    assert [world.status(it) for it in mine] == ["LIVE", "LIVE"]
    world.wait(0.001)
    assert [world.status(it) for it in (*mine, foreign)] == ["CANCELED", "CANCELED", "LIVE"]
    (event,) = world.take(HeartbeatExpired)
    assert isinstance(event, HeartbeatExpired)
    assert (event.owner, event.canceled) == ("key-a", 2)


def test_beats_in_time_keep_the_orders_alive(world: World) -> None:
    order = world.buy("a", UP, "0.40", "10")
    last = beat(world, "")
    for _ in range(12):
        world.wait(5)
        last = beat(world, last.heartbeat_id)
    assert world.status(order) == "LIVE"
    world.wait(10)
    assert world.status(order) == "CANCELED"


def test_expiry_is_noticed_at_the_next_check_of_the_server(world: World) -> None:
    order = world.buy("a", UP, "0.40", "10")
    first = beat(world, "")
    world.wait(1)
    beat(world, first.heartbeat_id)
    world.wait(13.9)
    assert world.status(order) == "LIVE"
    world.wait(0.1)  # 15 s after the first beat: the last one is 14 s old
    assert world.status(order) == "CANCELED"


def test_expiry_is_noticed_at_once_where_the_switch_says_so() -> None:
    world = make_world(ExchangeConfig(settlement=CERTAIN, heartbeat_check_ns=0))
    order = world.buy("a", UP, "0.40", "10")
    first = beat(world, "")
    world.wait(1)
    beat(world, first.heartbeat_id)
    world.wait(9.999)
    assert world.status(order) == "LIVE"
    world.wait(0.001)
    assert world.status(order) == "CANCELED"


def test_an_expired_key_starts_again_and_an_unarmed_one_loses_nothing(world: World) -> None:
    last = beat(world, "")
    world.wait(20)
    again = beat(world, last.heartbeat_id)
    assert again == HeartbeatReply(heartbeat_id="", error_text="Invalid Heartbeat ID")
    order = world.buy("a", UP, "0.40", "10")
    world.wait(60)
    assert world.status(order) == "LIVE"
    assert beat(world, "").error_text is None
    world.wait(10)
    assert world.status(order) == "CANCELED"


def test_the_legacy_beat_names_no_id(world: World) -> None:
    order = world.buy("a", UP, "0.40", "10")
    for _ in range(4):
        assert beat(world, None).error_text is None
        world.wait(8)
    assert world.status(order) == "LIVE"
    world.wait(8)
    assert world.status(order) == "CANCELED"


def test_a_held_order_outlives_its_heartbeat() -> None:
    world = make_world(hold_ns=150 * MS_NS)
    world.sell("b", UP, "0.50", "10")
    beat(world, "")
    world.wait(9.9)
    order = world.buy("a", UP, "0.50", "10")
    world.wait(0.1)
    assert [type(it) for it in world.take(HeartbeatExpired)] == [HeartbeatExpired]
    assert world.status(order) == "DELAYED"
    world.wait(0.1)
    assert world.status(order) == "MATCHED"


def test_a_removed_key_neither_acts_nor_expires(world: World) -> None:
    order = world.buy("a", UP, "0.40", "10")
    beat(world, "")
    world.venue.remove_api_key(world.now_ns, "key-a")
    refused = Refusal(status=401, text="Unauthorized/Invalid api key")
    assert world.venue.cancel_all(world.now_ns, "key-a") == refused
    world.wait(60)
    assert world.status(order) == "LIVE"
    with pytest.raises(ValueError, match="add it once"):
        world.venue.add_api_key(world.now_ns, "a", "key-b")
