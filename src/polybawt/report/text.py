"""The five lines that a run prints in the terminal."""

from __future__ import annotations

from polybawt.report.model import Report
from polybawt.report.words import (
    cents,
    evidence,
    headline,
    markout_at,
    number,
    percent,
    plural,
    pusd,
)


def five_lines(report: Report) -> tuple[str, str, str, str, str]:
    """The result first, then trading, markouts, capital and how far to trust it. No colour codes.

    The caller may colour the first line by the sign of `report.totals.summary.result_e6`.
    """
    return headline(report), _trading(report), _markouts(report), _capital(report), _trust(report)


def _trading(report: Report) -> str:
    summary = report.totals.summary
    maker = sum(row.maker_fills for row in report.strategies)
    taker = sum(row.taker_fills for row in report.strategies)
    return (
        f"Trading: {plural(summary.orders, 'order')}, {plural(summary.fills, 'fill')} "
        f"({maker:,} maker, {taker:,} taker) in {plural(report.windows_traded, 'window')}; "
        f"fees {pusd(summary.fees_e6)}, rebates paid {pusd(report.totals.rebates_paid_e6)} "
        f"of {pusd(report.totals.rebates_accrued_e6)} accrued, pUSD."
    )


def _markouts(report: Report) -> str:
    at_fill = cents(markout_at(report, "at fill"))
    later = cents(markout_at(report, "30 s"))
    settled = cents(markout_at(report, "settlement"))
    return (
        f"Per share, before fees: {at_fill} c against the mid at the fill, "
        f"{later} c after 30 s, {settled} c at settlement."
    )


def _capital(report: Report) -> str:
    capital = report.capital
    return (
        f"Capital: {pusd(capital.capital_locked_avg_e6)} pUSD locked on average "
        f"(most {pusd(capital.capital_locked_max_e6)}), turnover {number(capital.turnover, 1)}, "
        f"drawdown {pusd(report.drawdown_e6)} pUSD ({percent(report.drawdown_ppm / 1e6)})."
    )


def _trust(report: Report) -> str:
    summary = report.totals.summary
    ledger = "ledger exact" if summary.identity_ok else "LEDGER IDENTITY BROKEN"
    return (
        f"Trust: {evidence(report)} {plural(summary.frames, 'frame')}, "
        f"{summary.set_aside:,} set aside; {ledger}; queue {report.totals.header.queue}; "
        f"digest {summary.digest[:12]}."
    )
