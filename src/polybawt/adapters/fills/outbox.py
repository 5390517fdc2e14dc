"""What the simulated venue says: answers to the bot, delayed, and its effects."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from polybawt.adapters.fills.latency import Latency
from polybawt.adapters.fills.record import VenueRecord
from polybawt.domain.events import Event
from polybawt.ports import NEVER_NS

Sink = Callable[[VenueRecord], None]


class Outbox:
    """Answers in the order in which they happened: one stream, so a slow one delays the next."""

    __slots__ = ("_answers", "_last_ns", "_latency", "_sink", "due_ns")

    def __init__(self, latency: Latency, sink: Sink | None) -> None:
        self._latency = latency
        self._answers: deque[tuple[int, Event]] = deque()
        self._last_ns = 0
        self._sink = sink
        self.due_ns = NEVER_NS
        """When the next answer is delivered, NEVER_NS if none is under way."""

    def answer(self, event: Event, venue_ns: int) -> None:
        """Send an event that happened at `venue_ns`."""
        self._last_ns = max(self._last_ns, venue_ns + self._latency.ack_ns(venue_ns))
        self._answers.append((self._last_ns, event))
        self.due_ns = self._answers[0][0]

    def take(self, now_ns: int) -> list[tuple[int, tuple[Event, ...]]]:
        """Answers delivered by `now_ns`: those of one instant are one group."""
        groups: list[tuple[int, tuple[Event, ...]]] = []
        answers = self._answers
        while answers and answers[0][0] <= now_ns:
            due_ns = answers[0][0]
            events: list[Event] = []
            while answers and answers[0][0] == due_ns:
                events.append(answers.popleft()[1])
            groups.append((due_ns, tuple(events)))
        self.due_ns = answers[0][0] if answers else NEVER_NS
        return groups

    def record(self, record: VenueRecord) -> None:
        """Show an effect to whoever listens, in order of venue time."""
        if self._sink is not None:
            self._sink(record)
