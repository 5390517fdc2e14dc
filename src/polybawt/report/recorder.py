"""Collects what a run does, in memory that does not grow with the length of the run.

Live markets are held whole; a market that is over is folded into sums, and only the most active
windows (ties: the later) keep their price path and fills. The runner feeds plain values; nothing
here changes a decision.
"""

from __future__ import annotations

from polybawt.domain.errors import InvariantError
from polybawt.domain.events import Evidence, JobKind
from polybawt.domain.fill import Fill
from polybawt.domain.ids import FillId, MarketId, StrategyName
from polybawt.domain.market import Market, Phase
from polybawt.domain.order import TERMINAL, OrderState
from polybawt.domain.units import E6, PPM, S_NS
from polybawt.report.curve import Curve
from polybawt.report.markout import Entry, bucket_of
from polybawt.report.model import (
    Capital,
    Example,
    Quality,
    RefusalRow,
    Report,
    RunTotals,
    WindowStats,
)
from polybawt.report.tally import Flow, LockedCash
from polybawt.report.windows import LiveMarket, PastWindows
from polybawt.research.stats import DrawdownTracker, ReturnSums, TradeStats, psr, trades_needed

EQUITY_SPANS = 400
REASONS_MAX = 256
GAP_NS = 5 * S_NS
"""A longer silence in an open window is a gap in the data."""
Z_95 = 1.96
_DAY_S = 86_400


_Raw = tuple[int, str, str, int, int, str]


class _Reason:
    """All refusals with one check and code."""

    __slots__ = ("count", "first", "last")

    def __init__(self, example: _Raw) -> None:
        self.count = 1
        self.first = self.last = example


class Recorder:
    """Feed it in order of time, then call `finish` once.

    Facts about a market that was never listed or is over already are ignored, since books go on
    after a resolution; fills and voids among them are counted (`Quality.late_*`).
    """

    def __init__(self, opening_cash_e6: int, *, keep_windows: int = 48) -> None:
        self._live: dict[MarketId, LiveMarket] = {}
        self._past = PastWindows(keep_windows)
        self._reasons: dict[tuple[str, str], _Reason] = {}
        self._equity = Curve(EQUITY_SPANS)
        self._locked_curve = Curve(EQUITY_SPANS)
        self._locked = LockedCash()
        self._drawdown = DrawdownTracker()
        self._drawdown.add(opening_cash_e6)
        self._first_ns: int | None = None
        self._last_ns = 0
        self._samples = self._samples_without_mid = 0
        self._gaps = self._gap_max_ns = 0
        self._late_fills = self._late_voids = self._voids = 0

    # --- life of a market ------------------------------------------------------------------------

    def market_listed(self, market: Market, now_ns: int) -> None:
        """A market can be traded. Listing it again changes nothing."""
        self._at(now_ns)
        if market.market_id not in self._live:
            self._live[market.market_id] = LiveMarket(market)

    def market_resolved(
        self, market_id: MarketId, payouts_ppm: tuple[int, int], evidence: Evidence, now_ns: int
    ) -> None:
        """The outcome of a market is known; its fills are final. A second resolution is ignored."""
        self._at(now_ns)
        live = self._live.pop(market_id, None)
        if live is not None:
            live.track.settle(payouts_ppm)
            self._past.fold(live, payouts_ppm, evidence)
            self._close_window(live.market.window)

    def _close_window(self, key: tuple[int, int]) -> None:
        if all(other.market.window != key for other in self._live.values()):
            self._past.close(key)

    # --- our orders ------------------------------------------------------------------------------

    def order(self, strategy: StrategyName, state: OrderState) -> None:
        """An order was placed (once, any state that is not terminal) or reached its end."""
        tally = self._past.strategies[strategy]
        if state in TERMINAL:
            tally.states[state.value] += 1
        else:
            tally.orders += 1

    def fill(
        self, fill: Fill, market_id: MarketId, phase: Phase, mid_up_e6: int | None, now_ns: int
    ) -> None:
        """One of our orders matched, with the mid of Up just before it. A repetition is ignored."""
        self._at(now_ns)
        live = self._live.get(market_id)
        if live is None:
            self._late_fills += 1
            return
        bucket = bucket_of(phase, live.market.close_ns - now_ns)
        live.track.add(Entry(fill, bucket, mid_up_e6, now_ns))

    def fill_voided(self, fill_id: FillId) -> None:
        """A fill failed to settle: it leaves every figure of its window."""
        if any(live.track.void(fill_id) for live in self._live.values()):
            self._voids += 1
        else:
            self._late_voids += 1

    def converted(
        self, strategy: StrategyName, market_id: MarketId, kind: JobKind, qty_e6: int
    ) -> None:
        """Pairs were split or merged. A redeem is ignored: the payout counts it already."""
        live = self._live.get(market_id)
        if live is None or kind is JobKind.REDEEM:
            return
        flow = live.flows.setdefault(strategy, Flow())
        flow.split(qty_e6 if kind is JobKind.SPLIT else -qty_e6)

    def refusal(
        self,
        strategy: StrategyName,
        market_id: MarketId,
        check: str,
        code: str,
        *,
        value: int,
        limit: int,
        unit: str = "",
        now_ns: int,
    ) -> None:
        """Risk refused an intent; `unit` is the suffix of both numbers (model.Example).

        Reasons beyond `REASONS_MAX` share one row.
        """
        self._past.strategies[strategy].refusals += 1
        live = self._live.get(market_id)
        name = live.market.slug if live is not None else market_id
        example = (now_ns, strategy, name, value, limit, unit)
        key = (check, code)
        if key not in self._reasons and len(self._reasons) >= REASONS_MAX:
            key = ("other", "OTHER")
        reason = self._reasons.get(key)
        if reason is None:
            self._reasons[key] = _Reason(example)
            return
        reason.count += 1
        reason.last = example

    # --- curves ----------------------------------------------------------------------------------

    def sample(
        self, now_ns: int, market_id: MarketId, mid_up_e6: int | None, inventory_e6: int
    ) -> None:
        """Mid of Up (None: no two-sided book) and Up less Down held, every 500 ms at most."""
        self._at(now_ns)
        live = self._live.get(market_id)
        if live is None:
            return
        market = live.market
        if market.open_ns <= now_ns <= market.close_ns:
            self._samples += 1
            self._samples_without_mid += mid_up_e6 is None
            silence_ns = now_ns - max(live.sampled_ns, market.open_ns)
            if silence_ns > GAP_NS:
                self._gaps += 1
                self._gap_max_ns = max(self._gap_max_ns, silence_ns)
        live.sampled_ns = now_ns
        live.inventory.add(now_ns, inventory_e6)
        live.inventory_max_e6 = max(live.inventory_max_e6, abs(inventory_e6))
        if mid_up_e6 is not None:
            live.mid.add(now_ns, mid_up_e6)
            live.track.observe(now_ns, mid_up_e6)

    def equity(self, now_ns: int, equity_e6: int, locked_e6: int) -> None:
        """Equity at liquidation marks, and cash bound in positions and reservations."""
        self._at(now_ns)
        self._equity.add(now_ns, equity_e6)
        self._locked_curve.add(now_ns, locked_e6)
        self._locked.add(now_ns, locked_e6)
        self._drawdown.add(equity_e6)

    def _at(self, now_ns: int) -> None:
        if self._first_ns is None:
            self._first_ns = now_ns
        if now_ns < self._last_ns:
            raise InvariantError(f"report: time went back from {self._last_ns} to {now_ns} ns")
        self._last_ns = now_ns

    # --- the end ---------------------------------------------------------------------------------

    def finish(self, totals: RunTotals) -> Report:
        """The report. Markets that are still live have no outcome and stay apart."""
        for market_id in list(self._live):
            live = self._live.pop(market_id)
            self._past.fold(live, None, None)
            self._close_window(live.market.window)
        past = self._past
        return Report(
            totals=totals,
            first_ns=self._first_ns or 0,
            last_ns=self._last_ns,
            settled_by=tuple((k.value, *v) for k, v in sorted(past.settled_by.items())),
            costs=past.costs.result(),
            strategies=tuple(tally.row(name) for name, tally in sorted(past.strategies.items())),
            windows_traded=past.traded,
            unsettled_traded=past.unsettled,
            bars=past.bars.result(),
            windows=past.details(),
            windows_kept_max=past.keep_windows,
            markouts=past.markouts.result(),
            refusals=self._refusal_rows(),
            equity=self._equity.points(),
            locked=self._locked_curve.points(),
            drawdown_e6=int(self._drawdown.absolute),
            drawdown_ppm=round(self._drawdown.relative * PPM),
            capital=_capital(self._locked, past.notional_e6, totals.summary.result_e6),
            stats=_window_stats(past.returns),
            quality=self._quality(),
        )

    def _refusal_rows(self) -> tuple[RefusalRow, ...]:
        rows = [
            RefusalRow(
                check=check,
                code=code,
                count=reason.count,
                first=_example(reason.first),
                last=_example(reason.last),
            )
            for (check, code), reason in self._reasons.items()
        ]
        return tuple(sorted(rows, key=lambda row: (-row.count, row.check, row.code)))

    def _quality(self) -> Quality:
        return Quality(
            samples=self._samples,
            samples_without_mid=self._samples_without_mid,
            gaps=self._gaps,
            gap_min_ns=GAP_NS,
            gap_max_ns=self._gap_max_ns,
            late_fills=self._late_fills,
            late_voids=self._late_voids,
            voids=self._voids,
        )


def _example(raw: _Raw) -> Example:
    now_ns, strategy, market, value, limit, unit = raw
    return Example(
        now_ns=now_ns, strategy=strategy, market=market, value=value, limit=limit, unit=unit
    )


def _capital(locked: LockedCash, notional_e6: int, result_e6: int) -> Capital:
    days = locked.area / (E6 * S_NS * _DAY_S)
    average_e6 = locked.average_e6
    return Capital(
        capital_locked_avg_e6=average_e6,
        capital_locked_max_e6=locked.max_e6,
        locked_pusd_days=days,
        turnover=notional_e6 / average_e6 if average_e6 else None,
        pnl_per_locked_day=result_e6 / E6 / days if days else None,
    )


def _window_stats(returns: ReturnSums) -> WindowStats | None:
    """Statistics in pUSD, None below two windows."""
    if returns.n < 2:
        return None
    raw = returns.stats()
    return WindowStats(
        n=raw.n,
        mean=raw.mean / E6,
        sd=raw.sd / E6,
        sharpe=raw.sharpe,
        skew=raw.skew,
        kurt=raw.kurt,
        profit_factor=raw.profit_factor,
        win_rate=raw.win_rate,
        needed=trades_needed(raw.mean, raw.sd, Z_95) if raw.mean and raw.sd else None,
        psr=_psr(raw),
    )


def _psr(raw: TradeStats) -> float | None:
    if raw.sharpe is None or raw.skew is None or raw.kurt is None:
        return None
    try:
        return psr(raw.sharpe, 0, raw.n, raw.skew, raw.kurt)
    except ValueError:
        # Two-valued returns can leave the estimate without a variance: there is no answer.
        return None
