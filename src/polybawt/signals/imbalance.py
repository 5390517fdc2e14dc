"""Prices and imbalance that a book shows by itself."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

from polybawt.domain.units import HALF_EVEN, div


def weighted_mid(bid_e4: int, bid_qty_e6: int, ask_e4: int, ask_qty_e6: int) -> tuple[int, int]:
    """Size-weighted mid `(ask*bid_size + bid*ask_size)/(bid_size+ask_size)` as a fraction of 10^-4.

    The plain mid when no size is known.
    """
    total = bid_qty_e6 + ask_qty_e6
    if total == 0:
        return bid_e4 + ask_e4, 2
    return ask_e4 * bid_qty_e6 + bid_e4 * ask_qty_e6, total


def weighted_mid_e6(bid_e4: int, bid_qty_e6: int, ask_e4: int, ask_qty_e6: int) -> int:
    """The weighted mid in 10^-6, half to even.

    That mirrors exactly: the value for Down is one minus the value for Up.
    """
    numerator, denominator = weighted_mid(bid_e4, bid_qty_e6, ask_e4, ask_qty_e6)
    return div(numerator * 100, denominator, HALF_EVEN)


def obi(
    bids: Sequence[tuple[float, float]], asks: Sequence[tuple[float, float]], k: int, decay: float
) -> float:
    """Order-book imbalance in [-1, 1] of the best `k` levels, weighted `e^(-decay*i)`; 0 if empty.

    Levels are (price, size), best first. In a mirrored book compute it on one token only.
    """
    bid = sum(size * exp(-decay * i) for i, (_, size) in enumerate(bids[:k]))
    ask = sum(size * exp(-decay * i) for i, (_, size) in enumerate(asks[:k]))
    return (bid - ask) / (bid + ask) if bid + ask else 0.0
