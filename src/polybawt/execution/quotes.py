"""Wanted quotes against living orders: what keeps its place, what goes, what is new.

An order keeps its queue place while its price is unchanged and its rest is near the wanted size. A
small price change of a young order is suppressed unless the old order carries more risk.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from polybawt.domain.ids import BUY, SELL, OrderId
from polybawt.domain.intents import Upkeep
from polybawt.domain.order import CANCEL_SENT, CANCELLABLE, Leg, Order
from polybawt.domain.units import PPM


class QuoteDiff(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Orders to cancel and legs to place; everything else stays as it is."""

    cancel: tuple[OrderId, ...]
    place: tuple[Leg, ...]


NO_CHANGE = QuoteDiff(cancel=(), place=())


def diff(
    wanted: Iterable[Leg], live: Iterable[Order], upkeep: Upkeep, tick_e4: int, now_ns: int
) -> QuoteDiff:
    """Compare the complete wanted set with a strategy's open orders in one market.

    A wanted leg is not placed while an order of its instrument and side must end first: one that
    nobody has answered yet (or two would rest where one was wanted), or a sale, whose tokens are
    free only when it is gone.
    """
    going = list(live)
    place = []
    for leg in wanted:
        for number, order in enumerate(going):
            if keeps_place(order, leg, upkeep, tick_e4, now_ns):
                del going[number]
                break
        else:
            if not any(_must_end_first(o) and _same_side(o.leg, leg) for o in going):
                place.append(leg)
    cancel = tuple([order.order_id for order in going if order.state in CANCELLABLE])
    return QuoteDiff(cancel=cancel, place=tuple(place)) if cancel or place else NO_CHANGE


def keeps_place(order: Order, leg: Leg, upkeep: Upkeep, tick_e4: int, now_ns: int) -> bool:
    """Whether a living order serves a wanted leg well enough to keep its place in the queue."""
    own = order.leg
    if own.instrument != leg.instrument or order.state is CANCEL_SENT:
        return False
    if own.side is not leg.side or own.post_only != leg.post_only or own.tif is not leg.tif:
        return False
    if abs(order.rest_e6 - leg.qty_e6) * PPM > leg.qty_e6 * upkeep.size_tol_ppm:
        return False
    if own.limit_e4 == leg.limit_e4:
        return True
    is_small = abs(own.limit_e4 - leg.limit_e4) < upkeep.ticks * tick_e4
    is_young = now_ns - order.created_ns < upkeep.within_ns
    is_riskier = own.limit_e4 > leg.limit_e4 if own.side is BUY else own.limit_e4 < leg.limit_e4
    return is_small and is_young and not is_riskier


def _same_side(one: Leg, two: Leg) -> bool:
    return one.instrument == two.instrument and one.side is two.side


def _must_end_first(order: Order) -> bool:
    is_answered = order.state in CANCELLABLE or order.state is CANCEL_SENT
    return order.leg.side is SELL or not is_answered
