"""The pre-trade gate: one function, one call site, no way around it.

Checks run in the order of `Check`; the first that fails names itself with its numbers. Money limits
may scale a leg down to whole lots, never up; below the venue's minimum nothing is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from polybawt.domain.events import JobKind
from polybawt.domain.ids import Outcome
from polybawt.domain.intents import Check, Convert, Decision, Intent, Quote, Refusal, Take
from polybawt.domain.order import Leg
from polybawt.domain.units import LOT_E6, PPM, S_NS, scale_qty_e6
from polybawt.risk.checks import Candidate, refuse_leg
from polybawt.risk.limits import Bound, Limits, bounds
from polybawt.state import State


def review(intent: Intent, legs: tuple[Leg, ...], state: State, limits: Limits) -> Decision:
    """Judge what an intent would newly send, on everything reserved up to now.

    The legs of a Take stand or fall together on one scale; those of a Quote are judged one by one,
    each on top of those before it.
    """
    refusal = _account_wide(intent, state, limits)
    if refusal is not None:
        return Decision(intent=intent, scale_ppm=0, refusals=(refusal,))
    if isinstance(intent, Convert):
        return _review_convert(intent, state)
    if isinstance(intent, Quote) and not intent.legs:
        refusal = Refusal(check=Check.STRATEGY, code=intent.reason or "NOTHING_WANTED")
        return Decision(intent=intent, refusals=(refusal,))
    if isinstance(intent, Take):
        return _review_take(intent, state, limits)
    approved: list[Leg] = []
    refusals: list[Refusal] = []
    for leg in legs:
        fitted = _fit(intent, leg, state, limits, approved)
        if isinstance(fitted, Refusal):
            refusals.append(fitted)
        else:
            approved.append(fitted)
    refused_all = bool(legs) and not approved
    return Decision(
        intent=intent,
        scale_ppm=0 if refused_all else PPM,
        legs=tuple(approved),
        refusals=tuple(refusals),
    )


def _account_wide(intent: Intent, state: State, limits: Limits) -> Refusal | None:
    account, config = state.account, limits.config
    if account.halted:
        return Refusal(check=Check.KILL_LATCH, code="HALTED")
    if intent.strategy in account.quarantined:
        return Refusal(check=Check.MODE, code="QUARANTINED")
    streak, since_ns = account.reject_streak.get(intent.strategy, (0, 0))
    is_cooling = state.now_ns - since_ns < config.reject_cooldown_s * S_NS
    if streak >= config.reject_streak_max and is_cooling:
        return Refusal(
            check=Check.REJECT_STREAK,
            code="DISARMED",
            value=streak,
            limit=config.reject_streak_max,
        )
    return None


def _review_convert(intent: Convert, state: State) -> Decision:
    account = state.account
    live = account.markets[intent.market_id]
    if live.jobs:
        refusal = Refusal(check=Check.MODE, code="JOB_UNDER_WAY", value=len(live.jobs), limit=1)
        return Decision(intent=intent, scale_ppm=0, refusals=(refusal,))
    free = min(
        account.sellable_e6(intent.strategy, live, outcome)
        for outcome in (Outcome.UP, Outcome.DOWN)
    )
    have, check = free, Check.TOKENS
    if intent.kind is JobKind.SPLIT:
        have, check = account.cash_free_e6(), Check.CASH
    if intent.qty_e6 <= 0 or intent.qty_e6 > have:
        refusal = Refusal(check=check, code="NOT_FREE", value=intent.qty_e6, limit=have)
        return Decision(intent=intent, scale_ppm=0, refusals=(refusal,))
    return Decision(intent=intent)


def _review_take(intent: Take, state: State, limits: Limits) -> Decision:
    """One scale for all legs: it falls until every leg fits whole on top of those before it."""
    scale = PPM
    while True:
        legs: list[Leg] = []
        for leg in intent.legs:
            wanted = _resized(leg, scale_qty_e6(leg.qty_e6, scale))
            fitted = _fit(intent, wanted, state, limits, legs)
            if isinstance(fitted, Refusal):
                return Decision(intent=intent, scale_ppm=0, refusals=(fitted,))
            if fitted.qty_e6 < wanted.qty_e6:
                scale = fitted.qty_e6 * PPM // leg.qty_e6
                break
            legs.append(fitted)
        else:
            return Decision(intent=intent, scale_ppm=scale, legs=tuple(legs))


def _fit(
    intent: Intent, leg: Leg, state: State, limits: Limits, pending: Sequence[Leg]
) -> Leg | Refusal:
    """The leg as large as every limit allows, or the first refusal. `pending` counts as placed."""
    candidate = Candidate(intent, leg, state, limits, pending)
    refusal = refuse_leg(candidate)
    if refusal is not None:
        return refusal
    rows = bounds(state.account, leg, intent.strategy, limits, pending)
    tightest = min(rows, key=lambda row: row.share_ppm())
    if tightest.share_ppm() == PPM:
        return leg
    fitted = _resized(leg, scale_qty_e6(leg.qty_e6, tightest.share_ppm()))
    while not _is_within(bounds(state.account, fitted, intent.strategy, limits, pending)):
        # A fee is rounded up per order: a part can cost a hair more than its part of the whole.
        fitted = _resized(leg, fitted.qty_e6 - LOT_E6)
    if fitted.qty_e6 == 0 or refuse_leg(Candidate(intent, fitted, state, limits, pending)):
        return Refusal(
            check=tightest.check,
            code="LIMIT",
            value=tightest.with_leg_e6,
            limit=tightest.limit_e6,
        )
    return fitted


def _is_within(rows: Iterable[Bound]) -> bool:
    return all(row.share_ppm() == PPM for row in rows)


def _resized(leg: Leg, qty_e6: int) -> Leg:
    return msgspec.structs.replace(leg, qty_e6=qty_e6)
