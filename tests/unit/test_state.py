"""A frame is applied whole; what it touched; what a strategy may see."""

from __future__ import annotations

import pytest

from polybawt.domain import events as ev
from polybawt.domain.errors import DecodeError
from polybawt.domain.ids import MarketId, Outcome, Side
from polybawt.domain.market import Phase
from polybawt.domain.units import MS_NS, S_NS
from tests.world import ALPHA, BETA, CLOSE_NS, M1, M2, M3, OPEN_NS, World, make_market, resolved

UP, DOWN = Outcome.UP, Outcome.DOWN


def changed(
    price_e4: int, qty_e6: int, *, side: Side = Side.BUY, outcome: Outcome = UP, market_id: str = M1
) -> ev.BookChanged:
    return ev.BookChanged(
        market_id=MarketId(market_id),
        outcome=outcome,
        side=side,
        price_e4=price_e4,
        qty_e6=qty_e6,
        venue_ns=7,
    )


def touched(world: World) -> list[str]:
    return list(world.state.touched)


# --- what a frame touches ------------------------------------------------------------------------


def test_a_frame_touches_the_markets_whose_inputs_changed_in_order_of_first_touch() -> None:
    world = World().ready(make_market(M1), make_market(M2), make_market(M3))
    world.apply(*world.books(M3), changed(4_900, 5), *world.books(M3))
    assert touched(world) == [M3, M1]
    world.apply()
    assert touched(world) == []


def test_a_change_behind_the_touch_is_booked_and_touches_nothing() -> None:
    world = World().ready()
    world.apply(changed(4_000, 5))
    assert touched(world) == []
    assert world.view().book(UP).qty_at(Side.BUY, 4_000) == 5
    world.apply(changed(5_000, 5, outcome=DOWN, side=Side.SELL))
    assert touched(world) == [M1]


def test_changes_before_the_first_snapshot_make_no_book() -> None:
    world = World()
    world.list(make_market())
    world.apply(changed(4_800, 5), changed(5_200, 5, side=Side.SELL))
    assert touched(world) == []
    assert world.view().touch is None
    world.apply(world.books()[1])
    assert touched(world) == [M1]
    assert world.view().touch is not None


def test_books_of_markets_that_are_not_ours_are_ignored() -> None:
    world = World().ready()
    world.apply(*world.books(M2), changed(4_900, 1, market_id=M2))
    assert touched(world) == []
    assert list(world.state.market.books) == [M1]


def test_facts_touch_their_market_and_market_data_does_not_change_the_account() -> None:
    world = World().ready()
    order_id = world.place(world.leg())
    world.apply(world.filled(order_id, 1_000_000))
    assert (touched(world), world.state.account_changed) == ([M1], True)
    world.apply(*world.books())
    assert world.state.account_changed is False
    print_ = ev.TradePrinted(
        market_id=M1, outcome=UP, side=Side.BUY, price_e4=5_000, qty_e6=1, venue_ns=1
    )
    spot = ev.SpotTicked(asset="BTC", source="x", price=1.0, venue_ns=1)
    feed = ev.FeedChanged(feed="books", state=ev.FeedState.DOWN)
    world.apply(print_, spot, feed)
    assert (touched(world), world.state.account_changed) == ([], False)


def test_a_timer_touches_markets_that_are_not_over_and_those_with_orders() -> None:
    world = World().ready(make_market(M1), make_market(M2, open_ns=OPEN_NS + 900 * S_NS))
    world.apply(ev.TimerFired())
    assert touched(world) == [M1, M2]
    order_id = world.place(world.leg())
    world.now_ns = CLOSE_NS + S_NS
    world.apply(ev.TimerFired())
    assert touched(world) == [M1, M2]
    world.now_ns += 1
    world.apply(ev.TimerFired())
    assert touched(world) == [M1, M2]
    world.apply(world.cancelled(order_id))
    world.apply(ev.TimerFired())
    assert touched(world) == [M2]


def test_oracle_reports_and_boundaries_reach_the_settlement() -> None:
    world = World().ready()
    report = ev.OracleReported(
        asset="BTC", source="chainlink", price_e18=10**22, observed_ns=OPEN_NS
    )
    fixed = ev.BoundaryFixed(
        market_id=M1,
        boundary=ev.Boundary.CLOSE,
        price_e18=10**22,
        observed_ns=CLOSE_NS,
        source="chainlink",
        quality=ev.Quality.EXACT,
    )
    world.apply(report, fixed)
    assert touched(world) == []
    points = world.state.settlement
    assert points.expected(M1) is UP


# --- ticks and bad prices ------------------------------------------------------------------------


def test_a_tick_change_refines_both_books() -> None:
    world = World().ready()
    world.apply(ev.TickChanged(market_id=M1, tick_e4=10), changed(4_810, 5))
    assert touched(world) == [M1]
    assert world.view().tick_e4 == 10
    assert world.view().book(UP).bid_e4 == 4_810
    world.apply(changed(4_790, 5, outcome=DOWN))
    assert world.view().book(DOWN).qty_at(Side.BUY, 4_790) == 5
    world.apply(ev.TickChanged(market_id=M2, tick_e4=10))
    assert list(world.state.market.books) == [M1]


def test_an_off_grid_price_is_one_line_that_says_what_to_do() -> None:
    world = World().ready()
    bad = ev.BookReplaced(market_id=M1, outcome=UP, bids=((4_810, 1),), asks=(), venue_ns=1)
    for event in (changed(4_810, 5), bad):
        with pytest.raises(
            DecodeError, match=r"market m1: price 0\.481 is not on the market's tick"
        ):
            world.apply(event)


# --- the view ------------------------------------------------------------------------------------


def test_a_view_shows_the_market_and_what_is_the_strategys_own() -> None:
    later = make_market(M2, open_ns=OPEN_NS + 900 * S_NS)
    world = World().ready(make_market(M1), later, make_market(M3, asset="ETH"))
    world.hold(UP, 3_000_000)
    world.hold(UP, 5_000_000, name=BETA)
    mine = world.place(world.leg())
    world.place(world.leg(), name=BETA)
    view = world.view()
    assert (view.market.market_id, view.now_ns) == (M1, world.now_ns)
    assert (view.phase, view.left_ns) == (Phase.OPEN, 840 * S_NS)
    assert (view.instrument(UP), view.instrument(DOWN)) == (0, 1)
    assert [order.order_id for order in view.orders] == [mine]
    assert [order.filled_e6 for order in view.history] == [3_000_000]
    assert (view.position.up_e6, view.held_e6(UP), view.held_e6(DOWN)) == (3_000_000, 3_000_000, 0)
    assert [market.market_id for market in view.siblings] == [M2]
    touch = view.touch
    assert touch is not None
    assert (touch.bid_e4, touch.ask_e4) == (4_800, 5_200)
    assert view.is_job_due is True
    world.merging(1)
    assert world.view().is_job_due is False


def test_a_view_knows_how_old_the_book_and_its_connection_are() -> None:
    world = World().ready()
    world.now_ns += 400 * MS_NS
    world.apply(ev.TimerFired(), source="timer")
    assert (world.view().book_age_ns, world.view().feed_age_ns) == (400 * MS_NS, 400 * MS_NS)
    world.apply(*world.books(M2))  # the connection spoke, of another market
    assert (world.view().book_age_ns, world.view().feed_age_ns) == (400 * MS_NS, 0)
    world.apply(changed(4_000, 1))
    assert (world.view().book_age_ns, world.view().feed_age_ns) == (0, 0)


def test_a_view_is_settled_by_evidence_not_by_time() -> None:
    world = World().ready()
    world.now_ns = CLOSE_NS + 10**12
    world.apply(ev.TimerFired())
    assert world.view().phase is Phase.RESOLVING
    world.apply(resolved())
    assert world.view(M1, ALPHA).phase is Phase.SETTLED


def test_a_dropped_market_is_gone_from_both_halves() -> None:
    world = World().ready()
    world.apply(resolved())
    world.state.drop(M1)
    assert (world.state.market.books, world.account.markets) == ({}, {})
    world.apply(ev.TimerFired(), *world.books(), changed(4_900, 1))
    assert touched(world) == []
