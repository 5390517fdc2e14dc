"""Intent to decision: refusals by account, scaling by limits, all legs or none, conversions."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from polybawt.domain import events as ev
from polybawt.domain.actions import SplitPair
from polybawt.domain.ids import JobId, Outcome, Side
from polybawt.domain.intents import Check, Decision, Intent, Quote, Refusal, Take
from polybawt.domain.order import OrderState, Tif
from polybawt.domain.units import E6, PPM, S_NS
from polybawt.risk.limits import Limits, LimitsConfig, bounds
from polybawt.risk.review import review
from tests.world import (
    ALPHA,
    BETA,
    CLOSE_NS,
    M1,
    M2,
    WIDE,
    World,
    convert,
    make_market,
    quote,
    shares,
    take,
)

UP, DOWN, BUY, SELL = Outcome.UP, Outcome.DOWN, Side.BUY, Side.SELL
MERGE, SPLIT = ev.JobKind.MERGE, ev.JobKind.SPLIT


def world(*, cash_e6: int = 5_000 * E6, **limits: object) -> World:
    config = LimitsConfig.model_validate(WIDE.model_dump() | limits)
    return World(limits=config, cash_e6=cash_e6).ready()


def judge(one: World, intent: Intent) -> Decision:
    one.state.now_ns = one.now_ns
    legs = intent.legs if isinstance(intent, Quote | Take) else ()
    return review(intent, legs, one.state, one.limits)


def codes(decision: Decision) -> list[tuple[Check, str, int, int]]:
    return [(r.check, r.code, r.value, r.limit) for r in decision.refusals]


# --- the whole account ---------------------------------------------------------------------------


def wishes(one: World) -> list[Intent]:
    return [quote(one.leg()), quote(), take(one.leg()), convert(SPLIT, shares(1))]


def test_a_halt_refuses_everything() -> None:
    one = world()
    one.account.halted = "drill"
    for intent in wishes(one):
        decision = judge(one, intent)
        assert (decision.scale_ppm, decision.legs) == (0, ())
        assert codes(decision) == [(Check.KILL_LATCH, "HALTED", 0, 0)]


def test_a_quarantine_refuses_everything_of_its_strategy() -> None:
    one = world()
    one.account.quarantined[ALPHA] = "bug"
    for intent in wishes(one):
        decision = judge(one, intent)
        assert (decision.scale_ppm, decision.legs) == (0, ())
        assert codes(decision) == [(Check.MODE, "QUARANTINED", 0, 0)]
    assert judge(one, quote(one.leg(), name=BETA)).legs == (one.leg(),)


@pytest.mark.parametrize(
    ("rejections", "later_s", "is_refused"),
    [(4, 0, False), (5, 0, True), (6, 899, True), (6, 900, False)],
)
def test_rejections_in_a_row_disarm_until_the_cooldown_is_over(
    rejections: int, later_s: int, is_refused: bool
) -> None:
    one = world(book_stale_ms=600_000)
    for _ in range(rejections):
        order_id = one.place(one.leg(), state=OrderState.SENT)
        one.apply(ev.OrderRejected(order_id=order_id, code="X", venue_ns=one.now_ns))
    one.now_ns += later_s * S_NS
    one.state.now_ns = one.now_ns
    market = make_market(M2, open_ns=one.now_ns)
    one.ready(market)
    intent = quote(one.leg(market_id=M2), market_id=M2)
    decision = judge(one, intent)
    disarmed = [(Check.REJECT_STREAK, "DISARMED", rejections, 5)]
    assert codes(decision) == (disarmed if is_refused else [])
    assert judge(one, replace(intent, strategy=BETA)).legs == intent.legs


def test_one_more_rejection_after_the_cooldown_disarms_again() -> None:
    one = world()
    for _ in range(5):
        order_id = one.place(one.leg(), state=OrderState.SENT)
        one.apply(ev.OrderRejected(order_id=order_id, code="X", venue_ns=one.now_ns))
    one.now_ns += 900 * S_NS
    market = make_market(M2, open_ns=one.now_ns)
    one.ready(market)
    wish = quote(one.leg(market_id=M2), market_id=M2)
    assert judge(one, wish).legs
    order_id = one.place(one.leg(market_id=M2), state=OrderState.SENT)
    one.apply(ev.OrderRejected(order_id=order_id, code="X", venue_ns=one.now_ns))
    assert codes(judge(one, wish)) == [(Check.REJECT_STREAK, "DISARMED", 6, 5)]


# --- quotes --------------------------------------------------------------------------------------


def test_an_empty_quote_is_a_decision_with_its_reason() -> None:
    one = world()
    assert codes(judge(one, quote())) == [(Check.STRATEGY, "NOTHING_WANTED", 0, 0)]
    stale = replace(quote(), reason="FEED_STALE")
    assert codes(judge(one, stale)) == [(Check.STRATEGY, "FEED_STALE", 0, 0)]
    assert judge(one, stale).scale_ppm == PPM


def test_a_quote_whose_orders_all_stand_needs_nothing() -> None:
    one = world()
    decision = review(quote(one.leg()), (), one.state, one.limits)
    assert (decision.scale_ppm, decision.legs, decision.refusals) == (PPM, (), ())


def test_legs_of_a_quote_are_judged_one_by_one_each_on_those_before() -> None:
    one = world()
    good, off = one.leg(), one.leg(limit_e4=4_750)
    crossing = one.leg(BUY, DOWN, 5_200)
    decision = judge(one, quote(good, off, crossing))
    assert (decision.scale_ppm, decision.legs) == (PPM, (good,))
    assert [r.check for r in decision.refusals] == [Check.PRICE, Check.SELF_CROSS]
    assert judge(one, quote(off)).scale_ppm == 0


@pytest.mark.parametrize(
    ("limit", "cash_e6", "check", "qty"),
    [
        ({"order_fraction": 0.01}, 500 * E6, Check.ORDER_LIMIT, 10.41),
        ({"token_fraction": 0.01}, 500 * E6, Check.TOKEN_LIMIT, 10.41),
        ({"market_fraction": 0.01}, 500 * E6, Check.MARKET_LIMIT, 10.41),
        ({"window_fraction": 0.01}, 500 * E6, Check.WINDOW_LIMIT, 10.41),
        ({"asset_fraction": 0.01}, 500 * E6, Check.ASSET_LIMIT, 10.41),
        ({"strategy_fraction": 0.01}, 500 * E6, Check.STRATEGY_LIMIT, 10.41),
        ({"account_fraction": 0.01}, 500 * E6, Check.ACCOUNT_LIMIT, 10.41),
        ({"resting_fraction": 0.01}, 500 * E6, Check.RESTING_LIMIT, 10.41),
        ({}, 5 * E6, Check.CASH, 10.41),
    ],
)
def test_a_limit_scales_a_leg_down_to_whole_lots_and_refuses_below_the_minimum(
    limit: dict[str, object], cash_e6: int, check: Check, qty: float
) -> None:
    one = world(cash_e6=cash_e6, **limit)
    leg = one.leg(qty_e6=shares(20))  # 9.6 pUSD where 5 are allowed
    decision = judge(one, quote(leg))
    assert [x.qty_e6 for x in decision.legs] == [shares(qty)]
    assert decision.refusals == ()
    if check is Check.CASH:
        job = SplitPair(strategy=BETA, market_id=M1, job_id=JobId("j"), qty_e6=shares(4))
        one.state.note(job)  # leaves 1 pUSD
    else:
        one.limits = Limits.of(one.limits.config, cash_e6 // 5)  # allows 1 pUSD
    decision = judge(one, quote(leg))
    (refusal,) = decision.refusals
    assert (decision.scale_ppm, decision.legs) == (0, ())
    assert (refusal.check, refusal.code) == (check, "LIMIT")
    assert (refusal.value, refusal.limit) == (9_600_000, E6)


def test_the_tightest_limit_decides() -> None:
    one = world(cash_e6=100 * E6, market_fraction=0.06, token_fraction=0.05)
    assert [x.qty_e6 for x in judge(one, quote(one.leg(qty_e6=shares(20)))).legs] == [shares(10.41)]


def test_the_second_leg_counts_the_first() -> None:
    one = world(cash_e6=100 * E6, resting_fraction=0.08)
    first, second = one.leg(qty_e6=shares(10)), one.leg(BUY, DOWN, 4_700, shares(10))
    decision = judge(one, quote(first, second))
    assert [x.qty_e6 for x in decision.legs] == [shares(10), shares(6.8)]  # 4.8, then 3.2 left


def test_what_lowers_the_risk_passes_a_limit_that_is_exceeded() -> None:
    one = world(cash_e6=100 * E6, market_fraction=0.04, token_fraction=0.04)
    one.hold(UP, shares(20), 5_000)
    assert codes(judge(one, quote(one.leg())))[0][1] == "LIMIT"
    hedge = one.leg(BUY, DOWN, 4_000, shares(10))
    assert judge(one, quote(hedge)).legs == (hedge,)
    sell = one.leg(SELL, UP, 5_500, shares(20))
    assert judge(one, quote(sell)).legs == (sell,)


# --- takes ---------------------------------------------------------------------------------------


def pair(one: World, qty: float, up_e4: int = 4_800, down_e4: int = 4_800) -> Take:
    kwargs = {"tif": Tif.GTC, "post_only": False}
    return take(
        one.leg(BUY, UP, up_e4, shares(qty), **kwargs),  # type: ignore[arg-type]  # kwargs of leg
        one.leg(BUY, DOWN, down_e4, shares(qty), **kwargs),  # type: ignore[arg-type]  # likewise
    )


def test_a_take_that_fits_is_whole() -> None:
    one = world()
    intent = pair(one, 20)
    decision = judge(one, intent)
    assert (decision.scale_ppm, decision.legs, decision.refusals) == (PPM, intent.legs, ())


def test_one_bad_leg_refuses_the_whole_take() -> None:
    one = world()
    good, bad = one.leg(post_only=False), one.leg(BUY, DOWN, 4_750, post_only=False)
    for legs in ((good, bad), (bad, good)):
        decision = judge(one, take(*legs))
        assert (decision.scale_ppm, decision.legs) == (0, ())
        assert [r.check for r in decision.refusals] == [Check.PRICE]


def test_both_legs_of_a_take_shrink_alike() -> None:
    one = world(cash_e6=100 * E6, token_fraction=0.05)
    decision = judge(one, pair(one, 20, down_e4=4_000))
    assert {x.qty_e6 for x in decision.legs} == {shares(10.05)}  # with the fee
    assert decision.scale_ppm == shares(10.05) * PPM // shares(20)


def test_legs_that_fit_alone_but_not_together_shrink_alike() -> None:
    one = world(cash_e6=100 * E6, resting_fraction=0.15)
    decision = judge(one, pair(one, 20))  # 9.6 pUSD each: 15 are enough for one and a half
    up, down = decision.legs
    assert up.qty_e6 == down.qty_e6
    assert decision.scale_ppm == up.qty_e6 * PPM // shares(20)
    assert shares(11) < up.qty_e6 < shares(15.63)


def test_legs_of_which_one_is_left_too_small_are_refused() -> None:
    one = world(cash_e6=12 * E6)
    decision = judge(one, pair(one, 20))
    assert (decision.scale_ppm, decision.legs) == (0, ())
    assert [r.check for r in decision.refusals] == [Check.CASH]


def test_a_second_leg_that_cannot_follow_refuses_the_first() -> None:
    one = world(cash_e6=100 * E6, working_orders_max=1)
    decision = judge(one, pair(one, 10))
    assert (decision.scale_ppm, decision.legs) == (0, ())
    assert codes(decision) == [(Check.WORKING_ORDERS, "TOO_MANY", 1, 1)]


def test_a_scaled_taker_order_stays_within_the_limit_although_its_fee_rounds_up() -> None:
    # 10.01 shares cost 4.9049 and a fee of 0.1751049 that counts as 0.17511: 3 millionths too much.
    one = world(cash_e6=5_080_007)
    decision = judge(one, quote(one.leg(BUY, UP, 4_900, shares(20), post_only=False)))
    (fitted,) = decision.legs
    assert fitted.qty_e6 == shares(10)
    found = bounds(one.account, fitted, ALPHA, one.limits)
    assert [bound.check for bound in found if bound.with_leg_e6 > bound.limit_e6] == []


# --- conversions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "qty", "expected"),
    [
        (MERGE, 10, None),
        (MERGE, 10.01, (Check.TOKENS, "NOT_FREE", shares(10.01), shares(10))),
        (MERGE, 0, (Check.TOKENS, "NOT_FREE", 0, shares(10))),
        (SPLIT, 89, None),
        (SPLIT, 89.01, (Check.CASH, "NOT_FREE", shares(89.01), shares(89))),
        (SPLIT, -1, (Check.CASH, "NOT_FREE", shares(-1), shares(89))),
    ],
)
def test_a_conversion_needs_what_it_takes(
    kind: ev.JobKind, qty: float, expected: tuple[Check, str, int, int] | None
) -> None:
    one = world(cash_e6=100 * E6)
    one.hold(UP, shares(12), 5_000)
    one.hold(DOWN, shares(10), 5_000)
    decision = judge(one, convert(kind, shares(qty)))
    assert codes(decision) == ([] if expected is None else [expected])
    assert decision.scale_ppm == (PPM if expected is None else 0)


def test_tokens_promised_to_a_sell_are_not_merged() -> None:
    one = world()
    one.hold(UP, shares(10))
    one.hold(DOWN, shares(10))
    one.place(one.leg(SELL, UP, 5_500, shares(6)))
    assert codes(judge(one, convert(MERGE, shares(5)))) == [
        (Check.TOKENS, "NOT_FREE", shares(5), shares(4))
    ]


def test_one_job_at_a_time() -> None:
    one = world()
    one.hold(UP, shares(10))
    one.hold(DOWN, shares(10))
    one.merging(shares(1))
    expected = Refusal(check=Check.MODE, code="JOB_NOT_DUE", value=1, limit=1)
    assert judge(one, convert(MERGE, shares(5))).refusals == (expected,)
    assert one.live().market.market_id == M1


def test_a_reject_streak_still_allows_sales_and_merges() -> None:
    one = world(cash_e6=100 * E6)
    one.hold(UP, shares(20), 5_000)
    one.hold(DOWN, shares(20), 5_000)
    for _ in range(5):
        order_id = one.place(one.leg(), state=OrderState.SENT)
        one.apply(ev.OrderRejected(order_id=order_id, code="X", venue_ns=one.now_ns))
    assert codes(judge(one, quote(one.leg()))) == [(Check.REJECT_STREAK, "DISARMED", 5, 5)]
    assert codes(judge(one, convert(SPLIT, shares(5)))) == [(Check.REJECT_STREAK, "DISARMED", 5, 5)]
    assert judge(one, quote(one.leg(SELL, UP, 5_500, shares(10)))).legs
    assert judge(one, convert(MERGE, shares(5))).refusals == ()


def test_a_split_counts_against_the_token_limit() -> None:
    one = world(cash_e6=100 * E6, token_fraction=0.05)
    assert judge(one, convert(SPLIT, shares(10))).refusals == ()
    assert codes(judge(one, convert(SPLIT, shares(10.02)))) == [
        (Check.TOKEN_LIMIT, "NOT_FREE", 5_010_000, 5_000_000)
    ]


def test_nothing_is_split_past_the_cutoff() -> None:
    one = world(cash_e6=100 * E6)
    one.now_ns = CLOSE_NS - S_NS
    assert codes(judge(one, convert(SPLIT, shares(1)))) == [(Check.PHASE, "CLOSING", 0, 0)]


def test_after_failed_chain_work_no_other_starts_for_a_while() -> None:
    one = world(cash_e6=100 * E6)
    failed = ev.JobFailed(job_id=JobId("j"), market_id=M1, code="X", venue_ns=one.now_ns)
    one.apply(failed)
    assert codes(judge(one, convert(SPLIT, shares(1)))) == [(Check.MODE, "JOB_NOT_DUE", 0, 1)]
