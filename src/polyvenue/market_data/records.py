"""What the metadata routes and streams need to know of a market: small values, handed in.

The exchange fills them; nothing here looks at it. Prices e4, amounts e6, times Unix ns.
"""

from dataclasses import dataclass, field
from hashlib import sha1

import msgspec

from polyvenue.market_data.text import JsonObject, amount_text, ms_text, price_text
from polyvenue.market_data.windows import Window

# (price_e4, amount_e6)
Level = tuple[int, int]


@dataclass(frozen=True, slots=True)
class FeeRule:
    """Taker fee of a market: shares x rate x (p(1-p))^exponent; `rate_ppm` 70_000 is 0.07."""

    rate_ppm: int = 70_000
    exponent: int = 1
    rebate_ppm: int = 200_000


@dataclass(frozen=True, slots=True)
class MarketTerms:
    """What may differ from market to market. `hold` says marketable orders are held."""

    tick_e4: int = 100
    min_size_e6: int = 5_000_000
    fee: FeeRule = field(default_factory=FeeRule)
    neg_risk: bool = False
    hold: bool = True


@dataclass(frozen=True, slots=True)
class Quote:
    """The state of the Up token's book as Gamma shows it; None where a side is empty."""

    bid_e4: int | None = None
    ask_e4: int | None = None
    last_e4: int | None = None
    volume_e6: int = 0
    liquidity_e6: int = 0


@dataclass(frozen=True, slots=True)
class BookView:
    """One token's book, in any order of levels; `last_e4` is None before the first print."""

    condition_id: str
    token_id: str
    time_ns: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    tick_e4: int = 100
    min_size_e6: int = 5_000_000
    neg_risk: bool = False
    last_e4: int | None = None
    last_side: str = ""

    @property
    def best_bid_e4(self) -> int | None:
        """The highest bid."""
        return max((price for price, _ in self.bids), default=None)

    @property
    def best_ask_e4(self) -> int | None:
        """The lowest ask."""
        return min((price for price, _ in self.asks), default=None)


def levels_json(levels: tuple[Level, ...], *, descending: bool) -> list[JsonObject]:
    """Levels as the venue lists them: bids ascending, asks descending, the best one last."""
    return [
        {"price": price_text(price), "size": amount_text(amount)}
        for price, amount in sorted(levels, reverse=descending)
    ]


def last_text(price_e4: int | None) -> str:
    """The `last_trade_price` of a book: empty before the first print."""
    return "" if price_e4 is None else price_text(price_e4)


def book_json(book: BookView) -> JsonObject:
    """The part of a book that REST and stream share: ids, time, hash, levels."""
    return {
        "market": book.condition_id,
        "asset_id": book.token_id,
        "timestamp": ms_text(book.time_ns),
        "hash": book_hash(book),
        "bids": levels_json(book.bids, descending=False),
        "asks": levels_json(book.asks, descending=True),
    }


def book_hash(book: BookView) -> str:
    """40 hex digits of the book. The venue's algorithm is not published: do not depend on it."""
    content = [book.token_id, book.time_ns, sorted(book.bids), sorted(book.asks)]
    return sha1(msgspec.json.encode(content), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class MarketRecord:
    """A window with its terms and, once it is over, its outcome (0 Up, 1 Down).

    `accepts_until_ns` is when orders stop being taken; None means the end of the window (whether
    the venue takes some a little longer is UNVERIFIED).
    """

    window: Window
    terms: MarketTerms = field(default_factory=MarketTerms)
    winner: int | None = None
    accepts_until_ns: int | None = None

    def is_accepting(self, now_ns: int) -> bool:
        """True while orders are taken."""
        until_ns = self.accepts_until_ns
        until_ns = self.window.end_ns if until_ns is None else until_ns
        return self.window.accepting_ns <= now_ns < until_ns
