"""Maker rebates: an estimate, accrued per fill and paid once a day."""

from __future__ import annotations

from functools import partial

from polybawt.adapters.fills.config import FillConfig
from polybawt.adapters.fills.outbox import Outbox
from polybawt.adapters.fills.record import RecordKind, VenueRecord
from polybawt.adapters.fills.schedule import Rank, Schedule
from polybawt.domain.events import CashMoved, TransferKind
from polybawt.domain.ids import MarketId, OrderId
from polybawt.domain.units import MS_NS, S_NS

DAY_NS = 86_400 * S_NS


class Rebates:
    """Accrued and paid rebates in 10^-6 pUSD.

    Only an estimate: the venue shares out what takers paid in each market and says how much only
    when it pays. Here every fill earns what it would if all takers of the market had met makers on
    our terms. A day (UTC) whose total stays below the minimum is never paid.
    """

    __slots__ = ("_config", "_days", "_outbox", "_schedule", "accrued_e6", "paid_e6")

    def __init__(self, config: FillConfig, schedule: Schedule, outbox: Outbox) -> None:
        self._config = config
        self._schedule = schedule
        self._outbox = outbox
        self._days: dict[int, dict[MarketId, int]] = {}
        self.accrued_e6 = 0
        self.paid_e6 = 0

    def accrue(self, market_id: MarketId, rebate_e6: int, now_ns: int) -> None:
        """Add the estimate of one maker fill."""
        if not rebate_e6:
            return
        day = now_ns // DAY_NS
        if day not in self._days:
            self._days[day] = {}
            due_ns = (day + 1) * DAY_NS + self._config.rebate_after_ms * MS_NS
            self._schedule.add(due_ns, Rank.ARRIVAL, partial(self._pay, day))
        markets = self._days[day]
        markets[market_id] = markets.get(market_id, 0) + rebate_e6
        self.accrued_e6 += rebate_e6

    def _pay(self, day: int, now_ns: int) -> None:
        cash_e6 = sum(self._days.pop(day).values())
        if cash_e6 < self._config.rebate_min_e6:
            return
        self.paid_e6 += cash_e6
        transfer_id = f"rebate/{day}"
        kind = TransferKind.REBATE
        self._outbox.answer(
            CashMoved(transfer_id=transfer_id, kind=kind, cash_e6=cash_e6, venue_ns=now_ns), now_ns
        )
        self._outbox.record(
            VenueRecord(
                kind=RecordKind.REBATE,
                ts_ns=now_ns,
                order_id=OrderId(transfer_id),
                qty_e6=cash_e6,
            )
        )
