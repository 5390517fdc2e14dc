"""The end of a window: withdrawals and the redeem."""

from __future__ import annotations

import pytest

from polybawt.domain import events as ev
from polybawt.domain.actions import Cancel, Redeem
from polybawt.domain.ids import JobId, OrderId, Outcome
from polybawt.domain.market import Phase
from polybawt.domain.order import OrderState
from polybawt.execution.lifecycle import wind_down
from polybawt.portfolio.account import ACCOUNT, JOB_RETRY_NS
from tests.world import ALPHA, BETA, M1, World, resolved, shares


def reasons(world: World, phase: Phase) -> dict[str, str]:
    actions = wind_down(world.account, world.live(), phase, world.now_ns)
    return {a.order_id: a.reason for a in actions if isinstance(a, Cancel)}


@pytest.mark.parametrize(
    ("phase", "reason"),
    [
        (Phase.LISTED, None),
        (Phase.OPEN, None),
        (Phase.CLOSING, "PHASE_CLOSING"),
        (Phase.RESOLVING, "PHASE_RESOLVING"),
    ],
)
def test_nothing_rests_past_the_cutoff(phase: Phase, reason: str | None) -> None:
    world = World().ready()
    order_id = world.place(world.leg())
    assert reasons(world, phase) == ({} if reason is None else {order_id: reason})


def test_a_halt_withdraws_everything_and_a_quarantine_what_is_its_strategys() -> None:
    world = World().ready()
    mine, other = world.place(world.leg()), world.place(world.leg(), name=BETA)
    world.account.quarantined[ALPHA] = "bug"
    assert reasons(world, Phase.OPEN) == {mine: "QUARANTINED"}
    world.account.halted = "drill"
    assert reasons(world, Phase.OPEN) == {mine: "HALTED", other: "HALTED"}


def test_only_what_can_be_cancelled_is_and_once() -> None:
    world = World().ready()
    for state in (OrderState.SENT, OrderState.UNKNOWN, OrderState.CANCEL_SENT):
        world.place(world.leg(), state=state)
    live = world.place(world.leg())
    assert reasons(world, Phase.CLOSING) == {live: "PHASE_CLOSING"}
    world.state.note(Cancel(strategy=ALPHA, market_id=M1, order_id=OrderId(live)))
    assert reasons(world, Phase.CLOSING) == {}


def test_a_claim_is_redeemed_once_by_the_account() -> None:
    world = World().ready()
    world.hold(Outcome.UP, shares(10))
    world.hold(Outcome.DOWN, shares(7), name=BETA)
    assert wind_down(world.account, world.live(), Phase.RESOLVING, world.now_ns) == []
    world.apply(resolved(payouts_ppm=(500_000, 500_000)))
    world.account.halted = "drill"
    assert wind_down(world.account, world.live(), Phase.RESOLVING, world.now_ns) == []
    world.account.halted = None
    (redeem,) = wind_down(world.account, world.live(), Phase.RESOLVING, world.now_ns)
    number = redeem.job_id if isinstance(redeem, Redeem) else JobId("")
    assert redeem == Redeem(
        strategy=ACCOUNT, market_id=M1, job_id=number, qty_e6=shares(8.5), reason="RESOLVED"
    )
    world.state.note(redeem)
    assert wind_down(world.account, world.live(), Phase.RESOLVING, world.now_ns) == []


def test_a_market_that_pays_nothing_needs_no_redeem() -> None:
    world = World().ready()
    world.hold(Outcome.DOWN, shares(10))
    world.apply(resolved())
    assert wind_down(world.account, world.live(), Phase.RESOLVING, world.now_ns) == []


def test_a_failed_redeem_is_tried_again_only_after_a_while() -> None:
    world = World().ready()
    world.hold(Outcome.UP, shares(10))
    world.apply(resolved())
    (redeem,) = wind_down(world.account, world.live(), Phase.RESOLVING, world.now_ns)
    assert isinstance(redeem, Redeem)
    world.state.note(redeem)
    failed = ev.JobFailed(
        job_id=redeem.job_id, market_id=M1, code="REVERTED", venue_ns=world.now_ns
    )
    world.apply(failed)
    early_ns, due_ns = world.now_ns + JOB_RETRY_NS - 1, world.now_ns + JOB_RETRY_NS
    assert wind_down(world.account, world.live(), Phase.RESOLVING, early_ns) == []
    (again,) = wind_down(world.account, world.live(), Phase.RESOLVING, due_ns)
    assert isinstance(again, Redeem)
    assert again.job_id != redeem.job_id
