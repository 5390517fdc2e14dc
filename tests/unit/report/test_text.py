"""Summary and terminal lines."""

from __future__ import annotations

import json

import msgspec
import pytest

from polybawt.report import words
from polybawt.report.model import Report
from polybawt.report.summary import Summary, encode
from polybawt.report.text import five_lines
from tests.unit.report.example import example

KEYS = [
    *("markets", "settled", "frames", "set_aside", "orders", "fills", "fees_e6"),
    *("opening_cash_e6", "realized_e6", "equity_e6", "identity_ok", "digest", "strategies"),
]


@pytest.fixture(scope="module")
def report() -> Report:
    return example(windows=2)


def with_summary(report: Report, **changes: object) -> Report:
    own = msgspec.structs.replace(report.totals.summary, **changes)
    totals = msgspec.structs.replace(report.totals, summary=own)
    return msgspec.structs.replace(report, totals=totals)


def test_the_summary_has_exactly_the_documented_keys() -> None:
    inner = Summary(orders=3, fees_e6=7)
    own = json.loads(encode(Summary(markets=1, strategies={"b": inner, "a": Summary()})))
    assert list(own) == KEYS
    assert list(own["strategies"]) == ["a", "b"]
    assert list(own["strategies"]["b"]) == KEYS
    assert (own["strategies"]["b"]["orders"], own["strategies"]["b"]["fees_e6"]) == (3, 7)
    assert b"\n" not in encode(Summary())


@pytest.mark.parametrize(
    ("result_e6", "start"),
    [
        (-12_340_000, "Lost 12.34 pUSD (1.23 % of opening cash) over 2 settled windows."),
        (12_340_000, "Made 12.34 pUSD (1.23 % of opening cash) over 2 settled windows."),
        (-1, "Lost 0.000001 pUSD"),
        (0, "Broke even at 0.00 pUSD"),
    ],
)
def test_the_first_line_says_what_was_made_or_lost(
    report: Report, result_e6: int, start: str
) -> None:
    opening_e6 = report.totals.summary.opening_cash_e6
    own = with_summary(report, equity_e6=opening_e6 + result_e6)
    assert five_lines(own)[0].startswith(start)


def test_five_plain_lines(report: Report) -> None:
    lines = five_lines(report)
    assert len(lines) == 5
    assert all("\n" not in line and "\x1b" not in line and line.isascii() for line in lines)
    assert "ledger exact" in lines[4]
    assert "LEDGER IDENTITY BROKEN" in five_lines(with_summary(report, identity_ok=False))[4]


def test_no_fill_is_said_so(report: Report) -> None:
    own = with_summary(report, equity_e6=report.totals.summary.opening_cash_e6)
    own = msgspec.structs.replace(own, windows_traded=0)
    assert five_lines(own)[0] == "Made and lost nothing: no order filled in 2 markets."


def test_windows_without_an_outcome_are_said_so(report: Report) -> None:
    own = msgspec.structs.replace(report, unsettled_traded=1)
    assert "1 settled window; 1 window without an outcome" in five_lines(own)[0]


def test_inferred_outcomes_are_said_so(report: Report) -> None:
    assert words.by_inference(report) is None
    own = msgspec.structs.replace(report, settled_by=(("inferred", 2, -3_000_000),))
    assert words.by_inference(own) == (
        "2 markets settled on an inferred outcome, which the venue never confirmed: "
        "-3.00 pUSD of the result."
    )


def test_evidence_names_the_windows_that_are_missing(report: Report) -> None:
    assert report.stats is not None
    few = msgspec.structs.replace(report.stats, n=10, needed=400)
    text = words.evidence(msgspec.structs.replace(report, stats=few))
    assert "not distinguishable from chance" in text
    assert "400 windows" in text
    many = msgspec.structs.replace(report.stats, n=500, needed=400)
    assert "different from zero" in words.evidence(msgspec.structs.replace(report, stats=many))
    assert "nothing can be said" in words.evidence(msgspec.structs.replace(report, stats=None))


@pytest.mark.parametrize(
    ("value_e6", "text"),
    [
        (0, "0.00"),
        (1_234_567_891, "1,234.57"),
        (-5_001, "-0.01"),
        (-4_900, "-0.0049"),
        (30, "0.000030"),
        (-1_000_000, "-1.00"),
    ],
)
def test_money(value_e6: int, text: str) -> None:
    assert words.pusd(value_e6) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (52_000_000, "e6", "52.00"),
        (4_850, "e4", "48.5 c"),
        (812_000_000, "ns", "812 ms"),
        (20_000, "ppm", "2.00 %"),
        (1_234, "", "1,234"),
    ],
)
def test_scaled_integers_are_shown_in_their_unit(value: int, unit: str, text: str) -> None:
    assert words.in_unit(value, unit) == text
