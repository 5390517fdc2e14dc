"""What the commands print when all is well, and what no arguments do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from polybawt import __version__
from polybawt.cli import main
from tests.proofs.replays import SAMPLE
from tests.tapes import cut

KEYS = [
    "markets",
    "settled",
    "frames",
    "set_aside",
    "orders",
    "fills",
    "fees_e6",
    "opening_cash_e6",
    "realized_e6",
    "equity_e6",
    "identity_ok",
    "digest",
    "strategies",
]


def run(capsys: pytest.CaptureFixture[str], *args: str | Path) -> str:
    """What a good command prints; it says nothing on stderr."""
    assert main([str(one) for one in args]) == 0
    printed, said = capsys.readouterr()
    assert said == ""
    return printed


@pytest.fixture(scope="module")
def tape(repo_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short good recording."""
    return cut(repo_dir / SAMPLE, tmp_path_factory.mktemp("in") / "part.tape", 260)


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    printed = run(capsys, "--help")
    for word in ("backtest", "config", "version"):
        assert word in printed


def test_help_of_the_backtest_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    printed = run(capsys, "backtest", "--help")
    for name in ("data", "strategy", "profile", "queue", "seed", "json", "trace", "report"):
        assert f"--{name}" in printed
    assert "--assume-inferred" in printed


def test_no_arguments_print_the_help_and_fail(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    printed, said = capsys.readouterr()
    assert "Usage" in printed + said
    assert "Traceback" not in said


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "version") == f"polybawt {__version__}\n"


def test_the_configuration_shows_value_origin_and_meaning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tree: dict[str, Any] = json.loads(run(capsys, "config", "--json", "--profile", "original"))
    assert all({"value", "origin", "meaning"} <= set(row) for row in tree.values())
    assert all(row["meaning"] for row in tree.values())
    trigger = tree["strategies.spread_maker.spread_trigger_e4"]
    assert trigger["value"] == 500
    assert "original" in trigger["origin"]
    text = run(capsys, "config", "--profile", "original")
    assert [line.split()[0] for line in text.splitlines()] == list(tree)


def test_an_environment_variable_is_shown_as_the_origin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POLYBAWT__FILLS__SEED", "7")
    row = json.loads(run(capsys, "config", "--json"))["fills.seed"]
    assert row["value"] == 7
    assert "POLYBAWT__FILLS__SEED" in row["origin"]


def test_json_is_one_object_with_the_promised_keys(
    tape: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = run(capsys, "backtest", "--json", "--data", tape)
    assert printed.count("\n") == 1
    summary = json.loads(printed)
    assert list(summary) == KEYS
    assert summary["identity_ok"] is True
    for own in summary["strategies"].values():
        assert list(own) == KEYS


def test_json_is_the_same_with_a_report_and_a_trace(
    tape: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = run(capsys, "backtest", "--json", "--data", tape)
    trace, report = tmp_path / "t.jsonl", tmp_path / "r.html"
    args = ("--trace", trace, "--report", report)
    assert run(capsys, "backtest", "--json", "--data", tape, *args) == plain
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.html", "t.jsonl"]
    orders = sum(json.loads(line)["kind"] == "order" for line in trace.read_text().splitlines())
    assert orders == json.loads(plain)["orders"] > 0
    assert report.read_text("utf-8").lstrip().lower().startswith("<!doctype html>")


def test_a_strategy_named_twice_runs_once(tape: Path, capsys: pytest.CaptureFixture[str]) -> None:
    once = run(capsys, "backtest", "--json", "--data", tape, "--strategy", "spread_maker")
    args = ("--strategy", "spread_maker", "--strategy", "spread_maker")
    assert run(capsys, "backtest", "--json", "--data", tape, *args) == once


def test_the_text_tells_the_result_in_its_first_line(
    tape: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = json.loads(run(capsys, "backtest", "--json", "--data", tape))
    first, *rest = run(capsys, "backtest", "--data", tape).splitlines()
    made = summary["equity_e6"] - summary["opening_cash_e6"]
    assert (made < 0) == ("loss" in first.lower() or "lost" in first.lower())
    assert len(rest) == 4


def test_a_reader_that_leaves_early_is_no_error(repo_dir: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "polybawt", "config"],
        env=os.environ | {"PYTHONPATH": str(repo_dir / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=60), said) == (0, b"")


def test_a_report_named_json_is_the_same_figures_as_data(
    tmp_path: Path, tape: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "report.json"
    printed = run(capsys, "backtest", "--data", tape, "--json", "--report", target)
    report = json.loads(target.read_bytes())
    assert report["totals"]["summary"] == json.loads(printed)
    assert {"costs", "markouts", "refusals", "capital", "quality", "equity"} <= report.keys()
