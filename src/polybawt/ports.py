"""What the shell needs from the world, in domain words: Protocols and the values they exchange."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import msgspec

from polybawt.domain.actions import Action
from polybawt.domain.events import Batch, Event


class SourceInfo(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a source of frames is, and what a run on it can and cannot prove."""

    name: str
    kind: str
    origin: str
    licence: str
    attribution: str | None
    claims: tuple[str, ...]
    limits: tuple[str, ...]
    official_outcomes: bool


class DataQuality(msgspec.Struct, kw_only=True):
    """Counters that a source fills while it streams; complete when the stream has ended.

    `set_aside` counts frames that were not emitted, by reason; `repaired` counts values emitted
    after a documented correction. `gaps_over_5s` counts pauses between emitted frames of one market
    or one oracle; `one_sided` counts frames with a book that has no bid or no ask. `fraction` is
    the share of the input that has been read, for progress.
    """

    frames: int = 0
    events: int = 0
    set_aside: dict[str, int] = msgspec.field(default_factory=dict)
    repaired: dict[str, int] = msgspec.field(default_factory=dict)
    gaps_over_5s: int = 0
    one_sided: int = 0
    inferred_ticks: int = 0
    first_ns: int = 0
    last_ns: int = 0
    fraction: float = 0.0

    def count_set_aside(self, reason: str, count: int = 1) -> None:
        """Count frames that are not emitted."""
        self.set_aside[reason] = self.set_aside.get(reason, 0) + count

    def count_repaired(self, reason: str, count: int = 1) -> None:
        """Count values that were corrected."""
        self.repaired[reason] = self.repaired.get(reason, 0) + count


class FrameSource(Protocol):
    """A recording as a stream of batches in total order.

    `now_ns` never decreases and `frame_seq` runs from 1 without a gap; ties are ordered by (time,
    rank of the source, order in the file). Each call of `batches` starts again at the first frame
    with fresh counters. Raises BadInput for input that cannot be trusted.
    """

    @property
    def info(self) -> SourceInfo:
        """What this source is."""
        ...

    @property
    def quality(self) -> DataQuality:
        """Counters of the latest pass."""
        ...

    def batches(self) -> Iterator[Batch]:
        """All frames, decoded, streaming."""
        ...


NEVER_NS = 1 << 63
"""Later than any instant."""


class FillModel(Protocol):
    """Answers our actions from recorded frames, in the place of a venue. Times are venue time.

    The caller keeps time: calls come in non-decreasing order, frames of an instant before
    `advance` to it.
    """

    @property
    def feed_delay_ns(self) -> Callable[[int], int]:
        """How long after a frame was recorded, at the given instant, the bot sees it."""
        ...

    @property
    def due_ns(self) -> int:
        """When something is due next, NEVER_NS if nothing is under way."""
        ...

    def on_market(self, batch: Batch) -> None:
        """A recorded frame, at the instant it was recorded."""
        ...

    def submit(self, actions: Sequence[Action], decided_ns: int, frame_seq: int) -> None:
        """What the bot decided, in one post."""
        ...

    def advance(self, now_ns: int) -> None:
        """Do all that is due by then."""
        ...

    def answers(self, now_ns: int) -> list[tuple[int, tuple[Event, ...]]]:
        """What reaches the bot by then, in order of delivery."""
        ...
