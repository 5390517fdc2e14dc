"""What happens when an order reaches the simulated book: accepted, or refused with a code."""

from __future__ import annotations

import pytest

from polybawt.adapters.fills import RecordKind
from polybawt.domain.actions import Action, SplitPair
from polybawt.domain.errors import DecodeError, InvariantError
from polybawt.domain.events import (
    BookChanged,
    CancelRefused,
    MarketListed,
    OrderAccepted,
    OrderClosed,
    OrderRejected,
    TickChanged,
)
from polybawt.domain.ids import OrderId, StrategyName
from polybawt.domain.order import Leg, OrderState, Tif
from tests.unit.adapters.fills.world import (
    BUY,
    DOWN,
    MARKET,
    MARKET_ID,
    SELL,
    UP,
    World,
    book,
    cancel,
    change,
    job,
    leg,
    ns,
    place,
    resolved,
)

BIDS, ASKS = {48: 100.0, 47: 50.0}, {52: 30.0, 53: 40.0}


def _world(**config: object) -> World:
    return World(**config).listed(BIDS, ASKS)


def test_a_post_only_order_rests_after_the_order_delay_and_is_heard_after_the_ack_delay() -> None:
    world = _world()
    world.send(1_000, place("a", leg(BUY, 48, 10, post_only=True)))
    world.run(1_159)
    assert world.events == []
    world.run(1_160)
    assert world.events == [
        (1_160, OrderAccepted(order_id=OrderId("a"), state=OrderState.LIVE, venue_ns=ns(1_080)))
    ]
    assert [(r.kind, r.ts_ns, r.decided_ns, r.arrived_ns, r.state) for r in world.log] == [
        (RecordKind.ARRIVED, ns(1_080), ns(1_000), ns(1_080), OrderState.LIVE)
    ]


@pytest.mark.parametrize(
    ("order_leg", "code"),
    [
        (leg(BUY, 52, 10, post_only=True), "POST_ONLY_CROSS"),
        (leg(BUY, 48, 10, outcome=DOWN, post_only=True), "TAKEN_AS_MAKER"),
        (leg(BUY, 52, 10, outcome=DOWN, post_only=True), "POST_ONLY_CROSS"),
        (leg(BUY, 0, 10), "PRICE_OFF_TICK"),
        (leg(BUY, 100, 10), "PRICE_OFF_TICK"),
        (leg(BUY, 48, 10.001), "SIZE_OFF_LOT"),
        (leg(BUY, 48, 4.99), "SIZE_BELOW_MIN"),
        (leg(SELL, 55, 10), "NOT_ENOUGH_BALANCE"),
        (leg(BUY, 52, 10, tif=Tif.FAK, post_only=True), "INVALID_POST_ONLY"),
        (leg(BUY, 40, 10, tif=Tif.GTD, expires_ms=180_079), "INVALID_EXPIRATION"),
        (leg(BUY, 40, 10, tif=Tif.GTD, expires_ms=180_080), "TAKEN_AS_MAKER"),
        (leg(BUY, 53, 5.5, tif=Tif.FAK), "CENT_RULE"),
        (leg(BUY, 53, 6, tif=Tif.FOK), "HELD"),
        (leg(BUY, 53, 5.5), "HELD"),
        (leg(BUY, 10, 5, tif=Tif.FAK), "NOTIONAL_BELOW_MIN"),
        (leg(BUY, 10, 5), "TAKEN_AS_MAKER"),
    ],
)
def test_arrival_rule(order_leg: Leg, code: str) -> None:
    world = _world()
    world.send(0, place("a", order_leg))
    world.run(200)
    (event,) = (event for _, event in world.events)
    if code in ("HELD", "TAKEN_AS_MAKER"):
        state = OrderState.DELAYED if code == "HELD" else OrderState.LIVE
        assert event == OrderAccepted(order_id=OrderId("a"), state=state, venue_ns=ns(80))
    else:
        assert event == OrderRejected(order_id=OrderId("a"), code=code, venue_ns=ns(80))
        assert (world.log[0].state, world.log[0].reason) == (OrderState.REJECTED, code)


def test_a_cheap_marketable_buy_needs_one_pusd_even_when_it_may_rest() -> None:
    world = World().listed({5: 10.0}, {7: 100.0})
    world.send(0, place("a", leg(BUY, 7, 14)), place("b", leg(BUY, 7, 15)))
    world.run(200)
    assert [e.code for e in world.heard(OrderRejected)] == ["NOTIONAL_BELOW_MIN"]
    assert [e.order_id for e in world.heard(OrderAccepted)] == ["b"]


def test_a_market_without_a_book_refuses() -> None:
    world = World()
    world.frame(0, MarketListed(market=MARKET), change(UP, BUY, 48, 10))
    world.send(0, place("a", leg(BUY, 48, 10)))
    world.run(200)
    assert [e.code for e in world.heard(OrderRejected)] == ["NO_BOOK"]


def test_an_unlisted_closed_or_resolved_market_refuses() -> None:
    world = World()
    world.send(0, place("early", leg(BUY, 48, 10)))
    world.run(100)
    world.frame(100, MarketListed(market=MARKET), book(UP, BIDS, ASKS))
    world.send(899_919, place("last", leg(BUY, 48, 10)))
    world.send(899_920, place("late", leg(BUY, 48, 10)))
    world.run(900_100)
    world.frame(950_000, resolved(1_000_000))
    world.send(950_000, place("after", leg(BUY, 48, 10)))
    world.run(951_000)
    rejected = [(e.order_id, e.code) for e in world.heard(OrderRejected)]
    assert rejected == [(name, "MARKET_CLOSED") for name in ("early", "late", "after")]
    assert [e.order_id for e in world.heard(OrderAccepted)] == ["last"]


def test_a_finer_tick_admits_finer_prices() -> None:
    world = _world()
    fine = Leg(instrument=leg(BUY, 48, 10).instrument, side=BUY, limit_e4=4_810, qty_e6=10**7)
    world.send(0, place("a", fine))
    world.run(200)
    world.frame(200, TickChanged(market_id=MARKET_ID, tick_e4=10))
    world.send(200, place("b", fine))
    world.run(400)
    assert [e.code for e in world.heard(OrderRejected)] == ["PRICE_OFF_TICK"]
    assert [e.order_id for e in world.heard(OrderAccepted)] == ["b"]


def test_own_orders_never_meet_the_newer_is_refused() -> None:
    world = _world()
    world.send(0, place("bid", leg(BUY, 50, 10)))
    world.send(100, place("meets", leg(BUY, 50, 10, outcome=DOWN)))
    world.send(200, place("beside", leg(BUY, 49, 10, outcome=DOWN)))
    world.run(1_000)
    assert [(e.order_id, e.code) for e in world.heard(OrderRejected)] == [("meets", "SELF_CROSS")]
    assert [e.order_id for e in world.heard(OrderAccepted)] == ["bid", "beside"]


def test_a_held_order_counts_for_the_self_cross() -> None:
    world = _world()
    world.send(0, place("held", leg(BUY, 53, 10)))
    world.send(50, place("meets", leg(BUY, 47, 10, outcome=DOWN, post_only=True)))
    world.run(220)
    assert [(e.order_id, e.code) for e in world.heard(OrderRejected)] == [("meets", "SELF_CROSS")]


def test_a_sell_needs_tokens_free_of_other_sells() -> None:
    world = _world()
    world.send(0, job(SplitPair, "j", 15))
    world.run(5_000)
    world.send(5_000, place("a", leg(SELL, 60, 10)), place("b", leg(SELL, 60, 6)))
    world.send(5_100, place("c", leg(SELL, 60, 5)))
    world.run(6_000)
    assert [(e.order_id, e.code) for e in world.heard(OrderRejected)] == [
        ("b", "NOT_ENOUGH_BALANCE")
    ]


def test_a_cancel_ends_a_resting_order_and_a_second_one_is_refused() -> None:
    world = _world()
    world.send(0, place("a", leg(BUY, 48, 10)))
    world.send(1_000, cancel("a"))
    world.send(1_001, cancel("a"))
    world.run(2_000)
    (closed,) = world.heard(OrderClosed)
    assert closed == OrderClosed(
        order_id=OrderId("a"), state=OrderState.CANCELLED, reason="BY_USER", venue_ns=ns(1_080)
    )
    assert world.heard(CancelRefused) == [CancelRefused(order_id=OrderId("a"), reason="NOT_OPEN")]
    assert [r.kind for r in world.log] == [
        RecordKind.ARRIVED,
        RecordKind.CLOSED,
        RecordKind.CANCEL_REFUSED,
    ]


def test_a_cancel_waits_for_its_order() -> None:
    world = _world(tail_ms=300, seed=3)
    latency = world.venue._latency
    slow = max(range(0, 2_000, 2), key=lambda ms: latency.order_ns(ns(ms)))
    fast = min(range(slow, slow + 200, 2), key=lambda ms: latency.order_ns(ns(ms)) + ns(ms))
    arrives_ns = ns(slow) + latency.order_ns(ns(slow))
    assert ns(fast) + latency.order_ns(ns(fast)) < arrives_ns
    world.send(slow, place("a", leg(BUY, 48, 10)))
    world.send(fast, cancel("a"))
    world.run(20_000)
    (closed,) = world.heard(OrderClosed)
    assert (closed.reason, closed.venue_ns) == ("BY_USER", arrives_ns)


def test_a_gtd_dies_a_minute_before_its_expiration() -> None:
    world = _world()
    world.send(0, place("a", leg(BUY, 40, 10, tif=Tif.GTD, expires_ms=200_000)))
    world.run(141_000)
    assert world.heard(OrderClosed) == [
        OrderClosed(
            order_id=OrderId("a"), state=OrderState.EXPIRED, reason="EXPIRED", venue_ns=ns(140_000)
        )
    ]


def test_resting_orders_end_with_the_market() -> None:
    world = _world()
    world.send(0, place("a", leg(BUY, 40, 10)))
    world.frame(900_000, book(UP, {1: 5.0}, {2: 5.0}))
    world.run(901_000)
    assert world.fills() == []
    assert world.heard(OrderClosed) == [
        OrderClosed(
            order_id=OrderId("a"),
            state=OrderState.CANCELLED,
            reason="MARKET_CLOSED",
            venue_ns=ns(900_000),
        )
    ]


def test_an_early_resolution_ends_what_is_left() -> None:
    world = _world()
    world.send(0, place("a", leg(BUY, 40, 10)))
    world.frame(1_000, resolved(1_000_000))
    world.run(2_000)
    assert [e.reason for e in world.heard(OrderClosed)] == ["MARKET_RESOLVED"]


def test_errors_of_the_caller_are_loud() -> None:
    world = _world()
    world.frame(1_000)
    with pytest.raises(InvariantError, match="frame"):
        world.frame(999)
    with pytest.raises(InvariantError, match="advance"):
        world.run(999)
    with pytest.raises(InvariantError, match="arrive"):
        world.send(100, place("a", leg(BUY, 48, 10)))
    world.send(1_000, place("a", leg(BUY, 48, 10)))
    with pytest.raises(InvariantError, match="sent twice"):
        world.send(1_000, place("a", leg(BUY, 48, 10)))
    unknown = Action(strategy=StrategyName("s"), market_id=MARKET_ID)
    with pytest.raises(InvariantError, match="cannot do Action"):
        world.send(1_000, unknown)
    off_grid = BookChanged(
        market_id=MARKET_ID, outcome=UP, side=BUY, price_e4=4_805, qty_e6=1, venue_ns=0
    )
    with pytest.raises(DecodeError, match="off the grid"):
        world.frame(1_000, book(UP, {48: 1.0}, {}), off_grid)
