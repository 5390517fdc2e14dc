"""SimVenue: would this order have filled against this recorded book?

It speaks no protocol and knows nothing of strategies. The rules, what recorded data can and cannot
prove, and every parameter: docs/fill-model.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from polybawt.adapters.fills.chain import ChainDesk
from polybawt.adapters.fills.config import FillConfig
from polybawt.adapters.fills.desk import OrderDesk
from polybawt.adapters.fills.latency import Latency
from polybawt.adapters.fills.market import SimMarket
from polybawt.adapters.fills.outbox import Outbox, Sink
from polybawt.adapters.fills.record import Code
from polybawt.adapters.fills.schedule import Rank, Schedule
from polybawt.domain.actions import Action, Cancel, ChainAction, Place
from polybawt.domain.errors import InvariantError
from polybawt.domain.events import (
    Batch,
    BookChanged,
    BookReplaced,
    Event,
    MarketListed,
    MarketResolved,
    TickChanged,
    TradePrinted,
)
from polybawt.domain.ids import MarketId
from polybawt.ports import NEVER_NS


class SimVenue:
    """Fills our orders against recorded books. Deterministic: same input, same answers.

    Time is the caller's: frames and `advance` come in non-decreasing venue time, and whatever was
    due before a frame is done before it. At one instant ends (close, expiry, void) come first, then
    the frames, then arrivals; so a caller that has several frames of one instant gives all of them
    before it calls `advance` for that instant. InvariantError when time goes back.
    """

    __slots__ = (
        "_chain",
        "_config",
        "_desk",
        "_latency",
        "_markets",
        "_now_ns",
        "_outbox",
        "_schedule",
        "due_ns",
        "feed_delay_ns",
    )

    def __init__(self, config: FillConfig, sink: Sink | None = None) -> None:
        """`sink` is shown every effect as it happens; nothing of it is kept here."""
        self._config = config
        self._latency = Latency(config)
        self._schedule = Schedule()
        self._outbox = Outbox(self._latency, sink)
        self._markets: dict[MarketId, SimMarket] = {}
        self._desk = OrderDesk(config, self._schedule, self._outbox, self._markets)
        self._chain = ChainDesk(config, self._latency, self._schedule, self._outbox, self._markets)
        self._now_ns = 0
        self.feed_delay_ns = self._latency.feed_ns
        """How long after it was received the bot sees a frame; the caller keeps order."""
        self.due_ns = NEVER_NS
        """The earliest instant at which something is due, NEVER_NS if nothing is under way.

        An attribute, since the caller reads it more than once per frame.
        """

    # --- what the caller drives ------------------------------------------------------------------

    def order_delay_ns(self, decided_ns: int) -> int:
        """How long after `decided_ns` the orders and cancels decided then reach the book."""
        return self._latency.order_ns(decided_ns)

    def on_market(self, batch: Batch) -> None:  # noqa: C901 (one flat loop: hot)
        """Apply one frame of market data or lifecycle at venue time `batch.now_ns`, as a whole.

        DecodeError for a price off the market's grid; other kinds of events are ignored.
        """
        now_ns = batch.now_ns
        if now_ns < self._now_ns:
            raise InvariantError(f"frame {batch.frame_seq} at {now_ns}: after {self._now_ns}")
        self._now_ns = now_ns
        if now_ns >= self.due_ns:
            self._schedule.run(now_ns, Rank.BOOK)
            self._set_due()
        markets = self._markets
        moved: list[SimMarket] | None = None
        prints: list[TradePrinted] | None = None
        for event in batch.events:
            if type(event) is BookChanged:
                market = markets.get(event.market_id)
                if market is None or not market.change(event):
                    continue
            elif type(event) is BookReplaced:
                market = markets.get(event.market_id)
                if market is None or not market.replace(event):
                    continue
            elif type(event) is TradePrinted:
                prints = [*(prints or ()), event]
                continue
            else:
                self._on_life(event, now_ns)
                self._set_due()
                continue
            if moved is None:
                moved = [market]
            elif market not in moved:
                moved.append(market)
        if moved is None and prints is None:
            return  # most frames: nothing that our orders could feel
        if prints is not None:
            self._desk.on_prints(prints, now_ns)
        if moved is not None:
            for active in moved:
                self._desk.on_book(active, now_ns)
        self._set_due()

    def submit(self, actions: Sequence[Action], decided_ns: int, frame_seq: int) -> None:
        """Send what was decided at `decided_ns` on frame `frame_seq`: one post, one delay.

        A cancel never overtakes its order. InvariantError for an order id that is still open.
        """
        arrives_ns = decided_ns + self._latency.order_ns(decided_ns)
        if arrives_ns < self._now_ns:
            raise InvariantError(f"orders arrive at {arrives_ns}: the venue is at {self._now_ns}")
        for action in actions:
            if isinstance(action, Place):
                self._desk.place(
                    action, decided_ns=decided_ns, arrives_ns=arrives_ns, frame_seq=frame_seq
                )
            elif isinstance(action, Cancel):
                self._desk.cancel(
                    action, decided_ns=decided_ns, arrives_ns=arrives_ns, frame_seq=frame_seq
                )
            elif isinstance(action, ChainAction):
                self._chain.submit(action, decided_ns, frame_seq)
            else:
                raise InvariantError(f"the fill model cannot do {type(action).__name__}")
        self._set_due()

    def advance(self, now_ns: int) -> None:
        """Do everything that is due at or before `now_ns`."""
        if now_ns < self._now_ns:
            raise InvariantError(f"advance to {now_ns}: the venue is at {self._now_ns}")
        self._now_ns = now_ns
        if now_ns >= self._schedule.due_ns:
            self._schedule.run(now_ns)
        self._set_due()

    def answers(self, now_ns: int) -> list[tuple[int, tuple[Event, ...]]]:
        """Events that reach the bot by `now_ns`: (delivery time, group), in order of delivery."""
        groups = self._outbox.take(now_ns)
        self._set_due()
        return groups

    def _set_due(self) -> None:
        scheduled_ns, answer_ns = self._schedule.due_ns, self._outbox.due_ns
        self.due_ns = scheduled_ns if scheduled_ns < answer_ns else answer_ns

    @property
    def rebates_accrued_e6(self) -> int:
        """Estimated maker rebates of all fills so far, paid or not, in 10^-6 pUSD."""
        return self._desk.rebates.accrued_e6

    @property
    def rebates_paid_e6(self) -> int:
        """The part of the estimate that was paid out."""
        return self._desk.rebates.paid_e6

    @property
    def market_count(self) -> int:
        """Markets in memory: listed and not yet settled with us."""
        return len(self._markets)

    # --- life of a market ------------------------------------------------------------------------

    def _on_life(self, event: Event, now_ns: int) -> None:
        if isinstance(event, MarketListed):
            self._list(event, now_ns)
        elif isinstance(event, TickChanged):
            market = self._markets.get(event.market_id)
            if market is not None:
                market.refine(event.tick_e4)
        elif isinstance(event, MarketResolved):
            self._resolve(event, now_ns)

    def _list(self, event: MarketListed, now_ns: int) -> None:
        """Open a market once; one that is over when it is listed never trades here."""
        listed = event.market
        if listed.market_id in self._markets or now_ns >= listed.close_ns:
            return
        market = self._markets[listed.market_id] = SimMarket(listed, self._config)
        call = partial(self._desk.close_market, market, Code.MARKET_CLOSED)
        self._schedule.add(listed.close_ns, Rank.END, call)

    def _resolve(self, event: MarketResolved, now_ns: int) -> None:
        market = self._markets.get(event.market_id)
        if market is None or market.payouts_ppm == event.payouts_ppm:
            return
        if market.payouts_ppm is not None:
            raise InvariantError(f"market {event.market_id} is resolved twice, differently")
        self._desk.close_market(market, Code.MARKET_RESOLVED, now_ns)
        market.payouts_ppm = event.payouts_ppm
        self._chain.resolve(event.market_id, now_ns)
        if market.is_done:
            del self._markets[event.market_id]
