"""Turns the steps of a run into its trace, its report and its summary. Changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from polybawt.domain import events as ev
from polybawt.domain.actions import Action, Place
from polybawt.domain.book import Touch
from polybawt.domain.ids import MarketId, OrderId, StrategyName
from polybawt.domain.intents import Check
from polybawt.domain.order import OrderState
from polybawt.domain.units import E12, HALF_EVEN, S_NS, div
from polybawt.engine import NOTHING, Step
from polybawt.observe.trace import ActionDigest, TraceWriter
from polybawt.portfolio.account import LiveMarket, fill_of
from polybawt.portfolio.pnl import liquidation_mark_e18
from polybawt.portfolio.settlement import Agreement
from polybawt.report.recorder import Recorder
from polybawt.report.summary import Summary
from polybawt.state import State

NO_FACTS = frozenset({ev.BookChanged, ev.BookReplaced, ev.TradePrinted, ev.TimerFired})
"""Almost everything that comes, and nothing that a report counts one by one."""

UNITS = {
    **dict.fromkeys((Check.PRICE, Check.COLLAR, Check.SELF_CROSS), "e4"),
    **dict.fromkeys(
        (
            Check.SIZE,
            Check.ORDER_LIMIT,
            Check.TOKEN_LIMIT,
            Check.MARKET_LIMIT,
            Check.WINDOW_LIMIT,
            Check.ASSET_LIMIT,
            Check.STRATEGY_LIMIT,
            Check.ACCOUNT_LIMIT,
            Check.RESTING_LIMIT,
            Check.CASH,
            Check.TOKENS,
        ),
        "e6",
    ),
}
"""Unit of the numbers that a refusal carries, where they are money, shares or prices."""


class RunObserver:
    """Feeds recorder, trace and digest from the core's state and steps."""

    def __init__(
        self,
        state: State,
        recorder: Recorder,
        trace: TraceWriter | None,
        strategies: Iterable[StrategyName],
    ) -> None:
        """`strategies` are those that run: one that never trades is shown with zeros."""
        self._state = state
        self._recorder = recorder
        self._trace = trace
        self._digest = ActionDigest()
        self._bids: dict[MarketId, tuple[int, int]] = {}
        self._over: set[MarketId] = set()
        """Markets whose book has been heard of after the close: their bids stay what they were."""
        self._next_close_ns = 0
        self._traded = {name: Counter[str]() for name in strategies}
        self._seen: dict[MarketId, set[StrategyName]] = {}
        self.markets = 0
        self.rebates_paid_e6 = 0
        self.settled = 0
        self.agreement: Counter[Agreement] = Counter()
        """The outcome that our own boundary prices expect, against the venue's payout."""

    # --- before: what the step is about to change or forget --------------------------------------

    def before(self, batch: ev.Batch) -> None:
        """Note facts while orders and markets that they end are still known."""
        if batch.now_ns >= self._next_close_ns:
            self._note_last_bids(batch)
        for event in batch.events:
            if type(event) not in NO_FACTS:
                self._note_facts(batch)
                return

    def _note_facts(self, batch: ev.Batch) -> None:  # noqa: C901 - one flat dispatch
        if self._trace is not None:
            self._trace.before(batch)
        account, recorder, now_ns = self._state.account, self._recorder, batch.now_ns
        matched: dict[OrderId, int] = {}
        for event in batch.events:
            match event:
                case ev.MarketListed():
                    if event.market.market_id not in account.markets:
                        self.markets += 1
                        self._next_close_ns = min(self._next_close_ns, event.market.close_ns)
                        recorder.market_listed(event.market, now_ns)
                case ev.Filled():
                    self._filled(event, now_ns, matched)
                case ev.FillVoided():
                    recorder.fill_voided(event.fill_id)
                case ev.OrderRejected():
                    self._ended(event.order_id, OrderState.REJECTED)
                case ev.OrderClosed():
                    self._ended(event.order_id, event.state)
                case ev.PairMerged() | ev.PairSplit():
                    self._converted(event)
                case ev.CashMoved(kind=ev.TransferKind.REBATE):
                    self.rebates_paid_e6 += event.cash_e6
                case ev.MarketResolved():
                    self._resolved(event, now_ns)
                case _:
                    pass

    def _filled(self, event: ev.Filled, now_ns: int, matched: dict[OrderId, int]) -> None:
        """Note a fill; `matched` is what the account does not know of this batch's fills yet."""
        account = self._state.account
        order = account.orders.by_id[event.order_id]
        if event.fill_id in order.fill_ids:
            return
        market_id = account.orders.market_of(event.order_id)
        live = account.markets[market_id]
        fill = fill_of(event, order)
        phase = live.market.phase(event.venue_ns, self._state.cutoff_ns)
        self._recorder.fill(fill, market_id, phase, self._mid_e6(market_id), now_ns)
        self._tally(order.strategy)["fills"] += 1
        just_e6 = matched[event.order_id] = matched.get(event.order_id, 0) + event.qty_e6
        if order.matched_e6 + just_e6 >= order.leg.qty_e6 and order.is_open:
            self._recorder.order(order.strategy, OrderState.FILLED)
        seen = self._seen.setdefault(market_id, set())
        if order.strategy not in seen:
            seen.add(order.strategy)
            self._tally(order.strategy)["markets"] += 1

    def _ended(self, order_id: OrderId, state: OrderState) -> None:
        order = self._state.account.orders.by_id.get(order_id)
        if order is not None and order.is_open:
            self._recorder.order(order.strategy, state)

    def _converted(self, event: ev.JobDone) -> None:
        live = self._state.account.markets.get(event.market_id)
        job = None if live is None else live.jobs.get(event.job_id)
        if job is not None:
            kind = ev.JobKind.MERGE if isinstance(event, ev.PairMerged) else ev.JobKind.SPLIT
            self._recorder.converted(job.strategy, event.market_id, kind, event.qty_e6)

    def _resolved(self, event: ev.MarketResolved, now_ns: int) -> None:
        live = self._state.account.markets.get(event.market_id)
        if live is None or live.payouts_ppm is not None:
            return
        self.settled += 1
        settlement = self._state.settlement
        self.agreement[settlement.compare(event.market_id, event.payouts_ppm)] += 1
        for strategy in self._seen.pop(event.market_id, set()):
            self._tally(strategy)["settled"] += 1
        self._bids.pop(event.market_id, None)
        self._over.discard(event.market_id)
        recorder = self._recorder
        recorder.market_resolved(event.market_id, event.payouts_ppm, event.evidence, now_ns)

    # --- after -----------------------------------------------------------------------------------

    def after(self, batch: ev.Batch, step: Step) -> None:
        """Note what the step decided, and on a timer how things stand."""
        if step is not NOTHING:
            self._note(batch, step)
        if batch.source == "timer":
            self._sample(batch.now_ns)

    def _note(self, batch: ev.Batch, step: Step) -> None:
        if step.actions:
            self._digest.add(batch.now_ns, step.actions)
            if self._trace is not None:
                self._trace.actions(batch.now_ns, batch.frame_seq, step.actions)
            self._count_orders(step.actions)
        for decision in step.decisions:
            for refusal in decision.refusals:
                self._recorder.refusal(
                    decision.intent.strategy,
                    decision.intent.market_id,
                    refusal.check,
                    refusal.code,
                    value=refusal.value,
                    limit=refusal.limit,
                    unit=UNITS.get(refusal.check, ""),
                    now_ns=batch.now_ns,
                )

    def _count_orders(self, actions: tuple[Action, ...]) -> None:
        for action in actions:
            if isinstance(action, Place):
                self._tally(action.strategy)["orders"] += 1
                self._recorder.order(action.strategy, OrderState.SENT)

    def _sample(self, now_ns: int) -> None:
        for market_id, live in self._state.account.markets.items():
            if live.payouts_ppm is None and now_ns <= live.market.close_ns:
                up = down = 0
                for _, position in self._state.account.positions(market_id):
                    up += position.up_e6
                    down += position.down_e6
                self._recorder.sample(now_ns, market_id, self._mid_e6(market_id), up - down)
        equity_e6 = self.equity_e18() // E12
        self._recorder.equity(now_ns, equity_e6, self._state.account.locked_e6())

    def _mid_e6(self, market_id: MarketId) -> int | None:
        quotes = self._state.market.books.get(market_id)
        if quotes is None or not (quotes.up.generation or quotes.down.generation):
            return None
        touch = Touch(quotes.up, quotes.down)
        if not touch.is_two_sided or touch.is_crossed:
            return None
        return (touch.bid_e4 + touch.ask_e4) * 50

    def _tally(self, strategy: StrategyName) -> Counter[str]:
        return self._traded.setdefault(strategy, Counter())

    # --- sums ------------------------------------------------------------------------------------

    def mark_e18(self, live: LiveMarket) -> int:
        """Liquidation worth of a market's holdings; after the close at the last bids before it."""
        market_id = live.market.market_id
        if live.payouts_ppm is None and market_id not in self._over:
            self._note_bids(market_id)
        bid_up, bid_down = self._bids.get(market_id, (0, 0))
        up = down = 0
        for _, position in self._state.account.positions(market_id):
            up += position.up_e6
            down += position.down_e6
        return liquidation_mark_e18(up, down, bid_up, bid_down)

    def _note_bids(self, market_id: MarketId) -> None:
        quotes = self._state.market.books[market_id]
        if quotes.up.generation or quotes.down.generation:
            touch = Touch(quotes.up, quotes.down)
            self._bids[market_id] = (touch.bid_e4, 10_000 - touch.ask_e4)

    def _note_last_bids(self, batch: ev.Batch) -> None:
        """Keep the bids of a market before its first book of after the close replaces them."""
        markets = self._state.account.markets
        for event in batch.events:
            if isinstance(event, ev.BookReplaced | ev.BookChanged):
                live = markets.get(event.market_id)
                if live is None or event.venue_ns < live.market.close_ns:
                    continue
                if live.payouts_ppm is None and event.market_id not in self._over:
                    self._note_bids(event.market_id)
                    self._over.add(event.market_id)
        self._next_close_ns = min(
            (
                live.market.close_ns
                for market_id, live in markets.items()
                if live.payouts_ppm is None and market_id not in self._over
            ),
            default=batch.now_ns + S_NS,
        )

    def equity_e18(self) -> int:
        """Cash, claims and holdings at liquidation marks."""
        account = self._state.account
        own_e6 = account.ledger.cash_e6 + account.ledger.receivable_e6
        held = (account.markets[market_id] for market_id in account.ledger.markets())
        return own_e6 * E12 + sum(self.mark_e18(live) for live in held)

    def summary(self, frames: int, set_aside: int) -> Summary:
        """Totals of the run; `identity_ok` is the exact accounting identity, to 10^-18."""
        ledger = self._state.account.ledger
        equity_e18 = self.equity_e18()
        marks_e18 = equity_e18 - (ledger.cash_e6 + ledger.receivable_e6) * E12
        unrealized_e18 = marks_e18 - ledger.cost_e18
        made_e18 = equity_e18 - (ledger.opening_e6 + ledger.transfers_e6) * E12
        strategies = {
            str(name): self._strategy_summary(name, tally)
            for name, tally in sorted(self._traded.items())
        }
        return Summary(
            markets=self.markets,
            settled=self.settled,
            frames=frames,
            set_aside=set_aside,
            orders=sum(t["orders"] for t in self._traded.values()),
            fills=sum(t["fills"] for t in self._traded.values()),
            fees_e6=ledger.fees_e6,
            opening_cash_e6=ledger.opening_e6,
            realized_e6=div(ledger.realized_e18, E12, HALF_EVEN),
            equity_e6=equity_e18 // E12,
            identity_ok=ledger.realized_e18 + unrealized_e18 == made_e18,
            digest=self._digest.hexdigest(),
            strategies=strategies,
        )

    def _strategy_summary(self, name: StrategyName, tally: Counter[str]) -> Summary:
        """The same figures of one strategy: its cash flow stands in for equity over no capital."""
        account = self._state.account
        totals = account.ledger.totals(name)
        marks_e18 = 0
        for market_id in account.markets:
            position = account.ledger.position(name, market_id)
            bid_up, bid_down = self._bids.get(market_id, (0, 0))
            marks_e18 += liquidation_mark_e18(position.up_e6, position.down_e6, bid_up, bid_down)
        equity_e18 = (totals.cash_e6 + totals.receivable_e6) * E12 + marks_e18
        made_e18 = totals.realized_e18 + marks_e18 - totals.cost_e18
        return Summary(
            markets=tally["markets"],
            settled=tally["settled"],
            orders=tally["orders"],
            fills=tally["fills"],
            fees_e6=totals.fees_e6,
            realized_e6=div(totals.realized_e18, E12, HALF_EVEN),
            equity_e6=equity_e18 // E12,
            identity_ok=equity_e18 == made_e18,
        )
