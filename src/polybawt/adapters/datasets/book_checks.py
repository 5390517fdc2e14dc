"""What is wrong with a recorded book, if anything: such frames are set aside, never repaired."""

from __future__ import annotations

from math import gcd

from polybawt.domain.book import Level
from polybawt.domain.events import BookReplaced
from polybawt.domain.units import E4

CROSSED = "crossed"
TORN = "torn"
DUPLICATE = "duplicate"
STALE_SIDE = "stale_side"


def best(book: BookReplaced) -> tuple[int, int]:
    """Best bid and ask as in `Book`: 0 and 10,000 stand for an empty side."""
    bid_e4 = max(book.bids)[0] if book.bids else 0
    ask_e4 = min(book.asks)[0] if book.asks else E4
    return bid_e4, ask_e4


def is_crossed(book: BookReplaced) -> bool:
    """Bid at or above ask: no matching engine leaves such a book behind."""
    bid_e4, ask_e4 = best(book)
    return bid_e4 >= ask_e4


def is_crossed_pair(up: BookReplaced, down: BookReplaced) -> bool:
    """Both asks below 1 together, or both bids above 1: the same, seen across the faces."""
    (bid_up, ask_up), (bid_down, ask_down) = best(up), best(down)
    return ask_up + ask_down < E4 or bid_up + bid_down > E4


def is_mirror(up: BookReplaced, down: BookReplaced) -> bool:
    """Whether both faces show one book. Lists in the same direction mirror index by index."""
    return _mirrors(up.bids, down.asks) and _mirrors(up.asks, down.bids)


def _mirrors(levels: tuple[Level, ...], others: tuple[Level, ...]) -> bool:
    return len(levels) == len(others) and all(
        price + price_other == E4 and qty == qty_other
        for (price, qty), (price_other, qty_other) in zip(levels, others, strict=True)
    )


def finer_tick_e4(book: BookReplaced, tick_e4: int) -> int | None:
    """The tick, 0.001 or 0.0001, that prices off the grid of `tick_e4` prove; None if none is."""
    step_e4 = gcd(tick_e4, *[price for price, _ in book.bids], *[price for price, _ in book.asks])
    if step_e4 == tick_e4:
        return None
    return 10 if step_e4 % 10 == 0 else 1
