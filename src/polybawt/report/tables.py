"""Tables of the page as HTML. Every text is escaped here; nothing from outside is ever markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from polybawt.report import words
from polybawt.report.figures import cost_steps
from polybawt.report.markout import HORIZONS, Bucket
from polybawt.report.model import Example, Report, StrategyRow
from polybawt.report.words import cents, number, percent, pusd, shares, utc

Row = Sequence[str]


def typeset(text: str) -> str:
    """Escaped text with true minus signs."""
    return escape(words.typeset(text))


def table(
    head: Row,
    rows: Iterable[Row],
    *,
    left: int = 1,
    caption: str = "",
    toned: bool = True,
    wrap: bool = False,
) -> str:
    """A table whose first `left` columns are text and the rest right-aligned numbers.

    `toned` colours numbers with a sign as gain or loss, `wrap` lets long texts break.
    """
    body = "".join(f"<tr>{_cells(row, left, toned)}</tr>" for row in rows)
    titles = "".join(
        f'<th scope="col"{"" if i < left else " class=n"}>{escape(t)}</th>'
        for i, t in enumerate(head)
    )
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    kind = ' class="wrap"' if wrap else ""
    return (
        f'<div class="scroll"><table{kind}>{title}<thead><tr>{titles}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _cells(row: Row, left: int, toned: bool) -> str:
    cells = []
    for i, text in enumerate(row):
        if i == 0:
            cells.append(f'<th scope="row">{escape(text)}</th>')
        elif i < left:
            cells.append(f"<td>{typeset(text)}</td>")
        else:
            cells.append(f'<td class="n{tone(text) if toned else ""}">{typeset(text)}</td>')
    return "".join(cells)


def tone(text: str) -> str:
    """Signed numbers carry their colour; others do not."""
    if text[:1] == "+":
        return " gain"
    return " loss" if text[:1] == "-" and text[1:2].isdigit() else ""


def pairs(rows: Iterable[tuple[str, str]]) -> str:
    """Names and values."""
    return (
        '<div class="scroll"><table class="pairs"><tbody>'
        + "".join(
            f'<tr><th scope="row">{escape(name)}</th><td class="n">{typeset(value)}</td></tr>'
            for name, value in rows
        )
        + "</tbody></table></div>"
    )


def strategies(report: Report) -> str:
    """Attribution by strategy."""
    head = ("strategy", "windows", "orders", "fills", "maker", "volume", "spread", "fees", "result")
    return table(head, [_strategy(row) for row in report.strategies], caption="By strategy, pUSD")


def _strategy(row: StrategyRow) -> Row:
    fills = row.maker_fills + row.taker_fills
    return (
        row.strategy,
        f"{row.settled:,} of {row.windows:,}",
        f"{row.orders:,}",
        f"{fills:,}",
        percent(row.maker_fills / fills, decimals=0) if fills else words.NONE,
        pusd(row.costs.notional_e6),
        pusd(row.costs.spread_e6, signed=True),
        pusd(row.costs.fees_e6),
        pusd(row.costs.result_e6, signed=True),
    )


def order_states(report: Report) -> str:
    """How orders ended, by strategy."""
    names = sorted({name for row in report.strategies for name, _ in row.order_states})
    rows = [
        (row.strategy, f"{row.orders:,}", *(f"{dict(row.order_states).get(n, 0):,}" for n in names))
        for row in report.strategies
    ]
    return table(("strategy", "placed", *(n.lower() for n in names)), rows, caption="Orders")


def windows(report: Report) -> str:
    """The kept windows."""
    head = ("open, UTC", "market", "outcome", "fills", "volume", "most held", "spread", "result")
    rows = [
        (
            utc(d.open_ns, "%d %b %H:%M"),
            d.slug,
            outcome(d.payout_up_ppm, d.evidence),
            f"{d.fills_total:,}",
            pusd(d.notional_e6),
            shares(d.inventory_max_e6),
            pusd(d.spread_e6, signed=True),
            words.NONE if d.pnl_e6 is None else pusd(d.pnl_e6, signed=True),
        )
        for d in report.windows
    ]
    return table(head, rows, left=3)


def outcome(payout_up_ppm: int | None, evidence: str | None) -> str:
    """What a market paid, and on which evidence unless the venue said so."""
    if payout_up_ppm is None:
        return "open"
    name = {1_000_000: "Up", 0: "Down"}.get(payout_up_ppm, f"Up pays {payout_up_ppm / 1e6:g}")
    return name if evidence == "official" else f"{name} ({evidence})"


def costs(report: Report) -> str:
    """Parts of the result, in pUSD and per share."""
    summary, parts = report.totals.summary, report.costs
    qty_e6 = parts.qty_e6
    rows = [
        (name, pusd(value, signed=True), cents(value / qty_e6 * 1e6) if qty_e6 else words.NONE)
        for name, value in (*cost_steps(report), ("result", summary.result_e6))
    ]
    return table(("", "pUSD", "cents per share"), rows)


def markouts(report: Report, liquidity: str) -> str:
    """Mean, standard error and number of fills per phase and horizon."""
    cells = {(c.bucket, c.horizon): c for c in report.markouts if c.liquidity == liquidity}
    rows = []
    for bucket in Bucket:
        if (bucket.value, HORIZONS[0]) not in cells:
            continue
        row = [bucket.value]
        for horizon in HORIZONS:
            cell = cells[bucket.value, horizon]
            error = "" if cell.error_e6 is None else f" ± {cents(cell.error_e6, signed=False)}"
            missing = f", {cell.no_data:,} no data" if cell.no_data else ""
            value = "no data" if cell.mean_e6 is None else cents(cell.mean_e6) + error
            row.append(f"{value} ({cell.n:,}/{cell.windows:,}{missing})")
        rows.append(row)
    head = ("phase of fill", *HORIZONS)
    caption = "Mean ± standard error, cents per share (fills/windows)"
    return table(head, rows, caption=caption, toned=False)


def refusals(report: Report) -> str:
    """Reasons with count and examples."""
    total = sum(row.count for row in report.refusals)
    rows = [
        (
            row.check,
            row.code,
            _example(row.first),
            _example(row.last),
            f"{row.count:,}",
            percent(row.count / total),
        )
        for row in report.refusals
    ]
    return table(("check", "code", "first", "last", "count", "share"), rows, left=4, wrap=True)


def _example(example: Example) -> str:
    when = utc(example.now_ns, "%d %b %H:%M:%S")
    value, limit = (words.in_unit(v, example.unit) for v in (example.value, example.limit))
    return f"{when} {example.strategy} {example.market}: {value} against {limit}"


def capital(report: Report) -> str:
    """Use of money."""
    c = report.capital
    per_day = words.NONE if c.pnl_per_locked_day is None else f"{c.pnl_per_locked_day:+,.4f}"
    return pairs(
        (
            ("locked on average, pUSD", pusd(c.capital_locked_avg_e6)),
            ("locked at most, pUSD", pusd(c.capital_locked_max_e6)),
            ("locked, pUSD-days", number(c.locked_pusd_days, 4)),
            ("turnover (volume / average locked)", number(c.turnover, 1)),
            ("pUSD made per pUSD locked for a day", per_day),
            ("largest drawdown, pUSD", pusd(report.drawdown_e6)),
            ("largest drawdown, of peak", percent(report.drawdown_ppm / 1e6, decimals=2)),
        )
    )


def chance(report: Report) -> str:
    """Statistics over windows."""
    stats = report.stats
    if stats is None:
        return "<p>Fewer than two settled windows with fills: no statistics.</p>"
    return pairs(
        (
            ("settled windows with fills", f"{stats.n:,}"),
            ("mean, pUSD per window", f"{stats.mean:+,.4f}"),
            ("standard deviation", number(stats.sd, 4)),
            ("Sharpe ratio per window", number(stats.sharpe, 3)),
            ("skew", number(stats.skew)),
            ("kurtosis (normal: 3)", number(stats.kurt)),
            ("profit factor", number(stats.profit_factor)),
            ("windows won", percent(stats.win_rate)),
            ("windows needed at 95 %", words.NONE if stats.needed is None else f"{stats.needed:,}"),
            ("probability of a true gain", words.NONE if stats.psr is None else percent(stats.psr)),
        )
    )


def quality(report: Report) -> str:
    """Data that came, was set aside, or was missing."""
    q, summary = report.quality, report.totals.summary
    blind = q.samples_without_mid / q.samples if q.samples else 0.0
    set_aside = [(f"set aside: {name}", f"{n:,}") for name, n in report.totals.set_aside]
    settled = [
        (f"traded markets settled on {name} evidence", f"{n:,}") for name, n, _ in report.settled_by
    ]
    return pairs(
        [
            ("frames read", f"{summary.frames:,}"),
            ("frames set aside", f"{summary.set_aside:,}"),
            *set_aside,
            ("markets", f"{summary.markets:,}"),
            ("markets settled", f"{summary.settled:,}"),
            *settled,
            (f"silences over {q.gap_min_ns // 10**9} s in open windows", f"{q.gaps:,}"),
            ("longest silence, s", f"{q.gap_max_ns / 1e9:,.1f}"),
            ("samples without a two-sided book", percent(blind)),
            ("fills voided", f"{q.voids:,}"),
            ("fills and voids after settlement", f"{q.late_fills + q.late_voids:,}"),
            ("ledger identity", "exact" if summary.identity_ok else "BROKEN"),
        ]
    )


def comparison(report: Report, other: Report) -> str:
    """Both queue models side by side."""
    both = (report, other)
    head = ("", *(f"{r.totals.header.queue} queue" for r in both))
    maker = [sum(row.maker_fills for row in r.strategies) for r in both]
    at_fill, later, settled = (
        [cents(words.markout_at(r, h)) for r in both] for h in ("at fill", "30 s", "settlement")
    )
    rows = [
        ("result, pUSD", *(pusd(r.totals.summary.result_e6, signed=True) for r in both)),
        ("orders", *(f"{r.totals.summary.orders:,}" for r in both)),
        ("fills", *(f"{r.totals.summary.fills:,}" for r in both)),
        ("maker fills", *(f"{n:,}" for n in maker)),
        ("volume, pUSD", *(pusd(r.costs.notional_e6) for r in both)),
        ("fees, pUSD", *(pusd(r.costs.fees_e6) for r in both)),
        ("captured at fill, cents per share", *at_fill),
        ("markout after 30 s, cents per share", *later),
        ("markout at settlement, cents per share", *settled),
        ("largest drawdown, pUSD", *(pusd(r.drawdown_e6) for r in both)),
        ("locked on average, pUSD", *(pusd(r.capital.capital_locked_avg_e6) for r in both)),
    ]
    return table(head, rows)
