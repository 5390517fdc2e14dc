"""Money at risk: over what is filled, working and in flight, and how much of an order fits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polybawt.domain import events as ev
from polybawt.domain.ids import Outcome, Side
from polybawt.domain.intents import Check
from polybawt.domain.order import Leg, OrderState
from polybawt.domain.units import E6, PPM, S_NS
from polybawt.risk.limits import (
    Bound,
    Exposure,
    Limits,
    LimitsConfig,
    bounds,
    leg_result_e6,
    market_exposure,
    resting_e6,
    token_cost_e6,
)
from tests.world import ALPHA, BETA, FEES, M1, M2, M3, OPEN_NS, World, make_market, shares

UP, DOWN, BUY, SELL = Outcome.UP, Outcome.DOWN, Side.BUY, Side.SELL


def pusd(amount: float) -> int:
    return round(amount * E6)


@pytest.mark.parametrize(
    ("side", "outcome", "limit_e4", "post_only", "up", "down"),
    [
        (BUY, UP, 4_800, True, 0.0, -4.8),
        (BUY, DOWN, 4_800, True, -4.8, 0.0),
        (SELL, UP, 4_800, True, -5.2, 0.0),
        (SELL, DOWN, 4_800, True, 0.0, -5.2),
        (BUY, UP, 4_800, False, 0.0, -4.97472),  # with the highest fee within the limit
        (SELL, UP, 4_800, False, -5.375, 0.0),
        (BUY, UP, 9_900, False, -0.075, -10.075),  # the fee can exceed the gain
    ],
)
def test_what_an_open_order_may_cost(
    side: Side, outcome: Outcome, limit_e4: int, post_only: bool, up: float, down: float
) -> None:
    world = World().ready()
    leg = world.leg(side, outcome, limit_e4, shares(10), post_only=post_only)
    results = [leg_result_e6(leg, shares(10), FEES, payout) for payout in Outcome]
    assert results == [pusd(up), pusd(down)]


@pytest.mark.parametrize(("up", "down", "risk"), [(-3, 5, 3), (5, -3, 3), (1, 2, 0), (-4, -3, 4)])
def test_at_risk_is_the_worse_outcome_and_a_gain_licenses_nothing(
    up: int, down: int, risk: int
) -> None:
    assert Exposure(up_e6=up, down_e6=down).at_risk_e6 == risk


def test_exposure_counts_held_working_and_tested() -> None:
    world = World().ready()
    live = world.live()
    world.hold(UP, shares(10), 4_000)  # up +6, down -4
    world.hold(DOWN, shares(5), 5_000, name=BETA, confirm=False)  # up -2.5, down +2.5
    order_id = world.place(world.leg(BUY, UP, 4_800, shares(10)), state=OrderState.SENT)
    world.apply(world.filled(order_id, shares(4)))  # 4 filled at 4,800, 6 in flight
    world.place(world.leg(BUY, DOWN, 4_000, shares(10)), name=BETA, state=OrderState.CANCEL_SENT)
    extra = [world.leg(SELL, UP, 6_000, shares(5))]

    def exposure(**kwargs: Any) -> tuple[int, int]:
        result = market_exposure(world.account, live, **kwargs)
        return result.up_e6, result.down_e6

    alpha = (pusd(6 + 4 - 1.92), pusd(-4 - 1.92 - 2.88))
    beta = (pusd(-2.5 - 4), pusd(2.5))
    assert exposure(strategy=ALPHA) == alpha
    assert exposure(strategy=BETA) == beta
    assert exposure() == (alpha[0] + beta[0], alpha[1] + beta[1])
    assert exposure(extra=extra) == (alpha[0] + beta[0] - pusd(2), alpha[1] + beta[1])


def test_token_cost_and_resting_notional() -> None:
    world = World().ready(make_market(M1), make_market(M2))
    live = world.live()
    world.hold(UP, shares(10), 4_000)
    world.hold(DOWN, shares(10), 3_000)
    world.hold(UP, shares(20), 5_000, market_id=M2)
    world.place(world.leg(BUY, UP, 4_800, shares(10)))
    world.place(world.leg(SELL, UP, 5_500, shares(10)), name=BETA)
    world.place(world.leg(BUY, DOWN, 4_000, shares(5)))
    world.place(world.leg(BUY, UP, 2_000, shares(5), market_id=M2))
    assert token_cost_e6(world.account, live, live.up) == pusd(4 + 4.8)
    assert token_cost_e6(world.account, live, live.down) == pusd(3 + 2)
    assert resting_e6(world.account) == pusd(4.8 + 5.5 + 2 + 1)


def test_a_merge_a_sale_and_a_split_leave_the_result_what_it_was() -> None:
    world = World().ready()
    live = world.live()
    world.hold(UP, shares(20), 3_000)
    world.hold(DOWN, shares(10), 6_000)
    expected = Exposure(up_e6=pusd(8), down_e6=pusd(-2))
    assert market_exposure(world.account, live) == expected
    job_id = world.merging(shares(10))
    world.apply(ev.PairMerged(job_id=job_id, market_id=M1, qty_e6=shares(10), venue_ns=1))
    assert world.account.ledger.position(ALPHA, M1).down_e6 == 0
    assert market_exposure(world.account, live) == expected
    sale = world.place(world.leg(SELL, UP, 5_500, shares(10)))
    working = market_exposure(world.account, live)
    world.apply(world.filled(sale, shares(10)))
    filled = market_exposure(world.account, live)
    assert (working.up_e6, filled.up_e6) == (pusd(3.5), pusd(3.5))
    assert (working.down_e6, filled.down_e6) == (pusd(-2), pusd(3.5))


def test_a_taker_order_costs_its_token_limit_the_fee_as_well() -> None:
    world = World().ready()
    live = world.live()
    leg = world.leg(BUY, UP, 5_000, shares(10), post_only=False)
    assert rows(world, leg)[Check.TOKEN_LIMIT][2] == pusd(5.175)
    order_id = world.place(leg)
    assert token_cost_e6(world.account, live, live.up) == pusd(5.175)
    world.apply(world.filled(order_id, shares(10), fee_e6=pusd(0.175)))
    assert token_cost_e6(world.account, live, live.up) == pusd(5.175)


def rows(world: World, leg: Leg, *pending: Leg) -> dict[Check, tuple[int, int, int]]:
    found = bounds(world.account, leg, ALPHA, world.limits, pending)
    return {b.check: (b.limit_e6, b.used_e6, b.with_leg_e6) for b in found}


def test_every_limit_is_a_fraction_of_the_bankroll() -> None:
    limits = Limits.of(LimitsConfig(), 5_000 * E6)
    assert {
        "order": limits.order_e6,
        "token": limits.token_e6,
        "market": limits.market_e6,
        "window": limits.window_e6,
        "asset": limits.asset_e6,
        "strategy": limits.strategy_e6,
        "account": limits.account_e6,
        "resting": limits.resting_e6,
    } == {
        "order": pusd(100),
        "token": pusd(100),
        "market": pusd(150),
        "window": pusd(400),
        "asset": pusd(250),
        "strategy": pusd(750),
        "account": pusd(750),
        "resting": pusd(1_500),
    }
    assert limits.shares_max_e6 == shares(1_000)
    assert Limits.of(LimitsConfig(order_fraction=0.01), 99).order_e6 == 0


def test_each_limit_counts_what_belongs_to_it() -> None:
    eth_same_window = make_market(M2, asset="ETH")
    btc_next_window = make_market(M3, open_ns=OPEN_NS + 900 * S_NS)
    world = World(cash_e6=1_000 * E6, limits=LimitsConfig()).ready(
        make_market(), eth_same_window, btc_next_window
    )
    world.hold(UP, shares(10), 1_000)  # here: 1 at risk of our own
    world.hold(UP, shares(10), 2_000, name=BETA)  # here: 2 of another strategy
    world.hold(UP, shares(10), 3_000, market_id=M2)  # same window, other asset
    world.hold(UP, shares(10), 4_000, market_id=M3, name=BETA)  # other window, same asset
    world.place(world.leg(BUY, DOWN, 500, shares(10), market_id=M3))  # 0.5, but hedges Beta's
    leg = world.leg(BUY, UP, 5_000, shares(10), post_only=False)
    pending = world.leg(BUY, UP, 600, shares(10))
    fee = 0.175
    assert rows(world, leg, pending) == {
        Check.ORDER_LIMIT: (pusd(20), 0, pusd(5)),
        Check.TOKEN_LIMIT: (pusd(20), pusd(3.6), pusd(8.6 + fee)),
        Check.MARKET_LIMIT: (pusd(30), pusd(3.6), pusd(8.6 + fee)),
        Check.WINDOW_LIMIT: (pusd(80), pusd(3.6 + 3), pusd(8.6 + fee + 3)),
        Check.ASSET_LIMIT: (pusd(50), pusd(3.6 + 4), pusd(8.6 + fee + 4)),
        Check.STRATEGY_LIMIT: (pusd(150), pusd(1.6 + 3 + 0.5), pusd(6.6 + fee + 3 + 0.5)),
        Check.ACCOUNT_LIMIT: (pusd(150), pusd(3.6 + 3 + 4), pusd(8.6 + fee + 3 + 4)),
        Check.RESTING_LIMIT: (pusd(300), pusd(0.5 + 0.6), pusd(5.5 + 0.6)),
        Check.CASH: (pusd(1_000 - 1 - 2 - 3 - 4 - 0.5), pusd(0.6), pusd(5.6 + fee)),
    }


def test_a_sell_costs_no_token_limit_and_no_cash() -> None:
    world = World(cash_e6=1_000 * E6).ready()
    world.hold(UP, shares(10), 5_000)
    found = rows(world, world.leg(SELL, UP, 5_500, shares(10)))
    assert found[Check.TOKEN_LIMIT][1:] == (pusd(5), pusd(5))
    assert found[Check.CASH][1:] == (0, 0)
    assert found[Check.MARKET_LIMIT][1:] == (pusd(5), pusd(5))
    assert found[Check.RESTING_LIMIT][1:] == (0, pusd(5.5))


def test_negative_free_cash_is_no_room_at_all() -> None:
    world = World(cash_e6=5 * E6).ready()
    world.place(world.leg(BUY, UP, 4_800, shares(20)))
    assert rows(world, world.leg())[Check.CASH] == (0, 0, pusd(4.8))


@pytest.mark.parametrize(
    ("limit", "used", "with_leg", "share"),
    [
        (100, 0, 100, PPM),
        (100, 50, 150, PPM // 2),  # half fits
        (100, 100, 200, 0),
        (100, 150, 250, 0),  # already beyond: nothing more
        (100, 150, 150, PPM),  # adds nothing
        (100, 150, 120, PPM),  # lowers what is used
        (100, 0, 300, 333_333),
    ],
)
def test_how_much_fits(limit: int, used: int, with_leg: int, share: int) -> None:
    bound = Bound(check=Check.CASH, limit_e6=limit, used_e6=used, with_leg_e6=with_leg)
    assert bound.share_ppm() == share


@given(limit=st.integers(0, 10**9), used=st.integers(0, 10**9), added=st.integers(-(10**9), 10**9))
def test_what_fits_never_exceeds_the_limit(limit: int, used: int, added: int) -> None:
    bound = Bound(check=Check.CASH, limit_e6=limit, used_e6=used, with_leg_e6=used + added)
    share = bound.share_ppm()
    assert 0 <= share <= PPM
    if added > 0 and share:
        assert used * PPM + added * share <= limit * PPM
