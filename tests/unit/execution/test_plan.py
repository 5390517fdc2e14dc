"""Decisions to actions."""

from __future__ import annotations

import pytest

from polybawt.domain.actions import Cancel, MergePair, Place, SplitPair
from polybawt.domain.events import JobKind
from polybawt.domain.ids import JobId, OrderId
from polybawt.domain.intents import Decision
from polybawt.execution.plan import plan
from tests.world import ALPHA, M1, M2, World, convert, make_market, quote, shares


def test_cancels_come_first_and_each_leg_names_its_own_market() -> None:
    world = World().ready(make_market(M1), make_market(M2))
    legs = (world.leg(), world.leg(market_id=M2))
    decision = Decision(intent=quote(*legs), legs=legs)
    actions = plan(decision, [OrderId("old")], world.account, 99)
    assert actions == [
        Cancel(strategy=ALPHA, market_id=M1, order_id=OrderId("old"), reason="REQUOTE"),
        Place(strategy=ALPHA, market_id=M1, order_id=OrderId("o1"), leg=legs[0], valid_until_ns=99),
        Place(strategy=ALPHA, market_id=M2, order_id=OrderId("o2"), leg=legs[1], valid_until_ns=99),
    ]


@pytest.mark.parametrize(
    ("kind", "action"), [(JobKind.MERGE, MergePair), (JobKind.SPLIT, SplitPair)]
)
def test_a_conversion_is_one_job_unless_refused(
    kind: JobKind, action: type[MergePair | SplitPair]
) -> None:
    world = World().ready()
    intent = convert(kind, shares(3))
    (job,) = plan(Decision(intent=intent), (), world.account, 99)
    assert job == action(
        strategy=ALPHA, market_id=M1, job_id=JobId("j1"), qty_e6=shares(3), valid_until_ns=99
    )
    assert plan(Decision(intent=intent, scale_ppm=0), (), world.account, 99) == []
