"""Our orders: what evidence says of each, and which still count against a limit.

Evidence may come late, twice or out of order (I3), so a report that is behind what is already known
changes nothing; only an impossible one raises.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from polybawt.domain.errors import InvariantError
from polybawt.domain.ids import MarketId, OrderId, StrategyName
from polybawt.domain.order import CANCELLABLE, TERMINAL, TRANSITIONS, Leg, Order, OrderState

HISTORY_MAX = 64
"""Closed orders of one market that strategies may look back on."""

_BEFORE_ACCEPTED = (OrderState.INTENT, OrderState.SENT, OrderState.UNKNOWN, OrderState.DELAYED)
_NO_ORDERS: dict[OrderId, Order] = {}


class Orders:
    """Every order of the live markets, by id and by market."""

    __slots__ = ("_all", "_closed", "_market_of", "_open", "by_id", "stale_reports")

    def __init__(self) -> None:
        self.by_id: dict[OrderId, Order] = {}
        self.stale_reports = 0
        self._market_of: dict[OrderId, MarketId] = {}
        self._all: dict[MarketId, list[Order]] = {}
        self._open: dict[MarketId, dict[OrderId, Order]] = {}
        self._closed: dict[MarketId, deque[Order]] = {}

    def open_in(self, market_id: MarketId) -> Iterable[Order]:
        """Open orders of a market in order of placement."""
        return self._open.get(market_id, _NO_ORDERS).values()

    def has_open(self, market_id: MarketId) -> bool:
        """Whether a market has an open order."""
        return bool(self._open.get(market_id))

    def closed_in(self, market_id: MarketId) -> Iterable[Order]:
        """The last closed orders of a market, newest last."""
        return self._closed.get(market_id, ())

    def markets(self) -> Iterable[MarketId]:
        """Markets with at least one open order."""
        return self._open.keys()

    def market_of(self, order_id: OrderId) -> MarketId:
        """The market of a known order."""
        return self._market_of[order_id]

    @property
    def open_count(self) -> int:
        """Number of open orders."""
        return sum(len(orders) for orders in self._open.values())

    def place(
        self,
        order_id: OrderId,
        strategy: StrategyName,
        market_id: MarketId,
        leg: Leg,
        now_ns: int,
    ) -> Order:
        """Record an order that is handed over: from here on its outcome is the venue's to say."""
        if order_id in self.by_id:
            raise InvariantError(f"order {order_id} is placed twice")
        order = Order(order_id, strategy, leg, now_ns)
        order.advance(OrderState.SENT)
        self.by_id[order_id] = order
        self._market_of[order_id] = market_id
        self._all.setdefault(market_id, []).append(order)
        self._open.setdefault(market_id, {})[order_id] = order
        return order

    def cancel_sent(self, order_id: OrderId) -> None:
        """A cancel is on the wire; the order still counts as working."""
        order = self.by_id[order_id]
        if order.state in CANCELLABLE:
            order.advance(OrderState.CANCEL_SENT)

    def accepted(self, order_id: OrderId, state: OrderState) -> None:
        """The venue's reply to a place: LIVE, DELAYED or MATCHED."""
        order = self.by_id.get(order_id)
        if order is None or order.state not in _BEFORE_ACCEPTED or order.matched_e6:
            self.stale_reports += 1
        else:
            order.advance(state)

    def closed(self, order_id: OrderId, state: OrderState, reason: str) -> None:
        """A terminal report. What was filled before stays filled."""
        order = self.by_id.get(order_id)
        if order is None or not order.is_open:
            self.stale_reports += 1
            return
        if state not in TERMINAL:
            raise InvariantError(f"order {order_id}: closed as {state}")
        if state is OrderState.EXPIRED and state not in TRANSITIONS[order.state]:
            # It rested, or it could not have expired: only the word of it came late or not at all.
            is_matched = order.state is OrderState.MATCHED or order.matched_e6 > 0
            order.advance(OrderState.PARTIAL if is_matched else OrderState.LIVE)
        order.advance(state, reason)
        self._settle_open(order)

    def unknown(self, order_id: OrderId) -> None:
        """Nobody can say what became of the order."""
        order = self.by_id.get(order_id)
        if order is None or not order.is_open:
            self.stale_reports += 1
        else:
            order.advance(OrderState.UNKNOWN)

    def cancel_refused(self, order_id: OrderId) -> None:
        """The cancel did nothing: an order that waited for it is what it was before."""
        order = self.by_id.get(order_id)
        if order is None or order.state is not OrderState.CANCEL_SENT:
            self.stale_reports += 1
        else:
            order.advance(OrderState.PARTIAL if order.matched_e6 else OrderState.LIVE)

    def matched(self, order_id: OrderId, fill_id: str, qty_e6: int) -> Order:
        """Book a match on its order; the caller has made sure that this fill is new."""
        order = self.by_id[order_id]
        order.match(fill_id, qty_e6)
        self._settle_open(order)
        return order

    def drop(self, market_id: MarketId) -> list[Order]:
        """Forget a finished market's orders and return them. InvariantError while one is open."""
        if self._open.pop(market_id, None):
            raise InvariantError(f"market {market_id} still has open orders")
        self._closed.pop(market_id, None)
        dropped = self._all.pop(market_id, [])
        for order in dropped:
            del self.by_id[order.order_id], self._market_of[order.order_id]
        return dropped

    def _settle_open(self, order: Order) -> None:
        if order.is_open:
            return
        market_id = self._market_of[order.order_id]
        if self._open[market_id].pop(order.order_id, None) is not None:
            self._closed.setdefault(market_id, deque(maxlen=HISTORY_MAX)).append(order)
