"""Tiny recordings in the formats of the real ones, and where the real ones are."""

from __future__ import annotations

import csv
import gzip
import io
import json
import lzma
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest

from polybawt.adapters.tape.format import RecordingHeader
from polybawt.adapters.tape.writer import TapeWriter
from polybawt.domain.events import MarketListed
from polybawt.domain.fees import FeeSchedule
from polybawt.domain.ids import MarketId
from polybawt.domain.market import Market, TwapBoundary
from polybawt.domain.units import MS_NS, S_NS
from polybawt.ports import SourceInfo

OPEN_S = 1_790_586_000
OPEN_MS = OPEN_S * 1000
ID_15M = "0xaa"
ROW = tuple[str, int, str, list[float], list[float], list[float], list[float]]

MARKET = Market(
    market_id=MarketId("0xc0"),
    asset="btc",
    slug=f"btc-updown-15m-{OPEN_S}",
    open_ns=OPEN_S * S_NS,
    close_ns=(OPEN_S + 900) * S_NS,
    token_up="111",
    token_down="222",
    tick_e4=100,
    fees=FeeSchedule(rate_ppm=70_000, exponent=1, rebate_ppm=200_000),
    settlement=TwapBoundary(stream="btc-usd-twap-60s"),
)
INFO = SourceInfo(
    name="made up",
    kind="test",
    origin="tests",
    licence="MIT",
    attribution=None,
    claims=("nothing",),
    limits=("everything",),
    official_outcomes=False,
)


def shared(name: str) -> Path:
    """A real recording; the test is skipped where it is not present."""
    root = Path(os.environ.get("POLYBAWT_SHARED", Path(__file__).parents[2] / "shared"))
    path = root / "data" / name
    if not path.is_dir():
        pytest.skip("shared data not present")
    return path


def pair(ts: int, market_id: str = ID_15M, bid: float = 0.49) -> list[ROW]:
    """Both faces of one book at one instant: Down first, as recorded."""
    ask = round(bid + 0.02, 4)
    down = round(1 - ask, 4), round(1 - bid, 4)
    return [
        (market_id, ts, "DOWN", [down[0], 0.1], [30.0, 7.5], [down[1]], [12.25]),
        (market_id, ts, "UP", [bid], [12.25], [ask, 0.9], [30.0, 7.5]),
    ]


def market_row(**changes: str) -> dict[str, str]:
    """One line of `markets.csv`."""
    row = {
        "market_id": ID_15M,
        "slug": f"btc-updown-15m-{OPEN_S}",
        "start_ts": str(OPEN_MS),
        "end_ts": str(OPEN_MS + 900_000),
        "outcome_up": "Up",
        "outcome_down": "Down",
        "payout_up": "1.0",
        "payout_down": "0.0",
    }
    return row | changes


def csv_text(rows: Sequence[dict[str, str]]) -> str:
    """Rows as CSV with their header."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def write_15m(
    folder: Path,
    rows: Sequence[ROW],
    markets: Sequence[dict[str, str]] | None = None,
    types: dict[str, str] | None = None,
) -> Path:
    """A folder like `pm15m-btc-l2-top20`; `types` overrides column types, "" drops a column."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = {"market_id": "VARCHAR", "ts": "BIGINT", "side": "VARCHAR"}
    columns |= dict.fromkeys(("bid_px", "bid_sz", "ask_px", "ask_sz"), "DOUBLE[]")
    picked = ", ".join(
        f"{name}::{(types or {}).get(name, kind)} as {name}"
        for name, kind in columns.items()
        if (types or {}).get(name, kind)
    )
    with duckdb.connect() as connection:
        connection.execute(
            "create table books (" + ", ".join(f"{n} {k}" for n, k in columns.items()) + ")"
        )
        for row in rows:
            connection.execute("insert into books values (?, ?, ?, ?, ?, ?, ?)", row)
        connection.execute(
            f"copy (select {picked} from books) to '{folder / 'books.parquet'}' (format parquet)"
        )
    (folder / "markets.csv").write_text(csv_text(markets or [market_row()]))
    return folder


START_5M = 1_776_081_600
ID_5M = "0xbb"


def book_line(recv: Any, **changes: Any) -> dict[str, Any]:
    """One line of a 5-minute file: the Down token's book."""
    message = {
        "market": ID_5M,
        "asset_id": "222",
        "timestamp": str(START_5M * 1000),
        "hash": "00",
        "bids": [{"price": "0.1", "size": "7.5"}, {"price": "0.49", "size": "30"}],
        "asks": [{"price": "0.51", "size": "12.25"}],
        "event_type": "book",
    }
    return {"recv": recv, "msg": message | changes}


def write_5m(
    folder: Path, lines: Sequence[Any], won: str = "1", index: list[dict[str, str]] | None = None
) -> Path:
    """A folder like `pm5m-btc-l2-book` with one market."""
    folder.mkdir(parents=True, exist_ok=True)
    slug = f"btc-updown-5m-{START_5M}"
    row = {"slug": slug, "condition_id": ID_5M, "main_asset_id": "222"}
    row["main_token_won_inferred"] = won
    (folder / "index.csv").write_text(csv_text(index or [row]))
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / f"{slug}.jsonl.xz").write_bytes(lzma.compress(text.encode()))
    return folder


def settled_row(**changes: Any) -> dict[str, Any]:
    """One line of `markets.jsonl.gz`."""
    fees = {"rate": 0.07, "exponent": 1, "takerOnly": True, "rebateRate": 0.2}
    raw = {
        "outcomes": '["Up", "Down"]',
        "resolutionSource": "https://data.chain.link/streams/btc-usd",
        "orderPriceMinTickSize": 0.001,
        "orderMinSize": 5,
        "feeSchedule": fees,
        "negRisk": False,
    }
    row: dict[str, Any] = {
        "slug": "btc-updown-5m-1784850900",
        "condition_id": "0xdd",
        "token_ids": ["111", "222"],
        "start_sec": 1_784_850_900,
        "end_sec": 1_784_851_200,
        "resolved": True,
        "outcome_prices": ["1", "0"],
    }
    raw |= changes.pop("raw", {})
    return row | {"raw": raw} | changes


def write_oracle(
    folder: Path, prices: Sequence[tuple[Any, Any, Any]], markets: Sequence[Any] | None = None
) -> Path:
    """A folder like `pm5m-chainlink-settlement`; prices are (feed ms, value in e-18, recv ms)."""
    folder.mkdir(parents=True, exist_ok=True)
    names = ("feed_ts_ms", "full_accuracy_value", "recv_ms")
    rows = [dict(zip(names, map(str, price), strict=True)) for price in prices]
    (folder / "BTCUSD-prices.csv.gz").write_bytes(gzip.compress(csv_text(rows).encode()))
    text = "".join(json.dumps(row) + "\n" for row in markets or [settled_row()])
    (folder / "markets.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    return folder


def book_frame(ms: int, **changes: Any) -> bytes:
    """A `book` frame of MARKET's Up token."""
    message = {
        "event_type": "book",
        "asset_id": "111",
        "market": "0xc0",
        "timestamp": str(ms),
        "bids": [{"price": "0.49", "size": "30"}],
        "asks": [{"price": "0.51", "size": "44.2"}],
    }
    return json.dumps(message | changes).encode()


def write_tape(path: Path, frames: int = 3) -> Path:
    """A tape of MARKET's listing and some books."""
    with TapeWriter(path, RecordingHeader(created_by="tests", info=INFO), level=1) as tape:
        tape.write(
            OPEN_S * S_NS,
            OPEN_S * S_NS,
            "lifecycle",
            msgspec.json.encode([MarketListed(market=MARKET)]),
        )
        for number in range(frames):
            ms = OPEN_MS + number
            tape.write(ms * MS_NS, ms * MS_NS, "polymarket.market", book_frame(ms))
    return path
