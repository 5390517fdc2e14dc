"""Bad input at the command line: one line, exit code 2, nothing printed, nothing left behind."""

from __future__ import annotations

import lzma
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from polybawt.cli import main
from tests.proofs.replays import SAMPLE
from tests.recordings import (
    OPEN_MS,
    START_5M,
    book_line,
    market_row,
    pair,
    write_5m,
    write_15m,
    write_oracle,
    write_tape,
)
from tests.tapes import cut

NAN = float("nan")
XZ = f"btc-updown-5m-{START_5M}.jsonl.xz"
Make = Callable[[Path], Any]


def books(*rows: Any, markets: list[dict[str, str]] | None = None, **types: str) -> Make:
    """A folder of 15-minute books."""
    return lambda folder: write_15m(folder, rows, markets, types)


def good(folder: Path) -> None:
    write_15m(folder, [row for n in range(400) for row in pair(OPEN_MS + n * 1000)])


def row(**changes: Any) -> Make:
    """Two hundred good seconds, then one row with a wrong value."""
    names = ("market_id", "ts", "side", "bid_px", "bid_sz", "ask_px", "ask_sz")
    late = dict(zip(names, pair(OPEN_MS + 200_000)[1], strict=True)) | changes
    before: list[Any] = [one for n in range(200) for one in pair(OPEN_MS + n * 1000)]
    return books(*before, tuple(late[name] for name in names))


def truncated(make: Make, name: str) -> Make:
    """The first part of a file of a good recording."""

    def case(folder: Path) -> None:
        make(folder)
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: len(data) * 2 // 3])

    return case


def xz_text(text: str) -> Make:
    """A 5-minute recording with this content."""

    def case(folder: Path) -> None:
        write_5m(folder, [book_line(START_5M)])
        (folder / XZ).write_bytes(lzma.compress(text.encode()))

    return case


def messages(*changes: dict[str, Any]) -> Make:
    """A 5-minute recording: good lines, then these."""
    first = [book_line(START_5M + n, timestamp=f"{START_5M + n}000") for n in range(60)]
    later = [book_line(START_5M + 60 + n, **change) for n, change in enumerate(changes)]
    return lambda folder: write_5m(folder, [*first, *later])


def good_5m(folder: Path) -> None:
    write_5m(folder, [book_line(START_5M + n, timestamp=f"{START_5M + n}000") for n in range(90)])


def late_regress(folder: Path) -> None:
    write_5m(folder, [book_line(START_5M + 50), book_line(START_5M + 7)])


def oracle(*rows: tuple[Any, Any, Any]) -> Make:
    return lambda folder: write_oracle(folder, rows)


def short_tape(folder: Path) -> None:
    """The sample, cut in the middle of the stream: hundreds of frames run before the damage."""
    folder.mkdir()
    data = (Path(__file__).resolve().parents[2] / SAMPLE).read_bytes()
    (folder / "a.tape").write_bytes(data[:80_000])


def unsealed_tape(folder: Path) -> None:
    folder.mkdir()
    path = write_tape(folder / "a.tape", frames=30)
    with zstandard.ZstdDecompressor().stream_reader(path.open("rb")) as stream:
        lines = stream.read().splitlines(keepends=True)
    path.write_bytes(zstandard.compress(b"".join(lines[:-1])))


def file(name: str, data: bytes) -> Make:
    def case(folder: Path) -> None:
        folder.mkdir()
        (folder / name).write_bytes(data)

    return case


def nothing(folder: Path) -> None:
    """A folder that does not exist."""


DATA: list[tuple[str, Make, str]] = [
    ("missing folder", nothing, "no such file or folder"),
    ("empty folder", lambda folder: folder.mkdir(), "empty folder"),
    ("unknown format", file("notes.txt", b"hello\n"), "no known recording"),
    ("unknown csv", file("a.csv", b"a,b\n1,2\n"), "no known recording"),
    ("empty file", file("books.parquet", b""), "empty file"),
    ("only magic", file("a.tape", b"\x28\xb5\x2f\xfd"), "a.tape"),
    ("parquet truncated", truncated(good, "books.parquet"), "not readable as parquet"),
    ("xz truncated", truncated(good_5m, XZ), "truncated"),
    ("jsonl cut off", xz_text('{"recv": 1776081600.5, "msg": {"mark'), "line 1"),
    ("zstd truncated", short_tape, "a.tape"),
    ("tape without its end", unsealed_tape, "truncated"),
    ("wrong type of a column", books(*pair(OPEN_MS), ts="VARCHAR"), "column ts is VARCHAR"),
    ("wrong type of a field", messages({"bids": "none"}), "line 61"),
    ("price NaN", row(bid_px=[NAN]), "bid_px is nan"),
    ("size NaN", row(ask_sz=[NAN, 1.0]), "ask_sz is nan"),
    ("size negative", row(bid_sz=[-1.0]), "bid_sz is -1.0"),
    ("size negative on the wire", messages({"asks": [{"price": "0.6", "size": "-3"}]}), "-3"),
    ("price off the grid", row(bid_px=[0.48005]), "0.48005"),
    ("price off the grid on the wire", messages({"bids": [{"price": "1.2", "size": "3"}]}), "1.2"),
    ("time backwards", row(ts=OPEN_MS - 1), "time goes backwards"),
    ("recv backwards", late_regress, "recv goes back"),
    ("duplicate markets", books(*pair(OPEN_MS), markets=[market_row()] * 2), "listed twice"),
    ("oracle price NaN", oracle((OPEN_MS, "nan", OPEN_MS + 900)), "nan"),
    ("oracle price negative", oracle((OPEN_MS, "-5", OPEN_MS + 900)), "-5"),
]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where trace and report would be written."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def refused(capsys: pytest.CaptureFixture[str], *args: str | Path) -> str:
    """The one line that a command ends in."""
    code = main([str(one) for one in args])
    printed, said = capsys.readouterr()
    assert (code, printed) == (2, ""), said
    assert said.count("\n") == 1
    assert said.endswith("\n")
    assert said.startswith("polybawt: ")
    assert "Traceback" not in said
    assert len(said) < 600
    return said


@pytest.mark.parametrize(("make", "says"), [c[1:] for c in DATA], ids=[c[0] for c in DATA])
def test_a_bad_recording(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str], make: Make, says: str
) -> None:
    make(tmp_path / "data")
    before = sorted(tmp_path.rglob("*"))
    targets = ("--trace", out / "trace.jsonl", "--report", out / "report.html")
    said = refused(capsys, "backtest", "--json", "--data", tmp_path / "data", *targets)
    assert says in said
    assert str(tmp_path / "data") in said
    assert sorted(tmp_path.rglob("*")) == before


PROFILES: list[tuple[str, str, str]] = [
    ("unknown section", "acount:\n  cost_method: fifo\n", "unknown key acount"),
    ("unknown key", "engine:\n  timer: 5\n", "line 2: unknown key engine.timer"),
    ("unknown key of a strategy", "strategies:\n  spread_maker:\n    clip: 5\n", "clip"),
    ("unknown strategy", "strategies:\n  grok:\n    enabled: true\n", "unknown strategy 'grok'"),
    ("2 for 0.02", "risk:\n  order_fraction: 2\n", "write 0.02 for 2 %"),
    ("percent sign", "risk:\n  order_fraction: 2%\n", "order_fraction"),
    ("20 for 0.2", "strategies:\n  spread_maker:\n    requote_size_tol: 20\n", "write 0.02 for"),
    (
        "0.05 where 10^-4 is meant",
        "strategies:\n  spread_maker:\n    half_spread_floor_e4: 0.05\n",
        "write 500 for 0.05",
    ),
    ("text for a number", "engine:\n  timer_ms: soon\n", "engine.timer_ms is 'soon'"),
    ("NaN", "account:\n  opening_cash_pusd: .nan\n", "opening_cash_pusd"),
    ("infinite", "account:\n  opening_cash_pusd: .inf\n", "opening_cash_pusd"),
    ("negative", "account:\n  opening_cash_pusd: -5\n", "opening_cash_pusd"),
    ("too fine", "account:\n  opening_cash_pusd: 0.0000001\n", "opening_cash_pusd"),
    ("out of range", "fills:\n  order_ms: 100000\n", "fills.order_ms is 100000"),
    ("boolean for a number", "fills:\n  order_ms: true\n", "fills.order_ms is True"),
    ("NaN exponent", "fills:\n  power: .nan\n", "fills.power"),
    ("NaN fraction", "risk:\n  order_fraction: .nan\n", "risk.order_fraction"),
    ("bad YAML", "risk: [1, 2\n", "not valid YAML"),
    ("tab", "risk:\n\torder_fraction: 0.01\n", "not valid YAML"),
    ("a list", "- risk\n", "must be a mapping"),
    ("a word", "default\n", "must be a mapping"),
    ("a section that is a number", "risk: 5\n", "risk"),
    ("a section that is a list", "risk: [1]\n", "risk"),
    ("strategies as a list", "strategies: [spread_maker]\n", "strategies"),
    ("a strategy as a word", "strategies:\n  spread_maker: on\n", "spread_maker"),
    ("a key twice", "risk:\n  order_fraction: 0.01\n  order_fraction: 0.02\n", "twice"),
    ("a key that is a number", "5: 6\n", "5"),
    ("a key that is a list", "? [a, b]\n: 6\n", "polybawt"),
    ("a tag", "risk: !!python/object:os.system {}\n", "not valid YAML"),
    ("two documents", "risk: {}\n---\nrisk: {}\n", "not valid YAML"),
    ("a control character", "risk: \x00\n", "not valid YAML"),
    ("a loop", "risk: &a\n  order_fraction: *a\n", "line 2"),
    ("nested without end", "risk: " + "[" * 1_500 + "\n", "mine.yaml"),
    ("nested mappings", "risk: " + "{a: " * 50 + "1" + "}" * 50 + "\n", "mine.yaml"),
]


@pytest.mark.parametrize(("text", "says"), [c[1:] for c in PROFILES], ids=[c[0] for c in PROFILES])
@pytest.mark.parametrize("command", ["backtest", "config"])
def test_a_bad_profile(
    tmp_path: Path,
    out: Path,
    capsys: pytest.CaptureFixture[str],
    command: str,
    text: str,
    says: str,
) -> None:
    profile = tmp_path / "mine.yaml"
    profile.write_text(text)
    extra = ("--trace", out / "trace.jsonl") if command == "backtest" else ()
    assert says in refused(capsys, command, "--json", "--profile", profile, *extra)
    assert list(out.iterdir()) == []


OPTIONS: list[tuple[str, tuple[str, ...], str]] = [
    ("unknown profile", ("--profile", "safe"), "default, original"),
    ("empty profile", ("--profile", ""), "profile"),
    ("profile of another folder", ("--profile", "../profiles/default"), "profile"),
    ("unknown strategy", ("--strategy", "grok"), "unknown strategy 'grok'; known: spread_maker"),
    ("bad queue", ("--queue", "fifo"), "fills.queue is 'fifo'"),
    ("seed negative", ("--seed", "-1"), "fills.seed is -1"),
    ("seed no number", ("--seed", "abc"), "--seed"),
    ("seed a fraction", ("--seed", "1.5"), "--seed"),
    ("seed enormous", ("--seed", "9" * 40), "fills.seed"),
    ("unknown option", ("--quiet",), "--quiet"),
    ("option without value", ("--data",), "--data"),
    ("argument too many", ("sample",), "sample"),
]


@pytest.mark.parametrize(("args", "says"), [c[1:] for c in OPTIONS], ids=[c[0] for c in OPTIONS])
def test_a_bad_option(
    out: Path, capsys: pytest.CaptureFixture[str], args: tuple[str, ...], says: str
) -> None:
    assert says in refused(capsys, "backtest", "--json", "--trace", out / "t.jsonl", *args)
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("command", ["backtst", ""])
def test_an_unknown_command(capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert repr(command) in refused(capsys, command)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POLYBAWT__RISK__ORDER_FRACTION", "2"),
        ("POLYBAWT__RISK__ORDER", "0.01"),
        ("POLYBAWT__RISK", "5"),
        ("POLYBAWT__FILLS__SEED", "[1"),
        ("POLYBAWT__FILLS__SEED__X", "1"),
        ("POLYBAWT__STRATEGIES__SPREAD_MAKER", "1"),
        ("POLYBAWT__STRATEGIES", "1"),
        ("POLYBAWT__", "1"),
    ],
)
def test_a_bad_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert name in refused(capsys, "backtest", "--json")


# --- where results go ----------------------------------------------------------------------------


@pytest.fixture
def tape(repo_dir: Path, tmp_path: Path) -> Path:
    """A short good recording."""
    (tmp_path / "in").mkdir()
    return cut(repo_dir / SAMPLE, tmp_path / "in" / "part.tape", 200)


@pytest.mark.parametrize("option", ["--report", "--trace"])
@pytest.mark.parametrize("target", ["gone/x", "folder", "file/x"])
def test_a_target_that_cannot_be_written(
    tape: Path, out: Path, capsys: pytest.CaptureFixture[str], option: str, target: str
) -> None:
    (out / "folder").mkdir()
    (out / "file").write_text("mine")
    before = sorted(out.rglob("*"))
    other = ("--report", "r.html") if option == "--trace" else ("--trace", "t.jsonl")
    args = (option, out / target, other[0], out / other[1])
    said = refused(capsys, "backtest", "--json", "--data", tape, *args)
    assert str(out / target) in said
    assert sorted(out.rglob("*")) == before
    assert (out / "file").read_text() == "mine"


@pytest.mark.parametrize("option", ["--report", "--trace"])
def test_a_target_that_is_the_recording_itself(
    tape: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    data = tape.read_bytes()
    for recording in (tape, tape.parent):
        assert str(tape) in refused(capsys, "backtest", "--json", "--data", recording, option, tape)
    assert tape.read_bytes() == data


def test_trace_and_report_in_one_file(
    tape: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = out / "both"
    args = ("--trace", target, "--report", target)
    assert str(target) in refused(capsys, "backtest", "--json", "--data", tape, *args)
    assert list(out.iterdir()) == []


def test_an_old_result_survives_a_failed_run(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short_tape(tmp_path / "data")
    for name in ("t.jsonl", "r.html"):
        (out / name).write_text("of yesterday")
    args = ("--trace", out / "t.jsonl", "--report", out / "r.html")
    refused(capsys, "backtest", "--json", "--data", tmp_path / "data", *args)
    assert {path.name: path.read_text() for path in out.iterdir()} == {
        "t.jsonl": "of yesterday",
        "r.html": "of yesterday",
    }


# --- interrupted ---------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [("--json",), ()], ids=["json", "text"])
def test_an_interrupt_leaves_one_line_and_nothing_else(
    repo_dir: Path, out: Path, options: tuple[str, ...]
) -> None:
    targets = ("--trace", str(out / "t.jsonl"), "--report", str(out / "r.html"))
    process = subprocess.Popen(
        [sys.executable, "-m", "polybawt", "backtest", *options, *targets],
        env=os.environ | {"PYTHONPATH": str(repo_dir / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    part = out / "t.jsonl.part"
    deadline = time.monotonic() + 60
    while not part.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert part.exists(), "the run has begun"
    process.send_signal(signal.SIGINT)
    printed, said = process.communicate(timeout=60)
    assert (process.returncode, printed) == (130, "")
    assert said == "polybawt: interrupted; nothing was half-written\n"
    assert list(out.iterdir()) == []
