"""The page from top to bottom: its sections as HTML. Every text from outside is escaped."""

from __future__ import annotations

from html import escape

from polybawt.report import tables, words
from polybawt.report.model import Report
from polybawt.report.words import cents, percent, plural, pusd, utc


def body(report: Report, other: Report | None) -> str:
    """Header, contents and sections; charts are empty boxes that the page script fills."""
    sections = (
        ("result", "Equity and result per window", _result(report)),
        ("windows", "Fills on the price path", _windows(report)),
        ("costs", "Where the result comes from", _costs(report)),
        ("markouts", "Markouts: the price after our fills", _markouts(report)),
        ("capital", "Capital and chance", _capital(report)),
        ("refusals", "What risk refused", _refusals(report)),
        ("queues", "Both queue models", _queues(report, other)),
        ("quality", "Data quality", tables.quality(report)),
        ("limits", "What this result does not prove", _limits(report)),
        ("sources", "Data and licences", _sources(report)),
        ("run", "The run", _run(report)),
    )
    links = "".join(f'<a href="#{key}">{escape(title)}</a>' for key, title, _ in sections)
    body = "".join(
        f'<section id="{key}"><h2>{escape(title)}</h2>{content}</section>'
        for key, title, content in sections
    )
    return f"<header>{_head(report)}</header><nav>{links}</nav><main>{body}</main>"


def _head(report: Report) -> str:
    result_e6 = report.totals.summary.result_e6
    tone = "gain" if result_e6 > 0 else "loss" if result_e6 < 0 else "even"
    header, summary = report.totals.header, report.totals.summary
    notes = [words.evidence(report), words.by_inference(report)]
    if not summary.identity_ok:
        notes.insert(0, "The ledger identity is broken: no figure here can be trusted.")
    span = (
        f"{utc(report.first_ns, '%Y-%m-%d %H:%M')} to {utc(report.last_ns, '%Y-%m-%d %H:%M')} UTC"
    )
    return (
        f'<h1 class="{tone}">{tables.typeset(words.headline(report))}</h1>'
        f'<p class="about">PolyBawt backtest of {escape(header.data)}, {span}, '
        f"{escape(header.queue)} queue, profile {escape(header.profile)}</p>"
        + "".join(f"<p>{tables.typeset(note)}</p>" for note in notes if note)
        + f'<dl class="key">{_key_figures(report)}</dl>'
    )


def _key_figures(report: Report) -> str:
    summary, capital = report.totals.summary, report.capital
    fills = sum(row.maker_fills + row.taker_fills for row in report.strategies)
    maker = sum(row.maker_fills for row in report.strategies)
    share = percent(maker / fills, decimals=0) if fills else words.NONE
    opening = f"{pusd(summary.opening_cash_e6)} to {pusd(summary.equity_e6)}"
    five = (
        ("result, pUSD", pusd(summary.result_e6, signed=True), opening),
        ("fills", f"{summary.fills:,}", f"{plural(summary.orders, 'order')}, {share} maker"),
        (
            "markout after 30 s, c",
            cents(words.markout_at(report, "30 s")),
            f"{cents(words.markout_at(report, 'settlement'))} at settlement",
        ),
        (
            "largest drawdown, pUSD",
            pusd(report.drawdown_e6),
            f"{percent(report.drawdown_ppm / 1e6, decimals=2)} of the peak",
        ),
        (
            "locked on average, pUSD",
            pusd(capital.capital_locked_avg_e6),
            f"turned over {words.number(capital.turnover, 1)} times",
        ),
    )
    tones = {name: tables.tone(value) if name == "result, pUSD" else "" for name, value, _ in five}
    return "".join(
        f'<div><dt>{escape(name)}</dt><dd class="{tones[name]}">{tables.typeset(value)}</dd>'
        f'<dd class="sub">{tables.typeset(more)}</dd></div>'
        for name, value, more in five
    )


def _chart(name: str, label: str) -> str:
    return f'<div class="chart" data-figure="{name}" role="img" aria-label="{escape(label)}"></div>'


def _result(report: Report) -> str:
    note = "Equity marks pairs at 1 pUSD and the rest at its own bid."
    if any(bar.windows > 1 for bar in report.bars):
        note += " Each bar adds up neighbouring windows."
    bars = _chart("bars", "Result per window") if report.bars else "<p>No settled window.</p>"
    return (
        f"<p>{note}</p>{_chart('equity', 'Equity over time')}{bars}"
        + tables.strategies(report)
        + tables.order_states(report)
    )


def _windows(report: Report) -> str:
    if not report.windows:
        return "<p>No window was recorded.</p>"
    options = "".join(
        f'<option value="{i}">{tables.typeset(_option(report, i))}</option>'
        for i in range(len(report.windows))
    )
    chosen = max(range(len(report.windows)), key=lambda i: report.windows[i].fills_total)
    options = options.replace(f'value="{chosen}"', f'value="{chosen}" selected', 1)
    traded = report.windows_traded
    return (
        f"<p>{plural(len(report.windows), 'market')} shown with price path: the most active, at "
        f"most {report.windows_kept_max}. Every other figure covers all "
        f"{plural(traded, 'traded window')}. Prices are Up's: buying Down at 40 c is selling Up at "
        "60 c.</p>"
        f'<label>Window <select id="window">{options}</select></label>'
        '<div class="chart" id="path" role="img" aria-label="Price of Up, fills and inventory">'
        '</div><details><summary>Fills of this window</summary><div class="scroll">'
        '<table id="fills"><thead><tr>'
        + "".join(f"<th>{escape(t)}</th>" for t in _FILL_HEAD)
        + "</tr></thead><tbody></tbody></table></div></details>"
        + tables.windows(report)
    )


_FILL_HEAD = (
    *("UTC", "strategy", "side", "liquidity", "price, c", "shares", "fee"),
    *("at fill, c", "1 s, c", "5 s, c", "30 s, c", "settlement, c"),
)


def _option(report: Report, index: int) -> str:
    detail = report.windows[index]
    result = "open" if detail.pnl_e6 is None else f"{pusd(detail.pnl_e6, signed=True)} pUSD"
    opened = utc(detail.open_ns, "%d %b %H:%M")
    return f"{opened} {detail.asset}, {plural(detail.fills_total, 'fill')}, {result}"


def _costs(report: Report) -> str:
    totals, parts = report.totals, report.costs
    share = parts.mid_qty_e6 / parts.qty_e6 if parts.qty_e6 else 0.0
    unpaid = totals.rebates_accrued_e6 - totals.rebates_paid_e6
    return (
        "<p>Spread at fill is our price against the mid when we were filled; fill to payout is "
        "what the market moved from there to settlement, so a negative step means that we were "
        f"filled on the wrong side. The mid was known for {percent(share)} of the volume. "
        f"Rebates accrued but not paid, and not counted: {pusd(unpaid)} pUSD.</p>"
        f'<div class="beside">{_chart("costs", "Steps to the result")}{tables.costs(report)}</div>'
    )


def _markouts(report: Report) -> str:
    if not report.markouts:
        return "<p>No fill, no markout.</p>"
    text = (
        "<p>Positive is good for us, per share, before fees. Each point is the mean over shares of "
        "the mid at the horizon less the fill price; bars are one standard error with windows as "
        "the independent unit, because fills of one window share its fate. Settlement has a scale "
        "of its own. A fill without a mid in time counts as no data.</p>"
    )
    for liquidity in ("MAKER", "TAKER"):
        name = liquidity.lower()
        if not any(cell.liquidity == liquidity for cell in report.markouts):
            text += f"<p>No {name} fill.</p>"
            continue
        text += f"<h3>{name.capitalize()} fills</h3>{_chart(name, f'Markouts of {name} fills')}"
        text += tables.markouts(report, liquidity)
    return text


def _capital(report: Report) -> str:
    return (
        "<p>Locked is cash in positions and reserved for orders, averaged over time. Chance is "
        "judged on one result per window.</p>"
        + _chart("locked", "Locked cash over time")
        + f'<div class="beside">{tables.capital(report)}{tables.chance(report)}</div>'
    )


def _refusals(report: Report) -> str:
    if not report.refusals:
        return "<p>Risk refused nothing.</p>"
    return tables.refusals(report)


def _queues(report: Report, other: Report | None) -> str:
    if other is None:
        queue = escape(report.totals.header.queue)
        return (
            f"<p>Only the {queue} queue was run. Trust only what survives the pessimistic one.</p>"
        )
    return (
        "<p>The pessimistic queue never lets a cancel ahead of us count; the power queue lets part "
        "of it count. Trust only what survives the pessimistic one.</p>"
        f"{_chart('both', 'Equity under both queue models')}{tables.comparison(report, other)}"
    )


def _limits(report: Report) -> str:
    points = [*report.totals.limits, words.evidence(report)]
    return "<ul>" + "".join(f"<li>{tables.typeset(point)}</li>" for point in points) + "</ul>"


def _sources(report: Report) -> str:
    rows = [(a.name, a.licence, a.text) for a in report.totals.attributions]
    charts = ("plotly.js", "MIT", "charts of this page, copyright Plotly, Inc.")
    return tables.table(("source", "licence", "attribution"), [*rows, charts], left=3, wrap=True)


def _run(report: Report) -> str:
    header, summary = report.totals.header, report.totals.summary
    rows = (
        ("version", header.version),
        ("data", header.data),
        ("queue", header.queue),
        ("profile", header.profile),
        ("seed", str(header.seed)),
        ("digest", summary.digest),
        ("first frame, UTC", utc(report.first_ns)),
        ("last frame, UTC", utc(report.last_ns)),
    )
    config = tables.pairs(header.config) if header.config else "<p>Defaults only.</p>"
    return f"{tables.pairs(rows)}<details><summary>Configuration</summary>{config}</details>"
