"""Decisions to actions: ids, expiry, cancels before places."""

from __future__ import annotations

from collections.abc import Iterable

from polybawt.domain.actions import Action, Cancel, MergePair, Place, SplitPair
from polybawt.domain.events import JobKind
from polybawt.domain.ids import JobId, OrderId
from polybawt.domain.intents import Convert, Decision
from polybawt.portfolio.account import AccountState


def plan(
    decision: Decision, cancel: Iterable[OrderId], account: AccountState, valid_until_ns: int
) -> list[Action]:
    """The actions of one decision, cancels first: they only ever lower risk."""
    intent = decision.intent
    actions: list[Action] = [
        Cancel(
            strategy=intent.strategy,
            market_id=intent.market_id,
            order_id=order_id,
            reason=intent.reason or "REQUOTE",
        )
        for order_id in cancel
    ]
    actions.extend(
        Place(
            strategy=intent.strategy,
            market_id=account.instruments.market_id(leg.instrument),
            order_id=OrderId(account.next_id("o")),
            leg=leg,
            valid_until_ns=valid_until_ns,
            reason=intent.reason,
        )
        for leg in decision.legs
    )
    if isinstance(intent, Convert) and decision.scale_ppm:
        kind = MergePair if intent.kind is JobKind.MERGE else SplitPair
        actions.append(
            kind(
                strategy=intent.strategy,
                market_id=intent.market_id,
                job_id=JobId(account.next_id("j")),
                qty_e6=intent.qty_e6,
                valid_until_ns=valid_until_ns,
                reason=intent.reason,
            )
        )
    return actions
