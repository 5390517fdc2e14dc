"""Every row of the accounting vectors through the product's fold and mark."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from polybawt.domain.ids import Outcome
from polybawt.domain.units import E4, E6, E18, PPM, from_scaled, to_scaled
from polybawt.portfolio import ops
from polybawt.portfolio.lots import Method
from polybawt.portfolio.ops import Op
from polybawt.portfolio.pnl import liquidation_mark_e18, unrealized_e18, value_e18
from polybawt.portfolio.positions import fold

FILE = Path(__file__).parents[2] / "vectors" / "10_accounting.json"
ROWS: list[dict[str, Any]] = json.loads(FILE.read_text())["rows"]


def e6(text: str) -> int:
    return to_scaled(Decimal(text), E6, "amount")


def e4(text: str) -> int:
    return to_scaled(Decimal(text), E4, "price")


def op_of(name: str, *args: str) -> Op:
    """One row op as ours. YES is Up, NO is Down."""
    match name:
        case "buy" | "sell":
            outcome = Outcome.UP if args[0] == "YES" else Outcome.DOWN
            qty_e6, price_e4, rest = e6(args[1]), e4(args[2]), [e6(arg) for arg in args[3:]]
            make = ops.buy if name == "buy" else ops.sell
            return make(outcome, qty_e6, price_e4, *rest)
        case "split":
            return ops.split(e6(args[0]), *(to_scaled(Decimal(a), PPM, "alloc") for a in args[1:]))
        case "merge":
            return ops.merge(e6(args[0]))
        case "settle":
            up_ppm = to_scaled(Decimal(args[0]), PPM, "payoff")
            return ops.settle((up_ppm, PPM - up_ppm))
        case "rebate":
            return ops.rebate(e6(args[0]))
        case "deposit":
            return ops.deposit(e6(args[0]))
        case _:
            raise AssertionError(f"unknown op {name}")


def run_ledger(
    cash: str, method: str, ops: list[list[str]], mark: list[str] | None
) -> dict[str, Decimal]:
    """The vectors' `ledger`: opening cash is a deposit, a settled claim counts as cash."""
    position = fold([op_of(*row) for row in ops], Method(method))
    got_e18 = {
        "cash": (e6(cash) + position.cash_e6 + position.receivable_e6) * (E18 // E6),
        "yes": position.up_e6 * (E18 // E6),
        "no": position.down_e6 * (E18 // E6),
        "basis_yes": position.up_cost_e18,
        "basis_no": position.down_cost_e18,
        "realised": position.realized_e18,
        "fees": position.fees_e18,
        "rebates": position.rebates_e6 * (E18 // E6),
    }
    if mark is not None:
        worth_e18 = value_e18(position.up_e6, position.down_e6, e6(mark[0]), e6(mark[1]))
        got_e18["unrealised"] = unrealized_e18(position, worth_e18)
        got_e18["equity"] = got_e18["cash"] + worth_e18
        got_e18["total_pnl"] = got_e18["realised"] + got_e18["unrealised"]
        own_e6 = e6(cash) + position.deposits_e6
        assert got_e18["equity"] - own_e6 * (E18 // E6) == got_e18["total_pnl"]
    return {name: from_scaled(value, E18) for name, value in got_e18.items()}


def run_mark(yes: str, no: str, bid_yes: str | None, bid_no: str | None) -> Decimal:
    """The vectors' `liquidation_mark`."""
    bids = [0 if bid is None else e4(bid) for bid in (bid_yes, bid_no)]
    return from_scaled(liquidation_mark_e18(e6(yes), e6(no), bids[0], bids[1]), E18)


def test_the_file_has_rows_of_both_functions() -> None:
    assert {row["fn"] for row in ROWS} == {"ledger", "liquidation_mark"}
    assert len(ROWS) == 26


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_vector(row: dict[str, Any]) -> None:
    allowed = Decimal(str(row["tolerance"]["abs"]))
    if row["fn"] == "liquidation_mark":
        assert abs(run_mark(**row["inputs"]) - Decimal(row["expected"])) <= allowed
        return
    got = run_ledger(**row["inputs"])
    assert got.keys() == row["expected"].keys()
    for name, text in row["expected"].items():
        assert abs(got[name] - Decimal(text)) <= allowed, name
