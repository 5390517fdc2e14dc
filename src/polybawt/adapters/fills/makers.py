"""Fills of resting orders: by public trades, by the book through them, by displayed decreases."""

from __future__ import annotations

from polybawt.adapters.fills.market import FLIP, Match, SimMarket
from polybawt.adapters.fills.order import NOT_DISPLAYED, UNKNOWN_AHEAD_E6, SimOrder
from polybawt.adapters.fills.queue import decrease_fill, print_fill, queue_shrink
from polybawt.domain.events import TradePrinted
from polybawt.domain.ids import BUY, DOWN, SELL, Side
from polybawt.domain.units import E4, floor_lot_e6


def match_prints(market: SimMarket, prints: list[TradePrinted]) -> list[Match]:
    """Fills of resting orders by public trades, best price first, then first come.

    One match printed for both tokens of a batch counts once, and so does a frame that repeats the
    last prints to the stamp; a quantity that filled one of our orders is gone for the next.
    """
    matches: list[Match] = []
    if prints == market.last_prints:
        return matches
    market.last_prints = prints
    for price_e4, qty_e6, taker, venue_ns in _unified(prints):
        sign = 1 if taker is BUY else -1
        exposed = [o for o in market.resting if o.side is not taker and o.rest_e6]
        for order in sorted(exposed, key=lambda o: (sign * o.price_e4, o.seq)):
            filled_e6 = _print_one(order, (price_e4, qty_e6, taker), venue_ns)
            if filled_e6:
                order.rest_e6 -= filled_e6
                qty_e6 -= filled_e6
                matches.append((order, order.price_e4, filled_e6))
    return matches


def match_resting(market: SimMarket) -> list[Match]:
    """Fills of resting orders by the book as it stands now.

    A crossed book is torn and proves nothing. Queue positions move only when the book did.
    """
    matches: list[Match] = []
    if market.book.is_crossed:
        return matches
    if market.queue_moved:
        market.queue_moved = False
        _move_queues(market, matches)
    bid_e4, ask_e4 = market.best_e4(BUY), market.best_e4(SELL)
    for order in market.resting:
        through = ask_e4 < order.price_e4 if order.side is BUY else bid_e4 > order.price_e4
        if through and order.rest_e6:
            matches.append((order, order.price_e4, order.rest_e6))
            order.rest_e6 = 0
    return matches


def _move_queues(market: SimMarket, matches: list[Match]) -> None:
    spent: dict[int, int] = {}
    for order in market.resting:
        key = 2 * order.price_e4 + order.side
        filled_e6 = _move_queue(market, order, spent.get(key, 0))
        if filled_e6:
            spent[key] = spent.get(key, 0) + filled_e6
            order.rest_e6 -= filled_e6
            matches.append((order, order.price_e4, filled_e6))


def _move_queue(market: SimMarket, order: SimOrder, spent_e6: int) -> int:
    """Bring one queue position up to the displayed book; what a decrease filled.

    `spent_e6` of the decrease already filled an earlier order of ours at this price.
    """
    was_e6, now_e6 = order.displayed_e6, market.displayed_e6(order)
    order.displayed_e6 = now_e6
    if now_e6 == NOT_DISPLAYED:
        return 0
    before_e6, filled_e6 = order.ahead_e6, 0
    if now_e6 < was_e6:
        explained_e6 = min(was_e6 - now_e6, order.printed_e6)
        order.printed_e6 -= explained_e6
        decrease_e6 = was_e6 - now_e6 - explained_e6 - spent_e6
        if market.config.queue == "power" and decrease_e6 > 0:
            back_e6 = max(0, was_e6 - explained_e6 - before_e6)
            filled_e6 = _apply_decrease(market, order, back_e6, decrease_e6)
    order.ahead_e6 = min(order.ahead_e6, now_e6)
    if before_e6 < UNKNOWN_AHEAD_E6:
        _credit(order, market.book.venue_ns, before_e6 - order.ahead_e6 + filled_e6)
    return filled_e6


def _apply_decrease(market: SimMarket, order: SimOrder, back_e6: int, decrease_e6: int) -> int:
    """The power law; where trades are printed, a decrease without one is cancels: no fill."""
    power = market.config.power
    if market.last_prints:
        order.ahead_e6 = queue_shrink(order.ahead_e6, back_e6, decrease_e6, power)
        return 0
    order.ahead_e6, filled_e6 = decrease_fill(
        order.ahead_e6, back_e6, decrease_e6, order.rest_e6, power
    )
    return filled_e6


def _credit(order: SimOrder, venue_ns: int, counted_e6: int) -> None:
    """Remember what the book already told, for a print of the same moment that follows it."""
    if order.credit_ns != venue_ns:
        order.credit_ns, order.credit_e6 = venue_ns, 0
    order.credit_e6 += counted_e6


def _print_one(order: SimOrder, one: tuple[int, int, Side], venue_ns: int) -> int:
    """Whole lots that one print fills of one order, after what the book already told of it."""
    price_e4, qty_e6, taker = one
    if price_e4 == order.price_e4:
        if venue_ns <= order.credit_ns:
            known_e6 = min(qty_e6, order.credit_e6)
            order.credit_e6 -= known_e6
            qty_e6 -= known_e6
        order.printed_e6 += qty_e6
    order.ahead_e6, filled_e6 = print_fill(
        order.side, order.price_e4, order.ahead_e6, order.rest_e6, (price_e4, qty_e6, taker)
    )
    return floor_lot_e6(filled_e6)


def _unified(prints: list[TradePrinted]) -> list[tuple[int, int, Side, int]]:
    """Prints in Up's prices; the mirror image of one already seen in the batch is dropped."""
    seen: tuple[dict[tuple[int, int, Side], int], ...] = ({}, {})
    kept: list[tuple[int, int, Side, int]] = []
    for event in prints:
        price_e4, side = event.price_e4, event.side
        if event.outcome is DOWN:
            price_e4, side = E4 - price_e4, FLIP[side]
        key = (price_e4, event.qty_e6, side)
        own, mirror = seen[event.outcome], seen[1 - event.outcome]
        own[key] = own.get(key, 0) + 1
        if own[key] > mirror.get(key, 0):
            kept.append((price_e4, event.qty_e6, side, event.venue_ns))
    return kept
