"""What the simulated venue says: answers to the bot, delayed, and its effects."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from polybawt.adapters.fills.latency import Latency
from polybawt.adapters.fills.record import VenueRecord
from polybawt.adapters.fills.schedule import NEVER_NS
from polybawt.domain.events import Event

Sink = Callable[[VenueRecord], None]


class Outbox:
    """Answers in the order in which they happened: one stream, so a slow one delays the next."""

    __slots__ = ("_answers", "_last_ns", "_latency", "_sink")

    def __init__(self, latency: Latency, sink: Sink | None) -> None:
        self._latency = latency
        self._answers: deque[tuple[int, Event]] = deque()
        self._last_ns = 0
        self._sink = sink

    def answer(self, event: Event, venue_ns: int) -> None:
        """Send an event that happened at `venue_ns`."""
        self._last_ns = max(self._last_ns, venue_ns + self._latency.ack_ns(venue_ns))
        self._answers.append((self._last_ns, event))

    @property
    def due_ns(self) -> int:
        """When the next answer is delivered, NEVER_NS if none is under way."""
        return self._answers[0][0] if self._answers else NEVER_NS

    def take(self, now_ns: int) -> list[tuple[int, tuple[Event, ...]]]:
        """Answers delivered by `now_ns`: those of one instant are one group."""
        groups: list[tuple[int, tuple[Event, ...]]] = []
        while self.due_ns <= now_ns:
            due_ns = self.due_ns
            events: list[Event] = []
            while self.due_ns == due_ns:
                events.append(self._answers.popleft()[1])
            groups.append((due_ns, tuple(events)))
        return groups

    def record(self, record: VenueRecord) -> None:
        """Show an effect to whoever listens, in order of venue time."""
        if self._sink is not None:
            self._sink(record)
