"""The queue models against the published vectors, row by row."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from polybawt.adapters.fills.queue import decrease_fill, maker_fill, queue_shrink
from polybawt.domain.ids import Side
from polybawt.domain.units import E4, E6, from_scaled, to_scaled

VECTORS = Path(__file__).parents[3] / "vectors" / "11_backtest.json"
ROWS = json.loads(VECTORS.read_text())["rows"]


def _rows(fn: str) -> list[Any]:
    rows = [row for row in ROWS if row["fn"] == fn]
    assert rows, f"no vectors for {fn}"
    return [pytest.param(row, id=row["id"]) for row in rows]


def _e6(text: str) -> int:
    return to_scaled(Decimal(text), E6, "quantity")


@pytest.mark.parametrize("row", _rows("maker_fill"))
def test_maker_fill_vector(row: dict[str, Any]) -> None:
    inputs = row["inputs"]
    prints = [
        (to_scaled(Decimal(price), E4, "price"), _e6(qty), Side[side])
        for price, qty, side in inputs["prints"]
    ]
    limit_e4 = to_scaled(Decimal(inputs["limit"]), E4, "limit")
    got = maker_fill(
        Side[inputs["side"]], limit_e4, _e6(inputs["ahead"]), _e6(inputs["remaining"]), prints
    )
    assert {
        "ahead": from_scaled(got.ahead_e6, E6),
        "remaining": from_scaled(got.rest_e6, E6),
        "fills": [from_scaled(fill, E6) for fill in got.fills_e6],
    } == {
        "ahead": Decimal(row["expected"]["ahead"]),
        "remaining": Decimal(row["expected"]["remaining"]),
        "fills": [Decimal(fill) for fill in row["expected"]["fills"]],
    }


@pytest.mark.parametrize("row", _rows("queue_shrink"))
def test_queue_shrink_vector(row: dict[str, Any]) -> None:
    inputs, tolerance = row["inputs"], row["tolerance"]
    got = queue_shrink(
        _e6(inputs["front"]),
        _e6(inputs["back"]),
        _e6(inputs["decrease"]),
        float(inputs["power"]),
    )
    bound = max(tolerance["abs"], tolerance["rel"] * abs(row["expected"]))
    assert abs(got / E6 - row["expected"]) <= bound


@pytest.mark.parametrize(
    ("front", "back", "decrease", "left"),
    [
        (100, 0, 30, 70),  # nobody behind: all of it came from the front
        (100, 300, 320, 68),  # a tenth of 320 comes from the front
        (10, 20, 29, 1),  # the law asks 24 of the back, which has only 20
        (1, 10**12, 30, 1),  # a long back gives everything
        (3, 3, 3, 2),  # half each is 1.5; floored to 1, so that more stays ahead
    ],
)
def test_queue_shrink_bounds(front: int, back: int, decrease: int, left: int) -> None:
    assert queue_shrink(front, back, decrease, 2.0) == left


@pytest.mark.parametrize(
    ("front", "back", "decrease", "power"),
    [(-1, 0, 0, 2.0), (0, -1, 0, 2.0), (0, 0, -1, 2.0), (1, 1, 1, 0.0), (1, 1, 1, float("nan"))],
)
def test_queue_shrink_refuses(front: int, back: int, decrease: int, power: float) -> None:
    with pytest.raises(ValueError, match="not negative"):
        queue_shrink(front, back, decrease, power)


def test_maker_fill_refuses_negative_quantities() -> None:
    with pytest.raises(ValueError, match="not negative"):
        maker_fill(Side.BUY, 5000, -1, 1, [])
    with pytest.raises(ValueError, match="not negative"):
        maker_fill(Side.BUY, 5000, 1, 1, [(5000, -1, Side.SELL)])


def test_a_decrease_beyond_what_stood_ahead_fills_the_excess_in_whole_lots() -> None:
    assert decrease_fill(100 * E6, 50 * E6, 130 * E6 + 5_000, 50 * E6, 2.0) == (0, 30 * E6)
    assert decrease_fill(100 * E6, 50 * E6, 130 * E6, 20 * E6, 2.0) == (0, 20 * E6)
    assert decrease_fill(100 * E6, 50 * E6, 30 * E6, 20 * E6, 2.0) == (76 * E6, 0)
