"""Marketable orders: held, then matched against the first book after the hold."""

from __future__ import annotations

import pytest

from polybawt.adapters.fills import RecordKind
from polybawt.domain.events import (
    Batch,
    CancelRefused,
    FillAdvanced,
    Filled,
    OrderAccepted,
    OrderClosed,
)
from polybawt.domain.fill import Liquidity
from polybawt.domain.ids import OrderId
from polybawt.domain.order import OrderState, Tif
from tests.unit.adapters.fills.world import (
    BUY,
    DOWN,
    SELL,
    UP,
    World,
    book,
    cancel,
    change,
    leg,
    ns,
    place,
)

BIDS, ASKS = {48: 100.0, 47: 50.0}, {52: 30.0, 53: 40.0}
# Sent at 0: arrives at 80, the hold ends at 230, and a book must come by 2230.


def _world(**config: object) -> World:
    return World(**config).listed(BIDS, ASKS)


def test_it_matches_the_first_book_at_or_after_the_hold_and_gets_the_better_price() -> None:
    world = _world()
    world.send(0, place("a", leg(BUY, 53, 40)))
    world.frame(229, book(UP, BIDS, {50: 500.0}))
    assert [r.kind for r in world.log] == [RecordKind.ARRIVED]
    world.frame(230, book(UP, BIDS, {51: 10.0, 53: 500.0}))
    world.frame(240, book(UP, BIDS, {49: 500.0}))
    world.run(10_000)
    # 0.07 * 10 * 0.51 * 0.49 = 0.17493; 0.07 * 30 * 0.53 * 0.47 = 0.523110
    assert world.fills() == [("a/1", 51, 10.0, 174_930), ("a/2", 53, 30.0, 523_110)]
    assert [e.state for e in world.heard(OrderAccepted)] == [OrderState.DELAYED]
    assert [e.venue_ns for e in world.heard(Filled)] == [ns(230), ns(230)]
    assert world.heard(OrderClosed) == []
    assert [(at, e.fill_id) for at, e in world.events if isinstance(e, FillAdvanced)] == [
        (5_310, "a/1"),
        (5_310, "a/2"),
    ]
    assert [(r.kind, r.liquidity, r.state) for r in world.log] == [
        (RecordKind.ARRIVED, None, OrderState.DELAYED),
        (RecordKind.FILL, Liquidity.TAKER, OrderState.PARTIAL),
        (RecordKind.FILL, Liquidity.TAKER, OrderState.FILLED),
    ]


def test_buying_down_takes_the_up_bids_at_the_mirrored_price() -> None:
    world = _world()
    world.send(0, place("a", leg(BUY, 53, 110, outcome=DOWN, tif=Tif.FAK)))
    world.frame(300, change(UP, BUY, 48, 100))
    world.run(1_000)
    # Up bids 0.48 x 100 and 0.47 x 50 are Down asks 0.52 and 0.53.
    assert [fill[:3] for fill in world.fills()] == [("a/1", 52, 100.0), ("a/2", 53, 10.0)]


@pytest.mark.parametrize("tif", list(Tif))
def test_without_a_book_in_time_it_is_voided(tif: Tif) -> None:
    for ms, voided in ((2_230, False), (2_231, True)):
        world = _world()
        expires = 300_000 if tif is Tif.GTD else None
        world.send(0, place("a", leg(BUY, 53, 10, tif=tif, expires_ms=expires)))
        world.frame(ms, book(UP, BIDS, ASKS))
        world.run(3_000)
        closed = [(e.state, e.reason) for e in world.heard(OrderClosed)]
        assert closed == ([(OrderState.UNMATCHED, "VOIDED_NO_DATA")] if voided else [])
        assert bool(world.fills()) is not voided


def test_a_crossed_book_is_no_book() -> None:
    world = _world()
    world.send(0, place("a", leg(BUY, 53, 10)))
    world.frame(300, book(UP, {55: 10.0}, {50: 500.0}))
    world.frame(400, book(UP, BIDS, ASKS))
    world.run(1_000)
    assert [(f[1], f[2]) for f in world.fills()] == [(52, 10.0)]
    assert world.heard(Filled)[0].venue_ns == ns(400)


def test_a_held_order_cannot_be_cancelled() -> None:
    world = _world()
    world.send(0, place("a", leg(BUY, 53, 10)))
    world.send(50, cancel("a"))
    world.frame(300, book(UP, BIDS, ASKS))
    world.run(1_000)
    assert world.heard(CancelRefused) == [CancelRefused(order_id=OrderId("a"), reason="HELD")]
    assert [f[2] for f in world.fills()] == [10.0]


def test_fok_takes_all_or_nothing() -> None:
    world = _world()
    world.send(0, place("a", leg(BUY, 53, 71, tif=Tif.FOK)))
    world.send(0, place("b", leg(BUY, 53, 70, tif=Tif.FOK)))
    world.frame(300, book(UP, BIDS, ASKS))
    world.run(1_000)
    assert [(f[0], f[2]) for f in world.fills()] == [("b/1", 30.0), ("b/2", 40.0)]
    assert [(e.order_id, e.state, e.reason) for e in world.heard(OrderClosed)] == [
        ("a", OrderState.UNMATCHED, "FOK_NOT_FILLED")
    ]


def test_fak_takes_what_is_there_and_the_rest_dies() -> None:
    world = _world()
    world.send(0, place("a", leg(BUY, 52, 50, tif=Tif.FAK)))
    world.frame(300, book(UP, BIDS, ASKS))
    world.run(1_000)
    assert [f[2] for f in world.fills()] == [30.0]
    (closed,) = world.heard(OrderClosed)
    assert (closed.state, closed.reason) == (OrderState.CANCELLED, "FAK_REST")
    assert world.log[-1].qty_e6 == 20_000_000


@pytest.mark.parametrize(("tif", "code"), [(Tif.FAK, "FAK_NO_MATCH"), (Tif.FOK, "FOK_NOT_FILLED")])
def test_one_that_finds_nothing_is_unmatched(tif: Tif, code: str) -> None:
    world = _world()
    world.send(0, place("gone", leg(BUY, 52, 50, tif=tif)))
    world.send(0, place("never", leg(BUY, 51, 100, tif=tif)))
    world.frame(300, book(UP, BIDS, {60: 100.0}))
    world.run(1_000)
    assert [(e.order_id, e.state, e.reason) for e in world.heard(OrderClosed)] == [
        ("never", OrderState.UNMATCHED, code),
        ("gone", OrderState.UNMATCHED, code),
    ]
    assert world.heard(OrderClosed)[0].venue_ns == ns(80)


def test_the_rest_of_a_gtc_rests_at_its_limit_and_fills_as_maker() -> None:
    world = _world()
    world.send(0, place("a", leg(BUY, 52, 50)))
    world.frame(300, book(UP, BIDS, ASKS))
    # The level we emptied is still displayed: it neither fills the rest nor counts as through.
    world.frame(400, book(UP, BIDS, ASKS))
    world.run(1_000)
    assert world.fills() == [("a/1", 52, 30.0, 524_160)]
    world.frame(1_000, book(UP, BIDS, {51: 5.0}))
    world.run(2_000)
    assert world.fills()[1:] == [("a/2", 52, 20.0, 0)]
    assert [e.liquidity for e in world.heard(Filled)] == [Liquidity.TAKER, Liquidity.MAKER]


def test_a_held_gtc_whose_match_went_away_rests_and_says_so() -> None:
    world = _world()
    world.send(0, place("a", leg(BUY, 52, 10)))
    world.frame(300, book(UP, BIDS, {60: 100.0}))
    world.send(400, cancel("a"))
    world.run(1_000)
    states = [e.state for e in world.heard(OrderAccepted)]
    assert states == [OrderState.DELAYED, OrderState.LIVE]
    assert [e.reason for e in world.heard(OrderClosed)] == ["BY_USER"]


def test_depth_we_took_stays_taken_until_that_level_changes() -> None:
    world = _world()
    world.send(0, place("a", leg(BUY, 52, 20, tif=Tif.FAK)))
    world.frame(300, book(UP, BIDS, ASKS))
    world.send(300, place("b", leg(BUY, 52, 25, tif=Tif.FAK)))
    world.frame(600, book(DOWN, {48: 30.0, 47: 40.0}, {52: 100.0, 53: 50.0}))
    world.run(1_000)
    assert [(f[0], f[2]) for f in world.fills()] == [("a/1", 20.0), ("b/1", 10.0)]
    world.frame(1_000, change(UP, SELL, 52, 29))
    world.send(1_000, place("c", leg(BUY, 52, 25, tif=Tif.FAK)))
    world.frame(1_300, change(UP, BUY, 40, 1))
    world.run(2_000)
    assert [(f[0], f[2]) for f in world.fills()[2:]] == [("c/1", 25.0)]


def test_two_takers_of_one_book_share_its_depth_in_order_of_sending() -> None:
    world = _world()
    world.send(0, place("a", leg(BUY, 53, 50)), place("b", leg(BUY, 53, 50)))
    world.frame(300, book(UP, BIDS, ASKS))
    world.run(1_000)
    assert [(f[0], f[1], f[2]) for f in world.fills()] == [
        ("a/1", 52, 30.0),
        ("a/2", 53, 20.0),
        ("b/1", 53, 20.0),
    ]


def test_a_level_gives_whole_lots_only() -> None:
    world = World().listed(BIDS, {52: 30.0059})
    world.send(0, place("a", leg(BUY, 52, 50, tif=Tif.FAK)))
    world.frame(300, change(UP, BUY, 40, 1))
    world.run(1_000)
    assert [f[2] for f in world.fills()] == [30.0]


def test_takes_of_one_level_add_up_and_a_repeated_change_frees_nothing() -> None:
    world = _world()
    world.send(0, *(place(name, leg(BUY, 52, 25, tif=Tif.FAK)) for name in "ab"))
    world.send(10, place("c", leg(BUY, 52, 25, tif=Tif.FAK)))
    world.frame(235, change(UP, SELL, 52, 60))
    world.frame(240, change(UP, SELL, 52, 60))
    world.run(1_000)
    assert [(f[0], f[2]) for f in world.fills()] == [("a/1", 25.0), ("b/1", 25.0), ("c/1", 10.0)]


def test_the_wait_for_a_book_ends_to_the_nanosecond() -> None:
    for late_ns in (0, 1):
        world = _world()
        world.send(0, place("a", leg(BUY, 53, 10)))
        world.venue.on_market(Batch(2, ns(2_230) + late_ns, "market", (book(UP, BIDS, ASKS),)))
        world.run(3_000)
        assert bool(world.fills()) is not bool(late_ns)


def test_answers_come_in_the_order_in_which_things_happened() -> None:
    world = _world(tail_ms=400, hold_ms=0)
    for n in range(40):
        world.send(n * 100, place(f"o{n}", leg(BUY, 53, 5)))
        world.frame(n * 100 + 99, book(UP, {48: float(n + 1)}, {52: 100.0 + n}))
    world.run(30_000)
    times = [at for at, _ in world.events]
    assert times == sorted(times)
    assert len(world.fills()) >= 30
    happened = [e.venue_ns for e in world.heard(Filled)]
    assert happened == sorted(happened)
