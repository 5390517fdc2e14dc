"""The strategy of the replay rows: every second (500 events) one post-only bid at the best.

It does as little as the peer's, at the same pace, so that the engines are measured and not it.
"""

from __future__ import annotations

from pydantic import Field

from polybawt.domain.ids import Outcome, Side, StrategyName
from polybawt.domain.intents import Intent, Quote, Upkeep
from polybawt.domain.order import CANCELLABLE, Leg
from polybawt.domain.units import E6, MS_NS, S_NS
from polybawt.state import View
from polybawt.strategies.base import Plugin, StrategyConfig

NAME = StrategyName("bench_quoter")
UPKEEP = Upkeep(ticks=1, within_ns=0, size_tol_ppm=0)
PLACE_NS = 100 * MS_NS
WITHDRAW_NS = 600 * MS_NS


class Config(StrategyConfig):
    """Settings of the quoter."""

    shares: int = Field(default=10, ge=1)
    """Size of the bid, shares."""


def decide(view: View, config: Config) -> list[Intent]:
    """Bid early in each second, withdraw late in it; a bid that fills is not replaced before."""
    in_second_ns = view.now_ns % S_NS
    orders = view.orders
    if orders:
        is_due = in_second_ns >= WITHDRAW_NS and orders[0].state in CANCELLABLE
        return [_quote(view, ())] if is_due else []
    touch = view.touch
    if in_second_ns >= PLACE_NS or touch is None or not touch.is_two_sided:
        return []
    leg = Leg(
        instrument=view.instrument(Outcome.UP),
        side=Side.BUY,
        limit_e4=touch.bid_e4,
        qty_e6=config.shares * E6,
        post_only=True,
    )
    return [_quote(view, (leg,))]


def _quote(view: View, legs: tuple[Leg, ...]) -> Quote:
    market_id = view.market.market_id
    return Quote(strategy=NAME, market_id=market_id, legs=legs, upkeep=UPKEEP)


PLUGIN = Plugin(name=NAME, config=Config, decide=decide)
