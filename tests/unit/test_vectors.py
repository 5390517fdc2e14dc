"""The vectors of the specification pass, and the runner that says so can fail."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.vectors.__main__ import main
from tests.vectors.adapter import FUNCTIONS
from tests.vectors.runner import is_close, judge, read

FOLDER = Path(__file__).parents[1] / "vectors"
ROWS = [row for file in sorted(FOLDER.glob("*.json")) for row in read(file)]


@pytest.mark.parametrize("fn", sorted(FUNCTIONS))
def test_every_row_of_a_function_passes(fn: str) -> None:
    rows = [row for row in ROWS if row["fn"] == fn]
    assert rows, "no row names this function"
    assert {row["id"]: judge(row) for row in rows} == {row["id"]: [] for row in rows}


def test_fees_and_accounting_have_product_code_for_every_row() -> None:
    whole = [r["fn"] for f in ("01_fees", "10_accounting") for r in read(FOLDER / f"{f}.json")]
    assert set(whole) <= set(FUNCTIONS)


def test_run_ends_with_the_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(FOLDER)]) == 0
    lines = capsys.readouterr().out.splitlines()
    known = sum(row["fn"] in FUNCTIONS for row in ROWS)
    assert lines[-1] == f"{known} passed, 0 failed"
    assert lines[-2] == f"{len(ROWS) - known} skipped"
    named = {m[1] for line in lines if (m := re.match(r"skipped (\w+): \d+ rows", line))}
    assert named == {row["fn"] for row in ROWS} - set(FUNCTIONS)


def row(fn: str, inputs: dict[str, Any], expected: object, **tolerance: object) -> dict[str, Any]:
    return {"id": "x", "fn": fn, "inputs": inputs, "expected": expected, "tolerance": tolerance}


MARK = {"yes": "100", "no": "60", "bid_yes": "0.4", "bid_no": None}
FEE = {"shares": "-1", "price": "0.5", "rate": "0.07", "exponent": 1, "rounding": "floor"}


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (row("liquidation_mark", MARK, "76.000001", abs="0"), "got 76"),
        (row("liquidation_mark", MARK, "76.1", rel=0.0001), "got 76"),
        (row("liquidation_mark", MARK, {"error": "ValueError"}), "expected ValueError"),
        (row("liquidation_mark", MARK, None), "expected None"),
        (row("liquidation_mark", MARK, ["76"]), "1 elements"),
        (row("liquidation_mark", {**MARK, "yes": "many"}, "76"), "raised ValueError"),
        (row("taker_fee", FEE, "0"), "raised ValueError"),
        (row("taker_fee", FEE, {"error": "KeyError"}), "raised ValueError"),
        (row("valid_price", {"price": "0.5", "tick": "0.01"}, "1"), "got True"),
        (row("max_drawdown", {"equity": ["1"]}, {"absolute": "0"}), "expected the keys"),
    ],
)
def test_wrong_row_fails(bad: dict[str, Any], says: str) -> None:
    (found,) = judge(bad)
    assert says in found


@pytest.mark.parametrize(
    ("got", "expected", "tolerance", "passes"),
    [
        (1.0005, "1", {"abs": "0.001"}, True),
        (1.0015, "1", {"abs": "0.001"}, False),
        (-1001, "-1000", {"rel": 0.001}, True),
        (1001.1, "1000", {"rel": 0.001}, False),
        (1001, "1000", {"rel": 0.001, "abs": "0"}, True),
        (1001, "1000", {}, False),
        (float("nan"), "1", {"abs": "9"}, False),
        ("UP", "UP", {}, True),
        ("UP", "DOWN", {"abs": "9"}, False),
        (True, True, {}, True),
        (1, True, {}, False),
        (True, "1", {}, False),
        ("Infinity", "1", {}, False),
    ],
)
def test_tolerance(got: object, expected: object, tolerance: dict[str, Any], passes: bool) -> None:
    assert is_close(got, expected, tolerance) is passes


def test_tolerance_of_a_field_counts_for_that_field_only() -> None:
    equity = {"equity": ["100", "90"]}
    wanted = {"absolute": "10.5", "relative": "0.1"}
    assert judge(row("max_drawdown", equity, wanted, abs=0, fields={"absolute": {"abs": 1}})) == []
    assert judge(row("max_drawdown", equity, wanted, abs=0, fields={"relative": {"abs": 1}})) != []


def test_failure_is_printed_and_exits_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        row("liquidation_mark", MARK, "76"),
        row("liquidation_mark", MARK, "77"),
        row("unheard_of", {}, "1"),
    ]
    (tmp_path / "a.json").write_text(json.dumps({"rows": rows}), "utf-8")
    assert main([str(tmp_path)]) == 1
    failed, skipped, count, last = capsys.readouterr().out.splitlines()
    assert failed == "FAILED a.json x liquidation_mark: result: got 76; expected 77"
    assert skipped == "skipped unheard_of: 1 rows, no product code yet"
    assert (count, last) == ("1 skipped", "1 passed, 1 failed")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"rows": 1}',
        '{"rows": [1]}',
        '{"rows": [{"id": "x"}]}',
        '{"rows": [{"id": "x", "fn": "kelly", "inputs": [], "expected": 1}]}',
        '{"rows": [{"id": "x", "fn": "kelly", "inputs": {}, "expected": 1, "tolerance": 1}]}',
        "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    ],
)
def test_bad_file_is_one_line_and_exits_2(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.json").write_text(text, "latin-1")
    assert main([str(tmp_path)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert "a.json" in printed.err


def test_bad_folder_is_one_line_and_exits_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in ([str(tmp_path)], [str(tmp_path / "none")], ["a", "b"]):
        assert main(arguments) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
