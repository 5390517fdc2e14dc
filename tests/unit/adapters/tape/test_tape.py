"""The tape: what is written is what is read, and nothing half-written is ever taken for a tape."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import zstandard

from polybawt.adapters.datasets.detect import open_source
from polybawt.adapters.polymarket.encode import encode_market
from polybawt.adapters.tape.convert import convert
from polybawt.adapters.tape.format import RecordingHeader
from polybawt.adapters.tape.reader import Tape
from polybawt.adapters.tape.writer import TapeWriter
from polybawt.domain.errors import BadInput, DecodeError, InvariantError
from polybawt.domain.events import (
    BookReplaced,
    Event,
    Evidence,
    MarketListed,
    MarketResolved,
    OracleReported,
    SpotTicked,
    TickChanged,
)
from polybawt.domain.units import MS_NS
from polybawt.ports import DataQuality
from tests.recordings import (
    INFO,
    MARKET,
    OPEN_MS,
    START_5M,
    book_frame,
    book_line,
    pair,
    write_5m,
    write_15m,
    write_oracle,
    write_tape,
)

HEADER = RecordingHeader(created_by="tests", info=INFO)


def test_frames_come_back_as_written(tmp_path: Path) -> None:
    tape = Tape(write_tape(tmp_path / "a.tape"))
    batches = list(tape.batches())
    assert tape.info == INFO
    assert [batch.frame_seq for batch in batches] == [1, 2, 3, 4]
    assert batches[0].events == (MarketListed(market=MARKET),)
    assert isinstance(batches[1].events[0], BookReplaced)
    assert batches[3].now_ns == (OPEN_MS + 2) * MS_NS
    assert (tape.quality.frames, tape.quality.events) == (4, 4)
    assert list(tape.batches()) == batches


def test_our_own_events_keep_every_digit(tmp_path: Path) -> None:
    events: dict[str, Event] = {
        "oracle.chainlink": OracleReported(
            asset="btc", source="chainlink", price_e18=65_048_078_902_260_626_000_001, observed_ns=1
        ),
        "spot.binance": SpotTicked(asset="btc", source="binance", price=81234.555, venue_ns=1),
        "lifecycle": TickChanged(market_id=MARKET.market_id, tick_e4=10),
    }
    with TapeWriter(tmp_path / "a.tape", HEADER) as tape:
        for source, event in events.items():
            tape.write(1, 1, source, msgspec.json.encode([event]))
    batches = list(Tape(tmp_path / "a.tape").batches())
    assert {batch.source: batch.events[0] for batch in batches} == events


def test_raw_wire_frames_are_kept_and_what_has_no_event_is_counted(tmp_path: Path) -> None:
    pretty = b'{\n "event_type": "new_thing",\n "market": "0xc0"\n}'
    with TapeWriter(tmp_path / "a.tape", HEADER) as tape:
        tape.write(1, 1, "polymarket.market", pretty)
        tape.write(1, 1, "polymarket.market", b"[]")
    tape_read = Tape(tmp_path / "a.tape")
    assert [batch.events for batch in tape_read.batches()] == [(), ()]
    assert tape_read.quality.set_aside == {"message: unknown type new_thing": 1}


def test_an_error_leaves_no_file_behind(tmp_path: Path) -> None:
    def fail_inside() -> None:
        with TapeWriter(tmp_path / "a.tape", HEADER):
            assert (tmp_path / "a.tape.part").exists()
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail_inside()
    assert list(tmp_path.iterdir()) == []


def test_a_tape_appears_only_when_it_is_sealed(tmp_path: Path) -> None:
    with TapeWriter(tmp_path / "a.tape", HEADER):
        assert not (tmp_path / "a.tape").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["a.tape"]


@pytest.mark.parametrize(
    ("recv_ns", "source", "payload", "error"),
    [
        (0, "lifecycle", b"[]", InvariantError),
        (2, "elsewhere", b"[]", InvariantError),
        (2, 'x","y', b"[]", InvariantError),
        (2, "end", b"{}", InvariantError),
        (2, "polymarket.market", b"PONG", DecodeError),
        (2, "polymarket.market", b"[]]", DecodeError),
        (2, "polymarket.market", b'["' + b"x" * 5_000_000 + b'"]', DecodeError),
    ],
)
def test_the_writer_refuses_what_no_reader_could_read(
    tmp_path: Path, recv_ns: int, source: str, payload: bytes, error: type[Exception]
) -> None:
    with TapeWriter(tmp_path / "a.tape", HEADER) as tape:
        tape.write(1, 1, "lifecycle", b"[]")
        with pytest.raises(error):
            tape.write(recv_ns, 1, source, payload)
    assert len(list(Tape(tmp_path / "a.tape").batches())) == 1


def test_segments_of_a_folder_continue_each_other(tmp_path: Path) -> None:
    write_tape(tmp_path / "whole.tape")
    text = zstandard.decompress(_frame(tmp_path / "whole.tape")).splitlines(keepends=True)
    folder = tmp_path / "segments"
    folder.mkdir()
    for name, lines, last in (("1.tape", text[:3], 2), ("2.tape", [text[0], *text[3:5]], 4)):
        end = f'[{last + 1},1,1,"end",{{"frames":2}}]\n'.encode()
        (folder / name).write_bytes(zstandard.compress(b"".join(lines) + end))
    whole = list(Tape(tmp_path / "whole.tape").batches())
    assert list(open_source(folder).batches()) == whole
    (folder / "1.tape").unlink()
    with pytest.raises(BadInput, match=r"2\.tape: line 2: frame 3 where 1 must be"):
        list(Tape(folder).batches())


def _frame(path: Path) -> bytes:
    """The tape as one zstd frame of known size."""
    with zstandard.ZstdDecompressor().stream_reader(path.open("rb")) as stream:
        return zstandard.compress(stream.read())


def test_tapes_of_every_loader_replay_as_the_original(tmp_path: Path) -> None:
    ten = [book_line(START_5M + n, timestamp=str(START_5M * 1000 + n)) for n in range(10)]
    folders = [
        write_15m(tmp_path / "15m", [*pair(OPEN_MS), *pair(OPEN_MS + 7000, bid=0.495)]),
        write_5m(tmp_path / "5m", [*ten, ten[-1]]),
        write_oracle(
            tmp_path / "oracle", [(1_784_851_200_000, 65_048 * 10**18, 1_784_851_201_377)]
        ),
    ]
    for folder in folders:
        source = open_source(folder)
        convert(source, tmp_path / "out.tape", level=3)
        tape = Tape(tmp_path / "out.tape")
        assert list(tape.batches()) == list(source.batches())
        assert tape.quality == source.quality
        assert tape.info == source.info


def test_the_same_source_gives_the_same_bytes(tmp_path: Path) -> None:
    source = open_source(write_15m(tmp_path / "15m", [*pair(OPEN_MS), *pair(OPEN_MS + 1000)]))
    for name in ("a.tape", "b.tape"):
        convert(source, tmp_path / name)
    assert (tmp_path / "a.tape").read_bytes() == (tmp_path / "b.tape").read_bytes()


def test_counters_of_the_original_travel_in_the_end_mark(tmp_path: Path) -> None:
    with TapeWriter(tmp_path / "a.tape", HEADER) as tape:
        tape.seal(DataQuality(set_aside={"crossed": 3}, repaired={"x": 1}, inferred_ticks=2))
    read = Tape(tmp_path / "a.tape")
    assert list(read.batches()) == []
    assert (read.quality.set_aside, read.quality.inferred_ticks) == ({"crossed": 3}, 2)


def test_the_channel_cannot_carry_every_event() -> None:
    resolved = MarketResolved(
        market_id=MARKET.market_id, payouts_ppm=(1_000_000, 0), evidence=Evidence.OFFICIAL
    )
    with pytest.raises(InvariantError, match="cannot carry MarketResolved"):
        encode_market([resolved], {})


def test_a_market_frame_before_its_listing_has_no_events(tmp_path: Path) -> None:
    with TapeWriter(tmp_path / "a.tape", HEADER) as tape:
        tape.write(1, 1, "polymarket.market", book_frame(OPEN_MS))
    read = Tape(tmp_path / "a.tape")
    assert [batch.events for batch in read.batches()] == [()]
    assert read.quality.set_aside == {"message: unknown token": 1}
