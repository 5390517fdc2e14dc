"""Raw recordings, read without a line of the product: what the auditor believes.

Prices are in 10^-4, sizes and payouts in 10^-6, times in nanoseconds; every book is shown in Up's
prices, whichever token it was recorded for. What makes a frame unusable follows the READMEs of the
data: Up and Down are one book seen twice, so a pair that disagrees is torn, and bid >= ask is
crossed.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import lzma
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from math import gcd
from pathlib import Path
from typing import Any

import duckdb
import zstandard

S_NS = 1_000_000_000
RESOLVED_AFTER_NS = 60 * S_NS
ONE_E4 = 10_000
Levels = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Book:
    """One recorded book in Up's prices, best levels first; 0 and 10,000 stand for an empty side."""

    ns: int
    bids: Levels
    asks: Levels
    venue_ns: int = field(default=0, compare=False)

    @property
    def bid_e4(self) -> int:
        return self.bids[0][0] if self.bids else 0

    @property
    def ask_e4(self) -> int:
        return self.asks[0][0] if self.asks else ONE_E4

    @property
    def is_crossed(self) -> bool:
        return self.bid_e4 >= self.ask_e4


@dataclass
class Window:
    """One market: its window, its official or inferred payout, and its usable books in order."""

    slug: str
    open_ns: int
    close_ns: int
    payouts_e6: tuple[int, int] | None = None
    first_ns: int | None = None
    books: list[Book] = field(default_factory=list)
    tick_changes: int = 0
    tick_e4: int = 100
    _times: list[int] = field(default_factory=list)

    def add(self, book: Book) -> None:
        """The next usable book; a price finer than the grid shows that the tick was refined."""
        step = gcd(self.tick_e4, *[price for price, _ in book.bids + book.asks])
        if step < self.tick_e4:
            self.tick_e4 = 10 if step % 10 == 0 else 1
            self.tick_changes += 1
        self.books.append(book)
        self._times.append(book.ns)

    @property
    def last_open(self) -> Book | None:
        """The last book that the venue stamped before the close."""
        last = None
        for book in self.books:
            if (book.venue_ns or book.ns) >= self.close_ns:
                break
            last = book
        return last

    def at(self, ns: int) -> Book | None:
        """The last book recorded at or before an instant."""
        index = bisect_right(self._times, ns)
        return self.books[index - 1] if index else None

    def after(self, ns: int) -> Iterator[Book]:
        """Books recorded later than an instant."""
        yield from self.books[bisect_right(self._times, ns) :]

    def since(self, ns: int) -> Iterator[Book]:
        """Books recorded at an instant or later."""
        yield from self.books[bisect_left(self._times, ns) :]


@dataclass
class Recording:
    """All markets of a recording by slug, and how many frames it has and lacks."""

    windows: dict[str, Window]
    set_aside: int = 0
    evidence: str = "OFFICIAL"

    @property
    def listed(self) -> list[Window]:
        return [window for window in self.windows.values() if window.first_ns is not None]

    def frame_times_ns(self) -> list[int]:
        """When each usable frame was received: books, listings, tick changes, resolutions."""
        times: list[int] = []
        for window in self.listed:
            assert window.first_ns is not None
            times.append(window.first_ns)
            tick_e4 = 100
            for book in window.books:
                times.append(book.ns)
                step = gcd(tick_e4, *[price for price, _ in book.bids + book.asks])
                if step < tick_e4:
                    tick_e4 = 10 if step % 10 == 0 else 1
                    times.append(book.ns)
            if window.payouts_e6 is not None:
                times.append(window.close_ns + RESOLVED_AFTER_NS)
        return sorted(times)


def e4(value: Any) -> int:
    """A price as the decimal text that it was published with."""
    return int(Decimal(str(value)).scaleb(4).to_integral_exact())


def e6(value: Any) -> int:
    """A size; the publisher's float noise beyond the sixth decimal is dropped."""
    return int(Decimal(str(value)).scaleb(6).to_integral_value())


def mirrored(levels: Levels) -> Levels:
    """The other token's levels: a bid for Down at p is an ask for Up at 1 - p."""
    return tuple((ONE_E4 - price, qty) for price, qty in levels)


# --- pm15m-btc-l2-top20 --------------------------------------------------------------------------


def read_15m(folder: Path) -> Recording:
    """`books.parquet` and `markets.csv`."""
    windows: dict[str, Window] = {}
    with (folder / "markets.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            payouts = (e6(row["payout_up"]), e6(row["payout_down"]))
            windows[row["market_id"]] = Window(
                row["slug"],
                int(row["start_ts"]) * 1_000_000,
                int(row["end_ts"]) * 1_000_000,
                payouts,
            )
    recording = Recording({window.slug: window for window in windows.values()})
    sql = (
        "select market_id, ts, side, bid_px, bid_sz, ask_px, ask_sz"
        " from read_parquet(?, file_row_number = true) order by market_id, ts, file_row_number"
    )
    with duckdb.connect(config={"threads": 1}) as connection:
        rows = connection.execute(sql, [str(folder / "books.parquet")]).fetchall()
    for (market_id, ts), faces in groupby(rows, key=lambda row: (row[0], row[1])):
        window = windows[market_id]
        window.first_ns = window.first_ns or ts * 1_000_000
        _add_faces(recording, window, [_row_book(*row[1:]) for row in faces])
    return recording


_prices: dict[float, int] = {}
_sizes: dict[float, int] = {}


def _row_book(
    ts: int, side: str, bid_px: list[float], bid_sz: list[float], ask_px: list[float], ask_sz: Any
) -> Book:
    bids, asks = _row_levels(bid_px, bid_sz), _row_levels(ask_px, ask_sz)
    if side == "DOWN":
        bids, asks = mirrored(asks), mirrored(bids)
    return Book(ts * 1_000_000, bids, asks)


def _row_levels(prices: list[float], sizes: list[float]) -> Levels:
    for price in prices:
        if price not in _prices:
            _prices[price] = e4(price)
    for size in sizes:
        if size not in _sizes:
            _sizes[size] = e6(size)
    return tuple((_prices[p], _sizes[s]) for p, s in zip(prices, sizes, strict=True))


def _add_faces(recording: Recording, window: Window, faces: list[Book]) -> None:
    if any(face != faces[0] for face in faces) or faces[0].is_crossed:
        recording.set_aside += 1
    else:
        window.add(faces[0])


# --- pm5m-btc-l2-book ----------------------------------------------------------------------------


def read_5m(folder: Path, *, assume_inferred: bool) -> Recording:
    """`index.csv` and `<slug>.jsonl.xz`; the main token is Down, as its README infers."""
    recording = Recording({}, evidence="INFERRED")
    with (folder / "index.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            start_ns = int(row["market_start"]) * S_NS
            window = Window(row["slug"], start_ns, start_ns + 300 * S_NS)
            won = row["main_token_won_inferred"]
            if assume_inferred and won:
                window.payouts_e6 = (0, 1_000_000) if won == "1" else (1_000_000, 0)
            recording.windows[window.slug] = window
            with lzma.open(folder / f"{window.slug}.jsonl.xz", "rt") as lines:
                _read_messages(recording, window, lines, row["main_asset_id"])
    return recording


def _read_messages(recording: Recording, window: Window, lines: Any, main: str) -> None:
    latest: dict[bool, tuple[int, Book]] = {}
    newest_ms = now_ns = 0
    for line in lines:
        entry = json.loads(line)
        message, is_main = entry["msg"], entry["msg"]["asset_id"] == main
        now_ns = max(now_ns, round(entry["recv"] * 1_000_000) * 1_000)
        window.first_ns = window.first_ns or now_ns
        venue_ms = int(message["timestamp"])
        bids, asks = _wire_levels(message["bids"]), _wire_levels(message["asks"])
        if is_main:
            bids, asks = mirrored(asks), mirrored(bids)
        book = Book(now_ns, bids, asks, venue_ms * 1_000_000)
        own, other = latest.get(is_main), latest.get(not is_main)
        is_repeat = own is not None and own[0] == venue_ms and _same(own[1], book)
        is_torn = other is not None and other[0] == venue_ms and not _same(other[1], book)
        if is_repeat or is_torn or venue_ms < newest_ms or book.is_crossed:
            recording.set_aside += 1
            continue
        latest[is_main], newest_ms = (venue_ms, book), venue_ms
        window.add(book)


def _wire_levels(levels: list[dict[str, str]]) -> Levels:
    """The wire sends the best level last."""
    return tuple((e4(level["price"]), e6(level["size"])) for level in reversed(levels))


def _same(one: Book, two: Book) -> bool:
    return one.bids == two.bids and one.asks == two.asks


# --- the shipped tape ----------------------------------------------------------------------------


def read_tape(path: Path) -> Recording:
    """A zstd stream of JSON lines `[frame, recv_ns, wall_ns, source, payload]`."""
    recording = Recording({})
    windows: dict[str, Window] = {}
    with path.open("rb") as file:
        stream = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
        text = io.TextIOWrapper(stream, "utf-8")
        next(text)
        for line in text:
            _, recv_ns, _, source, payload = json.loads(line)
            if source == "polymarket.market":
                faces = payload if isinstance(payload, list) else [payload]
                window = windows[faces[0]["market"]]
                _add_faces(recording, window, [_tape_book(recv_ns, one) for one in faces])
            elif source == "lifecycle":
                for event in payload:
                    _tape_event(recording, windows, recv_ns, event)
            else:
                recording.set_aside += sum(payload["set_aside"].values())
    return recording


def _tape_book(recv_ns: int, message: dict[str, Any]) -> Book:
    bids, asks = _wire_levels(message["bids"]), _wire_levels(message["asks"])
    if message["asset_id"].endswith(":down"):
        bids, asks = mirrored(asks), mirrored(bids)
    return Book(recv_ns, bids, asks)


def _tape_event(
    recording: Recording, windows: dict[str, Window], recv_ns: int, event: dict[str, Any]
) -> None:
    if event["type"] == "MarketListed":
        market = event["market"]
        window = Window(market["slug"], market["open_ns"], market["close_ns"], first_ns=recv_ns)
        recording.windows[window.slug] = windows[market["market_id"]] = window
    elif event["type"] == "MarketResolved":
        up_ppm, down_ppm = event["payouts_ppm"]
        windows[event["market_id"]].payouts_e6 = (up_ppm, down_ppm)


# --- pm5m-chainlink-settlement -------------------------------------------------------------------


def read_settled(folder: Path) -> Recording:
    """`markets.jsonl.gz`: windows and official payouts; there are no books."""
    recording = Recording({})
    with gzip.open(folder / "markets.jsonl.gz", "rt") as file:
        for line in file:
            row = json.loads(line)
            window = Window(row["slug"], row["start_sec"] * S_NS, row["end_sec"] * S_NS)
            window.first_ns = window.open_ns
            if row["resolved"]:
                up, down = row["outcome_prices"]
                window.payouts_e6 = (e6(up), e6(down))
            recording.windows[window.slug] = window
    return recording
