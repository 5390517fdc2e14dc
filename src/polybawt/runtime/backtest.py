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

from polybawt.domain.events import Batch, TimerFired
from polybawt.domain.units import MS_NS, S_NS
from polybawt.engine import NOTHING, Engine, Step
from polybawt.ports import FillModel, FrameSource

TIMER = "timer"
TIMER_EVENTS = (TimerFired(),)
DRAIN_NS = 60 * S_NS
"""How long after the last frame what is under way (acks, redeems) may still end."""
PROGRESS_FRAMES = 500
"""Frames between two reports of progress."""
IDLE_AFTER_CLOSE_NS = 120 * S_NS
"""Timers stop when every market has been closed for this long."""


class Observer(Protocol):
    """Sees what the core does; may not change anything."""

    def before(self, batch: Batch) -> None:
        """A batch is about to be applied."""

    def after(self, batch: Batch, step: Step) -> None:
        """A batch was applied. Not called for a recorded frame that led to nothing."""


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
        # Bound once: both are called for every frame.
        self._before, self._decide = observer.before, engine.step
        self._timer_ns = timer_ms * MS_NS
        self._next_timer_ns = 0
        self._under_way: deque[Batch] = deque()
        """Frames between the feed and the bot, stamped with the time at which it sees them."""
        self._frame_seq = 0

    def run(self, progress: Callable[[float], None] | None = None) -> None:
        """Play the whole recording, then let what is under way end."""
        on_market, under_way = self.venue.on_market, self._under_way
        feed_delay_ns = self.venue.feed_delay_ns
        last_ns = seen_ns = 0
        for batch in self.source.batches():
            last_ns = batch.now_ns
            self._run_until(last_ns - 1)
            on_market(batch)
            due_ns = last_ns + feed_delay_ns(last_ns)
            if due_ns > seen_ns:  # a frame does not overtake the one before it
                seen_ns = due_ns
            under_way.append(Batch(batch.frame_seq, seen_ns, batch.source, batch.events))
            if progress is not None and not batch.frame_seq % PROGRESS_FRAMES:
                progress(self.source.quality.fraction)
        self._run_until(last_ns)
        self.engine.strategies.clear()
        self._next_timer_ns = last_ns + 2 * DRAIN_NS
        self._run_until(last_ns + DRAIN_NS)

    def _run_until(self, until_ns: int) -> None:
        """Everything the venue and the bot do up to and including an instant."""
        under_way, venue = self._under_way, self.venue
        while True:
            venue_ns, timer_ns = venue.due_ns, self._next_timer_ns
            other_ns = venue_ns if venue_ns <= timer_ns else timer_ns
            frames_ns = other_ns if other_ns < until_ns else until_ns
            while under_way and under_way[0].now_ns <= frames_ns:
                batch = under_way.popleft()
                self._frame_seq = batch.frame_seq
                self._before(batch)
                step = self._decide(batch)
                if step is not NOTHING:  # one frame in many; what it sends may be due first
                    self._follow(batch, step)
                    break
            else:
                if other_ns > until_ns:
                    return
                if other_ns == venue_ns:
                    self._answer(venue_ns)
                else:
                    self._fire_timer(until_ns)

    def _answer(self, now_ns: int) -> None:
        """What the venue does at an instant, and what the bot hears of it then."""
        self.venue.advance(now_ns)
        for answer_ns, events in self.venue.answers(now_ns):
            self._step(Batch(self._frame_seq, answer_ns, "venue", events))

    def _fire_timer(self, until_ns: int) -> None:
        markets = self.engine.state.account.markets.values()
        now_ns = self._next_timer_ns
        if any(live.market.close_ns + IDLE_AFTER_CLOSE_NS > now_ns for live in markets):
            self._step(Batch(self._frame_seq, now_ns, TIMER, TIMER_EVENTS))
            self._next_timer_ns = now_ns + self._timer_ns
        else:
            self._next_timer_ns = (until_ns // self._timer_ns + 1) * self._timer_ns

    def _step(self, batch: Batch) -> None:
        """A batch of the venue or the timer."""
        self._before(batch)
        self._follow(batch, self._decide(batch))

    def _follow(self, batch: Batch, step: Step) -> None:
        """Send what a step decided."""
        if step.actions:
            self.venue.submit(step.actions, batch.now_ns, batch.frame_seq)
        self.observer.after(batch, step)
