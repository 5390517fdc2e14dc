"""The report as one self-contained page: no network, no CDN, nothing executed but our own script.

Plotly's script comes from the installed package as data, so its Python code (slow to import) is not
loaded. Two runs with the same result give the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import re
from html import escape
from importlib.resources import files
from pathlib import Path

import msgspec

from polybawt.report import figures, words
from polybawt.report.model import FillRow, Report
from polybawt.report.sections import body
from polybawt.report.whole import write_whole
from polybawt.report.words import cents, pusd, shares, utc

_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def write(path: Path, report: Report, other: Report | None = None) -> int:
    """Write the page whole or not at all; its size in bytes. BadInput if it cannot be written."""
    return write_whole(path, render(report, other).encode())


def render(report: Report, other: Report | None = None) -> str:
    """The page. `other` is the same run under the other queue model."""
    page = files("polybawt.report") / "page"
    plotly = files("plotly") / "package_data" / "plotly.min.js"
    scripts = [_script(plotly.read_text("utf-8")), _script((page / "page.js").read_text("utf-8"))]
    hashes = " ".join(f"'sha256-{_sha256(script)}'" for script in scripts)
    policy = (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:"
    )
    head = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>PolyBawt: {escape(words.headline(report))}</title>"
        f"<style>{(page / 'page.css').read_text('utf-8')}</style></head><body>"
    )
    data = f'<script type="application/json" id="data">{_data(report, other)}</script>'
    code = "".join(f"<script>{script}</script>" for script in scripts)
    return f"{head}\n{body(report, other)}\n{data}\n{code}\n</body></html>\n"


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _script(text: str) -> str:
    """A script that cannot close its own tag: both sequences only occur inside literals.

    Line ends are those that an HTML parser hands to the policy check.
    """
    text = re.sub(r"<(/script)", r"<\\\1", text.replace("\r\n", "\n"), flags=re.IGNORECASE)
    return text.replace("<!--", "<\\!--")


def _data(report: Report, other: Report | None) -> str:
    """Figures as JSON that no text inside can break out of."""
    shown: dict[str, object] = {
        "equity": figures.equity(report),
        "bars": figures.window_bars(report),
        "costs": figures.costs(report),
        "maker": figures.markouts(report, "MAKER"),
        "taker": figures.markouts(report, "TAKER"),
        "locked": figures.locked(report),
    }
    if other is not None:
        shown["both"] = figures.equity(report, other)
    windows = [
        {"figure": figures.window(detail), "fills": [_fill(fill) for fill in detail.fills]}
        for detail in report.windows
    ]
    text = msgspec.json.encode({"figures": shown, "windows": windows}).decode()
    return re.sub("[<>&\u2028\u2029]", lambda match: _UNSAFE[match[0]], text)


def _fill(fill: FillRow) -> list[str]:
    return [
        utc(fill.now_ns, "%H:%M:%S"),
        fill.strategy,
        f"{fill.side.lower()} {fill.outcome}",
        fill.liquidity.lower(),
        f"{fill.price_e4 / 100:g}",
        shares(fill.qty_e6),
        pusd(fill.fee_e6),
        *(cents(value) for value in fill.markouts_e6),
    ]
