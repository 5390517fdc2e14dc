"""Runs of the command line, audited from outside; and proof that the auditor sees what is wrong."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest

from tests.audit import raw
from tests.audit.auditor import Line, audit, fee_e6, read_trace
from tests.audit.raw import Recording
from tests.tapes import cut

HERE = Path(__file__).parent
SAMPLE = Path("src", "polybawt", "data", "sample", "btc-15m.tape")
PART_FRAMES = 2_380
"""Two markets of the sample, both settled."""
MARKETS_5M = ("btc-updown-5m-1776083400", "btc-updown-5m-1776083700", "btc-updown-5m-1776084000")


@dataclass(frozen=True)
class Run:
    """What one run left behind."""

    recording: Recording
    lines: list[Line]
    summary: dict[str, Any]

    def audit(self, **options: Any) -> list[str]:
        return audit(self.recording, self.lines, self.summary, **options)


@pytest.fixture(scope="module")
def part(repo_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its first markets."""
    return cut(repo_dir / SAMPLE, tmp_path_factory.mktemp("part") / "part.tape", PART_FRAMES)


@pytest.fixture(scope="module")
def part_run(repo_dir: Path, part: Path) -> Run:
    """A short run to tamper with."""
    return backtest(repo_dir, raw.read_tape(part), part.parent, "--data", str(part))


def backtest(
    repo_dir: Path, recording: Recording, folder: Path, *args: str, script: Path | None = None
) -> Run:
    """Run the command line in a process of its own."""
    trace = folder / "trace.jsonl"
    entry = [str(script)] if script else ["-m", "polybawt"]
    done = subprocess.run(
        [sys.executable, *entry, "backtest", "--json", "--trace", str(trace), *args],
        env=os.environ | {"PYTHONPATH": str(repo_dir / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return Run(recording, read_trace(trace), json.loads(done.stdout))


# --- clean runs ----------------------------------------------------------------------------------


def test_the_auditor_shares_no_code_with_the_product() -> None:
    for name in ("auditor.py", "raw.py"):
        tree = ast.parse((HERE / name).read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0
                names = [node.module or ""]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            ours = [one for one in names if one.split(".")[0] in ("polybawt", "importlib")]
            assert not ours, f"{name} imports {ours}"
            tests = [one for one in names if one.split(".")[0] == "tests"]
            assert set(tests) <= {"tests.audit.raw"}, f"{name} imports {tests}"


def test_the_sample_adds_up(repo_dir: Path, tmp_path: Path) -> None:
    run = backtest(repo_dir, raw.read_tape(repo_dir / SAMPLE), tmp_path)
    assert run.audit() == []
    assert run.summary["fills"] >= 100
    assert run.summary["settled"] == 12


def test_a_part_adds_up_under_the_power_queue(repo_dir: Path, part: Path, tmp_path: Path) -> None:
    options = ["--data", str(part), "--queue", "power", "--seed", "9"]
    run = backtest(repo_dir, raw.read_tape(part), tmp_path, *options)
    assert run.audit(queue="power") == []
    assert run.summary["settled"] == 2


@pytest.mark.parametrize("only", [(), ("--strategy", "turmoil")], ids=["beside", "alone"])
def test_takers_conversions_and_several_strategies_add_up(
    repo_dir: Path, part: Path, tmp_path: Path, only: tuple[str, ...]
) -> None:
    options = ["--data", str(part), *only]
    script = HERE / "run_turmoil.py"
    run = backtest(repo_dir, raw.read_tape(part), tmp_path, *options, script=script)
    assert run.audit(takers={"turmoil"}) == []
    kinds = {(line["kind"], line["liquidity"], line["reason"]) for line in run.lines}
    assert {("conversion", None, "SPLIT"), ("conversion", None, "MERGE")} <= kinds
    assert {"MAKER", "TAKER"} <= {liquidity for _, liquidity, _ in kinds}
    assert {"FAK_NO_MATCH", "FOK_NOT_FILLED"} <= {reason for _, _, reason in kinds}
    assert len(run.summary["strategies"]) == (1 if only else 2)
    assert run.summary["fees_e6"] > 0


def test_the_recording_of_15_minutes_adds_up(
    repo_dir: Path, shared_dir: Path, tmp_path: Path
) -> None:
    folder = shared_dir / "data" / "pm15m-btc-l2-top20"
    run = backtest(repo_dir, raw.read_15m(folder), tmp_path, "--data", str(folder))
    assert run.audit() == []
    assert run.summary["fills"] >= 100


@pytest.mark.parametrize("assume", [False, True], ids=["open", "inferred"])
def test_markets_of_5_minutes_add_up(
    repo_dir: Path, shared_dir: Path, tmp_path: Path, assume: bool
) -> None:
    data = tmp_path / "data"
    cut_5m(shared_dir / "data" / "pm5m-btc-l2-book", data)
    recording = raw.read_5m(data, assume_inferred=assume)
    options = ["--assume-inferred-outcomes"] if assume else []
    run = backtest(repo_dir, recording, tmp_path, "--data", str(data), *options)
    assert run.audit() == []
    assert run.summary["fills"] > 0
    assert run.summary["settled"] == (3 if assume else 0)


def cut_5m(source: Path, folder: Path) -> None:
    """A few markets of the recording."""
    folder.mkdir()
    header, *rows = (source / "index.csv").read_text("utf-8").splitlines()
    kept = [row for row in rows if row.split(",")[1] in MARKETS_5M]
    (folder / "index.csv").write_text("\n".join([header, *kept]) + "\n")
    for slug in MARKETS_5M:
        copyfile(source / f"{slug}.jsonl.xz", folder / f"{slug}.jsonl.xz")


def test_every_market_of_the_oracle_recording_settles_to_its_payout(
    repo_dir: Path, shared_dir: Path, tmp_path: Path
) -> None:
    folder = shared_dir / "data" / "pm5m-chainlink-settlement"
    run = backtest(repo_dir, raw.read_settled(folder), tmp_path, "--data", str(folder))
    assert run.audit() == []
    assert run.summary["settled"] == 193


# --- the auditor bites ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("qty", "price", "fee"),
    [
        (100_000_000, 5_000, 1_750_000),
        (10_000_000, 5_300, 174_370),
        (6_000_000, 6_400, 96_770),
        (5_000_000, 100, 3_470),
        (50_000, 100, 30),
        (108_000_000, 3_600, 1_741_820),
        (10_000, 10, 0),
    ],
)
def test_the_fee_formula_is_the_published_one(qty: int, price: int, fee: int) -> None:
    assert fee_e6(qty, price) == fee


Tamper = Callable[[list[Line]], None]


def first(kind: str, change: Callable[[Line], Any], **where: Any) -> Tamper:
    """Change the first line of a kind that has these values."""

    def tamper(lines: list[Line]) -> None:
        for line in lines:
            if line["kind"] == kind and all(line[key] == value for key, value in where.items()):
                change(line)
                return
        raise AssertionError(f"no such {kind}")

    return tamper


def without(kind: str, number: int = 0, **where: Any) -> Tamper:
    """Drop one line."""

    def tamper(lines: list[Line]) -> None:
        found = [
            index
            for index, line in enumerate(lines)
            if line["kind"] == kind and all(line[key] == value for key, value in where.items())
        ]
        del lines[found[number]]

    return tamper


def shift(key: str, by: int) -> Callable[[Line], Any]:
    """Move one figure."""
    return lambda line: line.update({key: line[key] + by})


def flip_payout(line: Line) -> None:
    """Pay the loser."""
    price = 10_000 - line["price_e4"]
    line.update(price_e4=price, cash_e6=line["qty_e6"] * price // 10_000)


def cheaper(line: Line) -> None:
    """A better price with cash that fits it."""
    line.update(price_e4=line["price_e4"] - 100, cash_e6=line["cash_e6"] + line["qty_e6"] // 100)


def twice(lines: list[Line]) -> None:
    """The first fill again."""
    index = next(index for index, line in enumerate(lines) if line["kind"] == "fill")
    lines.insert(index + 1, dict(lines[index]))


CASES: list[tuple[str, Tamper, str]] = [
    ("fee one more", first("fill", shift("fee_e6", 1)), "fee is 1, not 0"),
    ("fee on a conversion", first("conversion", shift("fee_e6", 10)), "fee is 10, not 0"),
    ("cash one more", first("fill", shift("cash_e6", 1)), "cash"),
    ("cash of a merge", first("conversion", shift("cash_e6", -1)), "cash"),
    ("cash of a cancel", first("cancel", shift("cash_e6", 1)), "cancel"),
    ("a fill missing", without("fill"), "ends 0 times"),
    ("a fill twice", twice, "is booked twice"),
    ("a fill at a better price", first("fill", cheaper, side="BUY"), "its limit is another"),
    ("a fill larger than its order", first("fill", shift("qty_e6", 10_000)), "filled"),
    ("a fill before its book", first("fill", shift("ts_ns", -1)), "when no book was recorded"),
    ("a fill of a taker", first("fill", lambda x: x.update(liquidity="TAKER")), "fee is 0"),
    ("an order missing", without("order"), "which was never placed"),
    ("an order decided late", first("order", shift("decided_ns", 1_000 * 10**9)), "last 5 s"),
    ("an order too quick", first("order", shift("arrived_ns", -20_000_000)), "order delay"),
    ("an order that knew a later frame", first("order", shift("frame_seq", 9)), "not yet received"),
    ("an order priced off the grid", first("order", shift("price_e4", 5)), "on no grid"),
    ("a cancel missing", without("cancel"), "without a cancel that arrived then"),
    ("an end missing", without("close"), "ends 0 times"),
    ("an end with another rest", first("close", shift("qty_e6", -10_000)), "left"),
    ("a settlement missing", without("settlement"), "0 settlements"),
    ("a payout swapped", first("settlement", flip_payout), "officially"),
    ("a settlement early", first("settlement", shift("ts_ns", -(10**9))), "before its resolution"),
    ("a settlement of more tokens", first("settlement", shift("qty_e6", 10_000)), "held"),
    ("a merge missing", without("conversion"), "held"),
    (
        "a crossing order accepted",
        first(
            "close",
            lambda x: x.update(state="CANCELLED", reason="BY_USER"),
            reason="POST_ONLY_CROSS",
        ),
        "accepted although the book at its arrival crossed it",
    ),
    (
        "a resting order rejected",
        first(
            "close",
            lambda x: x.update(state="REJECTED", reason="POST_ONLY_CROSS"),
            reason="BY_USER",
        ),
        "no book at its arrival says so",
    ),
    ("inferred evidence", first("settlement", lambda x: x.update(state="INFERRED")), "evidence"),
]


@pytest.mark.parametrize(("tamper", "found"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_the_auditor_catches_one_wrong_line(part_run: Run, tamper: Tamper, found: str) -> None:
    lines = [dict(line) for line in part_run.lines]
    tamper(lines)
    findings = audit(part_run.recording, lines, part_run.summary)
    assert any(found in finding for finding in findings), findings[:5]


def test_the_auditor_catches_a_crossed_order_that_did_not_fill(part_run: Run) -> None:
    lines = [dict(line) for line in part_run.lines]
    fill = next(line for line in lines if line["kind"] == "fill")
    lines.remove(fill)
    order = next(line for line in lines if line["order_id"] == fill["order_id"])
    ended = fill | {"kind": "close", "ts_ns": fill["ts_ns"] + 1, "reason": "BY_USER"}
    lines.append(ended | {"qty_e6": order["qty_e6"], "cash_e6": 0, "state": "CANCELLED"})
    findings = audit(part_run.recording, lines, part_run.summary)
    assert any("rested through a book that crossed it" in finding for finding in findings)


@pytest.mark.parametrize(
    "key",
    [
        "markets",
        "settled",
        "frames",
        "set_aside",
        "orders",
        "fills",
        "fees_e6",
        "realized_e6",
        "equity_e6",
    ],
)
def test_the_auditor_catches_one_wrong_figure(part_run: Run, key: str) -> None:
    summary = part_run.summary | {key: part_run.summary[key] + 1}
    found = audit(part_run.recording, part_run.lines, summary)
    assert [finding.split(" is ")[0] for finding in found] == [f"run: {key}"]


@pytest.mark.parametrize("key", ["settled", "orders", "fills", "fees_e6", "equity_e6"])
def test_the_auditor_catches_one_wrong_figure_of_a_strategy(part_run: Run, key: str) -> None:
    (name, own), *_ = part_run.summary["strategies"].items()
    summary = part_run.summary | {"strategies": {name: own | {key: own[key] + 1}}}
    found = audit(part_run.recording, part_run.lines, summary)
    assert [finding.split(" is ")[0] for finding in found] == [f"{name}: {key}"]
