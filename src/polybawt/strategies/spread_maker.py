"""SpreadMaker: two passive quotes around a book-only fair price.

Fair is the size-weighted mid of the unified book. The half-spread is what quoting costs, a floor
plus the loss to better-informed takers, not what the market shows; inventory moves both prices.
The bid is an Up bid or, from held Down, a Down ask, which is the same exposure; the ask likewise.
Formulas: docs/strategies/spread_maker.md.
"""

from __future__ import annotations

from functools import cached_property

from pydantic import Field

from polybawt.domain.events import JobKind
from polybawt.domain.ids import BUY, DOWN, SELL, UP, Outcome, StrategyName
from polybawt.domain.intents import Convert, Intent, Quote, Upkeep
from polybawt.domain.market import OPEN, SettlementRule, TwapBoundary
from polybawt.domain.order import Leg, Tif
from polybawt.domain.ticks import gate_min, quote_round
from polybawt.domain.units import E4, E6, HALF_EVEN, MS_NS, PPM, S_NS, div, floor_lot_e6
from polybawt.signals.imbalance import weighted_mid_e6
from polybawt.signals.toxicity import toxic_half_spread_e6
from polybawt.state import View
from polybawt.strategies.base import Plugin, StrategyConfig

NAME = StrategyName("spread_maker")


class Config(StrategyConfig):
    """Settings of SpreadMaker; every threshold it uses is here."""

    clip_shares: int = Field(default=10, ge=1, le=100_000)
    """Size of one quote, shares."""
    inventory_max_shares: int = Field(default=100, ge=1, le=1_000_000)
    """Up minus Down at which the growing side is no longer quoted, shares."""
    inventory_aversion_ppm: int = Field(default=2_000, ge=0, le=1_000_000)
    """Shift of both quotes per share held at p(1-p) = 1, 10^-6 pUSD (gamma)."""
    half_spread_floor_e4: int = Field(default=100, ge=1, le=5_000)
    """Half-spread before the toxic loss is added, 10^-4 pUSD."""
    latency_ms: int = Field(default=500, ge=0, le=60_000)
    """How much later than the fastest taker we react, for the toxic loss, ms."""
    spread_trigger_e4: int = Field(default=0, ge=0, le=10_000)
    """Quote only when the market's spread is above this, 10^-4 pUSD; 0 quotes at any spread."""
    stop_near_s: int = Field(default=200, ge=5, le=3_600)
    """Time left at which quotes are pulled when the outcome is open, s."""
    stop_far_s: int = Field(default=100, ge=5, le=3_600)
    """Time left at which quotes are pulled when the outcome looks decided, s."""
    near_e4: int = Field(default=1_500, ge=0, le=5_000)
    """Distance of fair from 0.50 up to which the outcome counts as open, 10^-4."""
    book_stale_ms: int = Field(default=10_000, ge=100, le=600_000)
    """Age of this market's book at which quotes are pulled, ms."""
    feed_stale_ms: int = Field(default=3_000, ge=100, le=600_000)
    """Silence of the book's connection at which quotes are pulled, ms."""
    merge_min_shares: int = Field(default=10, ge=1, le=1_000_000)
    """Confirmed pairs that are merged back into pUSD, shares."""
    requote_ticks: int = Field(default=1, ge=0, le=100)
    """A price change smaller than this is suppressed within `requote_ms`, ticks."""
    requote_ms: int = Field(default=200, ge=0, le=60_000)
    """Age below which small price changes are suppressed, ms."""
    requote_size_tol: float = Field(default=0.2, ge=0, lt=1)
    """Difference of the remaining size, as a fraction, at which an order keeps its place."""

    @cached_property
    def upkeep(self) -> Upkeep:
        """The requote settings as every quote carries them."""
        return Upkeep(
            ticks=self.requote_ticks,
            within_ns=self.requote_ms * MS_NS,
            size_tol_ppm=round(self.requote_size_tol * PPM),
        )


def decide(view: View, config: Config) -> list[Intent]:
    """The complete set of quotes that should rest now, and a merge of idle pairs."""
    position = view.position
    held_up, held_down = view.held_e6(UP), view.held_e6(DOWN)
    pairs = floor_lot_e6(min(held_up, held_down))
    intents: list[Intent] = []
    if pairs >= config.merge_min_shares * E6:
        held_up, held_down = held_up - pairs, held_down - pairs
        if view.is_job_due:
            intents.append(
                Convert(
                    strategy=NAME,
                    market_id=view.market.market_id,
                    kind=JobKind.MERGE,
                    qty_e6=pairs,
                    reason="IDLE_PAIRS",
                )
            )
    fair_e6, why_not = fair_price(view, config)
    if why_not:
        return [_quote(view, config, (), 0, why_not), *intents]
    net_e6 = position.up_e6 - position.down_e6
    half_e6 = toxic_half_spread_e6(
        fair_e6,
        view.left_ns // S_NS,
        config.latency_ms,
        config.half_spread_floor_e4 * 100,
        view.market.fees.rate_ppm,
        lookback_s(view.market.settlement),
    )
    legs = _legs(view, config, fair_e6, half_e6, net_e6, (held_up, held_down))
    return [_quote(view, config, legs, half_e6 // 100, "" if legs else "NO_SIDE"), *intents]


def fair_price(view: View, config: Config) -> tuple[int, str]:
    """Fair price of Up in 10^-6, or 0 and the code of what forbids quoting."""
    if view.phase is not OPEN:
        return 0, f"PHASE_{view.phase}"
    if view.feed_age_ns > config.feed_stale_ms * MS_NS:
        return 0, "FEED_STALE"
    if view.book_age_ns > config.book_stale_ms * MS_NS:
        return 0, "BOOK_STALE"
    touch = view.touch
    if touch is None:
        return 0, "NO_BOOK"
    if not touch.is_two_sided:
        return 0, "ONE_SIDED"
    if touch.is_crossed:
        return 0, "BOOK_CROSSED"
    spread_e4 = touch.ask_e4 - touch.bid_e4
    if config.spread_trigger_e4 and spread_e4 <= config.spread_trigger_e4:
        return 0, "SPREAD_BELOW_TRIGGER"
    fair_e6 = weighted_mid_e6(touch.bid_e4, touch.bid_qty_e6, touch.ask_e4, touch.ask_qty_e6)
    is_near = abs(fair_e6 - E6 // 2) <= config.near_e4 * 100
    if view.left_ns < (config.stop_near_s if is_near else config.stop_far_s) * S_NS:
        return 0, "NEAR_END"
    return fair_e6, ""


def lookback_s(rule: SettlementRule) -> int:
    """Seconds over which the closing price is averaged, 0 if it is a single price."""
    return rule.lookback_s if isinstance(rule, TwapBoundary) else 0


def inventory_shift_e6(net_e6: int, fair_e6: int, aversion_ppm: int) -> int:
    """Shift of the reservation price: `-gamma * n * P(1-P)`, half to even, in 10^-6."""
    return div(-aversion_ppm * net_e6 * fair_e6 * (E6 - fair_e6), E6**3, HALF_EVEN)


def clip_e6(net_e6: int, config: Config) -> int:
    """Size of the side that grows an inventory of `net_e6`: less as it fills, none at the cap."""
    clip, cap = config.clip_shares * E6, config.inventory_max_shares * E6
    return floor_lot_e6(clip * max(0, cap - max(0, net_e6)) // cap)


def _legs(
    view: View, config: Config, fair_e6: int, half_e6: int, net_e6: int, held: tuple[int, int]
) -> tuple[Leg, ...]:
    touch = view.touch
    assert touch is not None, "fair_price has seen the touch"
    middle = fair_e6 + inventory_shift_e6(net_e6, fair_e6, config.inventory_aversion_ppm)
    bid_e4, ask_e4 = quote_round(
        middle - half_e6,
        middle + half_e6,
        best_bid_e4=touch.bid_e4,
        best_ask_e4=touch.ask_e4,
        tick_e4=view.tick_e4,
    )
    legs = []
    if bid_e4 is not None:
        legs.append(_leg(view, UP, bid_e4, clip_e6(net_e6, config), held[DOWN]))
    if ask_e4 is not None:
        legs.append(_leg(view, DOWN, E4 - ask_e4, clip_e6(-net_e6, config), held[UP]))
    return tuple([leg for leg in legs if leg is not None])


def _leg(view: View, outcome: Outcome, price_e4: int, qty_e6: int, held_e6: int) -> Leg | None:
    """Buy `outcome` at `price_e4`, or sell the other, if held, at the mirrored price."""
    side = BUY
    if min(qty_e6, held_e6) >= view.market.qty_min_e6:
        side, outcome = SELL, outcome.other
        qty_e6, price_e4 = floor_lot_e6(min(qty_e6, held_e6)), E4 - price_e4
    if not gate_min(qty_e6, price_e4, view.market.qty_min_e6, 0):
        return None
    return Leg(
        instrument=view.instrument(outcome),
        side=side,
        limit_e4=price_e4,
        qty_e6=qty_e6,
        tif=Tif.GTC,
        post_only=True,
    )


def _quote(view: View, config: Config, legs: tuple[Leg, ...], edge_e4: int, reason: str) -> Quote:
    return Quote(
        strategy=NAME,
        market_id=view.market.market_id,
        legs=legs,
        edge_e4=edge_e4,
        worst_loss_e6=sum([leg.limit_e4 * leg.qty_e6 // E4 for leg in legs if not leg.side]),
        reason=reason,
        upkeep=config.upkeep,
    )


PLUGIN = Plugin(name=NAME, config=Config, decide=decide)
