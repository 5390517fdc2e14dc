"""The durable half of the state: orders, ledger, chain work and the life of our markets.

It comes from account frames, market lifecycle and our own recorded actions alone, so folding these
again gives the same state, without strategies and without a single market price.
"""

from __future__ import annotations

from collections.abc import Iterator

from polybawt.domain import events as ev
from polybawt.domain.actions import Action, Cancel, ChainAction, MergePair, Place, SplitPair
from polybawt.domain.errors import InvariantError
from polybawt.domain.fill import Fill, FillState
from polybawt.domain.ids import (
    DOWN,
    SELL,
    UP,
    Instrument,
    InstrumentTable,
    JobId,
    MarketId,
    OrderId,
    Outcome,
    StrategyName,
)
from polybawt.domain.market import Market
from polybawt.domain.order import Order, OrderState
from polybawt.domain.units import CEIL, E12, S_NS, notional_e6
from polybawt.portfolio.ledger import Ledger
from polybawt.portfolio.lots import Method
from polybawt.portfolio.orders import Orders
from polybawt.portfolio.positions import Position

FACTS = frozenset(
    {
        ev.MarketListed,
        ev.TickChanged,
        ev.MarketResolved,
        ev.OrderAccepted,
        ev.OrderRejected,
        ev.OrderClosed,
        ev.OrderUnknown,
        ev.CancelRefused,
        ev.ActionExpired,
        ev.Filled,
        ev.FillAdvanced,
        ev.FillVoided,
        ev.PairSplit,
        ev.PairMerged,
        ev.Redeemed,
        ev.JobFailed,
        ev.CashMoved,
        ev.OperatorCommanded,
    }
)
"""Event types that are facts of the account; all others are market data or the machine's own."""

JOB_RETRY_NS = 30 * S_NS
"""After chain work failed, none is started in its market for this long."""

ACCOUNT = StrategyName("account")
"""Owner of what belongs to no strategy: cancels at the cutoff, redeems."""


class LiveMarket:
    """A market from listing until it is settled, redeemed and dropped."""

    __slots__ = (
        "down",
        "evidence",
        "job_failed_ns",
        "jobs",
        "market",
        "payouts_ppm",
        "tick_e4",
        "up",
    )

    def __init__(self, market: Market, up: Instrument, down: Instrument) -> None:
        self.market = market
        self.up = up
        self.down = down
        self.tick_e4 = market.tick_e4
        self.payouts_ppm: tuple[int, int] | None = None
        self.evidence: ev.Evidence | None = None
        self.jobs: dict[JobId, ChainAction] = {}
        self.job_failed_ns: int | None = None

    def instrument(self, outcome: Outcome) -> Instrument:
        """The instrument of one outcome."""
        return self.down if outcome else self.up

    def is_job_due(self, now_ns: int) -> bool:
        """Whether chain work may start: none under way, none failed a moment ago."""
        if self.jobs:
            return False
        return self.job_failed_ns is None or now_ns - self.job_failed_ns >= JOB_RETRY_NS


def fill_of(event: ev.Filled, order: Order) -> Fill:
    """A reported match with what only our own order knows: whose, which token, which side."""
    return Fill(
        fill_id=event.fill_id,
        order_id=event.order_id,
        strategy=order.strategy,
        instrument=order.leg.instrument,
        side=order.leg.side,
        liquidity=event.liquidity,
        price_e4=event.price_e4,
        qty_e6=event.qty_e6,
        fee_e6=event.fee_e6,
        venue_ns=event.venue_ns,
    )


class AccountState:
    """Orders, holdings and markets of one account."""

    def __init__(self, opening_cash_e6: int, method: Method) -> None:
        self.instruments = InstrumentTable()
        self.markets: dict[MarketId, LiveMarket] = {}
        self.orders = Orders()
        self.ledger = Ledger(opening_cash_e6, method)
        self.halted: str | None = None
        self.quarantined: dict[StrategyName, str] = {}
        self.reject_streak: dict[StrategyName, tuple[int, int]] = {}
        """Per strategy: rejections in a row and the time of the last."""
        self._ids_issued = 0
        self._fill_qty_e6: dict[str, tuple[OrderId, int]] = {}
        self._unsettled_sales_e6: dict[str, int] = {}
        """Proceeds of provisional sales: a void takes them back, so they are not free to spend."""

    # --- facts -----------------------------------------------------------------------------------

    def apply(self, event: ev.Event) -> MarketId | None:  # noqa: C901 - one flat dispatch
        """Book one fact, once; a duplicate changes nothing. Returns the market that it touches."""
        match event:
            case ev.MarketListed():
                return self._listed(event)
            case ev.TickChanged():
                return self._tick_changed(event)
            case ev.MarketResolved():
                return self._resolved(event)
            case ev.OrderAccepted():
                return self._accepted(event)
            case ev.OrderRejected():
                return self._rejected(event)
            case ev.OrderClosed():
                self.orders.closed(event.order_id, event.state, event.reason)
                return self._market_of(event.order_id)
            case ev.OrderUnknown():
                self.orders.unknown(event.order_id)
                return self._market_of(event.order_id)
            case ev.CancelRefused():
                self.orders.cancel_refused(event.order_id)
                return self._market_of(event.order_id)
            case ev.ActionExpired():
                self.orders.closed(event.order_id, OrderState.REJECTED, "EXPIRED_IN_LANE")
                return self._market_of(event.order_id)
            case ev.Filled():
                return self._filled(event)
            case ev.FillAdvanced():
                self.ledger.confirm(event.fill_id, event.venue_ns)
                self._unsettled_sales_e6.pop(event.fill_id, None)
                return self._market_of_fill(event.fill_id)
            case ev.FillVoided():
                return self._fill_voided(event)
            case ev.JobDone():
                return self._job_done(event)
            case ev.JobFailed():
                live = self.markets.get(event.market_id)
                if live is not None:
                    live.jobs.pop(event.job_id, None)
                    live.job_failed_ns = event.venue_ns
                return event.market_id
            case ev.CashMoved():
                self.ledger.transfer(event.transfer_id, event.kind, event.cash_e6)
                return None
            case ev.OperatorCommanded():
                self._commanded(event)
                return None
            case _:
                raise InvariantError(f"no fact of the account: {type(event).__name__}")

    def _listed(self, event: ev.MarketListed) -> MarketId:
        market = event.market
        if market.market_id not in self.markets:
            intern = self.instruments.intern
            self.markets[market.market_id] = LiveMarket(
                market,
                intern(market.venue, market.market_id, UP),
                intern(market.venue, market.market_id, DOWN),
            )
        return market.market_id

    def _tick_changed(self, event: ev.TickChanged) -> MarketId:
        live = self.markets.get(event.market_id)
        if live is not None:
            live.tick_e4 = event.tick_e4
        return event.market_id

    def _resolved(self, event: ev.MarketResolved) -> MarketId:
        live = self.markets.get(event.market_id)
        if live is None:
            return event.market_id
        if live.payouts_ppm is not None and live.payouts_ppm != event.payouts_ppm:
            raise InvariantError(f"market {event.market_id} resolved twice, differently")
        if live.payouts_ppm is None:
            live.payouts_ppm = event.payouts_ppm
            live.evidence = event.evidence
            self.ledger.settle(
                event.market_id, event.payouts_ppm, live.market.close_ns, event.evidence
            )
        return event.market_id

    def _accepted(self, event: ev.OrderAccepted) -> MarketId | None:
        self.orders.accepted(event.order_id, event.state)
        return self._reset_streak(event.order_id)

    def _reset_streak(self, order_id: OrderId) -> MarketId | None:
        order = self.orders.by_id.get(order_id)
        if order is None:
            return None
        self.reject_streak.pop(order.strategy, None)
        return self.orders.market_of(order_id)

    def _rejected(self, event: ev.OrderRejected) -> MarketId | None:
        order = self.orders.by_id.get(event.order_id)
        if order is None:
            return None
        if order.is_open:
            count, _ = self.reject_streak.get(order.strategy, (0, 0))
            self.reject_streak[order.strategy] = (count + 1, event.venue_ns)
        self.orders.closed(event.order_id, OrderState.REJECTED, event.code)
        return self.orders.market_of(event.order_id)

    def _market_of(self, order_id: OrderId) -> MarketId | None:
        return self.orders.market_of(order_id) if order_id in self.orders.by_id else None

    def _filled(self, event: ev.Filled) -> MarketId | None:
        order = self.orders.by_id.get(event.order_id)
        if order is None:
            if self.ledger.fill_state(event.fill_id) is not None:
                return None  # a late copy: its market is finished and dropped
            raise InvariantError(f"fill {event.fill_id} of unknown order {event.order_id}")
        market_id = self.orders.market_of(event.order_id)
        fill = fill_of(event, order)
        if self.ledger.fill(fill, market_id):
            self._fill_qty_e6[event.fill_id] = (event.order_id, event.qty_e6)
            order = self.orders.matched(event.order_id, event.fill_id, event.qty_e6)
            state = self.ledger.fill_state(event.fill_id)
            if state is FillState.FAILED:
                order.void(event.qty_e6)
            elif state is FillState.PROVISIONAL and fill.side is SELL:
                self._unsettled_sales_e6[event.fill_id] = fill.cash_e6
        return market_id

    def _fill_voided(self, event: ev.FillVoided) -> MarketId | None:
        """Voided once; a void that comes before its fill waits for it in the ledger."""
        is_new = self.ledger.void(event.fill_id)
        self._unsettled_sales_e6.pop(event.fill_id, None)
        known = self._fill_qty_e6.get(event.fill_id)
        if is_new and known is not None:
            order_id, qty_e6 = known
            self.orders.by_id[order_id].void(qty_e6)
        return self._market_of_fill(event.fill_id)

    def _market_of_fill(self, fill_id: str) -> MarketId | None:
        known = self._fill_qty_e6.get(fill_id)
        return None if known is None else self._market_of(known[0])

    def _job_done(self, event: ev.JobDone) -> MarketId:
        live = self.markets.get(event.market_id)
        job = None if live is None else live.jobs.pop(event.job_id, None)
        if live is None or job is None:
            return event.market_id
        facts = (event.job_id, job.strategy, event.market_id, event.qty_e6, event.venue_ns)
        if isinstance(event, ev.PairMerged):
            self.ledger.merge(*facts)
        elif isinstance(event, ev.PairSplit):
            self.ledger.split(*facts)
        else:
            self.ledger.redeem(event.job_id, event.market_id, event.qty_e6, event.venue_ns)
        return event.market_id

    def _commanded(self, event: ev.OperatorCommanded) -> None:
        if event.command == "halt":
            self.halted = event.params[0] if event.params else "operator"
        elif event.command == "resume":
            self.halted = None
        else:
            raise InvariantError(f"unknown operator command {event.command!r}")

    # --- our own actions -------------------------------------------------------------------------

    def next_id(self, prefix: str) -> str:
        """A fresh id for an order or job; the count is part of the state, so replay repeats it."""
        self._ids_issued += 1
        return f"{prefix}{self._ids_issued}"

    def note(self, action: Action, now_ns: int) -> None:
        """Count an action from this instant on: approved means reserved (I6)."""
        match action:
            case Place():
                self.orders.place(
                    action.order_id, action.strategy, action.market_id, action.leg, now_ns
                )
            case Cancel():
                self.orders.cancel_sent(action.order_id)
            case ChainAction():
                self.markets[action.market_id].jobs[action.job_id] = action
            case _:
                raise InvariantError(f"no such action: {action!r}")

    # --- what is held and promised ---------------------------------------------------------------

    def cash_free_e6(self) -> int:
        """Cash less what open buys (with the highest fee they may pay) and splits have reserved.

        What provisional sales brought in does not count yet: they may still fail.
        """
        reserved = sum(self._unsettled_sales_e6.values())
        for market_id in self.orders.markets():
            live = self.markets[market_id]
            for order in self.orders.open_in(market_id):
                reserved += self._reserved_e6(order, live)
        for live in self.markets.values():
            reserved += sum(j.qty_e6 for j in live.jobs.values() if isinstance(j, SplitPair))
        return self.ledger.cash_e6 - reserved

    def _reserved_e6(self, order: Order, live: LiveMarket) -> int:
        leg = order.leg
        if leg.side is SELL:
            return 0
        cost = notional_e6(leg.limit_e4, order.rest_e6, CEIL)
        if leg.post_only:
            return cost
        return cost + live.market.fees.worst_fee_e6(order.rest_e6, leg.limit_e4, leg.side)

    def held_e6(self, strategy: StrategyName, live: LiveMarket, outcome: Outcome) -> int:
        """Confirmed tokens of a strategy less its merges under way."""
        position = self.ledger.position(strategy, live.market.market_id)
        held = position.down_sellable_e6 if outcome else position.up_sellable_e6
        if live.jobs:
            for job in live.jobs.values():
                if isinstance(job, MergePair) and job.strategy == strategy:
                    held -= job.qty_e6
        return held

    def sellable_e6(self, strategy: StrategyName, live: LiveMarket, outcome: Outcome) -> int:
        """What is held less what open sells have already promised."""
        instrument = live.instrument(outcome)
        promised = sum(
            order.rest_e6
            for order in self.orders.open_in(live.market.market_id)
            if order.strategy == strategy
            and order.leg.side is SELL
            and order.leg.instrument == instrument
        )
        return max(0, self.held_e6(strategy, live, outcome) - promised)

    def locked_e6(self) -> int:
        """Capital at work: cost of what is held, claims on resolved markets, and reserved cash."""
        ledger = self.ledger
        return ledger.cost_e18 // E12 + ledger.receivable_e6 + ledger.cash_e6 - self.cash_free_e6()

    def is_touched(self, market_id: MarketId) -> bool:
        """Whether anything of ours is or was in a market: without, it cannot be at risk."""
        return self.orders.has_open(market_id) or bool(self.ledger.strategies(market_id))

    def positions(self, market_id: MarketId) -> Iterator[tuple[StrategyName, Position]]:
        """Each strategy's position in a market."""
        for strategy in self.ledger.strategies(market_id):
            yield strategy, self.ledger.position(strategy, market_id)

    def open_orders(self, market_id: MarketId, strategy: StrategyName) -> tuple[Order, ...]:
        """A strategy's open orders in a market, oldest first."""
        return tuple([o for o in self.orders.open_in(market_id) if o.strategy == strategy])

    # --- the end of a market ---------------------------------------------------------------------

    def due_e6(self, market_id: MarketId) -> int:
        """What the market's tokens pay by its resolution and is not yet cash."""
        return sum(position.receivable_e6 for _, position in self.positions(market_id))

    def is_finished(self, live: LiveMarket) -> bool:
        """Resolved, nothing open or under way, every fill final and nothing left to redeem."""
        if live.payouts_ppm is None or live.jobs:
            return False
        market_id = live.market.market_id
        return not self.orders.has_open(market_id) and self.ledger.is_finished(market_id)

    def drop(self, market_id: MarketId) -> None:
        """Forget a finished market; its sums live on in the totals. This bounds memory (I18)."""
        for order in self.orders.drop(market_id):
            for fill_id in order.fill_ids:
                self._fill_qty_e6.pop(fill_id, None)
        self.ledger.drop(market_id)
        del self.markets[market_id]
