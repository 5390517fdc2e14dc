"""Chain work, rebates, delays, configuration, and what is forgotten."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from polybawt.adapters.fills import FillConfig, RecordKind
from polybawt.adapters.fills.latency import Latency
from polybawt.domain.actions import MergePair, Redeem, SplitPair
from polybawt.domain.errors import InvariantError
from polybawt.domain.events import (
    CashMoved,
    JobFailed,
    OrderRejected,
    PairMerged,
    PairSplit,
    Redeemed,
    TransferKind,
)
from polybawt.domain.units import MS_NS
from polybawt.ports import NEVER_NS
from tests.unit.adapters.fills.world import (
    BUY,
    SELL,
    UP,
    World,
    book,
    change,
    job,
    leg,
    ns,
    place,
    resolved,
)

BIDS, ASKS = {48: 100.0, 47: 50.0}, {52: 30.0, 53: 40.0}
DAY_MS = 86_400_000


def _world(**config: object) -> World:
    return World(**config).listed(BIDS, ASKS)


def test_a_split_and_a_merge_take_chain_time() -> None:
    world = _world()
    world.send(0, job(SplitPair, "s", 20))
    world.send(4_100, job(MergePair, "m", 12))
    world.run(9_000)
    assert [(at, type(e)) for at, e in world.events] == [(4_080, PairSplit), (8_180, PairMerged)]
    assert [e.qty_e6 for e in world.heard(PairMerged)] == [12_000_000]
    assert [(r.kind, r.order_id) for r in world.log] == [
        (RecordKind.SPLIT, "s"),
        (RecordKind.MERGE, "m"),
    ]


def test_a_merge_needs_pairs_free_of_sells_and_other_merges() -> None:
    world = _world()
    world.send(0, job(SplitPair, "s", 20))
    world.run(5_000)
    world.send(5_000, place("a", leg(SELL, 60, 5)))
    world.send(5_100, job(MergePair, "m1", 10), job(MergePair, "m2", 6))
    world.send(5_200, place("b", leg(SELL, 60, 6)))
    world.run(20_000)
    assert [(e.job_id, e.code) for e in world.heard(JobFailed)] == [("m2", "NOT_ENOUGH_BALANCE")]
    assert [(e.order_id, e.code) for e in world.heard(OrderRejected)] == [
        ("b", "NOT_ENOUGH_BALANCE")
    ]
    assert [e.job_id for e in world.heard(PairMerged)] == ["m1"]


def test_a_redeem_waits_for_the_resolution_and_pays_all_that_is_held() -> None:
    world = _world()
    world.send(0, job(SplitPair, "s", 20), place("a", leg(BUY, 52, 10)))
    world.frame(300, change(UP, BUY, 30, 1))
    world.send(899_000, job(Redeem, "r", 30))
    world.run(950_000)
    assert world.heard(Redeemed) == []
    world.frame(960_000, resolved(1_000_000), resolved(1_000_000))
    assert world.venue.market_count == 1
    world.run(961_000)
    (redeemed,) = world.heard(Redeemed)
    assert (redeemed.qty_e6, redeemed.venue_ns) == (30_000_000, ns(960_000))
    assert world.venue.market_count == 0


def test_a_void_market_pays_by_its_vector() -> None:
    world = _world()
    world.send(0, place("a", leg(BUY, 52, 10)))
    world.frame(300, change(UP, BUY, 30, 1))
    world.run(900_000)
    world.frame(960_000, resolved(500_000))
    world.send(960_000, job(Redeem, "r"))
    world.run(970_000)
    (redeemed,) = world.heard(Redeemed)
    assert (redeemed.qty_e6, redeemed.venue_ns) == (5_000_000, ns(964_000))
    assert world.venue.market_count == 0


def test_what_is_worth_nothing_is_forgotten_and_redeems_to_nothing() -> None:
    world = _world()
    world.send(0, place("a", leg(BUY, 52, 10)))
    world.frame(300, change(UP, BUY, 30, 1))
    world.run(900_000)
    world.frame(960_000, resolved(0))
    assert world.venue.market_count == 0
    world.send(960_000, job(Redeem, "r"), job(SplitPair, "s", 5))
    world.run(970_000)
    assert [e.qty_e6 for e in world.heard(Redeemed)] == [0]
    assert [(e.job_id, e.code) for e in world.heard(JobFailed)] == [("s", "MARKET_CLOSED")]


def test_two_different_resolutions_are_an_impossible_fact() -> None:
    world = _world()
    world.send(0, place("a", leg(BUY, 52, 10)))
    world.frame(300, change(UP, BUY, 30, 1))
    world.run(900_000)
    world.frame(960_000, resolved(1_000_000))
    with pytest.raises(InvariantError, match="resolved twice"):
        world.frame(960_001, resolved(0))


def test_rebates_accrue_by_maker_fills_and_are_paid_the_next_day_above_the_minimum() -> None:
    for qty, paid_e6 in ((300.0, 1_048_320), (200.0, 0)):
        world = _world()
        world.send(0, place("a", leg(BUY, 48, qty)))
        world.run(500)
        world.frame(1_000, book(UP, {}, {47: 1.0}))
        world.run(2_000)
        # 0.014 * 300 * 0.48 * 0.52 = 1.048320
        assert world.venue.rebates_accrued_e6 == round(qty * 3_494.4)
        assert world.venue.rebates_paid_e6 == 0
        due_ms = DAY_MS + 6 * 3_600_000
        world.run(due_ms + 79)
        assert world.heard(CashMoved) == []
        world.run(due_ms + 80)
        assert world.venue.rebates_paid_e6 == paid_e6
        moved = [(e.kind, e.cash_e6, e.venue_ns) for e in world.heard(CashMoved)]
        assert moved == ([(TransferKind.REBATE, paid_e6, ns(due_ms))] if paid_e6 else [])
        assert world.venue.due_ns == NEVER_NS


def test_due_ns_names_arrivals_and_deliveries() -> None:
    world = _world()
    world.run(0)
    assert world.venue.due_ns == ns(900_000)
    world.send(0, place("a", leg(BUY, 48, 10)))
    assert world.venue.due_ns == ns(80)
    world.run(80)
    assert world.venue.due_ns == ns(160)


def test_delays_depend_on_seed_purpose_and_time_only() -> None:
    first, second = Latency(FillConfig(seed=7)), Latency(FillConfig(seed=7))
    times = [ns(ms) for ms in range(0, 4_096_000, 1_000)]
    assert [first.order_ns(t) for t in times] == [second.order_ns(t) for t in reversed(times)][::-1]
    assert [first.order_ns(t) for t in times] != [first.ack_ns(t) for t in times]
    assert [first.order_ns(t) for t in times] != [
        Latency(FillConfig(seed=8)).order_ns(t) for t in times
    ]
    tails_ms = [(first.order_ns(t) / MS_NS) - 80 for t in times]
    assert min(tails_ms) >= 0
    assert 28 < sum(tails_ms) / len(tails_ms) < 32
    assert 0.34 < sum(tail > 30 for tail in tails_ms) / len(tails_ms) < 0.40


def test_no_tail_makes_delays_constant() -> None:
    latency = Latency(FillConfig(tail_ms=0, feed_ms=5, order_ms=6, ack_ms=7))
    assert {latency.feed_ns(ns(t)) for t in range(99)} == {5 * MS_NS}
    assert {latency.order_ns(ns(t)) for t in range(99)} == {6 * MS_NS}
    assert {latency.ack_ns(ns(t)) for t in range(99)} == {7 * MS_NS}


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("queue", "optimistic"),
        ("power", 0.4),
        ("power", float("nan")),
        ("feed_ms", -1),
        ("order_ms", 10_001),
        ("hold_ms", 5_001),
        ("max_gap_ms", 0),
        ("seed", -1),
        ("latency_ms", 3),
    ],
)
def test_configuration_out_of_range_is_refused(field: str, bad: object) -> None:
    with pytest.raises(ValidationError, match=field):
        FillConfig.model_validate({field: bad})
