"""The tape format: a zstd stream of JSON lines (docs/data.md describes it for readers elsewhere).

Line 1 is the header. Every further line is `[frame_seq, recv_ns, recv_wall_ns, source, payload]`.
The last one has source "end" and the counters of the recording, so that a tape that was cut off
anywhere is known to be cut off.
"""

from __future__ import annotations

import msgspec

from polybawt.domain.events import (
    BoundaryFixed,
    MarketListed,
    MarketResolved,
    OracleReported,
    SpotTicked,
    TickChanged,
)
from polybawt.ports import SourceInfo

FORMAT = "polybawt-tape"
VERSION = 1
SUFFIX = ".tape"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
END = "end"
LINE_BYTES_MAX = 8 * 1024 * 1024
WINDOW_BYTES_MAX = 128 * 1024 * 1024

TapeEvent = (
    MarketListed | TickChanged | BoundaryFixed | MarketResolved | OracleReported | SpotTicked
)
"""Events that a tape carries in our own JSON; market data stays in the venue's."""


class RecordingHeader(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """First line of a tape file: what it is, and whether this program can read it."""

    format: str = FORMAT
    version: int = VERSION
    created_by: str
    info: SourceInfo


class Line(msgspec.Struct, array_like=True, gc=False):
    """One frame. `payload` is raw wire JSON for market data, a list of events otherwise."""

    frame_seq: int
    recv_ns: int
    recv_wall_ns: int
    source: str
    payload: msgspec.Raw


class EndMark(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Payload of the last line. Counters of the original, as far as frames cannot show them."""

    frames: int
    set_aside: dict[str, int] = msgspec.field(default_factory=dict)
    repaired: dict[str, int] = msgspec.field(default_factory=dict)
    inferred_ticks: int = 0


def is_event_source(source: str) -> bool:
    """Whether frames of this source carry our own events."""
    return source == "lifecycle" or source.startswith(("oracle.", "spot."))
