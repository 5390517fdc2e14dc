"""One market at the simulated venue: the recorded book in Up's prices, and our orders on it."""

from __future__ import annotations

from polybawt.adapters.fills.config import FillConfig
from polybawt.adapters.fills.holdings import Holdings
from polybawt.adapters.fills.order import NOT_DISPLAYED, UNKNOWN_AHEAD_E6, SimOrder
from polybawt.domain.book import Book, Level
from polybawt.domain.errors import DecodeError
from polybawt.domain.events import BookChanged, BookReplaced, TradePrinted
from polybawt.domain.ids import BUY, DOWN, SELL, UP, Outcome, Side
from polybawt.domain.market import Market
from polybawt.domain.order import Tif
from polybawt.domain.units import E4, floor_lot_e6

Match = tuple[SimOrder, int, int]
"""(our order, price_e4 in the Up book, qty_e6)"""

FLIP = (SELL, BUY)
"""The opposite side, faster than the property in the frame path."""


class SimMarket:
    """Recorded book, the depth we took from it, and our resting and held orders.

    An event of either token changes the one book: a Down bid at `p` is an Up ask at `1 - p`. Our
    own orders are in no recorded quantity. Nothing here knows latency, money or the bot.
    """

    __slots__ = (
        "_own_ask_e4",
        "_own_bid_e4",
        "_own_levels",
        "book",
        "config",
        "held",
        "holdings",
        "is_active",
        "is_closed",
        "last_prints",
        "market",
        "payouts_ppm",
        "queue_moved",
        "resting",
        "taken",
        "tick_e4",
    )

    def __init__(self, market: Market, config: FillConfig) -> None:
        self.config = config
        self.market = market
        self.tick_e4 = market.tick_e4
        self.book = Book(market.tick_e4)
        self.resting: list[SimOrder] = []
        self.held: list[SimOrder] = []
        self.taken: dict[int, Level] = {}
        """By level: (displayed quantity it is true for, what we took of it)."""
        self.holdings = Holdings()
        self.last_prints: list[TradePrinted] = []
        self.is_active = False
        self.is_closed = False
        self.payouts_ppm: tuple[int, int] | None = None
        self._own_bid_e4, self._own_ask_e4 = 0, E4
        self._own_levels: frozenset[int] = frozenset()
        self.queue_moved = False

    # --- recorded data ---------------------------------------------------------------------------

    def change(self, event: BookChanged) -> bool:
        """Apply one level; whether our orders must be looked at when the frame is complete.

        A book without a snapshot stays unusable. DecodeError off the grid.
        """
        book = self.book
        if not book.generation:
            return False
        side, price_e4 = event.side, event.price_e4
        if event.outcome:
            side, price_e4 = FLIP[side], E4 - price_e4
        try:
            book.change(side, price_e4, event.qty_e6)
        except KeyError:
            raise self._off_grid(event.price_e4) from None
        if not self.is_active:
            return 2 * price_e4 + side in self.taken
        book.venue_ns = event.venue_ns
        if 2 * price_e4 + side in self._own_levels:
            self.queue_moved = True
        return (
            book.ask_e4 < self._own_bid_e4
            or book.bid_e4 > self._own_ask_e4
            or self.queue_moved
            or bool(self.held)
            or 2 * price_e4 + side in self.taken
        )

    def replace(self, event: BookReplaced) -> bool:
        """Replace the whole book, whichever token it came for; as `change`."""
        bids, asks = event.bids, event.asks
        if event.outcome:
            bids, asks = (
                tuple((E4 - price_e4, qty_e6) for price_e4, qty_e6 in event.asks),
                tuple((E4 - price_e4, qty_e6) for price_e4, qty_e6 in event.bids),
            )
        book = self.book
        try:
            book.replace(bids, asks)
        except KeyError as error:
            raise self._off_grid(int(error.args[0])) from None
        book.generation = 1
        book.venue_ns = event.venue_ns
        self.queue_moved = True
        return self.is_active or bool(self.taken)

    def free_taken(self) -> None:
        """Forget what we took of levels whose displayed quantity the complete frame changed."""
        for key, (displayed_e6, _) in list(self.taken.items()):
            if self.book.qty_at(Side(key & 1), key >> 1) != displayed_e6:
                del self.taken[key]

    def refine(self, tick_e4: int) -> None:
        """The tick from now on; levels and what we took keep their meaning."""
        self.tick_e4 = tick_e4
        self.book.refine(tick_e4)

    def _off_grid(self, price_e4: int) -> DecodeError:
        return DecodeError(
            f"book of {self.market.slug}: price {price_e4} e-4 is off the grid of {self.tick_e4} "
            "e-4; a tick change is missing before it, or the frame must be set aside"
        )

    # --- what the book says ----------------------------------------------------------------------

    def open_e6(self, side: Side, price_e4: int, displayed_e6: int) -> int:
        """Whole lots of a displayed level that we did not take yet."""
        taken = self.taken.get(2 * price_e4 + side)
        return floor_lot_e6(displayed_e6 - taken[1] if taken else displayed_e6)

    def best_e4(self, side: Side) -> int:
        """Best price with something left for us; 0 or 10,000 if there is none."""
        if not self.taken:
            return self.book.ask_e4 if side else self.book.bid_e4
        for price_e4, qty_e6 in self.book.levels(side):
            if self.open_e6(side, price_e4, qty_e6):
                return price_e4
        return E4 if side else 0

    def is_marketable(self, order: SimOrder) -> bool:
        """Whether an order would match at once."""
        best_e4 = self.best_e4(FLIP[order.side])
        return 0 < best_e4 < E4 and order.reaches(best_e4)

    def crosses_own(self, order: SimOrder) -> bool:
        """Whether an order would meet another order of ours."""
        return any(
            other.side is not order.side and order.reaches(other.price_e4)
            for other in (*self.resting, *self.held)
        )

    def sellable_e6(self, outcome: Outcome) -> int:
        """Our tokens less open sell orders and merges under way."""
        selling_e6 = sum(
            order.rest_e6
            for order in (*self.resting, *self.held)
            if order.place.leg.side is SELL and order.outcome is outcome
        )
        return self.holdings.balances_e6[outcome] - self.holdings.merging_e6 - selling_e6

    @property
    def pairs_free_e6(self) -> int:
        """Pairs that a merge may use."""
        return min(self.sellable_e6(UP), self.sellable_e6(DOWN))

    @property
    def is_done(self) -> bool:
        """Resolved, and nothing of ours is open or worth anything: it may be forgotten."""
        if self.payouts_ppm is None or self.is_active or self.holdings.jobs:
            return False
        return not self.holdings.worth_e6(self.payouts_ppm)

    # --- our orders ------------------------------------------------------------------------------

    def hold(self, order: SimOrder) -> None:
        """Keep a marketable order until the first book after its hold."""
        self.held.append(order)
        self._index()

    def rest(self, order: SimOrder) -> None:
        """Join the end of the queue at the order's price."""
        displayed_e6 = self.displayed_e6(order)
        order.displayed_e6 = displayed_e6
        order.ahead_e6 = UNKNOWN_AHEAD_E6 if displayed_e6 == NOT_DISPLAYED else displayed_e6
        self.resting.append(order)
        self._index()

    def remove(self, order: SimOrder) -> None:
        """Take an order out of the market."""
        for orders in (self.resting, self.held):
            if order in orders:
                orders.remove(order)
        self._index()

    def _index(self) -> None:
        """What the frame path must know of our orders, so that it need not look at each."""
        bids = [o.price_e4 for o in self.resting if o.side is BUY]
        asks = [o.price_e4 for o in self.resting if o.side is SELL]
        self._own_bid_e4, self._own_ask_e4 = max(bids, default=0), min(asks, default=E4)
        self._own_levels = frozenset(2 * o.price_e4 + o.side for o in self.resting)
        self.is_active = bool(self.resting or self.held)

    def displayed_e6(self, order: SimOrder) -> int:
        """Displayed quantity at its price, or NOT_DISPLAYED beyond the worst level shown."""
        book, side, price_e4 = self.book, order.side, order.price_e4
        displayed_e6 = book.qty_at(side, price_e4)
        if displayed_e6:
            return displayed_e6
        for level_e4, _ in book.levels(side):
            if level_e4 >= price_e4 if side else level_e4 <= price_e4:
                return 0
        better = price_e4 <= book.ask_e4 if side else price_e4 >= book.bid_e4
        return 0 if better else NOT_DISPLAYED

    def take(self, order: SimOrder) -> list[Match]:
        """Match a taker against the standing book within its limit, best level first.

        A FOK that cannot be filled whole takes nothing. What is taken stays taken until the
        displayed quantity of that level changes.
        """
        side = FLIP[order.side]
        plan: list[Match] = []
        want_e6 = order.rest_e6
        for price_e4, qty_e6 in self.book.levels(side):
            if not order.reaches(price_e4) or not want_e6:
                break
            got_e6 = min(want_e6, self.open_e6(side, price_e4, qty_e6))
            if got_e6:
                plan.append((order, price_e4, got_e6))
                want_e6 -= got_e6
        if want_e6 and order.place.leg.tif is Tif.FOK:
            return []
        for _, price_e4, got_e6 in plan:
            key = 2 * price_e4 + side
            taken_e6 = self.taken[key][1] if key in self.taken else 0
            self.taken[key] = (self.book.qty_at(side, price_e4), taken_e6 + got_e6)
        order.rest_e6 = want_e6
        return plan
