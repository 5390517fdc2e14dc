"""The report as data: frozen values that one run leaves behind, and nothing else.

Amounts in 10^-6 (`_e6`), instants in Unix ns, prices and markouts in 10^-6 pUSD per share. Curves
are tuples of (time, value). None means that there is no answer, never zero.
"""

from __future__ import annotations

import msgspec

from polybawt.report.summary import Summary

Point = tuple[int, int | None]
"""(ns, value); None breaks the line: nothing was known between the points around it."""


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the report's values."""


class Attribution(Value, frozen=True, kw_only=True):
    """Where recorded data comes from and under which licence."""

    name: str
    licence: str
    text: str


class RunHeader(Value, frozen=True, kw_only=True):
    """What was run, so that it can be run again. `config` holds (key, value) pairs as text."""

    version: str
    data: str
    queue: str
    seed: int
    profile: str = "default"
    config: tuple[tuple[str, str], ...] = ()


class RunTotals(Value, frozen=True, kw_only=True):
    """What only the runner knows at the end. `set_aside` is (reason, count).

    `limits` are sentences on what the data and the fill model cannot prove.
    """

    header: RunHeader
    summary: Summary
    rebates_accrued_e6: int = 0
    rebates_paid_e6: int = 0
    set_aside: tuple[tuple[str, int], ...] = ()
    limits: tuple[str, ...] = ()
    attributions: tuple[Attribution, ...] = ()


class Costs(Value, frozen=True, kw_only=True):
    """How the result of settled windows came about; the parts add up to it exactly.

    `spread_e6`: fill price against the mid at the fill. `holding_e6`: from that mid to the payout.
    `no_mid_e6`: price to payout of fills without a known mid. `fees_e6`: paid, a positive number.
    `notional_e6` and `qty_e6` are traded volume, `mid_qty_e6` the part of it with a known mid.
    """

    spread_e6: int
    holding_e6: int
    no_mid_e6: int
    fees_e6: int
    qty_e6: int
    mid_qty_e6: int
    notional_e6: int

    @property
    def result_e6(self) -> int:
        """Profit and loss of the settled windows."""
        return self.spread_e6 + self.holding_e6 + self.no_mid_e6 - self.fees_e6


class StrategyRow(Value, frozen=True, kw_only=True):
    """One strategy over the run. `settled` are its traded windows with an outcome."""

    strategy: str
    windows: int
    settled: int
    orders: int
    order_states: tuple[tuple[str, int], ...]
    refusals: int
    maker_fills: int
    taker_fills: int
    costs: Costs


class FillRow(Value, frozen=True, kw_only=True):
    """One fill, as drawn. `markouts_e6` follows markout.HORIZONS."""

    now_ns: int
    strategy: str
    outcome: str
    side: str
    liquidity: str
    price_e4: int
    qty_e6: int
    fee_e6: int
    up_price_e4: int
    is_up_bid: bool
    markouts_e6: tuple[int | None, ...]


class WindowDetail(Value, frozen=True, kw_only=True):
    """One market of a kept window. `pnl_e6` and `payout_up_ppm` are None without an outcome."""

    market_id: str
    slug: str
    asset: str
    open_ns: int
    close_ns: int
    evidence: str | None
    payout_up_ppm: int | None
    pnl_e6: int | None
    fees_e6: int
    spread_e6: int
    notional_e6: int
    inventory_max_e6: int
    fills: tuple[FillRow, ...]
    fills_total: int
    mid: tuple[Point, ...]
    inventory: tuple[Point, ...]


class Bar(Value, frozen=True, kw_only=True):
    """Result of `windows` neighbouring settled windows, the last closing at `close_ns`."""

    close_ns: int
    windows: int
    pnl_e6: int


class MarkoutCell(Value, frozen=True, kw_only=True):
    """Markout of one kind of fill at one horizon; positive is good for us, before fees.

    `mean_e6` is weighted by quantity; `error_e6` is its standard error with windows as the
    independent unit (None below two). `n` fills were measured over `windows`, `no_data` were not.
    """

    bucket: str
    liquidity: str
    horizon: str
    n: int
    windows: int
    no_data: int
    qty_e6: int
    mean_e6: float | None
    error_e6: float | None


class Example(Value, frozen=True, kw_only=True):
    """One refusal: when, where, who, and the two numbers that bound.

    `unit` is their suffix (`e6`, `e4`, `ns`, `ppm`), empty for a plain count.
    """

    now_ns: int
    strategy: str
    market: str
    value: int
    limit: int
    unit: str = ""


class RefusalRow(Value, frozen=True, kw_only=True):
    """All refusals with one reason."""

    check: str
    code: str
    count: int
    first: Example
    last: Example


class Capital(Value, frozen=True, kw_only=True):
    """Use of money. `locked_pusd_days` is locked cash integrated over time.

    Turnover is notional over average locked cash; `pnl_per_locked_day` is pUSD made per pUSD locked
    for a day. Both are None when nothing was ever locked.
    """

    capital_locked_avg_e6: int
    capital_locked_max_e6: int
    locked_pusd_days: float
    turnover: float | None
    pnl_per_locked_day: float | None


class Quality(Value, frozen=True, kw_only=True):
    """How good the data were, from the samples of open windows."""

    samples: int
    samples_without_mid: int
    gaps: int
    gap_min_ns: int
    gap_max_ns: int
    late_fills: int
    late_voids: int
    voids: int


class WindowStats(Value, frozen=True, kw_only=True):
    """Statistics over settled windows with at least one fill, in pUSD per window.

    `needed` windows are enough to tell this mean from zero at 95 % (None for a mean of zero); `psr`
    is the probability that the true mean is positive.
    """

    n: int
    mean: float
    sd: float
    sharpe: float | None
    skew: float | None
    kurt: float | None
    profit_factor: float | None
    win_rate: float
    needed: int | None
    psr: float | None


class Report(Value, frozen=True, kw_only=True):
    """Everything a run leaves for a reader."""

    totals: RunTotals
    first_ns: int
    last_ns: int
    settled_by: tuple[tuple[str, int, int], ...]
    """(evidence, markets with fills, result in 10^-6 pUSD)"""
    costs: Costs
    strategies: tuple[StrategyRow, ...]
    windows_traded: int
    unsettled_traded: int
    bars: tuple[Bar, ...]
    windows: tuple[WindowDetail, ...]
    windows_kept_max: int
    markouts: tuple[MarkoutCell, ...]
    refusals: tuple[RefusalRow, ...]
    equity: tuple[Point, ...]
    locked: tuple[Point, ...]
    drawdown_e6: int
    drawdown_ppm: int
    capital: Capital
    stats: WindowStats | None
    quality: Quality


def encode(report: Report) -> bytes:
    """The whole report as JSON."""
    return msgspec.json.encode(report)


def decode(data: bytes) -> Report:
    """A report from its JSON."""
    return msgspec.json.decode(data, type=Report)
