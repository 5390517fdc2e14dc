"""Charts as plain Plotly JSON: traces and layouts, no Plotly code.

Colours are names of the page's style sheet (`var(--gain)`), which the page resolves for light and
dark. Texts from outside are escaped here, because Plotly reads a subset of HTML in every text.
"""

from __future__ import annotations

from html import escape
from itertools import accumulate

from polybawt.domain.units import E6, MS_NS
from polybawt.report import words
from polybawt.report.markout import HORIZONS, Bucket
from polybawt.report.model import FillRow, MarkoutCell, Point, Report, WindowDetail

Json = dict[str, object]
_BUCKET_COLOURS = dict(zip(Bucket, ("--one", "--two", "--three", "--four"), strict=True))
_NEVER_ZOOMED = {"fixedrange": True}


def _ms(ns: int) -> float:
    return ns / MS_NS


def _xy(points: tuple[Point, ...], scale: float) -> Json:
    return {
        "x": [_ms(ns) for ns, _ in points],
        "y": [None if value is None else value / scale for _, value in points],
    }


def _figure(data: list[Json], height: int, **layout: object) -> Json:
    return {"data": data, "layout": {"height": height, **layout}}


def _line(points: tuple[Point, ...], scale: float, colour: str, name: str, unit: str) -> Json:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "line": {"color": f"var({colour})", "width": 1.6, "shape": "hv"},
        "hovertemplate": f"%{{x|%d %b %H:%M:%S}} UTC<br>%{{y:,.2f}} {unit}<extra>{name}</extra>",
        **_xy(points, scale),
    }


def equity(report: Report, other: Report | None = None) -> Json:
    """Equity over time; with another report, both queue models in one chart."""
    queue = report.totals.header.queue
    opening = report.totals.summary.opening_cash_e6 / E6
    name = "equity" if other is None else f"{escape(queue)} queue"
    data = [_line(report.equity, E6, "--one", name, "pUSD")]
    if other is not None:
        second = f"{escape(other.totals.header.queue)} queue"
        data.append(_line(other.equity, E6, "--two", second, "pUSD"))
    level = {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": opening,
        "y1": opening,
        "line": {"color": "var(--muted)", "width": 1, "dash": "dot"},
        "label": {
            "text": "opening cash",
            "textposition": "end",
            "font": {"size": 11, "color": "var(--muted)"},
        },
    }
    return _figure(
        data,
        280,
        shapes=[level],
        showlegend=other is not None,
        xaxis={"type": "date"},
        yaxis={"title": {"text": "pUSD"}, "tickformat": ",.2~f"},
    )


def window_bars(report: Report) -> Json:
    """Result of each settled window, evenly spaced: windows need not be neighbours in time."""
    bars = report.bars
    step = max(1, -(-len(bars) // 8))
    ticks = list(range(0, len(bars), step))
    trace: Json = {
        "type": "bar",
        "x": list(range(len(bars))),
        "y": [bar.pnl_e6 / E6 for bar in bars],
        "customdata": [
            f"{words.plural(bar.windows, 'window')} closed {words.utc(bar.close_ns, '%d %b %H:%M')}"
            for bar in bars
        ],
        "marker": {"color": ["var(--gain)" if bar.pnl_e6 >= 0 else "var(--loss)" for bar in bars]},
        "hovertemplate": "%{customdata} UTC<br>%{y:+,.4f} pUSD<extra></extra>",
    }
    return _figure(
        [trace],
        230,
        showlegend=False,
        bargap=0.25,
        xaxis={
            "tickvals": ticks,
            "ticktext": [words.utc(bars[i].close_ns, "%d %b<br>%H:%M") for i in ticks],
            "showgrid": False,
        },
        yaxis={"title": {"text": "pUSD"}, "zeroline": True},
    )


def costs(report: Report) -> Json:
    """From the spread captured to the result, as steps."""
    steps = cost_steps(report)
    trace: Json = {
        "type": "waterfall",
        "orientation": "h",
        "y": [name for name, _ in steps] + ["result"],
        "x": [value / E6 for _, value in steps] + [0],
        "measure": ["relative"] * len(steps) + ["total"],
        "text": [
            words.typeset(words.pusd(value, signed=True))
            for value in (*(v for _, v in steps), report.totals.summary.result_e6)
        ],
        "textposition": "outside",
        "cliponaxis": False,
        "increasing": {"marker": {"color": "var(--gain)"}},
        "decreasing": {"marker": {"color": "var(--loss)"}},
        "totals": {"marker": {"color": "var(--muted)"}},
        "connector": {"line": {"color": "var(--rule)", "width": 1}},
        "hovertemplate": "%{y}: %{text} pUSD<extra></extra>",
    }
    return _figure(
        [trace],
        300,
        showlegend=False,
        xaxis={
            "title": {"text": "pUSD"},
            "zeroline": True,
            "range": _padded([value for _, value in steps]),
            **_NEVER_ZOOMED,
        },
        yaxis={"autorange": "reversed", "automargin": True, "showgrid": False, **_NEVER_ZOOMED},
    )


def _padded(steps: list[int]) -> list[float]:
    """Range of the running sum in pUSD, with room for a label at either end."""
    sums = [0, *accumulate(steps)]
    room = 0.35 * (max(sums) - min(sums)) or E6
    return [(min(sums) - room) / E6, (max(sums) + room) / E6]


def cost_steps(report: Report) -> list[tuple[str, int]]:
    """Parts of the result in 10^-6 pUSD; they add up to it exactly."""
    parts = report.costs
    rebates_e6 = report.totals.rebates_paid_e6
    rest_e6 = report.totals.summary.result_e6 - parts.result_e6 - rebates_e6
    steps = [("spread at fill", parts.spread_e6), ("fill to payout", parts.holding_e6)]
    if parts.no_mid_e6:
        steps.append(("fills without mid", parts.no_mid_e6))
    steps += [("fees", -parts.fees_e6), ("rebates paid", rebates_e6)]
    if rest_e6:
        steps.append(("not settled", rest_e6))
    return steps


def markouts(report: Report, liquidity: str) -> Json | None:
    """Markout by horizon and phase with standard errors; settlement on a scale of its own."""
    data: list[Json] = []
    used = [b for b in Bucket if any(_is_drawn(c, liquidity, b) for c in report.markouts)]
    for place, bucket in enumerate(used):
        cells = [c for c in report.markouts if _is_drawn(c, liquidity, bucket)]
        shift = 0.09 * (place - (len(used) - 1) / 2)
        for axis, chosen in (
            ("", [c for c in cells if c.horizon != HORIZONS[-1]]),
            ("2", [c for c in cells if c.horizon == HORIZONS[-1]]),
        ):
            if chosen:
                data.append(_markout_trace(chosen, bucket, shift, axis))
    if not data:
        return None
    seen: set[object] = set()
    for trace in data:
        trace["showlegend"] = trace["name"] not in seen
        seen.add(trace["name"])
    last = len(HORIZONS) - 1
    cents = {"ticksuffix": "", "zeroline": True}
    return _figure(
        data,
        340,
        xaxis={
            "domain": [0, 0.68],
            "tickvals": list(range(last)),
            "ticktext": list(HORIZONS[:-1]),
            "range": [-0.4, last - 0.6],
            "showgrid": False,
            **_NEVER_ZOOMED,
        },
        xaxis2={
            "domain": [0.82, 1],
            "tickvals": [last],
            "ticktext": [HORIZONS[-1]],
            "range": [last - 0.5, last + 0.5],
            "showgrid": False,
            "anchor": "y2",
            **_NEVER_ZOOMED,
        },
        yaxis={"title": {"text": "cents per share"}, **cents},
        yaxis2={"anchor": "x2", **cents},
    )


def _is_drawn(cell: MarkoutCell, liquidity: str, bucket: Bucket) -> bool:
    return cell.liquidity == liquidity and cell.bucket == bucket and cell.mean_e6 is not None


def _markout_trace(cells: list[MarkoutCell], bucket: Bucket, shift: float, axis: str) -> Json:
    colour = f"var({_BUCKET_COLOURS[bucket]})"
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": bucket.value,
        "legendgroup": bucket.value,
        "xaxis": f"x{axis}",
        "yaxis": f"y{axis}",
        "x": [HORIZONS.index(cell.horizon) + shift for cell in cells],
        "y": [(cell.mean_e6 or 0.0) / 10_000 for cell in cells],
        "error_y": {
            "type": "data",
            "array": [(cell.error_e6 or 0.0) / 10_000 for cell in cells],
            "color": colour,
            "thickness": 1,
            "width": 3,
        },
        "customdata": [
            f"{cell.horizon}: {words.cents(cell.mean_e6)} c, standard error "
            f"{words.cents(cell.error_e6, signed=False)}<br>{words.plural(cell.n, 'fill')} "
            f"in {words.plural(cell.windows, 'window')}"
            for cell in cells
        ],
        "hovertemplate": "%{customdata}<extra>" + bucket.value + "</extra>",
        "line": {"color": colour, "width": 1.6},
        "marker": {"color": colour, "size": 6},
    }


def locked(report: Report) -> Json:
    """Locked cash over time."""
    trace = _line(report.locked, E6, "--one", "locked", "pUSD")
    trace |= {"fill": "tozeroy", "fillcolor": "var(--wash)"}
    return _figure(
        [trace],
        230,
        showlegend=False,
        xaxis={"type": "date"},
        yaxis={"title": {"text": "pUSD locked"}, "rangemode": "tozero"},
    )


def window(detail: WindowDetail) -> Json:
    """Fills on the mid of Up, in Up's prices, with the inventory under it."""
    mid = _line(detail.mid, 10_000, "--ink", "mid of Up", "c")
    mid["line"] = {"color": "var(--path)", "width": 1.3, "shape": "hv"}
    held = _line(detail.inventory, E6, "--one", "inventory", "shares")
    held |= {"yaxis": "y2", "fill": "tozeroy", "fillcolor": "var(--wash)", "showlegend": False}
    data = [held, mid]
    for is_bid in (True, False):
        for liquidity in ("MAKER", "TAKER"):
            fills = [f for f in detail.fills if f.is_up_bid is is_bid and f.liquidity == liquidity]
            if fills:
                data.append(_fills(fills, is_bid, liquidity))
    edges = [
        {
            "type": "line",
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "x0": _ms(ns),
            "x1": _ms(ns),
            "line": {"color": "var(--muted)", "width": 1, "dash": "dot"},
            "label": {
                "text": name,
                "textposition": "end",
                "textangle": 0,
                "yanchor": "top",
                "xanchor": anchor,
                "font": {"size": 11, "color": "var(--muted)"},
            },
        }
        for name, ns, anchor in (
            ("open", detail.open_ns, "left"),
            ("close", detail.close_ns, "right"),
        )
    ]
    return _figure(
        data,
        460,
        shapes=edges,
        xaxis={"type": "date", "anchor": "y2"},
        yaxis={"title": {"text": "Up, cents"}, "domain": [0.36, 1]},
        yaxis2={"title": {"text": "Up - Down, shares"}, "domain": [0, 0.27], "zeroline": True},
    )


def _fills(fills: list[FillRow], is_bid: bool, liquidity: str) -> Json:
    shape = "triangle-up" if is_bid else "triangle-down"
    name = ("buys Up or sells Down" if is_bid else "sells Up or buys Down") + (
        ", maker" if liquidity == "MAKER" else ", taker"
    )
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [_ms(fill.now_ns) for fill in fills],
        "y": [fill.up_price_e4 / 100 for fill in fills],
        "marker": {
            "symbol": shape if liquidity == "MAKER" else f"{shape}-open",
            "size": 10,
            "color": "var(--buy)" if is_bid else "var(--sell)",
            "line": {"width": 1 if liquidity == "MAKER" else 2},
        },
        "customdata": [
            f"{fill.side} {words.shares(fill.qty_e6)} {fill.outcome} at {fill.price_e4 / 100:g} c, "
            f"{escape(fill.strategy)}<br>after 30 s {words.cents(fill.markouts_e6[3])} c, "
            f"at settlement {words.cents(fill.markouts_e6[4])} c"
            for fill in fills
        ],
        "hovertemplate": "%{x|%H:%M:%S} UTC<br>%{customdata}<extra></extra>",
    }
