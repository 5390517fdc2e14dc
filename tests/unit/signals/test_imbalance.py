"""Weighted mid and imbalance."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polybawt.domain.units import E4, E6
from polybawt.signals.imbalance import obi, weighted_mid, weighted_mid_e6

PRICE, QTY = st.integers(0, E4), st.integers(0, 10**12)


@pytest.mark.parametrize(
    ("bid", "bid_qty", "ask", "ask_qty", "mid_e6"),
    [
        (4_900, 100, 5_100, 100, 500_000),
        (4_900, 100, 5_100, 40, 504_286),  # more is bid: closer to the ask
        (4_900, 40, 5_100, 100, 495_714),
        (4_900, 0, 5_100, 100, 490_000),
        (4_900, 0, 5_100, 0, 500_000),  # no size is known: the plain mid
        (4_900, 0, 5_000, 0, 495_000),
    ],
)
def test_weighted_mid(bid: int, bid_qty: int, ask: int, ask_qty: int, mid_e6: int) -> None:
    assert weighted_mid_e6(bid, bid_qty * E6, ask, ask_qty * E6) == mid_e6


@given(bid=PRICE, bid_qty=QTY, ask=PRICE, ask_qty=QTY)
def test_weighted_mid_lies_between_and_mirrors(
    bid: int, bid_qty: int, ask: int, ask_qty: int
) -> None:
    mid = weighted_mid_e6(bid, bid_qty, ask, ask_qty)
    assert min(bid, ask) * 100 <= mid <= max(bid, ask) * 100
    assert weighted_mid_e6(E4 - ask, ask_qty, E4 - bid, bid_qty) == E6 - mid
    exact = Fraction(*weighted_mid(bid, bid_qty, ask, ask_qty))
    assert abs(exact * 100 - mid) <= Fraction(1, 2)


def test_imbalance_of_nothing_is_none_and_of_one_side_is_full() -> None:
    assert obi([], [], 5, 0.5) == 0.0
    assert obi([(0.49, 0.0)], [(0.51, 0.0)], 5, 0.5) == 0.0
    assert obi([(0.49, 3.0)], [], 5, 0.5) == 1.0
    assert obi([], [(0.51, 3.0)], 5, 0.5) == -1.0


def test_imbalance_counts_the_best_k_levels_with_decay() -> None:
    bids, asks = [(0.49, 3.0), (0.48, 100.0)], [(0.51, 1.0), (0.52, 200.0)]
    assert obi(bids, asks, 1, 9.0) == 0.5
    assert obi(bids, asks, 2, 0.0) == pytest.approx((103 - 201) / 304)
    assert obi(bids, asks, 2, 50.0) == pytest.approx(0.5)
