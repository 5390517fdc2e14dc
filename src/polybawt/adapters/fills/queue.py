"""Queue position of a resting order: pure functions on integer quantities (10^-6 shares).

Where a rounding is needed it goes against us: more stands ahead, less is filled.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import floor, isfinite

import msgspec

from polybawt.domain.ids import BUY, Side
from polybawt.domain.units import floor_lot_e6

Print = tuple[int, int, Side]
"""(price_e4, qty_e6, the taker's side)"""


class MakerFill(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A resting order after some prints: what still stands ahead, its rest, its fills in order."""

    ahead_e6: int
    rest_e6: int
    fills_e6: tuple[int, ...]


def print_fill(
    side: Side, limit_e4: int, ahead_e6: int, rest_e6: int, one: Print
) -> tuple[int, int]:
    """`(ahead, filled)` after one print, for an order that rests at `limit_e4`.

    A print at our price by the opposite side eats what stands ahead, then us; one through our price
    proves that nothing stands ahead and fills at most its quantity; every other print says nothing.
    """
    price_e4, qty_e6, taker = one
    if taker is side:
        return ahead_e6, 0
    beyond = limit_e4 - price_e4 if side is BUY else price_e4 - limit_e4
    if beyond < 0:
        return ahead_e6, 0
    if beyond > 0:
        return 0, min(qty_e6, rest_e6)
    eaten = min(ahead_e6, qty_e6)
    return ahead_e6 - eaten, min(qty_e6 - eaten, rest_e6)


def maker_fill(
    side: Side, limit_e4: int, ahead_e6: int, rest_e6: int, prints: Iterable[Print]
) -> MakerFill:
    """The fold of `print_fill` over a sequence of prints; it stops when nothing is left to fill.

    ValueError for a negative quantity.
    """
    if ahead_e6 < 0 or rest_e6 < 0:
        raise ValueError(f"ahead {ahead_e6}, rest {rest_e6} e-6: quantities are not negative")
    fills: list[int] = []
    for one in prints:
        if one[1] < 0:
            raise ValueError(f"print of {one[1]} e-6: quantities are not negative")
        ahead_e6, filled = print_fill(side, limit_e4, ahead_e6, rest_e6, one)
        if filled:
            fills.append(filled)
            rest_e6 -= filled
    return MakerFill(ahead_e6=ahead_e6, rest_e6=rest_e6, fills_e6=tuple(fills))


def queue_shrink(front_e6: int, back_e6: int, decrease_e6: int, power: float) -> int:
    """What is left in front when the displayed quantity falls by `decrease_e6` through cancels.

    The part behind us gives `back^n / (back^n + front^n)` of it, but never more than it has; the
    front gives the remainder, floored to 10^-6. ValueError outside the domain.
    """
    if front_e6 < 0 or back_e6 < 0 or decrease_e6 < 0 or not (isfinite(power) and power > 0):
        raise ValueError(
            f"front {front_e6}, back {back_e6}, decrease {decrease_e6} e-6, power {power}: "
            "quantities are not negative and the power is above 0"
        )
    if front_e6 == 0:
        return 0
    # A ratio above 10^9 leaves the front nothing to give and could overflow a float power.
    ratio = min(back_e6 / front_e6, 1e9)
    weight: float = ratio**power
    given = floor(decrease_e6 / (1.0 + weight))
    return max(0, front_e6 - max(given, decrease_e6 - back_e6))


def decrease_fill(
    ahead_e6: int, back_e6: int, decrease_e6: int, rest_e6: int, power: float
) -> tuple[int, int]:
    """`(ahead, filled)` when book-only data shows a decrease, under the power law.

    A decrease beyond what stood ahead is read as a trade that reached us and fills the excess in
    whole lots. That is the optimistic edge: it may have been a cancel behind us.
    """
    if decrease_e6 > ahead_e6:
        return 0, min(rest_e6, floor_lot_e6(decrease_e6 - ahead_e6))
    return queue_shrink(ahead_e6, back_e6, decrease_e6, power), 0
