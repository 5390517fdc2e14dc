"""What the venue refuses at arrival, in the order in which it looks (docs/venue.md)."""

from __future__ import annotations

from polybawt.adapters.fills.market import SimMarket
from polybawt.adapters.fills.order import SimOrder
from polybawt.adapters.fills.record import Code
from polybawt.domain.ids import Side
from polybawt.domain.order import Tif
from polybawt.domain.ticks import cent_lot_e6, is_valid_price
from polybawt.domain.units import E4, LOT_E6, S_NS

GTD_LEAD_NS = 180 * S_NS
"""A GTD must expire at least this long after it arrives."""


def refuse(market: SimMarket, order: SimOrder, now_ns: int) -> Code | None:
    """Why the venue would not take this order now, or None."""
    if market.is_closed or now_ns >= market.market.close_ns:
        return Code.MARKET_CLOSED
    if not market.book.generation:
        return Code.NO_BOOK
    code = _refuse_form(market, order, now_ns)
    if code:
        return code
    leg = order.place.leg
    if leg.side is Side.SELL and leg.qty_e6 > market.sellable_e6(order.outcome):
        return Code.NOT_ENOUGH_BALANCE
    if market.crosses_own(order):
        return Code.SELF_CROSS
    is_marketable = market.is_marketable(order)
    if leg.post_only:
        return Code.POST_ONLY_CROSS if is_marketable else None
    return _refuse_marketable(market, order) if is_marketable or order.is_immediate else None


def _refuse_form(market: SimMarket, order: SimOrder, now_ns: int) -> Code | None:
    leg = order.place.leg
    if not is_valid_price(leg.limit_e4, market.tick_e4):
        return Code.PRICE_OFF_TICK
    if leg.qty_e6 % LOT_E6:
        return Code.SIZE_OFF_LOT
    if leg.qty_e6 < market.market.qty_min_e6:
        return Code.SIZE_BELOW_MIN
    if leg.post_only and order.is_immediate:
        return Code.INVALID_POST_ONLY
    if leg.tif is Tif.GTD and leg.expires_ns < now_ns + GTD_LEAD_NS:
        return Code.INVALID_EXPIRATION
    return None


def _refuse_marketable(market: SimMarket, order: SimOrder) -> Code | None:
    """Marketable buys need a minimum notional; FAK and FOK buys cost a whole number of cents."""
    leg = order.place.leg
    if leg.side is not Side.BUY:
        return None
    if leg.limit_e4 * leg.qty_e6 < market.market.notional_min_e6 * E4:
        return Code.NOTIONAL_BELOW_MIN
    if order.is_immediate and leg.qty_e6 % cent_lot_e6(leg.limit_e4):
        return Code.CENT_RULE
    return None
