"""What an order would match now: a plan made of the book, which it does not change.

Complementary: BUY against SELL of one token. Mint: BUY Up and BUY Down make a pair. Merge: SELL Up
and SELL Down dissolve one. On the unified book all three are a bid that meets an ask. The maker's
price holds, so the improvement is the taker's; at one price the oldest order comes first.
"""

import msgspec

from polyvenue.exchange.market import Market
from polyvenue.exchange.orders import Order, Side
from polyvenue.exchange.units import Rounding, cost_e6


class Taken(msgspec.Struct, frozen=True):
    """A part of a maker order. `cash_e6`: its maker's side of the money, `taker_cash_e6` ours."""

    maker: Order
    qty_e6: int
    cash_e6: int
    taker_cash_e6: int
    pairs_e6: int


class Match(msgspec.Struct, frozen=True):
    """All that is taken at one price; it becomes one trade. `price_e4` is that of our token."""

    book_price_e4: int
    price_e4: int
    qty_e6: int
    cash_e6: int
    fee_e6: int
    taken: tuple[Taken, ...]


class Plan(msgspec.Struct, frozen=True):
    """The matches of an order, best first. `is_short`: the wallet could not pay for more."""

    matches: tuple[Match, ...]
    is_short: bool

    @property
    def qty_e6(self) -> int:
        """Shares matched."""
        return sum(match.qty_e6 for match in self.matches)


def crosses(market: Market, order: Order) -> bool:
    """True when the order would match at once."""
    book = market.books[order.book]
    return book.crosses(is_bid=order.is_bid, price_e4=order.book_price_e4)


def walk(market: Market, order: Order, rounding: Rounding) -> list[Match]:
    """What the order meets within its limit, level by level from the best price."""
    matches: list[Match] = []
    left_e6 = order.remaining_e6
    for price_e4, level in market.books[order.book].side(is_bid=not order.is_bid).best_first():
        beyond = price_e4 > order.book_price_e4 if order.is_bid else price_e4 < order.book_price_e4
        if beyond or not left_e6:
            break
        taken: list[Taken] = []
        for maker in level.orders.values():
            qty_e6 = min(left_e6, maker.remaining_e6)
            taken.append(_take(order, maker, qty_e6))
            left_e6 -= qty_e6
            if not left_e6:
                break
        matches.append(_match(market, order, price_e4, taken, rounding))
    return matches


def _take(order: Order, maker: Order, qty_e6: int) -> Taken:
    """Split the money of one meeting. Each maker's side is floored, so its reserve covers it.

    A pair costs exactly 1, so in a mint or merge the taker's side is the rest of it.
    """
    cash_e6 = cost_e6(maker.price_e4, qty_e6, Rounding.FLOOR)
    if maker.request.side is not order.request.side:
        return Taken(maker, qty_e6, cash_e6, cash_e6, 0)
    pairs_e6 = qty_e6 if order.request.side is Side.BUY else -qty_e6
    return Taken(maker, qty_e6, cash_e6, qty_e6 - cash_e6, pairs_e6)


def _match(
    market: Market, order: Order, book_price_e4: int, taken: list[Taken], rounding: Rounding
) -> Match:
    price_e4 = market.own_price(order.outcome, book_price_e4)
    qty_e6 = sum(part.qty_e6 for part in taken)
    cash_e6 = sum(part.taker_cash_e6 for part in taken)
    fee_e6 = market.terms.fees.taker_fee_e6(qty_e6, price_e4, rounding)
    if order.request.side is Side.SELL:
        fee_e6 = min(fee_e6, cash_e6)
    return Match(book_price_e4, price_e4, qty_e6, cash_e6, fee_e6, tuple(taken))


def within(matches: list[Match], side: Side, budget_e6: int) -> Plan:
    """The matches that a wallet can pay for, in order: collateral of a BUY, shares of a SELL."""
    for number, match in enumerate(matches):
        budget_e6 -= match.cash_e6 + match.fee_e6 if side is Side.BUY else match.qty_e6
        if budget_e6 < 0:
            return Plan(tuple(matches[:number]), True)
    return Plan(tuple(matches), False)
