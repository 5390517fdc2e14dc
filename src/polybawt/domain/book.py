"""One token's order book as plain lists on the price grid with cached best prices.

The grid is tiny (101 to 1,001 prices), so lists with two cached indices beat any sorted structure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from math import gcd

from polybawt.domain.ids import BUY, SELL, Side
from polybawt.domain.units import E4

Level = tuple[int, int]
"""(price_e4, qty_e6)"""


@cache
def _grid(step_e4: int) -> dict[int, int]:
    """Price to list index for every price on a grid, shared by all books on it."""
    return {price: index for index, price in enumerate(range(0, E4 + 1, step_e4))}


class Book:
    """Bids and asks of one token. Unusable (`generation == 0`) before the first snapshot.

    `bid_e4` is 0 and `ask_e4` is 10,000 when that side is empty, which mirrors exactly: the bid of
    one token is 10,000 minus the ask of the other.
    """

    __slots__ = (
        "_ask_index",
        "_asks",
        "_bid_index",
        "_bids",
        "_index",
        "_step_e4",
        "ask_e4",
        "bid_e4",
        "generation",
        "recv_ns",
        "venue_ns",
    )

    def __init__(self, tick_e4: int) -> None:
        self._step_e4 = tick_e4
        self._index = _grid(tick_e4)
        self._clear()
        self.generation = 0
        self.recv_ns = 0
        self.venue_ns = 0

    def _clear(self) -> None:
        size = len(self._index)
        self._bids = [0] * size
        self._asks = [0] * size
        self._bid_index = 0
        self._ask_index = size - 1
        self.bid_e4 = 0
        self.ask_e4 = E4

    def refine(self, tick_e4: int) -> None:
        """Re-lay the levels on the common grid of both ticks; levels keep their meaning."""
        step = gcd(self._step_e4, tick_e4)
        if step == self._step_e4:
            return
        bids, asks = list(self.levels(BUY)), list(self.levels(SELL))
        self._step_e4 = step
        self._index = _grid(step)
        self.replace(bids, asks)

    def replace(self, bids: Iterable[Level], asks: Iterable[Level]) -> None:
        """Replace everything. KeyError for a price off the grid; the book is then empty."""
        self._clear()
        try:
            self._lay(bids, asks)
        except KeyError:
            self._clear()
            raise

    def _lay(self, bids: Iterable[Level], asks: Iterable[Level]) -> None:
        index = self._index
        best = 0
        for price_e4, qty_e6 in bids:
            i = index[price_e4]
            self._bids[i] = qty_e6
            if i > best and qty_e6:
                best = i
        self._bid_index = best
        self.bid_e4 = best * self._step_e4
        best = len(index) - 1
        for price_e4, qty_e6 in asks:
            i = index[price_e4]
            self._asks[i] = qty_e6
            if i < best and qty_e6:
                best = i
        self._ask_index = best
        self.ask_e4 = best * self._step_e4

    def change(self, side: Side, price_e4: int, qty_e6: int) -> bool:
        """Set one level to an absolute quantity (0 removes). True if the touch changed."""
        i = self._index[price_e4]
        if side:
            asks = self._asks
            asks[i] = qty_e6
            best = self._ask_index
            if i > best:
                return False
            if not qty_e6:
                if i < best:
                    return False
                last = len(asks) - 1
                while i < last and not asks[i]:
                    i += 1
            self._ask_index = i
            self.ask_e4 = i * self._step_e4
            return True
        bids = self._bids
        bids[i] = qty_e6
        best = self._bid_index
        if i < best:
            return False
        if not qty_e6:
            if i > best:
                return False
            while i and not bids[i]:
                i -= 1
        self._bid_index = i
        self.bid_e4 = i * self._step_e4
        return True

    @property
    def bid_qty_e6(self) -> int:
        """Quantity at the best bid, 0 if there is none."""
        return self._bids[self._bid_index]

    @property
    def ask_qty_e6(self) -> int:
        """Quantity at the best ask, 0 if there is none."""
        return self._asks[self._ask_index]

    @property
    def is_two_sided(self) -> bool:
        """Whether both a bid and an ask stand."""
        return self.bid_e4 > 0 and self.ask_e4 < E4

    @property
    def is_crossed(self) -> bool:
        """Crossed or locked: such a book is stale or torn, and no order is computed on it."""
        return self.is_two_sided and self.bid_e4 >= self.ask_e4

    def qty_at(self, side: Side, price_e4: int) -> int:
        """Displayed quantity at one price; ValueError for a price off the grid."""
        i = self._index.get(price_e4)
        if i is None:
            raise ValueError(f"price {price_e4} e-4 is not on the grid of {self._step_e4} e-4")
        return (self._asks if side else self._bids)[i]

    def levels(self, side: Side) -> Iterator[Level]:
        """Levels with quantity, best first."""
        step = self._step_e4
        if side:
            for i in range(self._ask_index, len(self._asks)):
                if self._asks[i]:
                    yield i * step, self._asks[i]
        else:
            for i in range(self._bid_index, -1, -1):
                if self._bids[i]:
                    yield i * step, self._bids[i]


class Touch:
    """The unified view of a market in Up's prices: the fresher token book, mirrored if Down.

    Up and Down are one book seen twice, so reading both would count every order twice, and joining
    the last values of two streams makes prices that never existed.
    """

    __slots__ = ("ask_e4", "ask_qty_e6", "bid_e4", "bid_qty_e6")

    def __init__(self, up: Book, down: Book) -> None:
        if up.generation and (up.venue_ns >= down.venue_ns or not down.generation):
            self.bid_e4, self.bid_qty_e6 = up.bid_e4, up._bids[up._bid_index]
            self.ask_e4, self.ask_qty_e6 = up.ask_e4, up._asks[up._ask_index]
        else:
            self.bid_e4, self.bid_qty_e6 = E4 - down.ask_e4, down.ask_qty_e6
            self.ask_e4, self.ask_qty_e6 = E4 - down.bid_e4, down.bid_qty_e6

    @property
    def is_two_sided(self) -> bool:
        """Whether both a bid and an ask stand."""
        return self.bid_e4 > 0 and self.ask_e4 < E4

    @property
    def is_crossed(self) -> bool:
        """Crossed or locked."""
        return 0 < self.bid_e4 >= self.ask_e4 < E4
