"""Recording `pm15m-btc-l2-top20`: both faces of 15-minute books at about 1 Hz, settled.

`books.parquet` has one row per face: market_id, ts (ms), side, bid_px, bid_sz, ask_px, ask_sz, best
level first, in time order within a market. `markets.csv` has windows and official payouts.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import duckdb

from polybawt.adapters.datasets import book_checks as checks
from polybawt.adapters.datasets.files import one_line
from polybawt.adapters.datasets.floats import PRICES_E4, QtyTable
from polybawt.adapters.datasets.merge import Item, Stream, merge
from polybawt.adapters.datasets.settled_markets import (
    TS_MAX_MS,
    TS_MIN_MS,
    Listing,
    read_markets,
)
from polybawt.adapters.frames import LIFECYCLE, MARKET, RANK_LIFECYCLE, RANK_MARKET, Meter
from polybawt.domain.book import Level
from polybawt.domain.errors import BadInput
from polybawt.domain.events import (
    Batch,
    BookReplaced,
    Evidence,
    MarketListed,
    MarketResolved,
    TickChanged,
)
from polybawt.domain.ids import MarketId, Outcome
from polybawt.domain.market import Market
from polybawt.domain.units import MS_NS, S_NS
from polybawt.ports import DataQuality, SourceInfo

BOOK_COLUMNS = {
    "market_id": "VARCHAR",
    "ts": "BIGINT",
    "side": "VARCHAR",
    "bid_px": "DOUBLE[]",
    "bid_sz": "DOUBLE[]",
    "ask_px": "DOUBLE[]",
    "ask_sz": "DOUBLE[]",
}
INFO = SourceInfo(
    name="pm15m-btc-l2-top20",
    kind="books, top 20 levels, about 1 Hz",
    origin="PyPI package resolvedkit 0.1.0, sample_data",
    licence="CC BY 4.0",
    attribution="Resolved Markets",
    claims=(
        "real books of real Bitcoin 15-minute markets, both faces of each at the same instant",
        "the official outcome of every market",
    ),
    limits=(
        "no trades: that a resting order filled can only be bounded, never observed",
        "one snapshot a second and 20 levels: what happened in between or deeper is not seen",
        "no spot or oracle price, so no strategy that needs one can be judged",
        "tick changes are inferred from prices; fees and settlement rule are those of the date",
        "when a market was resolved is assumed: a fixed delay after its close",
    ),
    official_outcomes=True,
)
_ROWS_PER_FETCH = 256
_SIDES = {"UP": Outcome.UP, "DOWN": Outcome.DOWN}
_Row = tuple[int, int | None, str | None, object, object, object, object]


class Books15m:
    """The recording as a FrameSource."""

    def __init__(self, books: Path, markets: Path, settlement_delay_s: int = 60) -> None:
        """Reads the list of markets and the time range of each. BadInput if they do not fit."""
        self._books = books
        self._delay_ns = settlement_delay_s * S_NS
        self._listings = read_markets(markets)
        self._connection = duckdb.connect(
            config={"threads": 1, "memory_limit": "512MB", "autoinstall_known_extensions": "false"}
        )
        self._check_columns()
        self._starts_ns = self._read_starts(markets)
        self._quality = DataQuality()

    @property
    def info(self) -> SourceInfo:
        """What this recording is."""
        return INFO

    @property
    def quality(self) -> DataQuality:
        """Counters of the latest pass."""
        return self._quality

    def batches(self) -> Iterator[Batch]:
        """All markets in time order; at most the rows of the overlapping ones are in memory."""
        self._quality = DataQuality()
        until_ns = max(one.market.close_ns for one in self._listings) + self._delay_ns
        meter = Meter(self._quality, until_ns)
        streams: list[Stream] = []
        for order, listing in enumerate(self._listings):
            start_ns = self._starts_ns.get(listing.market.market_id)
            if start_ns is None:
                self._quality.count_set_aside("market_without_books")
                continue
            streams.append((start_ns, _Opening(self, order, listing.market).items))
            if listing.payouts_ppm is not None:
                streams.append(_resolution(listing, order, self._delay_ns))
        for now_ns, _, _, source, events in merge(streams):
            yield meter.batch(now_ns, source, events)
        self._quality.fraction = 1.0

    def _check_columns(self) -> None:
        found = dict(
            (name, kind)
            for name, kind, *_ in self._query("describe select * from read_parquet(?)", [])
        )
        for name, kind in BOOK_COLUMNS.items():
            if found.get(name) != kind:
                raise BadInput(
                    f"{self._books}: column {name} is {found.get(name, 'missing')}, must be {kind}"
                )

    def _read_starts(self, markets: Path) -> dict[MarketId, int]:
        sql = "select market_id, min(ts) from read_parquet(?) group by market_id"
        known = {listing.market.market_id for listing in self._listings}
        starts: dict[MarketId, int] = {}
        for market_id, ts in self._query(sql, []):
            if market_id not in known:
                raise BadInput(f"{self._books}: market {market_id} is not in {markets.name}")
            if ts is not None:
                starts[market_id] = ts * MS_NS
        if not starts:
            raise BadInput(f"{self._books}: no rows")
        return starts

    def _query(self, sql: str, parameters: list[str]) -> Iterator[Any]:
        """Rows of a query over the books, in order of the file, fetched in small portions."""
        try:
            cursor = self._connection.cursor().execute(sql, [str(self._books), *parameters])
            while rows := cursor.fetchmany(_ROWS_PER_FETCH):
                yield from rows
        except duckdb.Error as error:
            raise BadInput(f"{self._books}: not readable as parquet: {one_line(error)}") from error

    def rows(self, market_id: MarketId) -> Iterator[_Row]:
        """`(row number, ts, side, bid_px, bid_sz, ask_px, ask_sz)` of one market."""
        sql = (
            "select file_row_number + 1, ts, side, bid_px, bid_sz, ask_px, ask_sz"
            " from read_parquet(?, file_row_number = true) where market_id = ?"
        )
        return self._query(sql, [market_id])

    @property
    def books(self) -> Path:
        """The file with the rows."""
        return self._books


class _Opening:
    """One market's frames, opened when its first row is due."""

    def __init__(self, recording: Books15m, order: int, market: Market) -> None:
        self._recording = recording
        self._order = order
        self._market = market
        self._tick_e4 = market.tick_e4
        self._qtys = QtyTable(recording.quality)

    def items(self) -> Iterator[Item]:
        """Listing first, then one frame per instant."""
        latest_ns = 0
        rows = self._recording.rows(self._market.market_id)
        for ts, group in groupby(rows, key=lambda row: row[1]):
            faces = list(group)
            where = f"{self._recording.books}: row {faces[0][0]}"
            if ts is None or not TS_MIN_MS <= ts <= TS_MAX_MS:
                raise BadInput(f"{where}: ts is {ts}; allowed: {TS_MIN_MS} to {TS_MAX_MS} ms")
            now_ns = ts * MS_NS
            if now_ns < latest_ns:
                raise BadInput(
                    f"{where}: ts {ts} comes after {latest_ns // MS_NS} in one market:"
                    " time goes backwards"
                )
            if not latest_ns:
                listed = MarketListed(market=self._market)
                yield now_ns, RANK_LIFECYCLE, self._order, LIFECYCLE, (listed,)
            latest_ns = now_ns
            yield from self._frame(now_ns, faces)

    def _frame(self, now_ns: int, faces: list[_Row]) -> Iterator[Item]:
        books: dict[Outcome, BookReplaced] = {}
        quality = self._recording.quality
        for row in faces:
            book = self._book(now_ns, row)
            if books.setdefault(book.outcome, book) != book:
                quality.count_set_aside(checks.TORN)
                return
        repeats = len(faces) - len(books)
        if repeats:
            quality.count_set_aside(checks.DUPLICATE, repeats)
        events = tuple(books[outcome] for outcome in sorted(books))
        fault = _fault(events)
        if fault is not None:
            quality.count_set_aside(fault)
            return
        for event in events:
            finer = checks.finer_tick_e4(event, self._tick_e4)
            if finer is not None:
                self._tick_e4 = finer
                quality.inferred_ticks += 1
                change = TickChanged(market_id=event.market_id, tick_e4=finer)
                yield now_ns, RANK_LIFECYCLE, self._order, LIFECYCLE, (change,)
        yield now_ns, RANK_MARKET, self._order, MARKET, events

    def _book(self, now_ns: int, row: _Row) -> BookReplaced:
        number, _, side, bid_px, bid_sz, ask_px, ask_sz = row
        where = f"{self._recording.books}: row {number}"
        outcome = _SIDES.get(side or "")
        if outcome is None:
            raise BadInput(f"{where}: side is {str(side)[:40]!r}; allowed: UP, DOWN")
        return BookReplaced(
            market_id=self._market.market_id,
            outcome=outcome,
            bids=_levels(f"{where}: bid", bid_px, bid_sz, self._qtys, -1),
            asks=_levels(f"{where}: ask", ask_px, ask_sz, self._qtys, 1),
            venue_ns=now_ns,
        )


def _levels(
    where: str, prices: object, qtys: object, table: QtyTable, direction: int
) -> tuple[Level, ...]:
    """Levels best last, as the venue sends them; the recording has them best first."""
    if not isinstance(prices, list) or not isinstance(qtys, list) or len(prices) != len(qtys):
        raise BadInput(f"{where}_px and its _sz must be lists of equal length")
    prices_e4: list[int] = []
    for price in prices:
        price_e4 = PRICES_E4.get(price)
        if price_e4 is None:
            raise BadInput(f"{where}_px is {price}; allowed: 0.0001 to 0.9999, at most 4 decimals")
        prices_e4.append(price_e4)
    if any((after - before) * direction <= 0 for before, after in pairwise(prices_e4)):
        raise BadInput(f"{where}_px is not ordered best first without repeats")
    try:
        levels = list(zip(prices_e4, [table[qty] for qty in qtys], strict=True))
    except ValueError as error:
        raise BadInput(f"{where}_sz is {error}") from error
    levels.reverse()
    return tuple(levels)


def _fault(events: tuple[BookReplaced, ...]) -> str | None:
    if any(checks.is_crossed(event) for event in events):
        return checks.CROSSED
    if len(events) == 2:
        up, down = events
        if checks.is_crossed_pair(up, down):
            return checks.CROSSED
        if not checks.is_mirror(up, down):
            return checks.TORN
    return None


def _resolution(listing: Listing, order: int, delay_ns: int) -> Stream:
    """One frame with the outcome, at the close and the delay after it; never earlier."""
    market, payouts_ppm = listing
    now_ns = market.close_ns + delay_ns

    def items() -> Iterator[Item]:
        assert payouts_ppm is not None
        resolved = MarketResolved(
            market_id=market.market_id, payouts_ppm=payouts_ppm, evidence=Evidence.OFFICIAL
        )
        yield now_ns, RANK_LIFECYCLE, order, LIFECYCLE, (resolved,)

    return now_ns, items
