"""The durable half: each fact once, reservations, the end of a market."""

from __future__ import annotations

import pytest

from polybawt.domain import events as ev
from polybawt.domain.actions import Action, Redeem, SplitPair
from polybawt.domain.errors import InvariantError
from polybawt.domain.fill import Liquidity
from polybawt.domain.ids import FillId, JobId, MarketId, OrderId, Outcome, Side
from polybawt.domain.order import OrderState, Tif
from polybawt.domain.units import E6, E12
from polybawt.portfolio.account import ACCOUNT, FACTS
from tests.world import ALPHA, BETA, M1, M2, World, make_market, resolved, shares

UP, DOWN = Outcome.UP, Outcome.DOWN
NOBODY = OrderId("nobody")


def ready() -> World:
    return World().ready()


# --- listing, ticks, resolution ------------------------------------------------------------------


def test_a_market_is_listed_once() -> None:
    world = ready()
    live = world.live()
    assert world.account.apply(ev.MarketListed(market=make_market(tick_e4=10))) == M1
    assert world.live() is live
    assert (live.tick_e4, live.up, live.down) == (100, 0, 1)
    assert (live.instrument(UP), live.instrument(DOWN)) == (live.up, live.down)


def test_a_tick_change_holds_for_its_market_and_one_of_another_is_ignored() -> None:
    world = ready()
    assert world.account.apply(ev.TickChanged(market_id=M1, tick_e4=10)) == M1
    assert world.account.apply(ev.TickChanged(market_id=M2, tick_e4=1)) == M2
    assert (world.live().tick_e4, list(world.account.markets)) == (10, [M1])


def test_a_resolution_settles_once_and_must_not_change() -> None:
    world = ready()
    world.hold(UP, shares(10), 4_000)
    for _ in range(2):
        assert world.account.apply(resolved()) == M1
        assert world.account.due_e6(M1) == shares(10)
    assert world.live().evidence is ev.Evidence.OFFICIAL
    assert world.account.ledger.evidence(M1) is ev.Evidence.OFFICIAL
    with pytest.raises(InvariantError, match="resolved twice, differently"):
        world.account.apply(resolved(payouts_ppm=(0, 1_000_000)))
    assert world.account.apply(resolved(M2)) == M2  # not ours: ignored


def test_inferred_evidence_stays_inferred_in_the_ledger() -> None:
    world = ready()
    world.account.apply(
        ev.MarketResolved(market_id=M1, payouts_ppm=(0, 1_000_000), evidence=ev.Evidence.INFERRED)
    )
    assert world.account.ledger.evidence(M1) is ev.Evidence.INFERRED


# --- orders and fills ----------------------------------------------------------------------------


def test_reports_on_unknown_orders_touch_nothing() -> None:
    world = ready()
    reports: tuple[ev.Event, ...] = (
        ev.OrderAccepted(order_id=NOBODY, state=OrderState.LIVE, venue_ns=1),
        ev.OrderRejected(order_id=NOBODY, code="X", venue_ns=1),
        ev.OrderClosed(order_id=NOBODY, state=OrderState.CANCELLED, reason="X", venue_ns=1),
        ev.OrderUnknown(order_id=NOBODY, reason="X"),
        ev.CancelRefused(order_id=NOBODY, reason="X"),
        ev.ActionExpired(order_id=NOBODY),
        ev.FillAdvanced(fill_id=FillId("nothing"), venue_ns=1),
        ev.FillVoided(fill_id=FillId("none"), cause="X", venue_ns=1),
    )
    assert [world.account.apply(report) for report in reports] == [None] * len(reports)


def test_each_report_names_the_market_that_it_touches() -> None:
    world = World().ready(make_market(M1), make_market(M2))
    order_id = world.place(world.leg(market_id=M2))
    fill = world.filled(order_id, E6)
    reports: tuple[ev.Event, ...] = (
        fill,
        ev.FillAdvanced(fill_id=fill.fill_id, venue_ns=1),
        ev.OrderUnknown(order_id=order_id, reason="X"),
        ev.CancelRefused(order_id=order_id, reason="X"),
        world.cancelled(order_id),
        ev.OrderRejected(order_id=order_id, code="LATE", venue_ns=1),
    )
    assert [world.account.apply(report) for report in reports] == [M2] * len(reports)


def test_an_action_that_expired_in_the_lane_is_a_local_rejection_and_no_streak() -> None:
    world = ready()
    order_id = world.place(world.leg(), state=OrderState.SENT)
    assert world.account.apply(ev.ActionExpired(order_id=order_id)) == M1
    order = world.account.orders.by_id[order_id]
    assert (order.state, order.closed_reason) == (OrderState.REJECTED, "EXPIRED_IN_LANE")
    assert world.account.reject_streak == {}


def test_a_streak_counts_each_rejection_once_and_ends_with_an_acceptance() -> None:
    world = ready()
    for number in range(3):
        order_id = world.place(world.leg(), state=OrderState.SENT)
        for _ in range(2):
            world.account.apply(ev.OrderRejected(order_id=order_id, code="X", venue_ns=number))
    assert world.account.reject_streak == {ALPHA: (3, 2)}
    world.place(world.leg(), name=BETA)
    assert world.account.reject_streak == {ALPHA: (3, 2)}
    world.place(world.leg())
    assert world.account.reject_streak == {}


def test_a_fill_is_booked_once() -> None:
    world = ready()
    order_id = world.place(world.leg(qty_e6=shares(10)))
    fill = world.filled(order_id, shares(4))
    for _ in range(2):
        world.account.apply(fill)
    order = world.account.orders.by_id[order_id]
    assert (order.matched_e6, order.rest_e6) == (shares(4), shares(6))
    assert world.account.ledger.position(ALPHA, M1).up_e6 == shares(4)


def test_a_fill_of_an_order_that_is_not_ours_halts() -> None:
    world = ready()
    stray = ev.Filled(
        fill_id=FillId("f"),
        order_id=NOBODY,
        liquidity=Liquidity.MAKER,
        price_e4=5_000,
        qty_e6=E6,
        fee_e6=0,
        venue_ns=1,
    )
    with pytest.raises(InvariantError, match="unknown order nobody"):
        world.account.apply(stray)


def test_a_void_is_the_same_before_and_after_its_fill_and_counts_once() -> None:
    results = []
    for order in ((0, 1), (1, 0), (0, 1, 1), (1, 1, 0, 0, 1)):
        world = ready()
        order_id = world.place(world.leg(qty_e6=shares(10)))
        fill = world.filled(order_id, shares(4))
        void = ev.FillVoided(fill_id=fill.fill_id, cause="REORG", venue_ns=2)
        for which in order:
            world.account.apply((fill, void)[which])
        one = world.account.orders.by_id[order_id]
        ledger = world.account.ledger
        results.append((one.state, one.matched_e6, one.filled_e6, ledger.cash_e6))
    assert results == [(OrderState.PARTIAL, shares(4), 0, 5_000 * E6)] * 4


# --- reservations --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "post_only", "reserved_e6"),
    [
        (Side.BUY, True, 4_800_000),
        (Side.BUY, False, 4_800_000 + 174_720),  # the highest fee within the limit
        (Side.SELL, True, 0),
    ],
)
def test_an_open_order_reserves_cash(side: Side, post_only: bool, reserved_e6: int) -> None:
    world = ready()
    world.hold(UP, shares(10))
    before = world.account.cash_free_e6()
    order_id = world.place(
        world.leg(side, qty_e6=shares(10), post_only=post_only), state=OrderState.SENT
    )
    assert before - world.account.cash_free_e6() == reserved_e6
    world.apply(world.accepted(order_id), world.cancelled(order_id))
    assert world.account.cash_free_e6() == before


def test_a_split_under_way_reserves_cash_and_a_merge_its_tokens() -> None:
    world = ready()
    world.hold(UP, shares(10))
    world.hold(DOWN, shares(8))
    before = world.account.cash_free_e6()
    split = SplitPair(strategy=ALPHA, market_id=M1, job_id=JobId("j"), qty_e6=shares(3))
    world.state.note(split)
    assert before - world.account.cash_free_e6() == shares(3)
    world.merging(shares(5), name=BETA)
    live = world.live()
    assert world.account.held_e6(ALPHA, live, UP) == shares(10)
    world.merging(shares(5))
    assert world.account.held_e6(ALPHA, live, UP) == shares(5)
    assert world.account.held_e6(ALPHA, live, DOWN) == shares(3)
    assert world.account.held_e6(BETA, live, DOWN) == -shares(5)
    assert world.account.sellable_e6(BETA, live, DOWN) == 0


def test_only_confirmed_tokens_are_held_and_open_sells_promise_them() -> None:
    world = ready()
    world.hold(UP, shares(10), confirm=False)
    live = world.live()
    assert world.account.sellable_e6(ALPHA, live, UP) == 0
    world.hold(UP, shares(10))
    assert world.account.sellable_e6(ALPHA, live, UP) == shares(10)
    world.place(world.leg(Side.SELL, UP, 5_500, shares(4)))
    world.place(world.leg(Side.SELL, DOWN, 5_500, shares(5)))
    world.place(world.leg(Side.SELL, UP, 5_500, shares(6)), name=BETA)
    assert world.account.sellable_e6(ALPHA, live, UP) == shares(6)
    assert world.account.held_e6(ALPHA, live, UP) == shares(10)


def test_capital_at_work_is_cost_claims_and_reserves() -> None:
    world = ready()
    assert world.account.locked_e6() == 0
    world.hold(UP, shares(10), 4_000)
    world.place(world.leg(qty_e6=shares(10)))
    assert world.account.locked_e6() == 4_000_000 + 4_800_000
    (order,) = world.account.open_orders(M1, ALPHA)
    world.apply(world.cancelled(order.order_id), resolved())
    assert world.account.locked_e6() == shares(10)


def test_positions_and_orders_are_each_strategys_own() -> None:
    world = ready()
    world.hold(UP, shares(10), name=BETA)
    world.hold(DOWN, shares(5))
    first, second = world.place(world.leg()), world.place(world.leg(limit_e4=4_700))
    world.place(world.leg(), name=BETA)
    assert [name for name, _ in world.account.positions(M1)] == [ALPHA, BETA]
    assert [order.order_id for order in world.account.open_orders(M1, ALPHA)] == [first, second]


# --- jobs, transfers, commands -------------------------------------------------------------------


def test_a_merge_is_booked_once_and_a_job_that_is_not_ours_is_ignored() -> None:
    world = ready()
    world.hold(UP, shares(10), 4_000)
    world.hold(DOWN, shares(10), 5_000)
    job_id = world.merging(shares(10))
    cash_e6 = world.account.ledger.cash_e6
    done = ev.PairMerged(job_id=job_id, market_id=M1, qty_e6=shares(10), venue_ns=world.now_ns + 1)
    for _ in range(2):
        assert world.account.apply(done) == M1
        assert world.account.ledger.cash_e6 == cash_e6 + shares(10)
    assert world.account.ledger.position(ALPHA, M1).realized_e18 == E12 * E6
    stray = ev.PairMerged(job_id=job_id, market_id=M2, qty_e6=shares(1), venue_ns=1)
    assert world.account.apply(stray) == M2
    assert world.account.ledger.cash_e6 == cash_e6 + shares(10)


def test_a_split_becomes_pairs() -> None:
    world = ready()
    job = SplitPair(strategy=ALPHA, market_id=M1, job_id=JobId("j"), qty_e6=shares(10))
    world.state.note(job)
    world.account.apply(
        ev.PairSplit(job_id=JobId("j"), market_id=M1, qty_e6=shares(10), venue_ns=1)
    )
    position = world.account.ledger.position(ALPHA, M1)
    assert (position.up_sellable_e6, position.down_sellable_e6) == (shares(10), shares(10))
    assert world.account.cash_free_e6() == 4_990 * E6


def test_a_job_that_failed_gives_back_what_it_held() -> None:
    world = ready()
    world.hold(UP, shares(10))
    job_id = world.merging(shares(4))
    failed = ev.JobFailed(job_id=job_id, market_id=M1, code="REVERTED", venue_ns=1)
    for _ in range(2):
        assert world.account.apply(failed) == M1
    assert world.account.held_e6(ALPHA, world.live(), UP) == shares(10)
    stray = ev.JobFailed(job_id=job_id, market_id=M2, code="REVERTED", venue_ns=1)
    assert world.account.apply(stray) == M2


def test_transfers_move_cash_once() -> None:
    world = ready()
    moved = ev.CashMoved(transfer_id="t", kind=ev.TransferKind.DEPOSIT, cash_e6=E6, venue_ns=1)
    assert world.account.apply(moved) is world.account.apply(moved) is None
    assert world.account.ledger.cash_e6 == 5_001 * E6


def test_operator_commands() -> None:
    world = ready()
    for params, reason in (((), "operator"), (("drill",), "drill")):
        world.account.apply(ev.OperatorCommanded(command="halt", params=params))
        assert world.account.halted == reason
    world.account.apply(ev.OperatorCommanded(command="resume"))
    assert world.account.halted is None
    with pytest.raises(InvariantError, match="unknown operator command 'dance'"):
        world.account.apply(ev.OperatorCommanded(command="dance"))


def test_what_is_no_fact_or_no_action_is_a_bug() -> None:
    world = ready()
    with pytest.raises(InvariantError, match="no fact of the account: TimerFired"):
        world.account.apply(ev.TimerFired())
    with pytest.raises(InvariantError, match="no such action"):
        world.account.note(Action(strategy=ALPHA, market_id=M1), 1)
    assert ev.TimerFired not in FACTS


# --- the end of a market -------------------------------------------------------------------------


def redeem(world: World, qty_e6: int) -> None:
    job = Redeem(strategy=ACCOUNT, market_id=M1, job_id=JobId("r"), qty_e6=qty_e6)
    world.state.note(job)
    world.apply(ev.Redeemed(job_id=JobId("r"), market_id=M1, qty_e6=qty_e6, venue_ns=1))


def test_a_market_is_finished_when_nothing_can_change_it_any_more() -> None:
    world = ready()
    live = world.live()
    fill_id = world.hold(UP, shares(10), confirm=False)
    order_id = world.place(world.leg())
    job_id = world.merging(shares(1))
    steps: tuple[tuple[ev.Event, ...], ...] = (
        (resolved(),),
        (world.cancelled(order_id),),
        (ev.FillAdvanced(fill_id=fill_id, venue_ns=1),),
    )
    for events in steps:
        assert not world.account.is_finished(live)
        world.apply(*events)
    assert not world.account.is_finished(live)
    world.apply(ev.JobFailed(job_id=job_id, market_id=M1, code="REVERTED", venue_ns=1))
    assert not world.account.is_finished(live)
    redeem(world, shares(10))
    assert world.account.is_finished(live)


def test_a_dropped_market_leaves_only_its_sums_and_late_copies_change_nothing() -> None:
    world = ready()
    order_id = world.place(world.leg(Side.BUY, UP, 4_000, shares(10)))
    fill = world.filled(order_id, shares(10))
    late: tuple[ev.Event, ...] = (
        world.accepted(order_id),
        fill,
        ev.FillAdvanced(fill_id=fill.fill_id, venue_ns=1),
        resolved(),
        ev.Redeemed(job_id=JobId("r"), market_id=M1, qty_e6=shares(10), venue_ns=1),
        world.cancelled(order_id),
        ev.TickChanged(market_id=M1, tick_e4=10),
    )
    world.apply(fill, late[2], resolved())
    redeem(world, shares(10))
    world.state.drop(M1)
    cash_e6 = world.account.ledger.cash_e6
    assert cash_e6 == 5_006 * E6
    assert (world.account.markets, world.account.orders.by_id) == ({}, {})
    world.apply(*late)
    assert world.account.ledger.cash_e6 == cash_e6
    assert world.account.markets == {}
    world.account.ledger.check()


def test_ids_are_numbered_by_the_state() -> None:
    account = ready().account
    assert [account.next_id("o"), account.next_id("j"), account.next_id("o")] == ["o1", "j2", "o3"]


def test_a_fak_that_found_nothing_is_no_rejection() -> None:
    world = ready()
    leg = world.leg(tif=Tif.FAK, post_only=False)
    order_id = world.place(leg, state=OrderState.SENT)
    world.apply(
        ev.OrderClosed(order_id=order_id, state=OrderState.UNMATCHED, reason="NO_MATCH", venue_ns=1)
    )
    assert world.account.reject_streak == {}
    assert world.account.orders.open_count == 0
    assert MarketId("m1") in world.account.markets
