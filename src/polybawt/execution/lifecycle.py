"""The end of a window: nothing rests past the cutoff, and what a resolution pays is redeemed."""

from __future__ import annotations

from polybawt.domain.actions import Action, Cancel, Redeem
from polybawt.domain.ids import JobId, StrategyName
from polybawt.domain.market import LISTED, OPEN, Phase
from polybawt.domain.order import CANCELLABLE
from polybawt.portfolio.account import ACCOUNT, AccountState, LiveMarket

TRADING = (LISTED, OPEN)
"""Phases in which an order may rest."""


def wind_down(account: AccountState, live: LiveMarket, phase: Phase, now_ns: int) -> list[Action]:
    """Cancels that the phase, a halt or a quarantine demands, then the redeem (I9)."""
    if (
        phase in TRADING
        and live.payouts_ppm is None
        and not (account.halted or account.quarantined)
    ):
        return []
    market_id = live.market.market_id
    actions: list[Action] = []
    for order in account.orders.open_in(market_id):
        reason = _why_withdraw(account, order.strategy, phase)
        if reason and order.state in CANCELLABLE:
            actions.append(
                Cancel(
                    strategy=order.strategy,
                    market_id=market_id,
                    order_id=order.order_id,
                    reason=reason,
                )
            )
    due_e6 = account.due_e6(market_id)
    is_due = live.payouts_ppm is not None and due_e6 > 0 and live.is_job_due(now_ns)
    if is_due and not account.halted:
        actions.append(
            Redeem(
                strategy=ACCOUNT,
                market_id=market_id,
                job_id=JobId(account.next_id("j")),
                qty_e6=due_e6,
                reason="RESOLVED",
            )
        )
    return actions


def _why_withdraw(account: AccountState, strategy: StrategyName, phase: Phase) -> str:
    if account.halted:
        return "HALTED"
    if strategy in account.quarantined:
        return "QUARANTINED"
    return "" if phase in TRADING else f"PHASE_{phase}"
