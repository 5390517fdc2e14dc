"""The book against a plain dictionary of levels."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from polybawt.domain.book import Book
from polybawt.domain.ids import Side
from polybawt.domain.units import E4

TICKS = (1000, 100, 50, 25, 10, 1)
Model = dict[tuple[Side, int], int]


def check(book: Book, model: Model) -> None:
    bids = sorted(
        ((p, q) for (side, p), q in model.items() if side is Side.BUY and q), reverse=True
    )
    asks = sorted((p, q) for (side, p), q in model.items() if side is Side.SELL and q)
    assert list(book.levels(Side.BUY)) == bids
    assert list(book.levels(Side.SELL)) == asks
    assert (book.bid_e4, book.bid_qty_e6) == (bids[0] if bids else (0, 0))
    assert (book.ask_e4, book.ask_qty_e6) == (asks[0] if asks else (E4, 0))
    assert book.is_two_sided == bool(bids and asks)
    assert book.is_crossed == bool(bids and asks and bids[0][0] >= asks[0][0])


def touch(book: Book) -> tuple[int, int, int, int]:
    return book.bid_e4, book.bid_qty_e6, book.ask_e4, book.ask_qty_e6


@given(data=st.data(), steps=st.integers(1, 40))
def test_book_is_a_dictionary_with_cached_best(data: st.DataObject, steps: int) -> None:
    step = data.draw(st.sampled_from(TICKS))
    book, model = Book(step), Model()
    side, qty = st.sampled_from(Side), st.integers(0, 3)
    for _ in range(steps):
        # A narrow band, so that levels meet; the ends are on the grid, so they are drawn too.
        middle = E4 // 2 // step
        near = range(max(1, middle - 4) * step, min(E4 // step - 1, middle + 4) * step + 1, step)
        price = st.sampled_from(near) | st.sampled_from((step, E4 - step))
        match data.draw(st.sampled_from(("change", "change", "change", "replace", "tick"))):
            case "change":
                one, price_e4, qty_e6 = data.draw(side), data.draw(price), data.draw(qty)
                before = touch(book)
                said = book.change(one, price_e4, qty_e6)
                model[one, price_e4] = qty_e6
                assert said or touch(book) == before, "a changed touch was not announced"
                assert book.qty_at(one, price_e4) == qty_e6
            case "replace":
                levels = st.lists(st.tuples(price, qty), max_size=5, unique_by=lambda x: x[0])
                bids, asks = data.draw(levels), data.draw(levels)
                book.replace(bids, asks)
                model = {(Side.BUY, p): q for p, q in bids} | {(Side.SELL, p): q for p, q in asks}
            case _:
                step = min(t for t in TICKS if t <= step) if data.draw(st.booleans()) else step
                tick = data.draw(st.sampled_from([t for t in TICKS if step % t == 0]))
                book.refine(tick)
                step = tick
        check(book, model)
