"""Performance statistics against the published vectors, and their domains."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polybawt.research.stats import (
    Drawdown,
    Number,
    ReturnSums,
    dsr,
    expected_max_sharpe,
    max_drawdown,
    pbo,
    psr,
    trade_stats,
    trades_needed,
)

VECTORS = Path(__file__).parents[2] / "vectors" / "11_backtest.json"


def _number(value: Any) -> Any:
    if isinstance(value, list):
        return [_number(item) for item in value]
    return Decimal(value) if isinstance(value, str) else value


def _pbo(**inputs: Any) -> dict[str, Any]:
    result = pbo(**inputs)
    return {"pbo": result.pbo, "logit_args": list(result.ranks)}


ADAPTERS: dict[str, Callable[..., Any]] = {
    "trade_stats": lambda returns: trade_stats(returns)._asdict(),
    "max_drawdown": lambda equity: max_drawdown(equity)._asdict(),
    "psr": psr,
    "expected_max_sharpe": expected_max_sharpe,
    "dsr": dsr,
    "pbo": _pbo,
    "trades_needed": trades_needed,
}


def _rows() -> list[Any]:
    rows = json.loads(VECTORS.read_text())["rows"]
    return [pytest.param(row, id=row["id"]) for row in rows if row["fn"] in ADAPTERS]


def _assert_close(got: Any, expected: Any, tolerance: dict[str, Any]) -> None:
    if isinstance(expected, dict):
        assert set(got) == set(expected)
        for key, value in expected.items():
            _assert_close(got[key], value, tolerance)
    elif isinstance(expected, list):
        assert len(got) == len(expected)
        for one, other in zip(got, expected, strict=True):
            _assert_close(one, other, tolerance)
    elif expected is None:
        assert got is None
    else:
        want, have = Fraction(str(expected)), Fraction(str(got))
        slack = max(
            Fraction(str(tolerance.get("abs", 0))),
            Fraction(str(tolerance.get("rel", 0))) * abs(want),
        )
        assert abs(have - want) <= slack, f"{got} is not {expected}"


def test_every_function_has_vectors() -> None:
    assert {row.values[0]["fn"] for row in _rows()} == set(ADAPTERS)


@pytest.mark.parametrize("row", _rows())
def test_vector(row: dict[str, Any]) -> None:
    inputs = {key: _number(value) for key, value in row["inputs"].items()}
    call = ADAPTERS[row["fn"]]
    _assert_close(call(**inputs), row["expected"], row["tolerance"])


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: trade_stats([]), "at least 2"),
        (lambda: trade_stats([1]), "at least 2"),
        (lambda: trade_stats([1.0, math.nan]), "not a finite number"),
        (lambda: trade_stats([Decimal("Infinity"), Decimal(1)]), "not a finite number"),
        (lambda: max_drawdown([]), "at least one point"),
        (lambda: max_drawdown([1.0, math.inf]), "not a finite number"),
        (lambda: psr(0.1, 0, 1, 0, 3), "at least 2 returns"),
        (lambda: psr(math.nan, 0, 10, 0, 3), "not a finite number"),
        (lambda: psr(2, 0, 10, 2, 1), "no positive variance"),
        (lambda: expected_max_sharpe(-1, 10), "must not be negative"),
        (lambda: expected_max_sharpe(1, -1), "must not be negative"),
        (lambda: expected_max_sharpe(math.inf, 10), "not a finite number"),
        (lambda: dsr(0.1, 1, 0, 3, variance=1, trials=5), "at least 2 returns"),
        (lambda: pbo([[1, 2]] * 4, 3), "an even number"),
        (lambda: pbo([[1, 2]] * 4, 0), "an even number"),
        (lambda: pbo([[1, 2]] * 3, 4), "do not fill"),
        (lambda: pbo([], 2), "do not fill"),
        (lambda: pbo([[1], [2]], 2), "at least 2"),
        (lambda: pbo([[1, 2], [1]], 2), "same number of variants"),
        (lambda: pbo([[1, math.nan], [1, 2]], 2), "not a finite number"),
        (lambda: trades_needed(0, 1, 2), "must not be 0"),
        (lambda: trades_needed(1, -1, 2), "not negative"),
        (lambda: trades_needed(1, 1, 0), "positive"),
        (lambda: trades_needed(math.nan, 1, 2), "not a finite number"),
    ],
)
def test_outside_the_domain_raises(call: Callable[[], object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        call()


def test_no_answer_is_none() -> None:
    flat = trade_stats([2, 2, 2])
    assert (flat.sd, flat.sharpe, flat.skew, flat.kurt) == (0, None, None, None)
    assert flat.profit_factor is None


def test_a_peak_below_zero_has_no_relative_drawdown() -> None:
    assert max_drawdown([-10, -30]) == Drawdown(Fraction(20), Fraction(0))


def test_a_losing_mean_needs_as_many_windows_as_a_winning_one() -> None:
    assert trades_needed(-0.01, 0.5, 1.96) == 9604


def test_fewer_than_two_trials_expect_nothing() -> None:
    assert expected_max_sharpe(1, 1) == expected_max_sharpe(1, 0) == 0


def test_trailing_rows_are_dropped() -> None:
    matrix = [[1, 2], [2, 1], [1, 3], [4, 0]]
    assert pbo([*matrix, [1000, -1000]], 4) == pbo(matrix, 4)


def test_ties_in_sample_take_the_lowest_index_and_the_average_rank() -> None:
    assert pbo([[1, 1, 1], [1, 1, 1]], 2).ranks == (Fraction(1, 2), Fraction(1, 2))


@given(st.lists(st.integers(-(10**9), 10**9), min_size=2, max_size=40))
def test_power_sums_agree_with_the_textbook(values: list[int]) -> None:
    got = trade_stats(values)
    assert got.mean == pytest.approx(fmean(values), abs=1e-6)
    assert got.sd == pytest.approx(stdev(values), rel=1e-9)
    shuffled = ReturnSums()
    numbers: list[Number] = [*reversed(values)]
    for value in numbers:
        shuffled.add(value)
    assert shuffled.stats() == got


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=40))
def test_drawdown_is_the_largest_fall(values: list[int]) -> None:
    falls = [a - b for i, a in enumerate(values) for b in values[i:]]
    assert max_drawdown(values).absolute == max(falls)
