"""The pre-trade gate: one function, one call site, no way around it.

Checks run in the order of `Check`; the first that fails names itself with its numbers. Money limits
may scale a leg down to whole lots, never up; below the venue's minimum nothing is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from polybawt.domain.events import JobKind
from polybawt.domain.ids import DOWN, UP
from polybawt.domain.intents import Check, Convert, Decision, Intent, Quote, Refusal, Take
from polybawt.domain.market import LISTED, OPEN
from polybawt.domain.order import Leg
from polybawt.domain.units import LOT_E6, PPM, scale_qty_e6
from polybawt.portfolio.account import LiveMarket
from polybawt.risk.checks import Candidate, refuse_disarmed, refuse_leg
from polybawt.risk.limits import Bound, Limits, bounds, token_cost_e6
from polybawt.state import State


def review(intent: Intent, legs: tuple[Leg, ...], state: State, limits: Limits) -> Decision:
    """Judge what an intent would newly send, on everything reserved up to now.

    The legs of a Take stand or fall together on one scale; those of a Quote are judged one by one,
    each on top of those before it.
    """
    refusal = _account_wide(intent, state)
    if refusal is not None:
        return Decision(intent=intent, scale_ppm=0, refusals=(refusal,))
    if isinstance(intent, Convert):
        return _review_convert(intent, state, limits)
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


def _account_wide(intent: Intent, state: State) -> Refusal | None:
    account = state.account
    if account.halted:
        return Refusal(check=Check.KILL_LATCH, code="HALTED")
    if intent.strategy in account.quarantined:
        return Refusal(check=Check.MODE, code="QUARANTINED")
    return None


def _review_convert(intent: Convert, state: State, limits: Limits) -> Decision:
    """A merge needs free pairs; a split needs free cash, and its tokens count against a limit."""
    live = state.account.markets[intent.market_id]
    refusal: Refusal | None
    if not live.is_job_due(state.now_ns):
        refusal = Refusal(check=Check.MODE, code="JOB_NOT_DUE", value=len(live.jobs), limit=1)
    elif intent.kind is JobKind.SPLIT:
        refusal = refuse_disarmed(intent.strategy, state, limits)
        refusal = refusal or _refuse_split(intent, live, state, limits)
    else:
        free = min(
            state.account.sellable_e6(intent.strategy, live, outcome) for outcome in (UP, DOWN)
        )
        refusal = _refuse_above(Check.TOKENS, intent.qty_e6, free)
    if refusal is not None:
        return Decision(intent=intent, scale_ppm=0, refusals=(refusal,))
    return Decision(intent=intent)


def _refuse_split(
    intent: Convert, live: LiveMarket, state: State, limits: Limits
) -> Refusal | None:
    account = state.account
    phase = live.market.phase(state.now_ns, state.cutoff_ns)
    if live.payouts_ppm is not None or phase not in (LISTED, OPEN):
        return Refusal(check=Check.PHASE, code=str(phase))
    refusal = _refuse_above(Check.CASH, intent.qty_e6, account.cash_free_e6())
    if refusal is not None:
        return refusal
    for outcome in (UP, DOWN):
        used_e6 = token_cost_e6(account, live, live.instrument(outcome))
        free_e6 = limits.token_e6 - used_e6
        refusal = _refuse_above(Check.TOKEN_LIMIT, -(-intent.qty_e6 // 2), free_e6)
        if refusal is not None:
            return refusal
    return None


def _refuse_above(check: Check, wanted_e6: int, free_e6: int) -> Refusal | None:
    if 0 < wanted_e6 <= free_e6:
        return None
    return Refusal(check=check, code="NOT_FREE", value=wanted_e6, limit=free_e6)


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
