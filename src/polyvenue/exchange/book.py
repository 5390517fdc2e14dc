"""One price axis with two sides; first come, first served at each price.

Prices of a side are kept with the best one last, as the venue shows them.
"""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator

from polyvenue.exchange.orders import Order


class Level:
    """The orders at one price, oldest first, and their quantity."""

    __slots__ = ("orders", "qty_e6")

    def __init__(self) -> None:
        self.orders: OrderedDict[str, Order] = OrderedDict()
        self.qty_e6 = 0


class BookSide:
    """All levels of one side. Keys are ranks: the price of a bid, minus the price of an ask."""

    __slots__ = ("levels", "ranks", "sign")

    def __init__(self, *, is_bid: bool) -> None:
        self.sign = 1 if is_bid else -1
        self.ranks: list[int] = []
        self.levels: dict[int, Level] = {}

    @property
    def best_e4(self) -> int | None:
        """Best price, or None when the side is empty."""
        return self.sign * self.ranks[-1] if self.ranks else None

    def qty_at(self, price_e4: int) -> int:
        """Quantity that rests at a price."""
        level = self.levels.get(price_e4)
        return level.qty_e6 if level else 0

    def add(self, order: Order) -> None:
        """Put an order last at its price."""
        price_e4 = order.book_price_e4
        level = self.levels.get(price_e4)
        if level is None:
            level = self.levels[price_e4] = Level()
            rank = self.sign * price_e4
            self.ranks.insert(bisect_left(self.ranks, rank), rank)
        level.orders[order.order_id] = order
        level.qty_e6 += order.remaining_e6

    def reduce(self, order: Order, qty_e6: int) -> None:
        """Take `qty_e6` of a resting order, before its remainder is lowered."""
        assert 0 < qty_e6 <= order.remaining_e6, "a maker gives at most what it has"
        level = self.levels[order.book_price_e4]
        level.qty_e6 -= qty_e6
        if qty_e6 == order.remaining_e6:
            del level.orders[order.order_id]
            self._drop_if_empty(order.book_price_e4, level)

    def remove(self, order: Order) -> None:
        """Take a resting order out of the book."""
        self.reduce(order, order.remaining_e6)

    def _drop_if_empty(self, price_e4: int, level: Level) -> None:
        if not level.orders:
            assert level.qty_e6 == 0, "an empty level has no quantity"
            del self.levels[price_e4]
            del self.ranks[bisect_left(self.ranks, self.sign * price_e4)]

    def best_first(self) -> Iterator[tuple[int, Level]]:
        """Levels from the best price on; the side must not change meanwhile."""
        for rank in reversed(self.ranks):
            yield self.sign * rank, self.levels[self.sign * rank]

    def rows(self) -> tuple[tuple[int, int], ...]:
        """(price, quantity) of every level, the best one last."""
        return tuple(
            (self.sign * rank, self.levels[self.sign * rank].qty_e6) for rank in self.ranks
        )

    def mirrored_rows(self, whole_e4: int) -> tuple[tuple[int, int], ...]:
        """The same levels as the other outcome sees them: at `whole_e4` minus the price."""
        return tuple((whole_e4 - price_e4, qty_e6) for price_e4, qty_e6 in self.rows())


class Book:
    """Bids and asks of one axis."""

    __slots__ = ("asks", "bids")

    def __init__(self) -> None:
        self.bids = BookSide(is_bid=True)
        self.asks = BookSide(is_bid=False)

    def side(self, *, is_bid: bool) -> BookSide:
        """The bids, or the asks."""
        return self.bids if is_bid else self.asks

    def crosses(self, *, is_bid: bool, price_e4: int) -> bool:
        """True when an order at this price would match at once."""
        best_e4 = self.side(is_bid=not is_bid).best_e4
        if best_e4 is None:
            return False
        return best_e4 <= price_e4 if is_bid else best_e4 >= price_e4
