"""The comparison with recordings: on constructed ones by hand, on the real ones where present."""

import json
import lzma
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from polyvenue.agents import NOBODY, PopulationConfig
from polyvenue.agents.config import MakerConfig
from polyvenue.agents.statistics import Figure, Phase, Sample, Seen, bounds, figures
from polyvenue.calibrate import (
    Row,
    calibrate,
    main,
    read_messages,
    read_parquet,
    spread_over,
    table,
)

START_S = 1_776_081_600
SMALL = PopulationConfig(makers=(MakerConfig(levels=2),))


def by_name(found: list[Figure]) -> dict[str, float]:
    return {it.name: it.value for it in found}


def write_messages(folder: Path, *, rows_main: int = 2_000, first_offset_s: float = 1.0) -> None:
    """One 5-minute window: two sound books of the main token, one crossed, one of the other."""

    def line(offset_s: float, asset: str, bid: str, ask: str) -> str:
        message = {
            "asset_id": asset,
            "timestamp": str(round((START_S + offset_s) * 1000)),
            "bids": [{"price": "0.01", "size": "5"}, {"price": bid, "size": "40"}],
            "asks": [{"price": ask, "size": "80.5"}] if ask else [],
        }
        return json.dumps({"recv": 0.0, "msg": message}) + "\n"

    lines = [
        line(100, "main", "0.5", "0.52"),
        line(101, "other", "0.1", "0.9"),
        line(102, "main", "0.6", "0.5"),
        line(290, "main", "0.99", ""),
    ]
    slug = f"btc-updown-5m-{START_S}"
    with lzma.open(folder / f"{slug}.jsonl.xz", "wt") as file:
        file.writelines(lines)
    (folder / "index.csv").write_text(
        "market_start,slug,main_asset_id,rows_main,first_offset_s\n"
        f"{START_S},{slug},main,{rows_main},{first_offset_s}\n"
    )


def write_parquet(folder: Path) -> None:
    """One 15-minute window with three books of Up, one of them crossed, and one of Down."""
    (folder / "markets.csv").write_text(
        "market_id,slug,start_ts,end_ts\n"
        f"0xab,btc-updown-15m-{START_S},{START_S * 1000},{(START_S + 900) * 1000}\n"
    )
    values = ", ".join(
        f"('0xab', {(START_S + offset_s) * 1000}, '{side}', {bids}, {asks})"
        for offset_s, side, bids, asks in (
            (-10, "UP", "[0.5, 0.49]", "[0.51]"),
            (10, "DOWN", "[0.1]", "[0.9]"),
            (20, "UP", "[0.7]", "[0.6]"),
            (870, "UP", "[0.999]", "[]::double[]"),
        )
    )
    path = str(folder / "books.parquet").replace("'", "''")
    duckdb.execute(
        f"copy (select a as market_id, b as ts, c as side, d as bid_px, [30.0, 1.0] as bid_sz, "
        f"e as ask_px, [70.0] as ask_sz from (values {values}) as t(a, b, c, d, e)) "
        f"to '{path}' (format parquet)"
    )


def test_phases_cover_a_window_without_overlap() -> None:
    assert [bounds(phase, 900)[1] for phase in Phase] == [900, 300, 60, 0]
    assert [bounds(phase, 900)[0] for phase in Phase][1:] == [900, 300, 60]
    assert bounds(Phase.EARLY, 300) == (300, 300)


def test_figures_by_hand() -> None:
    samples = (
        Sample(300.0, 5_000, 5_100, 10.0, 20.0),
        Sample(200.0, 5_000, 5_300, 30.0, 40.0),
        Sample(180.0, None, 5_300, 0.0, 50.0),
        Sample(100.0, None, 5_300, 0.0, 60.0),
        Sample(30.0, 9_900, None, 1_000.0, 0.0),
    )
    found = by_name(figures([Seen(900, samples)], Phase.LATE))
    assert found["spread, 10% quantile"] == 1.0
    assert found["spread, 90% quantile"] == 3.0
    assert found["touch depth, 50% quantile"] == 40.0
    assert found["one-sided share"] == 0.5
    assert found["updates seen"] == 4 / 240
    assert found["best price moved"] == pytest.approx(2 / 3)
    assert figures([Seen(900, samples)], Phase.BEFORE) == []
    last = by_name(figures([Seen(900, samples)], Phase.LAST))
    assert "spread, 50% quantile" not in last
    assert last["one-sided share"] == 1.0


@pytest.mark.parametrize(
    ("recorded", "simulated", "within"),
    [
        (1.0, 2.0, True),
        (1.0, 0.5, True),
        (1.0, 2.01, False),
        (1.0, 0.49, False),
        (0.0, 0.0, True),
        (0.0, 0.029, True),
        (0.0, 0.031, False),
        (1.0, None, False),
        (0.0, None, False),
    ],
)
def test_a_factor_of_two(recorded: float, simulated: float | None, within: bool) -> None:
    assert make_row(recorded, simulated).is_within is within


def make_row(recorded: float, simulated: float | None) -> Row:
    return Row("15 min", Phase.LATE, "spread", "cents", recorded, simulated, 100, 100)


def test_the_table_says_what_is_missed() -> None:
    text = table([make_row(1.0, 1.5), make_row(1.0, 3.0), make_row(1.0, None)])
    lines = text.splitlines()
    assert [line.split("|")[-2].strip() for line in lines[2:5]] == ["yes", "no", "no"]
    assert "1.50" in lines[2]
    assert lines[-1] == "1 of 3 statistics within a factor of two"


def test_messages_are_read(tmp_path: Path) -> None:
    write_messages(tmp_path)
    (seen,) = read_messages(tmp_path, 5)
    assert seen == Seen(
        300, (Sample(200.0, 5_000, 5_200, 40.0, 80.5), Sample(10.0, 9_900, None, 40.0, 0.0))
    )


@pytest.mark.parametrize(("rows_main", "first_offset_s"), [(1_500, 1.0), (2_000, 20.0)])
def test_an_incomplete_window_is_left_out(
    tmp_path: Path, rows_main: int, first_offset_s: float
) -> None:
    write_messages(tmp_path, rows_main=rows_main, first_offset_s=first_offset_s)
    with pytest.raises(ValueError, match="no complete window"):
        calibrate(tmp_path, config=SMALL)


def test_parquet_is_read(tmp_path: Path) -> None:
    write_parquet(tmp_path)
    (seen,) = read_parquet(tmp_path, 5)
    assert seen == Seen(
        900, (Sample(910.0, 5_000, 5_100, 30.0, 70.0), Sample(30.0, 9_990, None, 30.0, 0.0))
    )


def test_both_kinds_are_found_below_a_folder(tmp_path: Path) -> None:
    for name, write in (("a", write_messages), ("b", write_parquet)):
        (tmp_path / name).mkdir()
        write(tmp_path / name)
    rows = calibrate(tmp_path, config=SMALL, seed=2)
    assert [it.series for it in rows] == sorted((it.series for it in rows), reverse=True)
    assert {it.series for it in rows} == {"15 min", "5 min"}
    assert all(it.simulated_count for it in rows if it.name == "updates seen")
    assert rows == calibrate(tmp_path, config=SMALL, seed=2)


def test_an_empty_market_meets_nothing(tmp_path: Path) -> None:
    write_messages(tmp_path)
    rows = calibrate(tmp_path, config=NOBODY)
    assert rows
    assert not [it for it in rows if it.is_within]


def test_windows_are_spread_over_a_recording() -> None:
    assert spread_over(10, 5) == [0, 2, 4, 6, 8]
    assert spread_over(3, 5) == [0, 1, 2]
    assert spread_over(0, 5) == []


def test_the_command_prints_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_messages(tmp_path)
    assert main([str(tmp_path), "--seed", "3", "--windows", "1"]) == 0
    assert "statistics within a factor of two" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "a folder and at least one window are needed"),
        (["--seed", "1"], "a folder and at least one window are needed"),
        (["x", "--seed", "one"], "--seed is not understood: usage is DIR"),
        (["x", "--speed", "1"], "--speed is not understood"),
        (["x", "--windows", "0"], "at least one window"),
        (["nowhere"], "nowhere: a folder with books.parquet or index.csv is needed"),
    ],
)
def test_a_bad_call_is_one_line(
    arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert text in shown.err
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize(
    ("write", "damaged"),
    [
        (write_messages, f"btc-updown-5m-{START_S}.jsonl.xz"),
        (write_messages, "index.csv"),
        (write_parquet, "books.parquet"),
        (write_parquet, "markets.csv"),
    ],
)
def test_a_damaged_recording_is_one_line(
    write: Callable[[Path], None], damaged: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path)
    (tmp_path / damaged).write_bytes(b"damaged")
    assert main([str(tmp_path)]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith(f"calibrate: {tmp_path}")
    assert shown.count("\n") == 1


def test_the_calm_market_is_near_the_quarter_hours(shared_dir: Path) -> None:
    """The middle of each distribution, by phase; the tails are in the published table."""
    rows = calibrate(shared_dir / "data" / "pm15m-btc-l2-top20")
    central = ("spread, 50% quantile", "touch depth, 50% quantile", "one-sided share")
    missed = [it for it in rows if it.name in (*central, "updates seen") and not it.is_within]
    assert missed == []
    assert sum(it.is_within for it in rows) >= 0.9 * len(rows)


def test_the_calm_market_changes_as_often_as_recorded(shared_dir: Path) -> None:
    rows = calibrate(shared_dir / "data" / "pm5m-btc-l2-book", windows_max=12)
    found = [it for it in rows if it.name == "updates seen"]
    assert [it.is_within for it in found if it.phase is Phase.LATE] == [True]
