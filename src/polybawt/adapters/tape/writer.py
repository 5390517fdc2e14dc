"""Writes a tape: bounded memory, and the file appears under its name only when it is complete."""

from __future__ import annotations

import os
import re
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec
import zstandard

from polybawt.adapters.frames import MARKET
from polybawt.adapters.tape.format import (
    END,
    LINE_BYTES_MAX,
    EndMark,
    RecordingHeader,
    is_event_source,
)
from polybawt.domain.errors import DecodeError, InvariantError
from polybawt.ports import DataQuality

_BUFFER_BYTES = 256 * 1024
_SOURCE = re.compile(r"[a-z0-9_.-]{1,64}")
_skim = msgspec.json.Decoder(msgspec.Raw).decode
_encode = msgspec.json.Encoder().encode


class TapeWriter:
    """A context manager: leaving it normally seals the tape, leaving it by an error removes it.

    The same frames, header, level and zstd library give the same bytes.
    """

    def __init__(self, path: Path, header: RecordingHeader, level: int = 6) -> None:
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._header = header
        self._level = level
        self._buffer = bytearray()
        self._frames = 0
        self._last_ns = 0
        self._last_wall_ns = 0
        self._sealed = False

    def __enter__(self) -> Self:
        self._file: BinaryIO = self._part.open("wb")
        compressor = zstandard.ZstdCompressor(level=self._level, write_checksum=True)
        self._stream = compressor.stream_writer(self._file, closefd=False)
        self._append(_encode(self._header) + b"\n")
        return self

    def write(self, recv_ns: int, recv_wall_ns: int, source: str, payload: bytes) -> int:
        """Append one frame and return its number.

        DecodeError if the payload is not JSON; InvariantError for time running backwards.
        """
        if not _SOURCE.fullmatch(source) or not (source == MARKET or is_event_source(source)):
            raise InvariantError(f"a tape has no source {source!r}")
        if recv_ns < self._last_ns:
            raise InvariantError(f"frame at {recv_ns} ns after one at {self._last_ns} ns")
        if len(payload) > LINE_BYTES_MAX // 2:
            raise DecodeError(f"{source}: frame of {len(payload)} bytes is too long for a tape")
        try:
            _skim(payload)
            if b"\n" in payload:
                payload = msgspec.json.format(payload, indent=-1)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise DecodeError(f"{source}: frame is not JSON: {error}") from error
        self._frames += 1
        self._last_ns, self._last_wall_ns = recv_ns, recv_wall_ns
        self._line(source, payload)
        return self._frames

    def seal(self, quality: DataQuality) -> None:
        """Write the end mark with the counters that frames cannot show."""
        mark = EndMark(
            frames=self._frames,
            set_aside=dict(sorted(quality.set_aside.items())),
            repaired=dict(sorted(quality.repaired.items())),
            inferred_ticks=quality.inferred_ticks,
        )
        self._frames += 1
        self._line(END, _encode(mark))
        self._sealed = True

    def _line(self, source: str, payload: bytes) -> None:
        head = f'[{self._frames},{self._last_ns},{self._last_wall_ns},"{source}",'
        self._append(head.encode() + payload + b"]\n")

    def _append(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) >= _BUFFER_BYTES:
            self._stream.write(bytes(self._buffer))
            self._buffer.clear()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                if not self._sealed:
                    self.seal(DataQuality())
                self._stream.write(bytes(self._buffer))
                self._stream.close()  # type: ignore[no-untyped-call]  # untyped in zstandard
                self._file.flush()
                os.fsync(self._file.fileno())
        finally:
            self._file.close()
            if kind is None:
                self._part.replace(self._path)
            else:
                self._part.unlink(missing_ok=True)
