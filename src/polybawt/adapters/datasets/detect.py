"""Which recording a path holds, told by what is inside the files, never by their names."""

from __future__ import annotations

import csv
from collections import defaultdict
from enum import StrEnum
from pathlib import Path

from polybawt.adapters.datasets.books_5m import INDEX_COLUMNS, SUFFIX, Books5m
from polybawt.adapters.datasets.books_15m import Books15m
from polybawt.adapters.datasets.files import Opener, open_gzip, open_plain, reading
from polybawt.adapters.datasets.oracle_5m import PRICE_COLUMNS, Oracle5m
from polybawt.adapters.datasets.settled_markets import MARKET_COLUMNS
from polybawt.adapters.tape.format import ZSTD_MAGIC
from polybawt.adapters.tape.reader import Tape
from polybawt.domain.errors import BadInput
from polybawt.ports import FrameSource

KNOWN = (
    "a PolyBawt tape (*.tape); pm15m-btc-l2-top20 (books.parquet, markets.csv);"
    " pm5m-btc-l2-book (index.csv, *.jsonl.xz);"
    " pm5m-chainlink-settlement (BTCUSD-prices.csv.gz, markets.jsonl.gz)"
)
_PEEK_BYTES = 65_536


class _Kind(StrEnum):
    """What a file holds; the value says it to a person."""

    TAPE = "tape"
    BOOKS_15M = "parquet file of books (books.parquet)"
    MARKETS_15M = "CSV list of markets with payouts (markets.csv)"
    INDEX_5M = "CSV index of markets (index.csv)"
    BOOKS_5M = "xz files of book messages (*.jsonl.xz)"
    PRICES = "gzip CSV file of oracle prices (BTCUSD-prices.csv.gz)"
    MARKETS_5M = "gzip list of settled markets (markets.jsonl.gz)"
    EMPTY = "empty file"
    OTHER = "other"


_RECORDINGS = (
    (_Kind.BOOKS_15M, _Kind.MARKETS_15M),
    (_Kind.INDEX_5M, _Kind.BOOKS_5M),
    (_Kind.PRICES, _Kind.MARKETS_5M),
)
_HEADERS = (
    (_Kind.MARKETS_15M, MARKET_COLUMNS),
    (_Kind.INDEX_5M, INDEX_COLUMNS),
    (_Kind.PRICES, PRICE_COLUMNS),
)


def open_source(path: Path, *, assume_inferred_outcomes: bool = False) -> FrameSource:
    """The recording at `path`, a folder or one of its files.

    One xz file alone gives its market alone; any other file gives the recording that it belongs to.
    BadInput when there is nothing, nothing known, or a part is missing.
    """
    if path.is_dir():
        return _open_folder(path, assume_inferred_outcomes)
    if not path.exists():
        raise BadInput(f"{path}: no such file or folder")
    kind = _kind(path)
    if kind is _Kind.TAPE:
        return Tape(path)
    if kind is _Kind.EMPTY:
        raise BadInput(f"{path}: empty file")
    if kind is _Kind.OTHER:
        raise BadInput(f"{path}: not a known recording; known: {KNOWN}")
    found = _sort(path.parent)
    found[kind] = [path]
    only = path if kind is _Kind.BOOKS_5M else None
    recording = next(kinds for kinds in _RECORDINGS if kind in kinds)
    return _open(path.parent, recording, found, only, assume_inferred_outcomes)


def _open_folder(folder: Path, assume_inferred_outcomes: bool) -> FrameSource:
    found = _sort(folder)
    if not found:
        raise BadInput(f"{folder}: empty folder; known recordings: {KNOWN}")
    if found.get(_Kind.TAPE):
        return Tape(folder)
    present = [kinds for kinds in _RECORDINGS if any(kind in found for kind in kinds)]
    if len(present) > 1:
        raise BadInput(f"{folder}: files of several recordings; name one file of the wanted one")
    if not present:
        empty = [file.name for file in found.get(_Kind.EMPTY, [])]
        reason = f"{empty[0]} is an empty file" if empty else "no known recording in this folder"
        raise BadInput(f"{folder}: {reason}; known: {KNOWN}")
    return _open(folder, present[0], found, None, assume_inferred_outcomes)


def _open(
    folder: Path,
    recording: tuple[_Kind, _Kind],
    found: dict[_Kind, list[Path]],
    only: Path | None,
    assume_inferred_outcomes: bool,
) -> FrameSource:
    for kind in recording:
        if kind not in found:
            empty = ", ".join(file.name for file in found.get(_Kind.EMPTY, [])[:3])
            hint = f"; {empty} is empty" if empty else ""
            raise BadInput(f"{folder}: incomplete recording: no {kind.value}{hint}")
        if len(found[kind]) > 1 and kind is not _Kind.BOOKS_5M:
            names = ", ".join(file.name for file in found[kind][:3])
            raise BadInput(f"{folder}: more than one {kind.value}: {names}")
    first, second = found[recording[0]][0], found[recording[1]][0]
    if recording[0] is _Kind.BOOKS_15M:
        return Books15m(first, second)
    if recording[0] is _Kind.PRICES:
        return Oracle5m(first, second)
    return Books5m(first, only, assume_inferred_outcomes=assume_inferred_outcomes)


def _sort(folder: Path) -> dict[_Kind, list[Path]]:
    found: dict[_Kind, list[Path]] = defaultdict(list)
    for file in sorted(folder.iterdir()):
        if file.is_file() and not file.name.startswith("."):
            found[_kind(file)].append(file)
    return dict(found)


def _kind(path: Path) -> _Kind:
    with reading(path), path.open("rb") as file:
        magic = file.read(6)
    if not magic:
        return _Kind.EMPTY
    if magic.startswith(ZSTD_MAGIC):
        return _Kind.TAPE
    if magic.startswith(b"PAR1"):
        return _Kind.BOOKS_15M
    if magic.startswith(b"\xfd7zXZ\x00") and path.name.endswith(SUFFIX):
        return _Kind.BOOKS_5M
    return _text_kind(path, open_gzip if magic.startswith(b"\x1f\x8b") else open_plain)


def _text_kind(path: Path, opener: Opener) -> _Kind:
    """CSV by its header, JSON lines by the keys of the first one."""
    with reading(path), opener(path) as file:
        line = file.readline(_PEEK_BYTES)
    text = line.decode(errors="replace").strip()
    if text.startswith("{") and opener is open_gzip:
        return _Kind.MARKETS_5M if '"outcome_prices"' in text else _Kind.OTHER
    try:
        header = next(csv.reader([text]), [])
    except csv.Error:
        return _Kind.OTHER
    for kind, columns in _HEADERS:
        if len(set(columns) & set(header)) > len(columns) // 2:
            return kind
    return _Kind.OTHER
