"""One process: one level change and one read of both best prices, by kind of book."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable
from itertools import islice
from time import process_time_ns

from bench.product import TICK_E4
from bench.synthetic import LEVEL, Row, Walk, opening_levels
from bench.timing import report
from polybawt.domain.book import Book
from polybawt.domain.ids import Side
from polybawt.domain.units import E6

CHANGES = 20_000
ROUNDS = 9
Best = tuple[int, int]
"""(best bid, best ask) in 0.001"""


def changes() -> list[Row]:
    """The first level changes of the tape."""
    rows = (row for row in Walk(seed=3).rows() if row.kind == LEVEL)
    return list(islice(rows, CHANGES))


def ours(rows: list[Row]) -> Callable[[], Best]:
    """Lists on the grid with cached best prices."""
    bids, asks = (
        [(tick * TICK_E4, shares * E6) for tick, shares in side.items()]
        for side in opening_levels()
    )
    steps = [(Side(row.side), row.tick * TICK_E4, row.shares * E6) for row in rows]

    def side() -> Best:
        book = Book(TICK_E4)
        book.replace(bids, asks)
        change = book.change
        for own_side, price_e4, qty_e6 in steps:
            change(own_side, price_e4, qty_e6)
            best = (book.bid_e4, book.ask_e4)
        return best[0] // TICK_E4, best[1] // TICK_E4

    return side


def sorted_dict(rows: list[Row]) -> Callable[[], Best]:
    """The usual choice: two sorted maps."""
    from sortedcontainers import SortedDict

    steps = [(row.side, row.tick, row.shares) for row in rows]

    def side() -> Best:
        sides = tuple(SortedDict(levels) for levels in opening_levels())
        bids, asks = sides
        for own_side, tick, shares in steps:
            if shares:
                sides[own_side][tick] = shares
            else:
                sides[own_side].pop(tick, None)
            best = (bids.peekitem(-1)[0], asks.peekitem(0)[0])
        return best

    return side


def nautilus(rows: list[Row]) -> Callable[[], Best]:
    """The compiled book of nautilus_trader, its delta objects built beforehand."""
    from nautilus_trader.model.book import OrderBook
    from nautilus_trader.model.enums import BookType

    from bench.replay_nautilus import MARKET, delta

    opening = [
        delta(0, side, tick, shares)
        for side, levels in enumerate(opening_levels())
        for tick, shares in levels.items()
    ]
    deltas = [delta(0, row.side, row.tick, row.shares) for row in rows]

    def side() -> Best:
        book = OrderBook(MARKET, BookType.L2_MBP)
        for level in opening:
            book.apply_delta(level)
        apply, bid, ask = book.apply_delta, book.best_bid_price, book.best_ask_price
        for change in deltas:
            apply(change)
            best = (bid(), ask())
        return round(float(best[0]) * 1000), round(float(best[1]) * 1000)

    return side


def measure() -> dict[str, float | str]:
    """Median ns per change and read, the sides taking turns; all must end at the same prices."""
    rows = changes()
    sides: dict[str, Callable[[], Best]] = {"ours": ours(rows)}
    missing: dict[str, float | str] = {}
    for name, make in (("sorted_dict", sorted_dict), ("nautilus", nautilus)):
        try:
            sides[name] = make(rows)
        except ModuleNotFoundError as error:
            missing[name] = f"{error.name} is not installed"
    ends = {name: side() for name, side in sides.items()}
    assert len(set(ends.values())) == 1, f"the books disagree: {ends}"
    seen: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, side in sides.items():
            gc.collect()
            start = process_time_ns()
            side()
            seen[name].append((process_time_ns() - start) / CHANGES)
    return {**{name: statistics.median(times) for name, times in seen.items()}, **missing}


if __name__ == "__main__":
    report(measure())
