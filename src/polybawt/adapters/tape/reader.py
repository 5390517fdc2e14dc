"""Reads a tape as a FrameSource, in constant memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import zstandard

from polybawt.adapters.frames import MARKET, Meter
from polybawt.adapters.polymarket.codec import MarketDecoder
from polybawt.adapters.tape.format import (
    END,
    FORMAT,
    LINE_BYTES_MAX,
    SUFFIX,
    VERSION,
    WINDOW_BYTES_MAX,
    EndMark,
    Line,
    RecordingHeader,
    TapeEvent,
    is_event_source,
)
from polybawt.domain.errors import BadInput, DecodeError
from polybawt.domain.events import (
    Batch,
    Event,
    MarketListed,
    MarketResolved,
    OracleReported,
    TickChanged,
)
from polybawt.domain.ticks import TICKS_E4
from polybawt.domain.units import PPM
from polybawt.ports import DataQuality, SourceInfo

_BLOCK_BYTES = 256 * 1024
_NS_MAX = 2**63 - 1


class _Peek(msgspec.Struct, gc=False):
    format: str = ""
    version: int = 0


_decode_peek = msgspec.json.Decoder(_Peek).decode
_decode_header = msgspec.json.Decoder(RecordingHeader).decode
_decode_line = msgspec.json.Decoder(Line).decode
_decode_lines = msgspec.json.Decoder(Line).decode_lines
_decode_events = msgspec.json.Decoder(list[TapeEvent]).decode
_decode_end = msgspec.json.Decoder(EndMark).decode


class Tape:
    """One tape file, or a folder of segments that continue each other in order of their names."""

    def __init__(self, path: Path) -> None:
        """Reads the header. BadInput if there is no tape that this version can read."""
        self._paths = sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else [path]
        if not self._paths:
            raise BadInput(f"{path}: no *{SUFFIX} file in this folder")
        self._info = read_header(self._paths[0]).info
        self._quality = DataQuality()

    @property
    def info(self) -> SourceInfo:
        """What the header says about the recording."""
        return self._info

    @property
    def quality(self) -> DataQuality:
        """Counters of the latest pass."""
        return self._quality

    def batches(self) -> Iterator[Batch]:
        """All frames. BadInput, naming file and line, at the first one that cannot be trusted."""
        self._quality = DataQuality()
        meter = Meter(self._quality)
        decoder = _FrameDecoder()
        for path in self._paths:
            yield from _read_segment(path, meter, decoder)
        for kind, count in decoder.market.ignored.items():
            self._quality.count_set_aside(f"message: {kind}", count)


class _FrameDecoder:
    """Payloads to events; learns the tokens of each market from its listing."""

    def __init__(self) -> None:
        self.market = MarketDecoder()

    def decode(self, source: str, payload: msgspec.Raw) -> tuple[Event, ...]:
        """Events of one frame. DecodeError if it is not what its source must send."""
        if source == MARKET:
            return self.market.decode(bytes(payload))
        if not is_event_source(source):
            raise DecodeError(
                f"source is {source[:40]!r}; allowed: {MARKET}, lifecycle, oracle.*, spot.*, {END}"
            )
        events = _decode_events(payload)
        for event in events:
            if isinstance(event, MarketListed):
                self.market.list_market(event.market)
            _check(event)
        return tuple(events)


def _check(event: TapeEvent) -> None:
    """Ranges that the types do not express."""
    match event:
        case TickChanged() if event.tick_e4 not in TICKS_E4:
            raise DecodeError(f"tick_e4 is {event.tick_e4}; allowed: {TICKS_E4}")
        case MarketResolved() if sum(event.payouts_ppm) != PPM or min(event.payouts_ppm) < 0:
            raise DecodeError(
                f"payouts_ppm is {event.payouts_ppm}; allowed: 0 to {PPM}, summing to {PPM}"
            )
        case OracleReported() if event.price_e18 <= 0:
            raise DecodeError(f"price_e18 is {event.price_e18}; allowed: above 0")
        case MarketListed():
            market = event.market
            if not 0 <= market.open_ns < market.close_ns or market.tick_e4 not in TICKS_E4:
                raise DecodeError(
                    f"market {market.market_id}: needs open before close and a tick of {TICKS_E4}"
                )
        case _:
            pass


def read_header(path: Path) -> RecordingHeader:
    """The header of a tape file. BadInput if it is none or of another version."""
    for _, block in _blocks(path, DataQuality()):
        return _header(path, block.partition(b"\n")[0])
    raise BadInput(f"{path}: empty tape, there is no header line")


def _header(path: Path, line: bytes) -> RecordingHeader:
    try:
        peek = _decode_peek(line)
        if peek.format != FORMAT:
            raise BadInput(f"{path}: line 1: not a {FORMAT} header")
        if peek.version != VERSION:
            raise BadInput(
                f"{path}: line 1: tape version {peek.version}; this program reads version {VERSION}"
            )
        return _decode_header(line)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise BadInput(f"{path}: line 1: not a {FORMAT} header: {error}") from error


def _read_segment(path: Path, meter: Meter, decoder: _FrameDecoder) -> Iterator[Batch]:
    """Frames of one file; they continue the numbers and times of the segment before."""
    quality = meter.quality
    before = quality.frames
    ended = False
    number = 1
    for number, line in _lines(path, quality):
        if ended:
            raise BadInput(f"{path}: line {number}: there is a line after the end mark")
        if line.source == END:
            _finish(path, number, line, quality, quality.frames - before)
            ended = True
            continue
        if line.frame_seq != quality.frames + 1:
            raise BadInput(
                f"{path}: line {number}: frame {line.frame_seq} where {quality.frames + 1} must be:"
                " frames are missing or repeated"
            )
        if not quality.last_ns <= line.recv_ns <= _NS_MAX:
            raise BadInput(
                f"{path}: line {number}: time goes backwards, {line.recv_ns} ns after"
                f" {quality.last_ns} ns"
            )
        try:
            events = decoder.decode(line.source, line.payload)
        except (DecodeError, msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise BadInput(f"{path}: line {number}: {error}") from error
        yield meter.batch(line.recv_ns, line.source, events)
    if not ended:
        raise BadInput(f"{path}: line {number}: the tape ends here without its end mark: truncated")


def _finish(path: Path, number: int, line: Line, quality: DataQuality, frames: int) -> None:
    """Check the end mark and take over the counters of the original."""
    try:
        mark = _decode_end(line.payload)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise BadInput(f"{path}: line {number}: end mark: {error}") from error
    if mark.frames != frames:
        raise BadInput(
            f"{path}: line {number}: end mark counts {mark.frames} frames, the tape has {frames}"
        )
    for reason, count in mark.set_aside.items():
        quality.count_set_aside(reason, count)
    for reason, count in mark.repaired.items():
        quality.count_repaired(reason, count)
    quality.inferred_ticks += mark.inferred_ticks


def _lines(path: Path, quality: DataQuality) -> Iterator[tuple[int, Line]]:
    """`(line number, line)` after the header."""
    for number, block in _blocks(path, quality):
        first = number
        if number == 1:
            header, _, block = block.partition(b"\n")
            _header(path, header)
            first = 2
        try:
            lines = _decode_lines(block)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            lines = list(_decode_each(path, first, block))
        yield from enumerate(lines, first)


def _decode_each(path: Path, first: int, block: bytes) -> Iterator[Line]:
    """The lines of a block one by one, so that the error names its line."""
    for number, text in enumerate(block.removesuffix(b"\n").split(b"\n"), first):
        try:
            yield _decode_line(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise BadInput(f"{path}: line {number}: not a tape line: {error}") from error


def _blocks(path: Path, quality: DataQuality) -> Iterator[tuple[int, bytes]]:
    """`(number of the first line, whole lines)` in blocks of bounded size."""
    number = 1
    rest = b""
    try:
        size = path.stat().st_size
        decompressor = zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES_MAX)
        with (
            path.open("rb") as file,
            decompressor.stream_reader(file, read_across_frames=True) as stream,
        ):
            while chunk := stream.read(_BLOCK_BYTES):
                quality.fraction = file.tell() / size
                cut = chunk.rfind(b"\n") + 1
                if cut:
                    block = rest + chunk[:cut]
                    yield number, block
                    number += block.count(b"\n")
                    rest = chunk[cut:]
                else:
                    rest += chunk
                if len(rest) > LINE_BYTES_MAX:
                    raise BadInput(f"{path}: line {number}: longer than {LINE_BYTES_MAX} bytes")
    except zstandard.ZstdError as error:
        raise BadInput(f"{path}: line {number}: broken zstd stream: {error}") from error
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from error
    if rest:
        raise BadInput(f"{path}: line {number}: the last line is cut off: truncated")
