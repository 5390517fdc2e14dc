"""Numbering and measuring of a stream of batches: the same counters for every source."""

from __future__ import annotations

from polybawt.domain.errors import InvariantError
from polybawt.domain.events import (
    Batch,
    BookChanged,
    BookReplaced,
    Event,
    MarketResolved,
    OracleReported,
)
from polybawt.domain.units import S_NS
from polybawt.ports import DataQuality

MARKET = "polymarket.market"
LIFECYCLE = "lifecycle"
ORACLE = "oracle.chainlink"
RANK_LIFECYCLE, RANK_ORACLE, RANK_MARKET = 0, 1, 2
"""Order of sources at one instant: what is known about a market comes before its books."""
_GAP_NS = 5 * S_NS


class Meter:
    """Numbers batches from 1 and counts what passes.

    `until_ns` is when the recording ends, if that is known before it is read: progress follows it.
    """

    __slots__ = ("_latest_ns", "_until_ns", "quality")

    def __init__(self, quality: DataQuality, until_ns: int | None = None) -> None:
        self.quality = quality
        self._until_ns = until_ns
        self._latest_ns: dict[str, int] = {}

    def batch(self, now_ns: int, source: str, events: tuple[Event, ...]) -> Batch:
        """The next batch. InvariantError if time runs backwards: loaders must have refused that."""
        quality = self.quality
        if not quality.frames:
            quality.first_ns = now_ns
        elif now_ns < quality.last_ns:
            raise InvariantError(f"frame at {now_ns} ns after one at {quality.last_ns} ns")
        quality.frames += 1
        quality.events += len(events)
        quality.last_ns = now_ns
        if self._until_ns is not None and self._until_ns > quality.first_ns:
            span_ns = self._until_ns - quality.first_ns
            quality.fraction = min(1.0, (now_ns - quality.first_ns) / span_ns)
        if events:
            self._measure(now_ns, events)
        return Batch(quality.frames, now_ns, source, events)

    def _measure(self, now_ns: int, events: tuple[Event, ...]) -> None:
        first = events[0]
        if isinstance(first, BookReplaced):
            self._pause(first.market_id, now_ns)
            for event in events:
                if isinstance(event, BookReplaced) and not (event.bids and event.asks):
                    self.quality.one_sided += 1
                    break
        elif isinstance(first, BookChanged):
            self._pause(first.market_id, now_ns)
        elif isinstance(first, OracleReported):
            self._pause(first.source, now_ns)
        elif isinstance(first, MarketResolved):
            self._latest_ns.pop(first.market_id, None)

    def _pause(self, key: str, now_ns: int) -> None:
        latest_ns = self._latest_ns.get(key)
        if latest_ns is not None and now_ns - latest_ns > _GAP_NS:
            self.quality.gaps_over_5s += 1
        self._latest_ns[key] = now_ns
