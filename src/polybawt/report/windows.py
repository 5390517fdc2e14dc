"""Windows while they live, and what remains of them when they are over."""

from __future__ import annotations

import heapq
from collections import defaultdict

from polybawt.domain.events import Evidence
from polybawt.domain.ids import StrategyName, outcome_of
from polybawt.domain.market import Market
from polybawt.domain.order import Leg
from polybawt.domain.units import S_NS
from polybawt.report.curve import Bars, Curve
from polybawt.report.markout import Entry, Markouts, Track
from polybawt.report.model import FillRow, WindowDetail
from polybawt.report.tally import CostSums, Flow, StrategyTally
from polybawt.research.stats import ReturnSums

PATH_SPANS = 200
BARS_MAX = 500
FILLS_DRAWN_MAX = 400
PATH_GAP_NS = 10 * S_NS


class LiveMarket:
    """A market that is not over, held whole."""

    __slots__ = ("flows", "inventory", "inventory_max_e6", "market", "mid", "sampled_ns", "track")

    def __init__(self, market: Market) -> None:
        self.market = market
        self.track = Track()
        self.flows: dict[StrategyName, Flow] = {}
        self.mid = Curve(PATH_SPANS)
        self.inventory = Curve(PATH_SPANS)
        self.inventory_max_e6 = 0
        self.sampled_ns = 0

    def total_flows(self) -> dict[StrategyName, Flow]:
        """Fills added to the conversions, once the market is over."""
        for entry in self.track.entries.values():
            self.flows.setdefault(entry.fill.strategy, Flow()).add_fill(entry)
        return self.flows


class _OpenWindow:
    """A window of which some markets are over and some may not be."""

    __slots__ = ("entries", "pnl_e6", "settled", "traded")

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.pnl_e6 = 0
        self.traded = False
        self.settled = True


class PastWindows:
    """Sums over windows that are over, and the details of the most active ones."""

    def __init__(self, keep_windows: int) -> None:
        self.strategies: defaultdict[StrategyName, StrategyTally] = defaultdict(StrategyTally)
        self.costs = CostSums()
        self.markouts = Markouts()
        self.returns = ReturnSums()
        self.bars = Bars(BARS_MAX)
        self.settled_by: dict[Evidence, tuple[int, int]] = {}
        self.traded = self.unsettled = 0
        self.notional_e6 = 0
        self.keep_windows = keep_windows
        self._kept: list[tuple[int, int, str, WindowDetail]] = []
        self._open: dict[tuple[int, int], _OpenWindow] = {}

    def fold(
        self, live: LiveMarket, payouts_ppm: tuple[int, int] | None, evidence: Evidence | None
    ) -> None:
        """Count a market that is over; without payouts it has no result."""
        entries = list(live.track.entries.values())
        flows = live.total_flows()
        pnl_e6 = None
        if payouts_ppm is not None:
            pnl_e6 = sum(flow.pnl_e6(payouts_ppm) for flow in flows.values())
        self._tally(entries, flows, payouts_ppm)
        self._keep(live, payouts_ppm, evidence, pnl_e6)
        window = self._open.setdefault(live.market.window, _OpenWindow())
        if not flows:
            return
        window.traded = True
        window.entries.extend(entries)
        if pnl_e6 is None:
            window.settled = False
            return
        window.pnl_e6 += pnl_e6
        if evidence is not None:
            count, total_e6 = self.settled_by.get(evidence, (0, 0))
            self.settled_by[evidence] = (count + 1, total_e6 + pnl_e6)

    def close(self, key: tuple[int, int]) -> None:
        """All markets of this window are over: it is one observation."""
        window = self._open.pop(key)
        if not window.traded:
            return
        self.traded += 1
        self.markouts.add_window(window.entries)
        if not window.settled:
            self.unsettled += 1
            return
        # Whole 10^-6 pUSD, so that the sums stay integers; the report divides at the end.
        self.returns.add(window.pnl_e6)
        self.bars.add(key[1], window.pnl_e6)

    def details(self) -> tuple[WindowDetail, ...]:
        """The kept windows in order of time."""
        details = (detail for _, _, _, detail in self._kept)
        return tuple(sorted(details, key=lambda d: (d.open_ns, d.asset, d.market_id)))

    def _tally(
        self,
        entries: list[Entry],
        flows: dict[StrategyName, Flow],
        payouts_ppm: tuple[int, int] | None,
    ) -> None:
        for entry in entries:
            tally = self.strategies[entry.fill.strategy]
            tally.fills[entry.fill.liquidity] += 1
            self.notional_e6 += entry.notional_e6
            if payouts_ppm is not None:
                tally.costs.add_fill(entry)
                self.costs.add_fill(entry)
        for name, flow in flows.items():
            tally = self.strategies[name]
            tally.windows += 1
            if payouts_ppm is not None:
                tally.settled += 1
                tally.costs.settle(flow, payouts_ppm)
                self.costs.settle(flow, payouts_ppm)

    def _keep(
        self,
        live: LiveMarket,
        payouts_ppm: tuple[int, int] | None,
        evidence: Evidence | None,
        pnl_e6: int | None,
    ) -> None:
        rank = (len(live.track.entries), live.market.close_ns, live.market.market_id)
        full = len(self._kept) >= self.keep_windows
        if not self.keep_windows or (full and rank < self._kept[0][:3]):
            return
        item = (*rank, _detail(live, payouts_ppm, evidence, pnl_e6))
        if full:
            heapq.heapreplace(self._kept, item)
        else:
            heapq.heappush(self._kept, item)


def _detail(
    live: LiveMarket,
    payouts_ppm: tuple[int, int] | None,
    evidence: Evidence | None,
    pnl_e6: int | None,
) -> WindowDetail:
    entries = list(live.track.entries.values())
    sums = CostSums()
    for entry in entries:
        sums.add_fill(entry)
    costs = sums.result()
    market = live.market
    return WindowDetail(
        market_id=market.market_id,
        slug=market.slug,
        asset=market.asset,
        open_ns=market.open_ns,
        close_ns=market.close_ns,
        evidence=None if evidence is None else evidence.value,
        payout_up_ppm=None if payouts_ppm is None else payouts_ppm[0],
        pnl_e6=pnl_e6,
        fees_e6=sum(entry.fill.fee_e6 for entry in entries),
        spread_e6=costs.spread_e6,
        notional_e6=costs.notional_e6,
        inventory_max_e6=live.inventory_max_e6,
        fills=tuple(_fill_row(entry) for entry in entries[-FILLS_DRAWN_MAX:]),
        fills_total=len(entries),
        mid=live.mid.points(PATH_GAP_NS),
        inventory=live.inventory.points(PATH_GAP_NS),
    )


def _fill_row(entry: Entry) -> FillRow:
    fill = entry.fill
    leg = Leg(
        instrument=fill.instrument, side=fill.side, limit_e4=fill.price_e4, qty_e6=fill.qty_e6
    )
    return FillRow(
        now_ns=entry.now_ns,
        strategy=fill.strategy,
        outcome=outcome_of(fill.instrument).text,
        side=fill.side.name,
        liquidity=fill.liquidity.value,
        price_e4=fill.price_e4,
        qty_e6=fill.qty_e6,
        fee_e6=fill.fee_e6,
        up_price_e4=leg.up_price_e4,
        is_up_bid=leg.is_up_bid,
        markouts_e6=tuple(entry.markouts_e6),
    )
