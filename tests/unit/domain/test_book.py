"""The book: best prices, levels, the touch of two mirrored books."""

from __future__ import annotations

import pytest

from polybawt.domain.book import Book, Touch
from polybawt.domain.ids import Side
from polybawt.domain.units import E6

BUY, SELL = Side.BUY, Side.SELL


def book(bids: list[tuple[int, int]], asks: list[tuple[int, int]], *, venue_ns: int = 1) -> Book:
    one = Book(100)
    one.replace(bids, asks)
    one.generation = 1
    one.venue_ns = venue_ns
    return one


def test_empty_book_has_no_best_and_no_levels() -> None:
    one = Book(100)
    assert (one.bid_e4, one.ask_e4, one.bid_qty_e6, one.ask_qty_e6) == (0, 10_000, 0, 0)
    assert not one.is_two_sided
    assert not one.is_crossed
    assert list(one.levels(BUY)) == list(one.levels(SELL)) == []
    assert one.generation == 0


def test_levels_come_best_first() -> None:
    one = book([(4_700, 2), (4_800, 1)], [(5_300, 4), (5_200, 3)])
    assert (one.bid_e4, one.ask_e4, one.bid_qty_e6, one.ask_qty_e6) == (4_800, 5_200, 1, 3)
    assert list(one.levels(BUY)) == [(4_800, 1), (4_700, 2)]
    assert list(one.levels(SELL)) == [(5_200, 3), (5_300, 4)]
    assert one.qty_at(BUY, 4_700) == 2
    assert one.qty_at(SELL, 4_700) == 0


@pytest.mark.parametrize(
    ("side", "price_e4", "qty_e6", "touched", "best"),
    [
        (BUY, 4_900, 5, True, (4_900, 5_200)),  # a better bid
        (BUY, 4_800, 5, True, (4_800, 5_200)),  # another quantity at the best
        (BUY, 4_700, 5, False, (4_800, 5_200)),  # behind the best
        (BUY, 4_700, 0, False, (4_800, 5_200)),  # removal behind the best
        (BUY, 4_800, 0, True, (4_600, 5_200)),  # the best goes: the next one with quantity
        (BUY, 5_000, 0, False, (4_800, 5_200)),  # removal of what is not there
        (SELL, 5_100, 5, True, (4_800, 5_100)),
        (SELL, 5_200, 5, True, (4_800, 5_200)),
        (SELL, 5_300, 5, False, (4_800, 5_200)),
        (SELL, 5_300, 0, False, (4_800, 5_200)),
        (SELL, 5_200, 0, True, (4_800, 5_400)),
        (SELL, 5_000, 0, False, (4_800, 5_200)),
    ],
)
def test_one_change(
    side: Side, price_e4: int, qty_e6: int, touched: bool, best: tuple[int, int]
) -> None:
    one = book([(4_800, 1), (4_600, 1)], [(5_200, 1), (5_400, 1)])
    assert one.change(side, price_e4, qty_e6) is touched
    assert (one.bid_e4, one.ask_e4) == best
    assert one.qty_at(side, price_e4) == qty_e6


def test_side_that_loses_its_last_level_is_empty() -> None:
    one = book([(4_800, 1)], [(5_200, 1)])
    one.change(BUY, 4_800, 0)
    one.change(SELL, 5_200, 0)
    assert (one.bid_e4, one.ask_e4, one.is_two_sided) == (0, 10_000, False)


@pytest.mark.parametrize(("ask_e4", "crossed"), [(4_800, True), (4_700, True), (4_900, False)])
def test_locked_or_crossed(ask_e4: int, crossed: bool) -> None:
    assert book([(4_800, 1)], [(ask_e4, 1)]).is_crossed is crossed


def test_off_grid_price_is_an_error_and_leaves_an_empty_book() -> None:
    one = book([(4_800, 1)], [(5_200, 1)])
    with pytest.raises(KeyError):
        one.change(BUY, 4_801, 1)
    assert (one.bid_e4, one.ask_e4) == (4_800, 5_200)
    with pytest.raises(ValueError, match="not on the grid of 100"):
        one.qty_at(BUY, 4_801)
    for bids, asks in (([(4_700, 1), (4_801, 1)], []), ([(4_700, 1)], [(5_300, 1), (5_201, 1)])):
        with pytest.raises(KeyError):
            one.replace(bids, asks)
        assert (one.bid_e4, one.ask_e4, one.qty_at(BUY, 4_700), one.qty_at(SELL, 5_300)) == (
            0,
            10_000,
            0,
            0,
        )


def test_finer_tick_keeps_every_level() -> None:
    one = book([(4_800, 1), (4_700, 2)], [(5_200, 3)])
    one.refine(10)
    assert list(one.levels(BUY)) == [(4_800, 1), (4_700, 2)]
    assert list(one.levels(SELL)) == [(5_200, 3)]
    one.change(BUY, 4_810, 7)
    assert (one.bid_e4, one.bid_qty_e6) == (4_810, 7)


def test_coarser_or_same_tick_keeps_the_grid() -> None:
    one = Book(10)
    one.change(BUY, 4_810, 7)
    for tick_e4 in (10, 100):
        one.refine(tick_e4)
        assert one.qty_at(BUY, 4_810) == 7


def test_ticks_that_do_not_divide_each_other_meet_on_a_common_grid() -> None:
    one = Book(25)
    one.change(BUY, 4_825, 7)
    one.refine(10)
    one.change(SELL, 5_010, 1)
    assert (one.bid_e4, one.ask_e4) == (4_825, 5_010)


UP = [(4_800, 7)], [(5_200, 3)]
DOWN = [(4_700, 2)], [(5_100, 5)]  # in Up's prices: bid 4,900 of 5, ask 5,300 of 2


@pytest.mark.parametrize(
    ("up_ns", "down_ns", "has_up", "has_down", "expected"),
    [
        (2, 1, True, True, (4_800, 7, 5_200, 3)),
        (1, 1, True, True, (4_800, 7, 5_200, 3)),
        (1, 2, True, True, (4_900, 5, 5_300, 2)),
        (1, 2, True, False, (4_800, 7, 5_200, 3)),
        (2, 1, False, True, (4_900, 5, 5_300, 2)),
    ],
)
def test_touch_is_the_fresher_book_in_ups_prices(
    up_ns: int, down_ns: int, has_up: bool, has_down: bool, expected: tuple[int, int, int, int]
) -> None:
    up, down = book(*UP, venue_ns=up_ns), book(*DOWN, venue_ns=down_ns)
    up.generation, down.generation = int(has_up), int(has_down)
    touch = Touch(up, down)
    assert (touch.bid_e4, touch.bid_qty_e6, touch.ask_e4, touch.ask_qty_e6) == expected
    assert touch.is_two_sided
    assert not touch.is_crossed


def test_touch_of_a_one_sided_or_crossed_book() -> None:
    empty = Book(100)
    one_sided = Touch(book([(4_800, E6)], []), empty)
    assert (one_sided.ask_e4, one_sided.is_two_sided, one_sided.is_crossed) == (
        10_000,
        False,
        False,
    )
    assert Touch(book([(4_800, E6)], [(4_800, E6)]), empty).is_crossed
