"""A market: its terms, its life, and its books.

With `cross_outcome_match` both outcomes share one book on the axis of Up prices: a bid for Up at p
is an ask for Down at 1 - p. Without it each outcome has a book of its own and neither mint nor
merge happens. That is NOT how the venue works, so such a market is labelled non-faithful.
"""

from enum import StrEnum

import msgspec

from polyvenue.exchange.book import Book
from polyvenue.exchange.events import BookSnapshot, LevelChange
from polyvenue.exchange.orders import Side
from polyvenue.exchange.units import E4, MS_NS, PPM, FeeTerms

PRICE_DECIMALS = {1000: 1, 100: 2, 50: 3, 25: 4, 10: 3, 1: 4}
"""Decimals of a price by tick; an amount has two more, a size always two."""
SIZE_DECIMALS = 2


class Phase(StrEnum):
    """Life of a market at the venue."""

    CREATED = "created"
    """Listed, but not yet ready to take orders."""
    TRADING = "trading"
    """Takes orders before its window."""
    OPEN = "open"
    ENDED = "ended"
    RESOLVED = "resolved"
    REMOVED = "removed"


class MarketTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What a market is. `token_ids` are Up and Down.

    `hold_ns`: how long a marketable order is held. `fail_ppm`: its own probability of failed
    settlements. `refine_e4`: when a trade prints at most this far from 0 or 1, the tick becomes
    `fine_tick_e4` for good (0: never; the venue's threshold is not documented).
    """

    market_id: str
    token_ids: tuple[str, str]
    tick_e4: int = 100
    min_size_e6: int = 5_000_000
    fees: FeeTerms = FeeTerms()
    hold_ns: int = 150 * MS_NS
    cross_outcome_match: bool = True
    fail_ppm: int | None = None
    refine_e4: int = 400
    fine_tick_e4: int = 10

    def __post_init__(self) -> None:
        """ValueError for terms that no market can have."""
        if self.token_ids[0] == self.token_ids[1]:
            raise ValueError(f"market {self.market_id}: Up and Down need different tokens")
        for tick_e4 in (self.tick_e4, self.fine_tick_e4):
            if tick_e4 not in PRICE_DECIMALS:
                raise ValueError(f"tick_e4 is {tick_e4}: one of {sorted(PRICE_DECIMALS)}")
        for name in ("min_size_e6", "hold_ns", "refine_e4"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}: at least 0")
        if self.fail_ppm is not None and not 0 <= self.fail_ppm <= PPM:
            raise ValueError(f"fail_ppm is {self.fail_ppm}: allowed are 0 to {PPM}")


class Market:
    """A market as it is now; only the exchange changes it."""

    def __init__(self, terms: MarketTerms, phase: Phase, listed_ns: int) -> None:
        self.terms = terms
        self.phase = phase
        self.listed_ns = listed_ns
        self.tick_e4 = terms.tick_e4
        self.hold_ns = terms.hold_ns
        self.payouts_ppm: tuple[int, int] | None = None
        self.last_e4: list[int | None] = [None, None]
        self.pool_e6 = 0
        """Collateral behind the shares of this market."""
        self.supply_e6 = [0, 0]
        self.books = (Book(),) if terms.cross_outcome_match else (Book(), Book())
        self.open_ids: dict[str, None] = {}
        """Resting and held orders, in order of arrival."""

    @property
    def market_id(self) -> str:
        """The condition id."""
        return self.terms.market_id

    @property
    def amount_decimals(self) -> int:
        """Decimals that a collateral amount may have on the present tick."""
        return PRICE_DECIMALS[self.tick_e4] + SIZE_DECIMALS

    def axis(self, outcome: int, side: Side, price_e4: int) -> tuple[int, bool, int]:
        """`(book, is_bid, book price)` of an order."""
        is_bid = side is Side.BUY
        if not self.terms.cross_outcome_match:
            return outcome, is_bid, price_e4
        return (0, is_bid, price_e4) if outcome == 0 else (0, not is_bid, E4 - price_e4)

    def own_price(self, outcome: int, book_price_e4: int) -> int:
        """A book price as this outcome sees it."""
        mirrored = self.terms.cross_outcome_match and outcome == 1
        return E4 - book_price_e4 if mirrored else book_price_e4

    def best(self, outcome: int) -> tuple[int | None, int | None]:
        """Best bid and ask of an outcome."""
        if not self.terms.cross_outcome_match or outcome == 0:
            book = self.books[outcome]
            return book.bids.best_e4, book.asks.best_e4
        bid_e4, ask_e4 = self.books[0].bids.best_e4, self.books[0].asks.best_e4
        return (
            None if ask_e4 is None else E4 - ask_e4,
            None if bid_e4 is None else E4 - bid_e4,
        )

    def snapshot(self, outcome: int, now_ns: int) -> BookSnapshot:
        """The whole book of an outcome."""
        if not self.terms.cross_outcome_match or outcome == 0:
            book = self.books[outcome]
            bids, asks = book.bids.rows(), book.asks.rows()
        else:
            bids = self.books[0].asks.mirrored_rows(E4)
            asks = self.books[0].bids.mirrored_rows(E4)
        return BookSnapshot(
            at_ns=now_ns,
            market_id=self.market_id,
            token_id=self.terms.token_ids[outcome],
            bids=bids,
            asks=asks,
            tick_e4=self.tick_e4,
            last_e4=self.last_e4[outcome],
        )

    def level_changes(self, book: int, *, is_bid: bool, price_e4: int) -> tuple[LevelChange, ...]:
        """The level as it is now, for each outcome that shows it."""
        qty_e6 = self.books[book].side(is_bid=is_bid).qty_at(price_e4)
        tokens = self.terms.token_ids
        own = LevelChange(tokens[book], is_bid, price_e4, qty_e6, *self.best(book))
        if not self.terms.cross_outcome_match:
            return (own,)
        return own, LevelChange(tokens[1], not is_bid, E4 - price_e4, qty_e6, *self.best(1))
