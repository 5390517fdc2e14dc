"""Limits in pUSD at risk, counted over what is filled, working and in flight.

At risk is the worst settlement result over both outcomes, where every open order may fill or not,
whichever is worse. Source: specification of risk, settlement exposure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from polybawt.domain.fees import FeeSchedule
from polybawt.domain.ids import (
    BUY,
    DOWN,
    SELL,
    UP,
    Instrument,
    MarketId,
    Outcome,
    StrategyName,
)
from polybawt.domain.intents import Check
from polybawt.domain.order import Leg
from polybawt.domain.units import CEIL, E4, E6, E12, FLOOR, PPM, notional_e6
from polybawt.portfolio.account import AccountState, LiveMarket


class LimitsConfig(BaseModel):
    """Limits as fractions of the bankroll (the opening cash), and per-order bounds."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    order_shares_max: int = Field(default=1_000, ge=1, le=10_000_000)
    """Largest order, shares."""
    order_fraction: float = Field(default=0.02, gt=0, le=1)
    """Largest notional of one order."""
    token_fraction: float = Field(default=0.02, gt=0, le=1)
    """Cost held plus open buys of one token."""
    market_fraction: float = Field(default=0.03, gt=0, le=1)
    """At risk in one market."""
    window_fraction: float = Field(default=0.08, gt=0, le=1)
    """At risk in one window over all assets."""
    asset_fraction: float = Field(default=0.05, gt=0, le=1)
    """At risk in all live markets of one asset."""
    strategy_fraction: float = Field(default=0.15, gt=0, le=1)
    """At risk in all markets by one strategy."""
    account_fraction: float = Field(default=0.15, gt=0, le=1)
    """At risk in all markets."""
    resting_fraction: float = Field(default=0.30, gt=0, le=1)
    """Notional of all open orders."""
    working_orders_max: int = Field(default=50, ge=1, le=1_000)
    """Open orders of the account."""
    duplicate_ms: int = Field(default=500, ge=0, le=60_000)
    """An order equal to a younger one than this is a duplicate, ms."""
    collar_ticks: int = Field(default=5, ge=0, le=1_000)
    """How far a price may go through the reference, ticks (the wider of both collars holds)."""
    collar_fraction: float = Field(default=0.10, ge=0, le=1)
    """How far a price may go through the reference, as a fraction of it."""
    book_stale_ms: int = Field(default=10_000, ge=100, le=600_000)
    """Age of a market's book at which no order is sent on it, ms."""
    reject_streak_max: int = Field(default=5, ge=1, le=100)
    """Rejections in a row that disarm a strategy."""
    reject_cooldown_s: int = Field(default=900, ge=1, le=86_400)
    """Time after which a disarmed strategy may try again, s."""


class Exposure(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Result of a market at settlement, worst case of all open orders, for each outcome."""

    up_e6: int
    down_e6: int

    @property
    def at_risk_e6(self) -> int:
        """The loss in the worse outcome, never negative: a locked gain licenses no risk."""
        return max(0, -min(self.up_e6, self.down_e6))

    def plus(self, leg: Leg, fees: FeeSchedule) -> Exposure:
        """With one more leg, which may fill or not."""
        return Exposure(
            up_e6=self.up_e6 + leg_result_e6(leg, leg.qty_e6, fees, UP),
            down_e6=self.down_e6 + leg_result_e6(leg, leg.qty_e6, fees, DOWN),
        )


def leg_result_e6(leg: Leg, qty_e6: int, fees: FeeSchedule, payout_outcome: Outcome) -> int:
    """What a leg adds to an outcome's result if it fills and that is worse than if it does not."""
    pays_e4 = E4 if (leg.instrument & 1) == payout_outcome else 0
    per_share_e4 = pays_e4 - leg.limit_e4 if leg.side is BUY else leg.limit_e4 - pays_e4
    fee_e6 = 0 if leg.post_only else fees.worst_fee_e6(qty_e6, leg.limit_e4, leg.side)
    return min(0, notional_e6(per_share_e4, qty_e6, FLOOR) - fee_e6)


def market_exposure(
    account: AccountState,
    live: LiveMarket,
    strategy: StrategyName | None = None,
    extra: Iterable[Leg] = (),
) -> Exposure:
    """Exposure of one market, of one strategy's share of it, with legs under test added."""
    market_id, fees = live.market.market_id, live.market.fees
    up = down = 0
    for name, position in account.positions(market_id):
        if strategy is None or name == strategy:
            # By the cash that went in and came out, so that a merge or a sale changes no result.
            cash = position.cash_e6 + position.receivable_e6
            up += position.up_e6 + cash
            down += position.down_e6 + cash
    legs = [
        (order.leg, order.rest_e6)
        for order in account.orders.open_in(market_id)
        if strategy is None or order.strategy == strategy
    ]
    legs.extend((leg, leg.qty_e6) for leg in extra)
    for leg, qty_e6 in legs:
        up += leg_result_e6(leg, qty_e6, fees, UP)
        down += leg_result_e6(leg, qty_e6, fees, DOWN)
    return Exposure(up_e6=up, down_e6=down)


def token_cost_e6(account: AccountState, live: LiveMarket, instrument: Instrument) -> int:
    """Cost of what is held of one token plus all its open buys."""
    market_id = live.market.market_id
    cost_e18 = sum(
        position.down_cost_e18 if instrument & 1 else position.up_cost_e18
        for _, position in account.positions(market_id)
    )
    fees = live.market.fees
    working = sum(
        leg_reserve_e6(order.leg, order.rest_e6, fees)
        for order in account.orders.open_in(market_id)
        if order.leg.instrument == instrument
    )
    return -(-cost_e18 // E12) + working


def resting_e6(account: AccountState) -> int:
    """Notional of all open orders."""
    return sum(
        notional_e6(order.leg.limit_e4, order.rest_e6, CEIL)
        for market_id in account.orders.markets()
        for order in account.orders.open_in(market_id)
    )


class Bound(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One limit, measured without and with the leg under test."""

    check: Check
    limit_e6: int
    used_e6: int
    with_leg_e6: int

    def share_ppm(self) -> int:
        """How much of the leg fits. A leg that does not add to what is used always fits.

        At risk is convex in the size, so the straight line between both ends never allows too much.
        """
        added = self.with_leg_e6 - self.used_e6
        if added <= 0 or self.with_leg_e6 <= self.limit_e6:
            return PPM
        return max(0, self.limit_e6 - self.used_e6) * PPM // added


def bounds(
    account: AccountState,
    leg: Leg,
    strategy: StrategyName,
    limits: Limits,
    pending: Sequence[Leg] = (),
) -> list[Bound]:
    """Every money limit that a leg counts against, in the order of the gate.

    `pending` are legs approved a moment ago and not yet placed; they count as if they were.
    """
    own_id = account.instruments.market_id(leg.instrument)
    live = account.markets[own_id]
    fees = live.market.fees
    window = asset = total = own = 0
    for market_id, other in account.markets.items():
        if market_id == own_id:
            continue
        legs = _of_market(account, market_id, pending)
        if not legs and not account.is_touched(market_id):
            continue
        at_risk = market_exposure(account, other, extra=legs).at_risk_e6
        total += at_risk
        window += at_risk if other.market.window == live.market.window else 0
        asset += at_risk if other.market.asset == live.market.asset else 0
        own += market_exposure(account, other, strategy, legs).at_risk_e6
    here = _of_market(account, own_id, pending)
    exposure = market_exposure(account, live, extra=here)
    before, after = exposure.at_risk_e6, exposure.plus(leg, fees).at_risk_e6
    exposure = market_exposure(account, live, strategy, here)
    own_before, own_after = exposure.at_risk_e6, exposure.plus(leg, fees).at_risk_e6
    cost = leg_cost_e6(leg)
    token = token_cost_e6(account, live, leg.instrument)
    token += sum(leg_reserve_e6(x, x.qty_e6, fees) for x in here if x.instrument == leg.instrument)
    resting = resting_e6(account) + sum(leg_cost_e6(x) for x in pending)
    promised = sum(leg_reserve_e6(x, x.qty_e6, fees) for x in pending)
    reserve = leg_reserve_e6(leg, leg.qty_e6, fees)
    rows = (
        (Check.ORDER_LIMIT, limits.order_e6, 0, cost),
        (Check.TOKEN_LIMIT, limits.token_e6, token, token + reserve),
        (Check.MARKET_LIMIT, limits.market_e6, before, after),
        (Check.WINDOW_LIMIT, limits.window_e6, window + before, window + after),
        (Check.ASSET_LIMIT, limits.asset_e6, asset + before, asset + after),
        (Check.STRATEGY_LIMIT, limits.strategy_e6, own + own_before, own + own_after),
        (Check.ACCOUNT_LIMIT, limits.account_e6, total + before, total + after),
        (Check.RESTING_LIMIT, limits.resting_e6, resting, resting + cost),
        (
            Check.CASH,
            max(0, account.cash_free_e6()),
            promised,
            promised + reserve,
        ),
    )
    return [
        Bound(check=check, limit_e6=limit, used_e6=used, with_leg_e6=with_leg)
        for check, limit, used, with_leg in rows
    ]


def leg_cost_e6(leg: Leg) -> int:
    """Notional of a leg at its limit."""
    return notional_e6(leg.limit_e4, leg.qty_e6, CEIL)


def leg_reserve_e6(leg: Leg, qty_e6: int, fees: FeeSchedule) -> int:
    """What `qty_e6` of a leg may cost: a buy's notional and, if it may take, its highest fee."""
    if leg.side is SELL:
        return 0
    fee = 0 if leg.post_only else fees.worst_fee_e6(qty_e6, leg.limit_e4, leg.side)
    return notional_e6(leg.limit_e4, qty_e6, CEIL) + fee


def _of_market(account: AccountState, market_id: MarketId, legs: Iterable[Leg]) -> tuple[Leg, ...]:
    return tuple(leg for leg in legs if account.instruments.market_id(leg.instrument) == market_id)


class Limits(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The configured fractions as pUSD of one bankroll, computed once."""

    config: LimitsConfig
    order_e6: int
    token_e6: int
    market_e6: int
    window_e6: int
    asset_e6: int
    strategy_e6: int
    account_e6: int
    resting_e6: int

    @classmethod
    def of(cls, config: LimitsConfig, bankroll_e6: int) -> Limits:
        """Limits of a bankroll, floored to 10^-6 pUSD."""

        def part(fraction: float) -> int:
            return bankroll_e6 * round(fraction * PPM) // PPM

        return cls(
            config=config,
            order_e6=part(config.order_fraction),
            token_e6=part(config.token_fraction),
            market_e6=part(config.market_fraction),
            window_e6=part(config.window_fraction),
            asset_e6=part(config.asset_fraction),
            strategy_e6=part(config.strategy_fraction),
            account_e6=part(config.account_fraction),
            resting_e6=part(config.resting_fraction),
        )

    @property
    def shares_max_e6(self) -> int:
        """Largest order in 10^-6 shares."""
        return self.config.order_shares_max * E6
