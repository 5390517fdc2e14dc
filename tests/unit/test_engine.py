"""The loop: atomic frames, one state for all, review in order, reservation, quarantine, halt."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from msgspec.structs import replace

from polybawt.domain import events as ev
from polybawt.domain.actions import MergePair, Place, Redeem
from polybawt.domain.errors import InvariantError
from polybawt.domain.ids import Instrument, MarketId, Outcome, Side, StrategyName
from polybawt.domain.intents import Check, Intent
from polybawt.domain.order import Leg, OrderState
from polybawt.domain.units import E6, PPM, S_NS
from polybawt.engine import ACTION_LIFE_NS, NOTHING, Step
from polybawt.risk.limits import LimitsConfig
from polybawt.state import View
from polybawt.strategies.base import StrategyConfig
from tests.world import (
    ALPHA,
    BETA,
    CLOSE_NS,
    M1,
    M2,
    M3,
    OPEN_NS,
    WIDE,
    World,
    cancels,
    convert,
    make_market,
    placed,
    quote,
    resolved,
    shares,
    strategy,
    take,
)

UP, DOWN, BUY, SELL = Outcome.UP, Outcome.DOWN, Side.BUY, Side.SELL


def leg_of(view: View, limit_e4: int = 4_800, qty_e6: int = 10 * E6) -> Leg:
    return Leg(
        instrument=view.instrument(UP), side=BUY, limit_e4=limit_e4, qty_e6=qty_e6, post_only=True
    )


def bids(view: View) -> list[Intent]:
    """Wants one bid, always."""
    return [quote(leg_of(view), name=view.strategy, market_id=view.market.market_id)]


def nothing(view: View) -> list[Intent]:
    return []


def codes(step: Step) -> list[tuple[Check, str]]:
    return [(r.check, r.code) for decision in step.decisions for r in decision.refusals]


# --- one frame -----------------------------------------------------------------------------------


def test_a_frame_that_touches_nothing_decides_nothing() -> None:
    world = World(strategy(bids)).ready()
    assert world.send() is NOTHING
    assert world.send(ev.SpotTicked(asset="BTC", source="x", price=1.0, venue_ns=1)) is NOTHING


def test_a_wanted_order_is_placed_once_and_reserved_from_then_on() -> None:
    world = World(strategy(bids)).ready()
    (place,) = placed(world.send(*world.books()))
    assert (place.strategy, place.market_id, place.leg.limit_e4) == (ALPHA, M1, 4_800)
    assert place.valid_until_ns == world.now_ns + ACTION_LIFE_NS
    assert world.account.orders.by_id[place.order_id].state is OrderState.SENT
    assert world.account.cash_free_e6() == 5_000 * E6 - 4_800_000
    assert world.send(*world.books()) == Step()
    assert world.send(world.accepted(place.order_id)) == Step()


def test_all_changes_of_a_frame_come_before_the_first_decision() -> None:
    seen = []

    def look(view: View) -> list[Intent]:
        touch = view.touch
        assert touch is not None
        seen.append((view.market.market_id, touch.bid_e4, view.position.up_e6))
        return []

    world = World(strategy(look)).ready(make_market(M1), make_market(M2))
    order_id = world.place(world.leg(market_id=M2))
    fill = world.filled(order_id, shares(10))
    world.send(*world.books(M1, 4_000), *world.books(M2, 4_100), *world.books(M1, 4_200), fill)
    assert seen == [(M1, 4_200, 0), (M2, 4_100, shares(10))]


def test_all_strategies_of_a_frame_see_the_same_state() -> None:
    seen = []

    def look(view: View) -> list[Intent]:
        seen.append((view.strategy, len(view.orders), view.now_ns))
        return bids(view)

    world = World(strategy(look), strategy(look, BETA)).ready(make_market(M1), make_market(M2))
    world.send(*world.books(M1), *world.books(M2))
    assert seen == [(name, 0, world.now_ns) for name in (ALPHA, BETA, ALPHA, BETA)]


def test_a_disabled_strategy_is_not_asked() -> None:
    one = strategy(bids)
    off = type(one)(one.plugin, StrategyConfig(enabled=False))
    world = World(off).ready()
    assert world.send(*world.books()) == Step()


# --- the order of review -------------------------------------------------------------------------


def test_review_goes_by_risk_then_edge_per_loss_then_instrument_then_name() -> None:
    wishes: dict[tuple[str, str], list[Intent]] = {}

    def ask(view: View) -> list[Intent]:
        return wishes.get((view.strategy, view.market.market_id), [])

    zulu = StrategyName("zulu")
    world = World(strategy(ask, zulu), strategy(ask)).ready(
        make_market(M2), make_market(M1, asset="ETH"), make_market(M3)
    )

    def wish(name: StrategyName, market_id: MarketId, edge: int, loss: int) -> None:
        leg = world.leg(market_id=market_id)
        one = quote(leg, name=name, market_id=market_id)
        intent = replace(one, edge_e4=edge, worst_loss_e6=loss)
        wishes.setdefault((name, market_id), []).append(intent)

    wish(ALPHA, M1, 100, 10 * E6)
    wish(zulu, M2, 100, 10 * E6)
    wish(ALPHA, M2, 100, 10 * E6)
    wish(ALPHA, M3, 100, 5 * E6)  # the most edge for its loss
    wishes[zulu, M3] = [quote(name=zulu, market_id=M3)]  # a pull lowers risk
    step = world.send(*world.books(M3), *world.books(M1), *world.books(M2))
    order = [(d.intent.strategy, d.intent.market_id) for d in step.decisions]
    assert order == [(zulu, M3), (ALPHA, M3), (ALPHA, M2), (zulu, M2), (ALPHA, M1)]


def test_what_one_approval_sends_counts_for_the_next() -> None:
    config = LimitsConfig.model_validate(WIDE.model_dump() | {"account_fraction": 0.08})
    world = World(strategy(bids), strategy(bids, BETA), limits=config, cash_e6=100 * E6).ready()
    step = world.send(*world.books())
    first, second = placed(step)
    assert (first.strategy, first.leg.qty_e6) == (ALPHA, shares(10))
    assert (second.strategy, second.leg.qty_e6) == (BETA, shares(6.66))  # 8 less 4.8
    assert [d.scale_ppm for d in step.decisions] == [PPM, PPM]


@pytest.mark.parametrize("names", [(ALPHA, BETA), (BETA, ALPHA)])
def test_the_order_of_registration_decides_nothing(names: Iterable[StrategyName]) -> None:
    world = World(*(strategy(bids, name) for name in names)).ready()
    assert [place.strategy for place in placed(world.send(*world.books()))] == [ALPHA, BETA]


# --- quotes, takes, conversions ------------------------------------------------------------------


def test_a_moved_quote_is_cancelled_and_placed_anew() -> None:
    price = [4_800]
    world = World(strategy(lambda v: [quote(leg_of(v, price[0]))])).ready()
    (old,) = placed(world.send(*world.books()))
    world.send(world.accepted(old.order_id))
    price[0] = 4_700
    step = world.send(*world.books())
    assert cancels(step) == [old.order_id]
    (new,) = placed(step)
    assert new.leg.limit_e4 == 4_700
    assert isinstance(step.actions[-1], Place)
    assert world.send(world.cancelled(old.order_id)) == Step()


def test_a_refused_replacement_still_cancels() -> None:
    price = [4_800]
    world = World(strategy(lambda v: [quote(leg_of(v, price[0]))])).ready()
    (old,) = placed(world.send(*world.books()))
    world.send(world.accepted(old.order_id))
    price[0] = 4_750  # off the grid
    step = world.send(*world.books())
    assert cancels(step) == [old.order_id]
    assert placed(step) == []
    assert codes(step) == [(Check.PRICE, "OFF_GRID")]


def test_a_pull_is_a_decision_and_cancels() -> None:
    wanted = [True]
    world = World(strategy(lambda v: bids(v) if wanted[0] else [quote()])).ready()
    (old,) = placed(world.send(*world.books()))
    world.send(world.accepted(old.order_id))
    wanted[0] = False
    step = world.send(*world.books())
    assert cancels(step) == [old.order_id]
    assert codes(step) == [(Check.STRATEGY, "NOTHING_WANTED")]


def test_a_take_sends_every_leg_and_a_conversion_a_job() -> None:
    world = World(
        strategy(lambda v: [take(leg_of(v)), convert(ev.JobKind.MERGE, shares(2))])
    ).ready()
    world.hold(UP, shares(5))
    world.hold(DOWN, shares(5))
    step = world.send(*world.books())
    merge, place = step.actions
    assert isinstance(merge, MergePair)  # lowers risk: first
    assert merge.qty_e6 == shares(2)
    assert isinstance(place, Place)
    assert list(world.live().jobs) == [merge.job_id]


# --- halt, quarantine, streak --------------------------------------------------------------------


def test_a_halt_cancels_all_at_once_and_refuses_all_until_it_is_cleared() -> None:
    world = World(strategy(bids)).ready(make_market(M1), make_market(M2))
    orders = [p.order_id for p in placed(world.send(*world.books(M1), *world.books(M2)))]
    world.send(*(world.accepted(order_id) for order_id in orders))
    step = world.send(ev.OperatorCommanded(command="halt", params=("drill",)))
    assert sorted(cancels(step)) == sorted(orders)
    assert placed(step) == []
    closed = (world.cancelled(order_id) for order_id in orders)
    step = world.send(*closed, *world.books(M1), *world.books(M2))
    assert step.actions == ()
    assert codes(step) == [(Check.KILL_LATCH, "HALTED")] * 2
    step = world.send(ev.OperatorCommanded(command="resume"))
    assert len(placed(step)) == 2


def test_an_order_that_is_accepted_during_a_halt_is_cancelled() -> None:
    world = World(strategy(bids)).ready()
    (place,) = placed(world.send(*world.books()))
    assert cancels(world.send(ev.OperatorCommanded(command="halt"))) == []
    assert cancels(world.send(world.accepted(place.order_id))) == [place.order_id]


def test_a_strategy_that_raises_is_quarantined_and_its_orders_withdrawn() -> None:
    is_broken = [False]

    def broken(view: View) -> list[Intent]:
        if is_broken[0] and view.market.market_id == M2:
            raise ZeroDivisionError("one bug")
        price = 4_700 if is_broken[0] else 4_800
        return [quote(leg_of(view, price), name=ALPHA, market_id=view.market.market_id)]

    world = World(strategy(broken), strategy(bids, BETA)).ready(make_market(M1), make_market(M2))
    both = (*world.books(M1), *world.books(M2))
    mine = {p.order_id: p.strategy for p in placed(world.send(*both))}
    world.send(*(world.accepted(order_id) for order_id in mine))
    is_broken[0] = True
    step = world.send(*both)
    assert world.account.quarantined == {ALPHA: "ZeroDivisionError: one bug"}
    assert {mine[order_id] for order_id in cancels(step)} == {ALPHA}
    assert len(cancels(step)) == 2
    assert placed(step) == []
    assert codes(step) == [(Check.MODE, "QUARANTINED")]  # what it had wished before it broke
    step = world.send(*both)
    assert step.actions == ()
    assert step.decisions == ()


def test_a_reject_streak_disarms_one_strategy() -> None:
    world = World(strategy(bids), strategy(bids, BETA)).ready()
    rejected = 0
    queue = placed(world.send(*world.books()))
    while queue:
        place = queue.pop(0)
        if place.strategy == BETA:
            answer: ev.Event = world.accepted(place.order_id)
        else:
            rejected += 1
            answer = ev.OrderRejected(order_id=place.order_id, code="X", venue_ns=world.now_ns)
        queue.extend(placed(world.send(answer)))
    assert rejected == 5
    assert codes(world.send(*world.books())) == [(Check.REJECT_STREAK, "DISARMED")]
    assert len(world.account.open_orders(M1, BETA)) == 1


def test_an_unknown_order_blocks_its_market_until_it_is_known() -> None:
    world = World(strategy(bids), strategy(bids, BETA)).ready(make_market(M1), make_market(M2))
    unknown = world.place(world.leg(limit_e4=4_000), state=OrderState.UNKNOWN, name=BETA)
    step = world.send(*world.books(M1), *world.books(M2))
    assert {p.market_id for p in placed(step)} == {M2}
    assert codes(step) == [(Check.MODE, "UNKNOWN_ORDER")]
    lost = ev.OrderClosed(order_id=unknown, state=OrderState.ABSENT, reason="NONE", venue_ns=1)
    assert {p.strategy for p in placed(world.send(lost))} == {ALPHA, BETA}


# --- the end -------------------------------------------------------------------------------------


def test_nothing_rests_and_nothing_is_sent_past_the_cutoff() -> None:
    world = World(strategy(bids)).ready()
    (place,) = placed(world.send(*world.books()))
    world.send(world.accepted(place.order_id))
    world.now_ns = CLOSE_NS - 5 * S_NS
    step = world.send(ev.TimerFired())
    assert cancels(step) == [place.order_id]
    step = world.send(world.cancelled(place.order_id), *world.books())
    assert step.actions == ()
    assert codes(step) == [(Check.PHASE, "CLOSING")]


def test_an_order_that_is_accepted_after_the_cutoff_is_cancelled() -> None:
    world = World(strategy(bids)).ready()
    (place,) = placed(world.send(*world.books()))
    world.now_ns = CLOSE_NS - S_NS
    assert cancels(world.send(ev.TimerFired())) == []
    assert cancels(world.send(world.accepted(place.order_id))) == [place.order_id]


def test_a_resolved_market_is_redeemed_and_forgotten() -> None:
    world = World(strategy(nothing)).ready()
    world.hold(UP, shares(10), 4_000)
    world.now_ns = CLOSE_NS + 60 * S_NS
    (redeem,) = world.send(resolved()).actions
    assert isinstance(redeem, Redeem)
    done = ev.Redeemed(
        job_id=redeem.job_id, market_id=M1, qty_e6=redeem.qty_e6, venue_ns=world.now_ns
    )
    assert world.send(done) == Step()
    assert world.account.markets == {}
    assert world.account.ledger.cash_e6 == 5_006 * E6
    assert world.send(done) == Step()


def test_a_market_without_any_fact_is_forgotten_when_it_resolves() -> None:
    world = World(strategy(nothing)).ready()
    assert world.send(resolved()) == Step()
    assert world.account.markets == {}


def test_a_halt_keeps_a_claim_until_it_is_cleared() -> None:
    world = World(strategy(nothing)).ready()
    world.hold(UP, shares(10), 4_000)
    world.send(ev.OperatorCommanded(command="halt"))
    assert world.send(resolved()).actions == ()
    (redeem,) = world.send(ev.OperatorCommanded(command="resume")).actions
    assert isinstance(redeem, Redeem)


def test_an_impossible_state_stops_before_any_decision() -> None:
    world = World(strategy(bids), cash_e6=E6).ready()
    order_id = world.place(world.leg())
    with pytest.raises(InvariantError, match="cash is -3800000"):
        world.send(world.filled(order_id, shares(10)))
    moved = ev.CashMoved(
        transfer_id="t", kind=ev.TransferKind.WITHDRAWAL, cash_e6=2 * E6, venue_ns=1
    )
    poor = World(cash_e6=E6).ready()
    with pytest.raises(InvariantError, match="cash is -1000000"):
        poor.send(moved)


def test_two_engines_on_the_same_frames_give_the_same_steps() -> None:
    def run() -> list[Step]:
        world = World(strategy(bids), strategy(bids, BETA)).ready(
            make_market(M1), make_market(M2, open_ns=OPEN_NS + 900 * S_NS)
        )
        steps = [world.send(*world.books(M1, 4_000 + 100 * n), after_ms=700) for n in range(8)]
        ids = list(world.account.orders.by_id)
        steps.extend(world.send(world.accepted(order_id)) for order_id in ids)
        return [*steps, world.send(ev.TimerFired(), *world.books(M2))]

    assert run() == run()


@pytest.mark.parametrize(
    "wish",
    [
        lambda view: quote(market_id=MarketId("nowhere")),
        lambda view: quote(replace(leg_of(view), instrument=Instrument(98))),
        lambda view: take(replace(leg_of(view), instrument=Instrument(-1))),
        lambda view: convert(ev.JobKind.MERGE, shares(1), market_id=MarketId("nowhere")),
    ],
)
def test_a_strategy_that_names_what_does_not_exist_is_quarantined(
    wish: Callable[[View], Intent],
) -> None:
    world = World(strategy(lambda view: [wish(view)])).ready()
    step = world.send(*world.books())
    assert step.actions == ()
    assert "unknown" in world.account.quarantined[ALPHA]
