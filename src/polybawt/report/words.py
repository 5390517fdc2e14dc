"""Numbers and findings in words, shared by the terminal and the page. Plain text, ASCII minus."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from polybawt.domain.units import E6, S_NS, from_scaled
from polybawt.report.model import MarkoutCell, Report

NONE = "n/a"


def pusd(value_e6: int, *, signed: bool = False) -> str:
    """Money with two decimals, and with as many more as a non-zero amount needs to show."""
    value = from_scaled(value_e6, E6)
    plus = "+" if signed else ""
    for decimals in (2, 4):
        text = f"{value:{plus},.{decimals}f}"
        if value_e6 == 0 or any(digit in "123456789" for digit in text):
            return text if value_e6 else f"{0:,.2f}"
    return f"{value:{plus},.6f}"


def shares(qty_e6: int) -> str:
    """A quantity in shares, without needless decimals."""
    text = f"{from_scaled(qty_e6, E6):,.2f}"
    return text.removesuffix(".00")


def cents(value_e6: float | None, *, signed: bool = True) -> str:
    """A price difference per share in cents."""
    if value_e6 is None:
        return NONE
    text = f"{value_e6 / 10_000:{'+' if signed else ''}.2f}"
    return "0.00" if text in ("+0.00", "-0.00") else text


def typeset(text: str) -> str:
    """The text as the page shows it: true minus signs, and units that stay with their number."""
    text = re.sub(r"(?:(?<=^)|(?<=[ (]))-(?=\d)", "\N{MINUS SIGN}", text)
    return re.sub(r"(?<=\d) (?=(?:%|c|s|ms|pUSD)\b|%)", "\N{NO-BREAK SPACE}", text)


def percent(part: float, *, decimals: int = 1) -> str:
    """A share of one as a percentage."""
    return f"{100 * part:.{decimals}f} %"


def number(value: float | None, decimals: int = 2) -> str:
    """A statistic, or that there is none."""
    return NONE if value is None else f"{value:,.{decimals}f}"


def in_unit(value: int, unit: str) -> str:
    """A scaled integer in the unit that its suffix stands for; without a unit as it is."""
    if unit == "e6":
        return pusd(value)
    if unit == "e4":
        return f"{value / 100:g} c"
    if unit == "ns":
        return f"{value / 1e6:,.0f} ms"
    if unit == "ppm":
        return percent(value / 1e6, decimals=2)
    return f"{value:,}"


def plural(count: int, noun: str) -> str:
    """`1 window`, `2 windows`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def utc(ns: int, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """An instant in UTC."""
    return datetime.fromtimestamp(ns // S_NS, UTC).strftime(form)


def settled_windows(report: Report) -> int:
    """Windows with fills and an outcome."""
    return report.windows_traded - report.unsettled_traded


def headline(report: Report) -> str:
    """What the run made or lost, in one sentence that a loss cannot hide in."""
    summary = report.totals.summary
    result_e6 = summary.result_e6
    if report.windows_traded == 0 and result_e6 == 0:
        return f"Made and lost nothing: no order filled in {plural(summary.settled, 'market')}."
    verb = "Made" if result_e6 > 0 else "Lost" if result_e6 < 0 else "Broke even at"
    text = f"{verb} {pusd(abs(result_e6))} pUSD"
    if summary.opening_cash_e6 > 0:
        text += (
            f" ({percent(abs(result_e6) / summary.opening_cash_e6, decimals=2)} of opening cash)"
        )
    text += f" over {plural(settled_windows(report), 'settled window')}"
    if report.unsettled_traded:
        open_windows = plural(report.unsettled_traded, "window")
        text += f"; {open_windows} without an outcome valued at the bid"
    return text + "."


def by_inference(report: Report) -> str | None:
    """What rests on outcomes that were inferred, not reported."""
    for evidence, markets, result_e6 in report.settled_by:
        if evidence == "inferred":
            return (
                f"{plural(markets, 'market')} settled on an inferred outcome, which the venue "
                f"never confirmed: {pusd(result_e6, signed=True)} pUSD of the result."
            )
    return None


def evidence(report: Report) -> str:
    """Whether the result can be told from luck."""
    stats = report.stats
    if stats is None:
        return "Fewer than two settled windows: nothing can be said about chance."
    mean_e6, sd_e6 = round(stats.mean * E6), round(stats.sd * E6)
    mean = (
        f"{pusd(mean_e6, signed=True)} pUSD per window (sd {pusd(sd_e6)}) "
        f"over {plural(stats.n, 'window')}"
    )
    if stats.needed is None:
        return f"Mean {mean}: there is no difference from zero to test."
    if stats.n < stats.needed:
        return (
            f"Mean {mean}: not distinguishable from chance, "
            f"which at this mean and spread takes {stats.needed:,} windows."
        )
    return (
        f"Mean {mean}: different from zero at 95 % if windows are independent "
        f"({stats.needed:,} needed)."
    )


def markout_at(report: Report, horizon: str, liquidity: str | None = None) -> float | None:
    """Markout of all fills (of one liquidity) at a horizon, weighted by quantity."""
    cells: list[MarkoutCell] = [
        cell
        for cell in report.markouts
        if cell.horizon == horizon and liquidity in (None, cell.liquidity)
    ]
    qty_e6 = sum(cell.qty_e6 for cell in cells)
    if not qty_e6:
        return None
    return sum((cell.mean_e6 or 0.0) * cell.qty_e6 for cell in cells) / qty_e6
