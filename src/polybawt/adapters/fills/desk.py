"""The life of our orders at the simulated venue, from submission to their end."""

from __future__ import annotations

from functools import partial

from polybawt.adapters.fills.checks import refuse
from polybawt.adapters.fills.config import FillConfig
from polybawt.adapters.fills.makers import match_prints, match_resting
from polybawt.adapters.fills.market import Match, SimMarket
from polybawt.adapters.fills.order import SimOrder
from polybawt.adapters.fills.outbox import Outbox
from polybawt.adapters.fills.rebates import Rebates
from polybawt.adapters.fills.record import Code, RecordKind, VenueRecord
from polybawt.adapters.fills.schedule import Rank, Schedule
from polybawt.domain.actions import Cancel, Place
from polybawt.domain.errors import InvariantError
from polybawt.domain.events import (
    CancelRefused,
    FillAdvanced,
    Filled,
    OrderAccepted,
    OrderClosed,
    OrderRejected,
    TradePrinted,
)
from polybawt.domain.fill import Liquidity
from polybawt.domain.ids import FillId, MarketId, OrderId
from polybawt.domain.order import OrderState, Tif
from polybawt.domain.units import HALF_UP, MS_NS


class OrderDesk:
    """Brings orders and cancels to the market, books their fills, and tells the bot.

    Every change of an order's state happens here; the markets say only what would match.
    """

    __slots__ = (
        "_config",
        "_markets",
        "_orders",
        "_outbox",
        "_schedule",
        "_seq",
        "rebates",
    )

    def __init__(
        self,
        config: FillConfig,
        schedule: Schedule,
        outbox: Outbox,
        markets: dict[MarketId, SimMarket],
    ) -> None:
        self._config = config
        self._schedule = schedule
        self._outbox = outbox
        self._markets = markets
        self._orders: dict[OrderId, SimOrder] = {}
        self._seq = 0
        self.rebates = Rebates(config, schedule, outbox)

    def place(self, action: Place, *, decided_ns: int, arrives_ns: int, frame_seq: int) -> None:
        """Send an order. InvariantError for an id that is still open."""
        if action.order_id in self._orders:
            raise InvariantError(f"order {action.order_id} is sent twice")
        self._seq += 1
        order = SimOrder(
            action,
            seq=self._seq,
            decided_ns=decided_ns,
            arrived_ns=arrives_ns,
            frame_seq=frame_seq,
        )
        self._orders[action.order_id] = order
        self._schedule.add(arrives_ns, Rank.ARRIVAL, partial(self._arrive, order))

    def _arrive(self, order: SimOrder, now_ns: int) -> None:
        market = self._markets.get(order.market_id)
        code = Code.MARKET_CLOSED if market is None else refuse(market, order, now_ns)
        if market is None or code is not None:
            reason = code or Code.MARKET_CLOSED
            order.state = OrderState.REJECTED
            del self._orders[order.place.order_id]
            self._record(RecordKind.ARRIVED, order, now_ns, reason=reason.value)
            rejected = OrderRejected(
                order_id=order.place.order_id, code=reason.value, venue_ns=now_ns
            )
            self._outbox.answer(rejected, now_ns)
            return
        if market.is_marketable(order):
            self._hold(market, order, now_ns)
        elif order.is_immediate:
            self._record(RecordKind.ARRIVED, order, now_ns)
            self._unmatched(market, order, now_ns)
        else:
            self._rest(market, order, now_ns)
            self._record(RecordKind.ARRIVED, order, now_ns)
        if order.place.leg.tif is Tif.GTD:
            self._schedule.add(order.dies_ns, Rank.END, partial(self._expire, market, order))

    def _hold(self, market: SimMarket, order: SimOrder, now_ns: int) -> None:
        order.state = OrderState.DELAYED
        order.hold_end_ns = now_ns + self._config.hold_ms * MS_NS
        market.hold(order)
        self._record(RecordKind.ARRIVED, order, now_ns)
        self._accepted(order, now_ns)
        void_ns = order.hold_end_ns + self._config.max_gap_ms * MS_NS + 1
        self._schedule.add(void_ns, Rank.END, partial(self._void, market, order))

    def _rest(self, market: SimMarket, order: SimOrder, now_ns: int) -> None:
        order.state = OrderState.LIVE
        market.rest(order)
        if not order.fills:
            self._accepted(order, now_ns)

    def _accepted(self, order: SimOrder, now_ns: int) -> None:
        order_id = order.place.order_id
        event = OrderAccepted(order_id=order_id, state=order.state, venue_ns=now_ns)
        self._outbox.answer(event, now_ns)

    def _unmatched(self, market: SimMarket, order: SimOrder, now_ns: int) -> None:
        is_fok = order.place.leg.tif is Tif.FOK
        code = Code.FOK_NOT_FILLED if is_fok else Code.FAK_NO_MATCH
        self._close(market, order, OrderState.UNMATCHED, code, now_ns)

    def _close(
        self, market: SimMarket, order: SimOrder, state: OrderState, code: Code, now_ns: int
    ) -> None:
        order.state = state
        market.remove(order)
        del self._orders[order.place.order_id]
        self._record(RecordKind.CLOSED, order, now_ns, reason=code.value)
        event = OrderClosed(
            order_id=order.place.order_id, state=state, reason=code.value, venue_ns=now_ns
        )
        self._outbox.answer(event, now_ns)

    def _void(self, market: SimMarket, order: SimOrder, now_ns: int) -> None:
        if order.state is OrderState.DELAYED:
            self._close(market, order, OrderState.UNMATCHED, Code.VOIDED_NO_DATA, now_ns)

    def _expire(self, market: SimMarket, order: SimOrder, now_ns: int) -> None:
        if order.state is OrderState.LIVE:
            self._close(market, order, OrderState.EXPIRED, Code.EXPIRED, now_ns)

    def cancel(self, action: Cancel, *, decided_ns: int, arrives_ns: int, frame_seq: int) -> None:
        """Send a cancel. It never overtakes its order: if it would, it waits for it."""
        order = self._orders.get(action.order_id)
        due_ns = max(arrives_ns, order.arrived_ns) if order else arrives_ns
        call = partial(self._cancel, action, decided_ns, frame_seq)
        self._schedule.add(due_ns, Rank.ARRIVAL, call)

    def _cancel(self, action: Cancel, decided_ns: int, frame_seq: int, now_ns: int) -> None:
        order = self._orders.get(action.order_id)
        if order is not None and order.state is OrderState.LIVE:
            market = self._markets[order.market_id]
            self._close(market, order, OrderState.CANCELLED, Code.BY_USER, now_ns)
            return
        code = Code.NOT_OPEN if order is None else Code.HELD
        self._outbox.answer(CancelRefused(order_id=action.order_id, reason=code.value), now_ns)
        self._outbox.record(
            VenueRecord(
                kind=RecordKind.CANCEL_REFUSED,
                ts_ns=now_ns,
                order_id=action.order_id,
                strategy=action.strategy,
                market_id=action.market_id,
                decided_ns=decided_ns,
                arrived_ns=now_ns,
                frame_seq=frame_seq,
                reason=code.value,
            )
        )

    def close_market(self, market: SimMarket, code: Code, now_ns: int) -> None:
        """Stop trading and take every order off; once."""
        if market.is_closed:
            return
        market.is_closed = True
        for order in (*market.held, *market.resting):
            self._close(market, order, OrderState.CANCELLED, code, now_ns)

    # --- fills -----------------------------------------------------------------------------------

    def on_prints(self, prints: list[TradePrinted], now_ns: int) -> None:
        """Public trades of one frame, before its book."""
        by_market: dict[MarketId, list[TradePrinted]] = {}
        for event in prints:
            by_market.setdefault(event.market_id, []).append(event)
        for market_id, events in by_market.items():
            market = self._markets.get(market_id)
            if market is not None:
                self._book_makers(market, match_prints(market, events), now_ns)

    def on_book(self, market: SimMarket, now_ns: int) -> None:
        """The book stands as received: resting orders first, then holds that are over."""
        if market.taken:
            market.free_taken()
        if market.resting:
            self._book_makers(market, match_resting(market), now_ns)
        if market.held and not market.book.is_crossed:
            for order in tuple(market.held):
                if order.hold_end_ns <= now_ns:
                    self._match_held(market, order, now_ns)

    def _book_makers(self, market: SimMarket, matches: list[Match], now_ns: int) -> None:
        for match in matches:
            self._fill(market, match, Liquidity.MAKER, now_ns)
        for order, _, _ in matches:
            if not order.rest_e6 and order.state is OrderState.LIVE:
                self._filled(market, order)

    def _match_held(self, market: SimMarket, order: SimOrder, now_ns: int) -> None:
        matches = market.take(order)
        market.remove(order)
        for match in matches:
            self._fill(market, match, Liquidity.TAKER, now_ns)
        if not order.rest_e6:
            self._filled(market, order)
        elif not order.is_immediate:
            self._rest(market, order, now_ns)
        elif matches:
            self._close(market, order, OrderState.CANCELLED, Code.FAK_REST, now_ns)
        else:
            self._unmatched(market, order, now_ns)

    def _filled(self, market: SimMarket, order: SimOrder) -> None:
        order.state = OrderState.FILLED
        market.remove(order)
        del self._orders[order.place.order_id]

    def _fill(self, market: SimMarket, match: Match, liquidity: Liquidity, now_ns: int) -> None:
        """Book one match: balances, the bot's answers now and when it settles, the rebate."""
        order, up_price_e4, qty_e6 = match
        leg, fees = order.place.leg, market.market.fees
        price_e4 = order.token_price_e4(up_price_e4)
        fee_e6 = 0
        if liquidity is Liquidity.TAKER:
            fee_e6 = fees.taker_fee_e6(qty_e6, price_e4, HALF_UP)
        else:
            rebate_e6 = fees.rebate_estimate_e6(qty_e6, price_e4)
            self.rebates.accrue(order.market_id, rebate_e6, now_ns)
        order.fills += 1
        order.filled_e6 += qty_e6
        market.holdings.fill(order.outcome, leg.side, qty_e6)
        fill_id = FillId(f"{order.place.order_id}/{order.fills}")
        event = Filled(
            fill_id=fill_id,
            order_id=order.place.order_id,
            liquidity=liquidity,
            price_e4=price_e4,
            qty_e6=qty_e6,
            fee_e6=fee_e6,
            venue_ns=now_ns,
        )
        self._outbox.answer(event, now_ns)
        self._record(RecordKind.FILL, order, now_ns, fill=event)
        due_ns = now_ns + self._config.confirm_ms * MS_NS
        self._schedule.add(due_ns, Rank.ARRIVAL, partial(self._confirm, fill_id))

    def _confirm(self, fill_id: FillId, now_ns: int) -> None:
        self._outbox.answer(FillAdvanced(fill_id=fill_id, venue_ns=now_ns), now_ns)

    def _record(
        self,
        kind: RecordKind,
        order: SimOrder,
        now_ns: int,
        *,
        reason: str = "",
        fill: Filled | None = None,
    ) -> None:
        leg = order.place.leg
        self._outbox.record(
            VenueRecord(
                kind=kind,
                ts_ns=now_ns,
                order_id=order.place.order_id,
                strategy=order.place.strategy,
                market_id=order.market_id,
                instrument=leg.instrument,
                side=leg.side,
                decided_ns=order.decided_ns,
                arrived_ns=order.arrived_ns,
                frame_seq=order.frame_seq,
                liquidity=fill.liquidity if fill else None,
                price_e4=fill.price_e4 if fill else leg.limit_e4,
                qty_e6=fill.qty_e6 if fill else leg.qty_e6 - order.filled_e6,
                fee_e6=fill.fee_e6 if fill else 0,
                state=order.state_after_fill if fill else order.state,
                reason=reason,
            )
        )
