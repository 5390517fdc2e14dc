"""The price grid, lots and minimums: what the venue accepts, checked before it is asked.

Source: venue rules for ticks, decimals, minimum size and the cent rule (docs/venue.md).
"""

from __future__ import annotations

from math import gcd

from polybawt.domain.ids import BUY, Side
from polybawt.domain.units import CEIL, E4, FLOOR, LOT_E6, Rounding, div, floor_lot_e6, notional_e6

TICKS_E4 = (1000, 100, 50, 25, 10, 1)
"""Every tick the venue has used, in 10^-4: 0.1, 0.01, 0.005, 0.0025, 0.001, 0.0001."""


def is_valid_price(price_e4: int, tick_e4: int) -> bool:
    """Whether `tick <= price <= 1 - tick` and the price is a whole number of ticks."""
    return tick_e4 <= price_e4 <= E4 - tick_e4 and price_e4 % tick_e4 == 0


def clamp_price(numerator: int, denominator: int, tick_e4: int, rounding: Rounding) -> int:
    """The price `numerator/denominator` (in 10^-4) on the grid, clamped to `[tick, 1 - tick]`."""
    price_e4 = div(numerator, denominator * tick_e4, rounding) * tick_e4
    return min(max(price_e4, tick_e4), E4 - tick_e4)


def limit_amounts(side: Side, qty_e6: int, price_e4: int) -> tuple[int, int]:
    """`(maker_amount, taker_amount)` of a limit order in 10^-6 units; the size floors to 0.01."""
    qty = floor_lot_e6(qty_e6)
    collateral = notional_e6(price_e4, qty, FLOOR)
    return (collateral, qty) if side is BUY else (qty, collateral)


def gate_min(qty_e6: int, price_e4: int, qty_min_e6: int, notional_min_e6: int) -> int:
    """`qty_e6`, or 0 when it is below the minimum size or notional: a size is never rounded up."""
    if qty_e6 < qty_min_e6 or price_e4 * qty_e6 < notional_min_e6 * E4:
        return 0
    return qty_e6


def cent_lot_e6(price_e4: int) -> int:
    """Size step of a FAK or FOK buy: the smallest whose cost is a whole cent (0.37 -> 1 share)."""
    return LOT_E6 * (E4 // gcd(price_e4, E4))


def quote_round(
    bid_e6: int | None,
    ask_e6: int | None,
    *,
    best_bid_e4: int | None,
    best_ask_e4: int | None,
    tick_e4: int,
) -> tuple[int | None, int | None]:
    """A raw bid and ask (10^-6) as post-only prices on the grid (10^-4); None is a side not quoted.

    Bid down and ask up to the tick, each at least one tick inside the opposite best so that it can
    never cross, and our own bid below our own ask.
    """
    tick_e6 = tick_e4 * 100
    bid = None if bid_e6 is None else div(bid_e6, tick_e6, FLOOR) * tick_e4
    ask = None if ask_e6 is None else div(ask_e6, tick_e6, CEIL) * tick_e4
    if bid is not None and best_ask_e4 is not None:
        bid = min(bid, best_ask_e4 - tick_e4)
    if ask is not None and best_bid_e4 is not None:
        ask = max(ask, best_bid_e4 + tick_e4)
    if ask is not None and not is_valid_price(ask, tick_e4):
        ask = None
    if bid is not None and ask is not None and bid >= ask:
        bid = ask - tick_e4
    if bid is not None and not is_valid_price(bid, tick_e4):
        bid = None
    return bid, ask
