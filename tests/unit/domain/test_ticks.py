"""Grid, lots, minimums: what the venue accepts."""

from __future__ import annotations

from math import gcd

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polybawt.domain.ids import Side
from polybawt.domain.ticks import (
    TICKS_E4,
    cent_lot_e6,
    clamp_price,
    gate_min,
    is_valid_price,
    limit_amounts,
    quote_round,
)
from polybawt.domain.units import E4, E6, LOT_E6, Rounding

RAW = st.none() | st.integers(-200_000, 1_200_000)
TICK = st.sampled_from(TICKS_E4)


@pytest.mark.parametrize("tick_e4", TICKS_E4)
def test_valid_prices_are_the_grid_without_its_ends(tick_e4: int) -> None:
    valid = [price for price in range(-tick_e4, E4 + tick_e4) if is_valid_price(price, tick_e4)]
    assert valid == list(range(tick_e4, E4, tick_e4))


@pytest.mark.parametrize(
    ("price_e8", "rounding", "expected"),
    [
        (48_730_000, Rounding.FLOOR, 4_800),
        (48_730_000, Rounding.CEIL, 4_900),
        (48_500_000, Rounding.HALF_UP, 4_900),
        (48_500_000, Rounding.HALF_EVEN, 4_800),
        (99_990_000, Rounding.CEIL, 9_900),
        (10_000, Rounding.FLOOR, 100),
        (-10_000, Rounding.FLOOR, 100),
    ],
)
def test_clamp_price(price_e8: int, rounding: Rounding, expected: int) -> None:
    assert clamp_price(price_e8, E4, 100, rounding) == expected


@pytest.mark.parametrize(
    ("side", "qty_e6", "price_e4", "amounts"),
    [
        (Side.BUY, 7_130_000, 3_700, (2_638_100, 7_130_000)),
        (Side.SELL, 7_130_000, 3_700, (7_130_000, 2_638_100)),
        (Side.BUY, 7_139_999, 3_700, (2_638_100, 7_130_000)),  # the size floors to 0.01
        (Side.BUY, 9_999, 3_700, (0, 0)),
    ],
)
def test_limit_amounts(side: Side, qty_e6: int, price_e4: int, amounts: tuple[int, int]) -> None:
    assert limit_amounts(side, qty_e6, price_e4) == amounts


@pytest.mark.parametrize(
    ("qty_e6", "price_e4", "expected"),
    [
        (5 * E6, 2_000, 5 * E6),  # exactly the minimum and exactly 1 pUSD
        (5 * E6 - LOT_E6, 2_000, 0),
        (5 * E6, 1_900, 0),
        (100 * E6, 100, 100 * E6),
    ],
)
def test_below_a_minimum_nothing_is_left(qty_e6: int, price_e4: int, expected: int) -> None:
    assert gate_min(qty_e6, price_e4, 5 * E6, E6) == expected


@pytest.mark.parametrize(
    ("price_e4", "lot_e6"), [(5_000, 20_000), (3_700, E6), (3_330, 10 * E6), (1, 100 * E6)]
)
def test_cent_lot(price_e4: int, lot_e6: int) -> None:
    assert cent_lot_e6(price_e4) == lot_e6


@given(price_e4=st.integers(1, E4 - 1))
def test_cent_lot_is_the_smallest_that_costs_whole_cents(price_e4: int) -> None:
    lots = cent_lot_e6(price_e4) // LOT_E6
    assert lots * price_e4 % E4 == 0
    assert lots == E4 // gcd(price_e4, E4)


@given(data=st.data(), bid=RAW, ask=RAW, tick_e4=TICK)
def test_quote_round_against_its_rules(
    data: st.DataObject, bid: int | None, ask: int | None, tick_e4: int
) -> None:
    best = st.none() | st.integers(1, E4 // tick_e4 - 1).map(lambda n: n * tick_e4)
    best_bid, best_ask = data.draw(best), data.draw(best)
    got = quote_round(bid, ask, best_bid_e4=best_bid, best_ask_e4=best_ask, tick_e4=tick_e4)
    own_bid, own_ask = got
    if own_bid is not None:
        assert bid is not None
        assert is_valid_price(own_bid, tick_e4)
        assert own_bid * 100 <= bid
        assert best_ask is None or own_bid <= best_ask - tick_e4
    if own_ask is not None:
        assert ask is not None
        assert is_valid_price(own_ask, tick_e4)
        assert own_ask * 100 >= ask
        assert best_bid is None or own_ask >= best_bid + tick_e4
    if own_bid is not None and own_ask is not None:
        assert own_bid < own_ask


@given(bid=st.integers(1, 999_999), half=st.integers(1, 400_000), tick_e4=TICK)
def test_a_price_is_no_worse_than_the_tick_demands(bid: int, half: int, tick_e4: int) -> None:
    ask = bid + 2 * half
    own_bid, own_ask = quote_round(bid, ask, best_bid_e4=None, best_ask_e4=None, tick_e4=tick_e4)
    assert own_bid == (bid // (tick_e4 * 100) * tick_e4 or None)
    raw_ask_e4 = -(-ask // (tick_e4 * 100)) * tick_e4
    assert own_ask == (raw_ask_e4 if raw_ask_e4 < E4 else None)


@pytest.mark.parametrize(
    ("bid", "ask", "best_bid", "best_ask", "expected"),
    [
        (None, None, 4_800, 5_200, (None, None)),
        (487_300, None, 4_800, 5_200, (4_800, None)),
        (None, 512_700, 4_800, 5_200, (None, 5_200)),
        (9_999, 990_001, None, None, (None, None)),  # both leave the grid
        (530_000, 540_000, 4_800, 5_200, (5_100, 5_400)),  # never crosses the best ask
        (460_000, 470_000, 4_800, 5_200, (4_600, 4_900)),  # never crosses the best bid
        (510_000, 500_000, 4_500, 5_500, (4_900, 5_000)),  # own bid below own ask
        (20_000, 10_000, None, None, (None, 100)),  # no room for a bid below our ask
        (500_000, 600_000, None, 100, (None, 6_000)),  # no bid fits below the best ask
        (400_000, 500_000, 9_900, None, (4_000, None)),
    ],
)
def test_quote_round(
    bid: int | None,
    ask: int | None,
    best_bid: int | None,
    best_ask: int | None,
    expected: tuple[int | None, int | None],
) -> None:
    got = quote_round(bid, ask, best_bid_e4=best_bid, best_ask_e4=best_ask, tick_e4=100)
    assert got == expected
