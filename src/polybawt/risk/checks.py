"""The gate's checks on one order, each with its own code and numbers; the first to fail counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from polybawt.domain.book import Touch
from polybawt.domain.ids import BUY, SELL, Outcome, StrategyName
from polybawt.domain.intents import Check, Intent, Refusal
from polybawt.domain.market import LISTED, OPEN
from polybawt.domain.order import CANCEL_SENT, UNKNOWN, Leg, Tif
from polybawt.domain.ticks import cent_lot_e6, is_valid_price
from polybawt.domain.units import E4, LOT_E6, MS_NS, PPM, S_NS
from polybawt.portfolio.account import LiveMarket
from polybawt.risk.limits import Limits
from polybawt.state import Quotes, State


@dataclass(frozen=True)
class Candidate:
    """An order under test, with everything it is tested against."""

    intent: Intent
    leg: Leg
    state: State
    limits: Limits
    pending: Sequence[Leg]

    @property
    def live(self) -> LiveMarket:
        """The market of the leg."""
        account = self.state.account
        return account.markets[account.instruments.market_id(self.leg.instrument)]

    @property
    def quotes(self) -> Quotes:
        """The market's books."""
        return self.state.market.books[self.live.market.market_id]

    @property
    def touch(self) -> Touch:
        """The unified best prices."""
        return Touch(self.quotes.up, self.quotes.down)


def refuse_leg(candidate: Candidate) -> Refusal | None:
    """The first check that the order fails, None if it passes all."""
    for check in _CHECKS:
        refusal = check(candidate)
        if refusal is not None:
            return refusal
    return None


def refuse_disarmed(strategy: StrategyName, state: State, limits: Limits) -> Refusal | None:
    """A streak of rejections takes new risk from a strategy for a while; it may still reduce."""
    config = limits.config
    streak, since_ns = state.account.reject_streak.get(strategy, (0, 0))
    is_cooling = state.now_ns - since_ns < config.reject_cooldown_s * S_NS
    if streak < config.reject_streak_max or not is_cooling:
        return None
    return Refusal(
        check=Check.REJECT_STREAK, code="DISARMED", value=streak, limit=config.reject_streak_max
    )


def _reject_streak(c: Candidate) -> Refusal | None:
    if c.leg.side is SELL:
        return None
    return refuse_disarmed(c.intent.strategy, c.state, c.limits)


def _mode(c: Candidate) -> Refusal | None:
    orders = c.state.account.orders.open_in(c.live.market.market_id)
    unknown = sum(1 for order in orders if order.state is UNKNOWN)
    if unknown:
        return Refusal(check=Check.MODE, code="UNKNOWN_ORDER", value=unknown)
    return None


def _phase(c: Candidate) -> Refusal | None:
    if c.live.payouts_ppm is not None:
        return Refusal(check=Check.PHASE, code="RESOLVED")
    phase = c.live.market.phase(c.state.now_ns, c.state.cutoff_ns)
    if phase in (LISTED, OPEN):
        return None
    left_ms = (c.live.market.close_ns - c.state.now_ns) // MS_NS
    cutoff_ms = c.state.cutoff_ns // MS_NS
    return Refusal(check=Check.PHASE, code=str(phase), value=left_ms, limit=cutoff_ms)


def _freshness(c: Candidate) -> Refusal | None:
    quotes = c.quotes
    if not (quotes.up.generation or quotes.down.generation):
        return Refusal(check=Check.FRESHNESS, code="NO_BOOK")
    age_ms = (c.state.now_ns - quotes.heard_ns) // MS_NS
    if age_ms > c.limits.config.book_stale_ms:
        limit = c.limits.config.book_stale_ms
        return Refusal(check=Check.FRESHNESS, code="BOOK_STALE", value=age_ms, limit=limit)
    touch = c.touch
    if touch.is_crossed:
        return Refusal(
            check=Check.FRESHNESS, code="BOOK_CROSSED", value=touch.bid_e4, limit=touch.ask_e4
        )
    return None


def _price(c: Candidate) -> Refusal | None:
    if is_valid_price(c.leg.limit_e4, c.live.tick_e4):
        return None
    return Refusal(check=Check.PRICE, code="OFF_GRID", value=c.leg.limit_e4, limit=c.live.tick_e4)


def _collar(c: Candidate) -> Refusal | None:
    touch = c.touch
    if not touch.is_two_sided:
        return Refusal(check=Check.COLLAR, code="NO_REFERENCE")
    twice_mid = touch.bid_e4 + touch.ask_e4
    if c.leg.instrument & 1:
        twice_mid = 2 * E4 - twice_mid
    config = c.limits.config
    by_ticks = 2 * config.collar_ticks * c.live.tick_e4
    by_fraction = twice_mid * round(config.collar_fraction * PPM) // PPM
    width = max(by_ticks, by_fraction)
    beyond = 2 * c.leg.limit_e4 - twice_mid
    if c.leg.side is SELL:
        beyond = -beyond
    if beyond <= width:
        return None
    bound = (twice_mid + (width if c.leg.side is BUY else -width)) // 2
    return Refusal(check=Check.COLLAR, code="THROUGH", value=c.leg.limit_e4, limit=bound)


def _size(c: Candidate) -> Refusal | None:
    leg, market = c.leg, c.live.market
    if leg.qty_e6 % LOT_E6 or leg.qty_e6 <= 0:
        return Refusal(check=Check.SIZE, code="OFF_LOT", value=leg.qty_e6, limit=LOT_E6)
    if leg.qty_e6 < market.qty_min_e6:
        return Refusal(
            check=Check.SIZE, code="BELOW_MIN", value=leg.qty_e6, limit=market.qty_min_e6
        )
    if leg.side is BUY and not leg.post_only:
        notional_e6 = leg.limit_e4 * leg.qty_e6 // E4
        if notional_e6 < market.notional_min_e6:
            return Refusal(
                check=Check.SIZE,
                code="BELOW_NOTIONAL",
                value=notional_e6,
                limit=market.notional_min_e6,
            )
        if leg.tif in (Tif.FOK, Tif.FAK) and leg.qty_e6 % cent_lot_e6(leg.limit_e4):
            lot = cent_lot_e6(leg.limit_e4)
            return Refusal(check=Check.SIZE, code="CENT_RULE", value=leg.qty_e6, limit=lot)
    limit = c.limits.shares_max_e6
    if leg.qty_e6 > limit:
        return Refusal(check=Check.ORDER_LIMIT, code="SHARES", value=leg.qty_e6, limit=limit)
    return None


def _duplicate(c: Candidate) -> Refusal | None:
    within_ns = c.limits.config.duplicate_ms * MS_NS
    for order in c.state.account.orders.open_in(c.live.market.market_id):
        age_ns = c.state.now_ns - order.created_ns
        is_same = order.strategy == c.intent.strategy and order.leg == c.leg
        if is_same and age_ns < within_ns and order.state is not CANCEL_SENT:
            limit = c.limits.config.duplicate_ms
            return Refusal(
                check=Check.DUPLICATE, code="DUPLICATE", value=age_ns // MS_NS, limit=limit
            )
    return None


def _self_cross(c: Candidate) -> Refusal | None:
    """No own bid at or above an own ask in the unified book, both tokens, all strategies."""
    is_bid, price_e4 = c.leg.is_up_bid, c.leg.up_price_e4
    open_legs = [o.leg for o in c.state.account.orders.open_in(c.live.market.market_id)]
    same_market = [leg for leg in c.pending if leg.instrument >> 1 == c.leg.instrument >> 1]
    for own in (*open_legs, *same_market):
        if own.is_up_bid == is_bid:
            continue
        if (price_e4 >= own.up_price_e4) if is_bid else (price_e4 <= own.up_price_e4):
            return Refusal(
                check=Check.SELF_CROSS, code="OWN_ORDER", value=price_e4, limit=own.up_price_e4
            )
    return None


def _tokens(c: Candidate) -> Refusal | None:
    if c.leg.side is BUY:
        return None
    outcome = Outcome(c.leg.instrument & 1)
    free = c.state.account.sellable_e6(c.intent.strategy, c.live, outcome)
    free -= sum(x.qty_e6 for x in c.pending if x.instrument == c.leg.instrument and x.side)
    if c.leg.qty_e6 <= free:
        return None
    return Refusal(check=Check.TOKENS, code="NOT_FREE", value=c.leg.qty_e6, limit=free)


def _working_orders(c: Candidate) -> Refusal | None:
    working = c.state.account.orders.open_count + len(c.pending)
    limit = c.limits.config.working_orders_max
    if working < limit:
        return None
    return Refusal(check=Check.WORKING_ORDERS, code="TOO_MANY", value=working, limit=limit)


_CHECKS: tuple[Callable[[Candidate], Refusal | None], ...] = (
    _mode,
    _phase,
    _freshness,
    _price,
    _collar,
    _size,
    _duplicate,
    _self_cross,
    _tokens,
    _working_orders,
    _reject_streak,
)
