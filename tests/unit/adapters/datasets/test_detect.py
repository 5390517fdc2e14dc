"""Recordings are told by content; what is missing is named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from polybawt.adapters.datasets.books_5m import Books5m
from polybawt.adapters.datasets.books_15m import Books15m
from polybawt.adapters.datasets.detect import open_source
from polybawt.adapters.datasets.oracle_5m import Oracle5m
from polybawt.adapters.tape.reader import Tape
from polybawt.domain.errors import BadInput
from tests.recordings import (
    OPEN_MS,
    START_5M,
    book_line,
    pair,
    write_5m,
    write_15m,
    write_oracle,
    write_tape,
)

PRICE = (1_784_851_200_000, 65_048 * 10**18, 1_784_851_201_377)


def make(kind: type, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if kind is Books15m:
        return write_15m(folder, pair(OPEN_MS))
    if kind is Books5m:
        return write_5m(folder, [book_line(START_5M)])
    if kind is Oracle5m:
        return write_oracle(folder, [PRICE])
    write_tape(folder / "a.tape")
    return folder


@pytest.mark.parametrize("kind", [Books15m, Books5m, Oracle5m, Tape])
def test_names_of_folder_and_files_do_not_matter(tmp_path: Path, kind: type) -> None:
    folder = make(kind, tmp_path / "a b")
    (folder / "README.md").write_text("# about this folder\n")
    (folder / ".hidden").write_text("")
    assert isinstance(open_source(folder), kind)
    if kind is not Books5m and kind is not Tape:
        for number, file in enumerate(sorted(folder.iterdir())):
            file.rename(folder / f"file{number}")
        assert isinstance(open_source(folder), kind)


@pytest.mark.parametrize("kind", [Books15m, Books5m, Oracle5m, Tape])
def test_a_single_file_finds_its_recording(tmp_path: Path, kind: type) -> None:
    for file in make(kind, tmp_path).iterdir():
        assert isinstance(open_source(file), kind)


@pytest.mark.parametrize(
    ("kind", "gone", "message"),
    [
        (Books15m, "markets.csv", r"no CSV list of markets with payouts \(markets.csv\)"),
        (Books15m, "books.parquet", r"no parquet file of books \(books.parquet\)"),
        (Books5m, "index.csv", r"no CSV index of markets \(index.csv\)"),
        (Oracle5m, "markets.jsonl.gz", r"no gzip list of settled markets"),
        (Oracle5m, "BTCUSD-prices.csv.gz", r"no gzip CSV file of oracle prices"),
    ],
)
def test_a_missing_part_is_named(tmp_path: Path, kind: type, gone: str, message: str) -> None:
    (make(kind, tmp_path) / gone).unlink()
    with pytest.raises(BadInput, match=message):
        open_source(tmp_path)


def test_an_empty_part_is_named(tmp_path: Path) -> None:
    (make(Books15m, tmp_path) / "markets.csv").write_text("")
    with pytest.raises(BadInput, match=r"no CSV list of markets .*; markets.csv is empty"):
        open_source(tmp_path)


def test_two_recordings_in_one_folder_are_not_guessed_at(tmp_path: Path) -> None:
    make(Books15m, tmp_path)
    make(Books5m, tmp_path)
    with pytest.raises(BadInput, match="several recordings"):
        open_source(tmp_path)
    assert isinstance(open_source(tmp_path / "books.parquet"), Books15m)


def test_two_files_of_one_kind_are_not_guessed_at(tmp_path: Path) -> None:
    make(Books15m, tmp_path)
    shutil.copy(tmp_path / "markets.csv", tmp_path / "more.csv")
    with pytest.raises(BadInput, match=r"more than one CSV list .*: markets.csv, more.csv"):
        open_source(tmp_path)


def test_nothing_known_lists_what_is_known(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    for path in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(BadInput, match=r"known: a PolyBawt tape .*pm5m-chainlink-settlement"):
            open_source(path)
