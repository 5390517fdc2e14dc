"""The price grid of a market."""

from polyvenue.exchange.events import TickSizeChanged
from polyvenue.exchange.market import PRICE_DECIMALS, Market
from polyvenue.exchange.state import Core
from polyvenue.exchange.units import E4


def change_tick(core: Core, market: Market, tick_e4: int) -> None:
    """A new grid from now on; what rests keeps its price. ValueError for an unknown grid."""
    if tick_e4 not in PRICE_DECIMALS:
        raise ValueError(f"tick_e4 is {tick_e4}: one of {sorted(PRICE_DECIMALS)}")
    old_e4, market.tick_e4 = market.tick_e4, tick_e4
    if old_e4 != tick_e4:
        core.emit(
            TickSizeChanged(
                at_ns=core.now_ns,
                market_id=market.market_id,
                old_tick_e4=old_e4,
                new_tick_e4=tick_e4,
            )
        )


def refine_tick(core: Core, market: Market) -> None:
    """A print near 0 or 1 makes the grid finer, for good."""
    terms = market.terms
    prices = [price_e4 for price_e4 in market.last_e4 if price_e4 is not None]
    near = any(min(price_e4, E4 - price_e4) <= terms.refine_e4 for price_e4 in prices)
    if near and market.tick_e4 > terms.fine_tick_e4:
        change_tick(core, market, terms.fine_tick_e4)
