"""Drives the core over a recording, with a fill model in the place of the venue.

Two clocks run side by side. The simulated venue sees a frame when it was recorded; the bot sees it
a feed delay later, and its orders reach the venue an order delay after that. Everything happens in
order of time; ties are market frame, venue answer, timer. Beyond the last recorded frame nothing is
known, so strategies decide nothing there: only what is already under way is carried to its end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from polybawt.domain.events import Batch, Event, TimerFired
from polybawt.domain.units import MS_NS, S_NS
from polybawt.engine import Engine, Step
from polybawt.ports import FillModel, FrameSource

TIMER = (TimerFired(),)
DRAIN_NS = 60 * S_NS
"""How long after the last frame what is under way (acks, redeems) may still end."""
PROGRESS_FRAMES = 500
"""Frames between two reports of progress."""
IDLE_AFTER_CLOSE_NS = 120 * S_NS
"""Timers stop when every market has been closed for this long."""


class Observer(Protocol):
    """Sees every step of the core; may not change anything."""

    def before(self, batch: Batch) -> None:
        """A batch is about to be applied."""

    def after(self, batch: Batch, step: Step) -> None:
        """A batch was applied, and this came of it."""


class Backtest:
    """One run: source, engine, simulated venue, observer.

    A batch carries the number of the recorded frame that the bot saw last, so every decision can be
    found in the raw file.
    """

    def __init__(
        self,
        source: FrameSource,
        engine: Engine,
        venue: FillModel,
        observer: Observer,
        *,
        timer_ms: int,
    ) -> None:
        self.source = source
        self.engine = engine
        self.venue = venue
        self.observer = observer
        self._timer_ns = timer_ms * MS_NS
        self._next_timer_ns = 0
        self._under_way: deque[tuple[int, Batch]] = deque()
        self._last_delivery_ns = 0
        self._frame_seq = 0

    def run(self, progress: Callable[[float], None] | None = None) -> None:
        """Play the whole recording, then let what is under way end."""
        on_market, under_way = self.venue.on_market, self._under_way
        feed_delay_ns = self.venue.feed_delay_ns
        last_ns = 0
        for batch in self.source.batches():
            last_ns = batch.now_ns
            self._run_until(last_ns - 1)
            on_market(batch)
            deliver_ns = last_ns + feed_delay_ns(last_ns)
            if deliver_ns < self._last_delivery_ns:
                deliver_ns = self._last_delivery_ns
            self._last_delivery_ns = deliver_ns
            under_way.append((deliver_ns, batch))
            if progress is not None and not batch.frame_seq % PROGRESS_FRAMES:
                progress(self.source.quality.fraction)
        self._run_until(last_ns)
        self.engine.strategies.clear()
        self._next_timer_ns = last_ns + 2 * DRAIN_NS
        self._run_until(last_ns + DRAIN_NS)

    def _run_until(self, until_ns: int) -> None:
        """Everything the venue and the bot do up to and including an instant."""
        under_way, venue = self._under_way, self.venue
        other_ns = self._other_due_ns()
        while True:
            while under_way and under_way[0][0] <= other_ns:
                due_ns, batch = under_way[0]
                if due_ns > until_ns:
                    return
                under_way.popleft()
                self._frame_seq = batch.frame_seq
                if self._step(due_ns, batch.source, batch.events).actions:
                    other_ns = self._other_due_ns()
            if other_ns > until_ns:
                return
            if other_ns == venue.next_ns():
                venue.advance(other_ns)
                for answer_ns, events in venue.answers(other_ns):
                    self._step(answer_ns, "venue", events)
            else:
                self._fire_timer(until_ns)
            other_ns = self._other_due_ns()

    def _other_due_ns(self) -> int:
        """When the venue or the timer is due next; only a step with actions makes it sooner."""
        venue_ns = self.venue.next_ns()
        timer_ns = self._next_timer_ns
        return timer_ns if venue_ns is None or timer_ns < venue_ns else venue_ns

    def _fire_timer(self, until_ns: int) -> None:
        markets = self.engine.state.account.markets.values()
        now_ns = self._next_timer_ns
        if any(live.market.close_ns + IDLE_AFTER_CLOSE_NS > now_ns for live in markets):
            self._step(now_ns, "timer", TIMER)
            self._next_timer_ns = now_ns + self._timer_ns
        else:
            self._next_timer_ns = (until_ns // self._timer_ns + 1) * self._timer_ns

    def _step(self, now_ns: int, source: str, events: tuple[Event, ...]) -> Step:
        batch = Batch(self._frame_seq, now_ns, source, events)
        self.observer.before(batch)
        step = self.engine.step(batch)
        if step.actions:
            self.venue.submit(step.actions, now_ns, self._frame_seq)
        self.observer.after(batch, step)
        return step
