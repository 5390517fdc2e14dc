"""Reading of other people's files: whatever goes wrong becomes one line that names the file."""

from __future__ import annotations

import csv
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from polybawt.domain.errors import BadInput

Opener = Callable[[Path], IO[bytes]]
LINE_BYTES_MAX = 8 * 1024 * 1024


def open_plain(path: Path) -> IO[bytes]:
    """An uncompressed file."""
    return path.open("rb")


def open_gzip(path: Path) -> IO[bytes]:
    """A gzip file."""
    return cast(IO[bytes], gzip.open(path, "rb"))


def open_xz(path: Path) -> IO[bytes]:
    """An xz file."""
    return lzma.open(path, "rb")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn every failure of opening or decompressing `path` into BadInput."""
    try:
        yield
    except EOFError as error:
        raise BadInput(f"{path}: truncated: the compressed data ends early") from error
    except (lzma.LZMAError, zlib.error, gzip.BadGzipFile) as error:
        raise BadInput(f"{path}: corrupt: {one_line(error)}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: not UTF-8 text: {one_line(error)}") from error
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror or one_line(error)}") from error


def one_line(error: object) -> str:
    """The first line of a message, shortened."""
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__


def lines(path: Path, opener: Opener) -> Iterator[tuple[int, bytes]]:
    """`(line number, line)` of a file. BadInput when it is broken, empty or has an endless line."""
    number = 0
    with reading(path), opener(path) as file:
        while line := file.readline(LINE_BYTES_MAX + 1):
            number += 1
            if len(line) > LINE_BYTES_MAX:
                raise BadInput(f"{path}: line {number}: longer than {LINE_BYTES_MAX} bytes")
            yield number, line
    if not number:
        raise BadInput(f"{path}: empty file")


def csv_rows(
    path: Path, opener: Opener, columns: tuple[str, ...]
) -> Iterator[tuple[str, dict[str, str]]]:
    """`("file: line n", row)` of a CSV file that has at least `columns`."""

    def texts() -> Iterator[str]:
        for number, line in lines(path, opener):
            try:
                yield line.decode()
            except UnicodeDecodeError as error:
                raise BadInput(f"{path}: line {number}: not UTF-8 text") from error

    reader = csv.reader(texts(), strict=True)
    try:
        header = next(reader)
        missing = [name for name in columns if name not in header]
        if missing:
            raise BadInput(f"{path}: no column {', '.join(missing)} in its header")
        for values in reader:
            where = f"{path}: line {reader.line_num}"
            if len(values) != len(header):
                raise BadInput(f"{where}: {len(values)} values for {len(header)} columns")
            yield where, dict(zip(header, values, strict=True))
    except csv.Error as error:
        raise BadInput(f"{path}: line {reader.line_num}: not CSV: {one_line(error)}") from error


def whole(where: str, name: str, text: str, low: int, high: int) -> int:
    """An integer field within `[low, high]`."""
    if text.isascii() and text.removeprefix("-").isdigit() and len(text) <= 30:
        value = int(text)
        if low <= value <= high:
            return value
    raise BadInput(f"{where}: {name} is {text[:40]!r}; allowed: whole numbers {low} to {high}")
