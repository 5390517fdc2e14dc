"""Sums over windows and strategies: where the result comes from. Integers until the last step."""

from __future__ import annotations

from collections import Counter

from polybawt.domain.fill import Liquidity
from polybawt.domain.ids import Outcome, Side, outcome_of
from polybawt.domain.units import E6, PPM, Rounding, div
from polybawt.report.markout import Entry
from polybawt.report.model import Costs, StrategyRow


class Flow:
    """Cash and shares that moved in one market for one strategy."""

    __slots__ = ("cash_e6", "fees_e6", "shares_e6")

    def __init__(self) -> None:
        self.cash_e6 = 0
        self.fees_e6 = 0
        self.shares_e6 = [0, 0]

    def add_fill(self, entry: Entry) -> None:
        """Count a fill."""
        fill = entry.fill
        self.cash_e6 += fill.cash_e6
        self.fees_e6 += fill.fee_e6
        change_e6 = fill.qty_e6 if fill.side is Side.BUY else -fill.qty_e6
        self.shares_e6[outcome_of(fill.instrument)] += change_e6

    def split(self, qty_e6: int) -> None:
        """Count pairs made of cash; a negative number is a merge."""
        self.cash_e6 -= qty_e6
        self.shares_e6[Outcome.UP] += qty_e6
        self.shares_e6[Outcome.DOWN] += qty_e6

    def pnl_e6(self, payouts_ppm: tuple[int, int]) -> int:
        """Result after fees once the payouts are known, floored."""
        held = sum(a * b for a, b in zip(self.shares_e6, payouts_ppm, strict=True))
        return self.cash_e6 + held // PPM


class CostSums:
    """Parts of the result of settled windows. The residual goes to holding, so parts add up."""

    __slots__ = (
        "fees_e6",
        "gross_e6",
        "mid_qty_e6",
        "no_mid_e12",
        "notional_e6",
        "qty_e6",
        "spread",
    )

    def __init__(self) -> None:
        self.fees_e6 = self.gross_e6 = self.notional_e6 = 0
        self.qty_e6 = self.mid_qty_e6 = 0
        self.spread = self.no_mid_e12 = 0

    def add_fill(self, entry: Entry) -> None:
        """Count a fill of a settled window."""
        qty_e6 = entry.fill.qty_e6
        self.qty_e6 += qty_e6
        self.notional_e6 += entry.notional_e6
        at_fill_e6, settled_e6 = entry.markouts_e6[0], entry.markouts_e6[-1]
        if at_fill_e6 is not None:
            self.mid_qty_e6 += qty_e6
            self.spread += at_fill_e6 * qty_e6
        elif settled_e6 is not None:
            self.no_mid_e12 += settled_e6 * qty_e6

    def settle(self, flow: Flow, payouts_ppm: tuple[int, int]) -> None:
        """Count the result of one market."""
        self.fees_e6 += flow.fees_e6
        self.gross_e6 += flow.pnl_e6(payouts_ppm) + flow.fees_e6

    def result(self) -> Costs:
        """The parts in 10^-6 pUSD."""
        spread_e6 = div(self.spread, E6, Rounding.HALF_EVEN)
        no_mid_e6 = div(self.no_mid_e12, E6, Rounding.HALF_EVEN)
        return Costs(
            spread_e6=spread_e6,
            holding_e6=self.gross_e6 - spread_e6 - no_mid_e6,
            no_mid_e6=no_mid_e6,
            fees_e6=self.fees_e6,
            qty_e6=self.qty_e6,
            mid_qty_e6=self.mid_qty_e6,
            notional_e6=self.notional_e6,
        )


class StrategyTally:
    """What one strategy did over the run."""

    __slots__ = ("costs", "fills", "orders", "refusals", "settled", "states", "windows")

    def __init__(self) -> None:
        self.windows = self.settled = self.orders = self.refusals = 0
        self.states: Counter[str] = Counter()
        self.fills: Counter[Liquidity] = Counter()
        self.costs = CostSums()

    def row(self, strategy: str) -> StrategyRow:
        """The values for the report."""
        return StrategyRow(
            strategy=strategy,
            windows=self.windows,
            settled=self.settled,
            orders=self.orders,
            order_states=tuple(sorted(self.states.items())),
            refusals=self.refusals,
            maker_fills=self.fills[Liquidity.MAKER],
            taker_fills=self.fills[Liquidity.TAKER],
            costs=self.costs.result(),
        )


class LockedCash:
    """Cash bound in positions and reservations, integrated over time."""

    __slots__ = ("area", "last_e6", "last_ns", "max_e6", "span_ns")

    def __init__(self) -> None:
        self.area = self.last_e6 = self.max_e6 = self.span_ns = 0
        self.last_ns: int | None = None

    def add(self, now_ns: int, locked_e6: int) -> None:
        """From now on this much is locked."""
        if self.last_ns is not None:
            self.area += self.last_e6 * (now_ns - self.last_ns)
            self.span_ns += now_ns - self.last_ns
        self.last_ns, self.last_e6 = now_ns, locked_e6
        self.max_e6 = max(self.max_e6, locked_e6)

    @property
    def average_e6(self) -> int:
        """Time-weighted average, 0 without any time."""
        return div(self.area, self.span_ns, Rounding.HALF_EVEN) if self.span_ns else 0
