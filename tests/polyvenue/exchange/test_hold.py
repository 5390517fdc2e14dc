"""Marketable orders are held, cannot be called back, and meet the book of a later moment."""

import pytest

from polyvenue.exchange import ExchangeConfig
from polyvenue.exchange.events import HoldEnded, OrderChanged
from polyvenue.exchange.orders import CancelReply, OrderType, Placed, Refusal, ReplyStatus
from polyvenue.exchange.state import EngineMode
from polyvenue.exchange.units import MS_NS, S_NS
from tests.polyvenue.exchange.world import (
    BUY,
    CERTAIN,
    FAK,
    FOK,
    GTD,
    MARKET,
    PUSD,
    START_NS,
    UP,
    World,
    e6,
    make_world,
)

HELD = "order match delayed due to market conditions"


@pytest.fixture
def world() -> World:
    """Wallet b offers 10 Up at 0.50; the hold is 150 ms."""
    world = make_world(hold_ns=150 * MS_NS)
    world.sell("b", UP, "0.50", "10")
    return world


def outcome(world: World) -> Placed | Refusal:
    """What became of the only held order."""
    (event,) = world.take(HoldEnded)
    assert isinstance(event, HoldEnded)
    return event.result


def changes(world: World, order: str) -> list[tuple[str, str, int]]:
    """Kind, status and matched quantity of each event of an order."""
    return [
        (it.kind.value, it.order.status.value, it.order.matched_e6)
        for it in world.events
        if isinstance(it, OrderChanged) and it.order.order_id == order
    ]


def test_a_marketable_order_is_delayed_and_matches_after_its_hold(world: World) -> None:
    placed = world.send(world.request("a", BUY, UP, "0.50", "10"))
    assert isinstance(placed, Placed)
    assert (placed.status, placed.making_e6, placed.trade_ids) == (ReplyStatus.DELAYED, 0, ())
    world.wait(0.149)
    assert world.status(placed.order_id) == "DELAYED"
    world.wait(0.001)
    assert world.status(placed.order_id) == "MATCHED"
    result = outcome(world)
    assert isinstance(result, Placed)
    assert (result.making_e6, result.taking_e6) == (e6(5), e6(10))
    assert changes(world, placed.order_id) == [
        ("PLACEMENT", "DELAYED", 0),
        ("UPDATE", "MATCHED", e6(10)),
    ]


def test_what_does_not_cross_and_what_is_post_only_is_not_held(world: World) -> None:
    assert world.status(world.buy("a", UP, "0.49", "10")) == "LIVE"
    request = world.request("a", BUY, UP, "0.48", "10", post_only=True)
    assert world.status(world.accepted(request)) == "LIVE"


def test_a_held_order_cannot_be_cancelled_but_its_makers_step_away(world: World) -> None:
    maker = world.venue.open_orders("key-b")[0].order_id
    taker = world.buy("a", UP, "0.50", "10")
    world.wait(0.05)
    venue, now_ns = world.venue, world.now_ns
    held = CancelReply(not_canceled=((taker, HELD),))
    assert venue.cancel(now_ns, "key-a", taker) == held
    assert venue.cancel_many(now_ns, "key-a", [taker]) == held
    assert venue.cancel_market(now_ns, "key-a", MARKET) == held
    assert venue.cancel_all(now_ns, "key-a") == held
    assert venue.cancel(now_ns, "key-b", maker) == CancelReply(canceled=(maker,))
    world.wait(0.1)
    assert world.status(taker) == "LIVE"
    result = outcome(world)
    assert isinstance(result, Placed)
    assert result.status is ReplyStatus.UNMATCHED
    assert venue.cancel(world.now_ns, "key-a", taker) == CancelReply(canceled=(taker,))


def test_a_held_order_meets_the_book_of_the_moment_of_its_release(world: World) -> None:
    taker = world.buy("a", UP, "0.50", "10")
    better = world.request("c", BUY, "2222", "0.55", "10")  # offers Up at 0.45
    world.accepted(better)
    world.wait(0.15)
    (trade,) = world.venue.trades("a")
    assert trade.price_e4 == 4500
    assert world.status(taker) == "MATCHED"


@pytest.mark.parametrize("kind", [FAK, FOK])
def test_a_held_order_that_may_not_rest_ends_unmatched(world: World, kind: OrderType) -> None:
    taker = world.accepted(world.request("a", BUY, UP, "0.50", "10", kind))
    world.venue.cancel_all(world.now_ns, "key-b")
    world.wait(0.2)
    assert world.status(taker) == "UNMATCHED"
    assert isinstance(outcome(world), Refusal)
    assert world.venue.account("a").open == {}
    assert changes(world, taker)[-1] == ("CANCELLATION", "UNMATCHED", 0)


def test_the_rest_of_a_held_order_rests(world: World) -> None:
    taker = world.buy("a", UP, "0.50", "15")
    world.wait(0.2)
    view = world.venue.order(taker)
    assert view is not None
    assert (view.status, view.matched_e6) == ("LIVE", e6(10))
    assert world.venue.account("a").open == {PUSD: e6("2.5")}


def test_a_held_order_reserves_its_fee_too(world: World) -> None:
    world.buy("a", UP, "0.60", "10")
    assert world.venue.account("a").open == {PUSD: e6("6.168")}


def test_two_held_orders_are_released_in_their_order(world: World) -> None:
    first = world.buy("a", UP, "0.50", "10")
    second = world.buy("c", UP, "0.60", "10")
    world.wait(0.2)
    assert (world.status(first), world.status(second)) == ("MATCHED", "LIVE")


def test_a_drained_wallet_fails_the_second_look(world: World) -> None:
    taker = world.buy("a", UP, "0.50", "10")
    world.venue.withdraw(world.now_ns, "a", e6("9995"))
    world.wait(0.2)
    assert world.status(taker) == "CANCELED_NOT_ENOUGH_BALANCE"
    assert world.venue.trades("a") == ()


def test_a_tick_that_changed_makes_a_held_order_invalid() -> None:
    world = make_world(hold_ns=150 * MS_NS)
    world.venue.change_tick(START_NS, MARKET, 10)
    world.sell("b", UP, "0.501", "10")
    taker = world.buy("a", UP, "0.501", "10")
    world.venue.change_tick(world.now_ns, MARKET, 100)
    world.wait(0.2)
    assert world.status(taker) == "INVALID"


@pytest.mark.parametrize("mode", [it for it in EngineMode if it is not EngineMode.NORMAL])
def test_a_held_order_ends_with_the_mode_that_forbids_it(world: World, mode: EngineMode) -> None:
    taker = world.buy("a", UP, "0.50", "10")
    world.venue.set_mode(world.now_ns, mode)
    world.wait(0.2)
    assert world.status(taker) == "CANCELED"


def test_a_held_order_ends_with_its_market(world: World) -> None:
    ended = world.buy("a", UP, "0.50", "10")
    world.venue.end_market(world.now_ns, MARKET)
    world.wait(0.2)
    assert world.status(ended) == "CANCELED_MARKET_NOT_FOUND"
    other = make_world(hold_ns=150 * MS_NS)
    other.sell("b", UP, "0.50", "10")
    resolved = other.buy("a", UP, "0.50", "10")
    other.venue.resolve_market(other.now_ns, MARKET, (1_000_000, 0))
    assert other.status(resolved) == "DELAYED"
    other.wait(0.2)
    assert other.status(resolved) == "CANCELED_MARKET_RESOLVED"


def test_a_long_hold_does_not_outlive_an_expiration() -> None:
    world = make_world(ExchangeConfig(settlement=CERTAIN), hold_ns=130 * S_NS)
    world.sell("b", UP, "0.50", "10")
    expiration_s = START_NS // S_NS + 180
    taker = world.request("a", BUY, UP, "0.50", "10", GTD, expiration_s=expiration_s)
    world.accepted(taker)
    world.wait(125)
    assert world.status(taker.order_id) == "DELAYED"
    world.wait(10)
    assert world.status(taker.order_id) == "CANCELED_EXPIRED_ORDER"


def test_the_hold_can_be_changed_and_switched_off(world: World) -> None:
    world.venue.set_hold(world.now_ns, MARKET, 0)
    assert world.status(world.buy("a", UP, "0.50", "10")) == "MATCHED"
    with pytest.raises(ValueError, match="at least 0"):
        world.venue.set_hold(world.now_ns, MARKET, -1)
