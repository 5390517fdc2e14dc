"""What the core knows: MarketState from market frames, disposable; AccountState, durable; the View.

AccountState (portfolio/account.py) never reads MarketState. `apply` folds one frame into both
halves and says which markets it touched; `note` counts our own actions.
"""

from __future__ import annotations

from collections.abc import Sequence

from polybawt.domain import events as ev
from polybawt.domain.actions import Action
from polybawt.domain.book import Book, Touch
from polybawt.domain.errors import DecodeError
from polybawt.domain.events import BookChanged, BookReplaced
from polybawt.domain.ids import Instrument, MarketId, Outcome, StrategyName
from polybawt.domain.market import SETTLED, Market, Phase
from polybawt.domain.order import Order
from polybawt.domain.units import E4, S_NS
from polybawt.portfolio.account import FACTS, AccountState, LiveMarket
from polybawt.portfolio.positions import Position
from polybawt.portfolio.settlement import Settlement

TIMER_AFTER_CLOSE_NS = S_NS
"""A timer still touches a market this long after its close, so that its end is seen."""


class Quotes:
    """The two books of one market, as received, and when anything was last heard of them."""

    __slots__ = ("down", "heard_ns", "source", "up")

    def __init__(self, tick_e4: int) -> None:
        self.up = Book(tick_e4)
        self.down = Book(tick_e4)
        self.heard_ns = 0
        self.source = ""


class MarketState:
    """Books of the live markets and when each connection last spoke."""

    __slots__ = ("books", "heard_ns")

    def __init__(self) -> None:
        self.books: dict[MarketId, Quotes] = {}
        self.heard_ns: dict[str, int] = {}


class State:
    """Both halves, and the fold of a frame into them."""

    __slots__ = (
        "account",
        "account_changed",
        "cutoff_ns",
        "market",
        "now_ns",
        "settlement",
        "touched",
    )

    def __init__(self, account: AccountState, cutoff_ns: int) -> None:
        self.account = account
        self.market = MarketState()
        self.settlement = Settlement()
        self.cutoff_ns = cutoff_ns
        self.now_ns = 0
        self.touched: dict[MarketId, None] = {}
        """Markets whose decision inputs changed in this frame, in order of first touch."""
        self.account_changed = False

    def apply(self, batch: ev.Batch) -> None:  # noqa: C901 (one flat dispatch: hot)
        """Apply all changes of one frame. Nothing is decided before the last of them."""
        if self.touched:
            self.touched.clear()
        self.account_changed = False
        now_ns, source = batch.now_ns, batch.source
        self.now_ns = now_ns
        market = self.market
        market.heard_ns[source] = now_ns
        for event in batch.events:
            if type(event) is BookChanged:  # written out here: nearly every event is one
                quotes = market.books.get(event.market_id)
                if quotes is None:
                    continue
                quotes.heard_ns = now_ns
                quotes.source = source
                book = quotes.down if event.outcome else quotes.up
                book.venue_ns = event.venue_ns
                try:
                    is_moved = book.change(event.side, event.price_e4, event.qty_e6)
                except KeyError:
                    raise off_grid(event.market_id, event.price_e4) from None
                if is_moved and book.generation:
                    self.touched[event.market_id] = None
            elif type(event) is BookReplaced:
                self._book_replaced(event, source)
            elif type(event) is ev.TimerFired:
                self._timer_fired()
            elif type(event) is ev.OracleReported:
                self.settlement.report(event)
            elif type(event) is ev.BoundaryFixed:
                self.settlement.fix(event)
            elif type(event) in FACTS:
                self._fact(event)

    def _fact(self, event: ev.Event) -> None:
        """A fact of the account; a listing and a tick change concern the books as well."""
        books = self.market.books
        market_id = self.account.apply(event)
        self.account_changed = True
        if market_id is not None:
            self.touched[market_id] = None
        if isinstance(event, ev.OperatorCommanded):
            # A halt withdraws every order now, and what it held back goes on after it.
            self.touched.update(dict.fromkeys(self.account.markets))
        elif isinstance(event, ev.MarketListed):
            books.setdefault(event.market.market_id, Quotes(event.market.tick_e4))
            self.settlement.follow(event.market)
        elif isinstance(event, ev.TickChanged) and event.market_id in books:
            books[event.market_id].up.refine(event.tick_e4)
            books[event.market_id].down.refine(event.tick_e4)

    def _timer_fired(self) -> None:
        """Time alone touches what it can change: markets not yet over, and those with orders."""
        account = self.account
        for market_id, live in account.markets.items():
            is_over = live.market.close_ns + TIMER_AFTER_CLOSE_NS < self.now_ns
            is_pending = live.payouts_ppm is not None or account.orders.has_open(market_id)
            if is_pending or not is_over:
                self.touched[market_id] = None

    def _book_replaced(self, event: BookReplaced, source: str) -> None:
        quotes = self.market.books.get(event.market_id)
        if quotes is None:
            return
        book = quotes.down if event.outcome else quotes.up
        book.venue_ns = event.venue_ns
        quotes.heard_ns = self.now_ns
        quotes.source = source
        try:
            book.replace(event.bids, event.asks)
        except KeyError as error:
            raise off_grid(event.market_id, error.args[0]) from None
        book.generation = book.generation or 1
        self.touched[event.market_id] = None

    def note(self, action: Action) -> None:
        """Count one of our actions before the next intent is reviewed."""
        self.account.note(action, self.now_ns)

    def drop(self, market_id: MarketId) -> None:
        """Forget a finished market in both halves."""
        self.account.drop(market_id)
        self.settlement.drop(market_id)
        self.market.books.pop(market_id, None)

    def view(self, market_id: MarketId, strategy: StrategyName) -> View:
        """What a strategy may see of one market."""
        return View(self, self.account.markets[market_id], self.market.books[market_id], strategy)


def off_grid(market_id: MarketId, price_e4: int) -> DecodeError:
    """The one-line error for a price that the market's grid does not have."""
    return DecodeError(
        f"market {market_id}: price {price_e4 / E4} is not on the market's tick grid; "
        "a tick change must come before the first finer price"
    )


class View:
    """One market as one strategy sees it: read only, valid for the frame that it was made in."""

    __slots__ = ("_live", "_quotes", "_state", "_touch", "now_ns", "strategy")

    def __init__(
        self, state: State, live: LiveMarket, quotes: Quotes, strategy: StrategyName
    ) -> None:
        self._state = state
        self._live = live
        self._quotes = quotes
        self.strategy = strategy
        self.now_ns = state.now_ns
        self._touch: Touch | None = None

    @property
    def market(self) -> Market:
        """The market as listed."""
        return self._live.market

    @property
    def tick_e4(self) -> int:
        """The tick in force."""
        return self._live.tick_e4

    @property
    def phase(self) -> Phase:
        """Where the window stands; SETTLED once its resolution is booked."""
        if self._live.payouts_ppm is not None:
            return SETTLED
        return self._live.market.phase(self.now_ns, self._state.cutoff_ns)

    @property
    def left_ns(self) -> int:
        """Time until the window closes."""
        return self._live.market.close_ns - self.now_ns

    def book(self, outcome: Outcome) -> Book:
        """A token's book as received."""
        return self._quotes.down if outcome else self._quotes.up

    @property
    def touch(self) -> Touch | None:
        """The unified best prices in Up's terms, None before the first snapshot of either token."""
        if self._touch is None:
            up, down = self._quotes.up, self._quotes.down
            if up.generation or down.generation:
                self._touch = Touch(up, down)
        return self._touch

    @property
    def book_age_ns(self) -> int:
        """Time since this market's books were last heard of."""
        return self.now_ns - self._quotes.heard_ns

    @property
    def feed_age_ns(self) -> int:
        """Time since the connection that brings this market's books said anything at all."""
        return self.now_ns - self._state.market.heard_ns.get(self._quotes.source, 0)

    def instrument(self, outcome: Outcome) -> Instrument:
        """The instrument of one outcome."""
        return self._live.instrument(outcome)

    @property
    def orders(self) -> tuple[Order, ...]:
        """The strategy's own open orders here, oldest first."""
        return self._state.account.open_orders(self._live.market.market_id, self.strategy)

    @property
    def history(self) -> Sequence[Order]:
        """The strategy's closed orders of this window, newest last, bounded."""
        closed = self._state.account.orders.closed_in(self.market.market_id)
        return [order for order in closed if order.strategy == self.strategy]

    @property
    def position(self) -> Position:
        """The strategy's own position here."""
        market_id = self._live.market.market_id
        return self._state.account.ledger.position(self.strategy, market_id)

    def held_e6(self, outcome: Outcome) -> int:
        """The strategy's confirmed tokens, less merges under way."""
        return self._state.account.held_e6(self.strategy, self._live, outcome)

    @property
    def is_job_due(self) -> bool:
        """Whether chain work may start: none is under way, none failed a moment ago."""
        return self._live.is_job_due(self.now_ns)

    @property
    def siblings(self) -> tuple[Market, ...]:
        """Other live markets of the same asset, in order of listing."""
        own = self.market
        return tuple(
            live.market
            for live in self._state.account.markets.values()
            if live.market.asset == own.asset and live.market is not own
        )
