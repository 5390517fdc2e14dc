"""Recording `pm5m-chainlink-settlement`: the oracle at 1 Hz and the 5-minute markets it settled.

`BTCUSD-prices.csv.gz` has one report per second; `markets.jsonl.gz` has windows, terms and official
outcomes. There are no books.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec

from polybawt.adapters.datasets import book_checks as checks
from polybawt.adapters.datasets.files import csv_rows, lines, one_line, open_gzip, whole
from polybawt.adapters.datasets.merge import Item, Stream, merge
from polybawt.adapters.datasets.terms import parse_slug
from polybawt.adapters.frames import LIFECYCLE, ORACLE, RANK_LIFECYCLE, RANK_ORACLE, Meter
from polybawt.domain.errors import BadInput
from polybawt.domain.events import (
    Batch,
    Evidence,
    MarketListed,
    MarketResolved,
    OracleReported,
)
from polybawt.domain.fees import FeeSchedule
from polybawt.domain.ids import MarketId
from polybawt.domain.market import Market, PointBoundary
from polybawt.domain.ticks import TICKS_E4
from polybawt.domain.units import E4, E6, E18, MS_NS, PPM, S_NS, to_scaled
from polybawt.ports import DataQuality, SourceInfo

PRICE_COLUMNS = ("feed_ts_ms", "full_accuracy_value", "recv_ms")
INFO = SourceInfo(
    name="pm5m-chainlink-settlement",
    kind="settlement oracle at 1 Hz, and settled markets",
    origin="GitHub Ligengxin96/polymarket-data-samples, commit 5e17293",
    licence="published as free samples, no licence file",
    attribution="Ligengxin96",
    claims=(
        "the oracle prices that decided real Bitcoin 5-minute markets, with their time of receipt",
        "the official outcome and the terms of every market",
    ),
    limits=(
        "no books: no strategy can trade on it",
        "the rule of its day: the oracle's price at both ends, not today's average of a minute",
        "gaps in the feed, the longest above 6 minutes",
        "when a market was resolved is assumed: a fixed delay after its close",
    ),
    official_outcomes=True,
)
_SOURCE = "https://data.chain.link/streams/"
_REGRESS_MAX_NS = S_NS
_TS_MIN_MS, _TS_MAX_MS = 1_577_836_800_000, 4_102_444_800_000


class _Fees(msgspec.Struct, gc=False):
    rate: Decimal
    exponent: int
    takerOnly: bool
    rebateRate: Decimal


class _Raw(msgspec.Struct, gc=False):
    outcomes: str
    resolutionSource: str
    orderPriceMinTickSize: Decimal
    orderMinSize: Decimal
    feeSchedule: _Fees
    negRisk: bool = False


class _Row(msgspec.Struct, gc=False):
    slug: str
    condition_id: str
    token_ids: tuple[str, str]
    start_sec: int
    end_sec: int
    resolved: bool
    outcome_prices: tuple[str, str]
    raw: _Raw


_decode_row = msgspec.json.Decoder(_Row).decode


class Oracle5m:
    """The recording as a FrameSource. A market is listed when its window opens."""

    def __init__(self, prices: Path, markets: Path, settlement_delay_s: int = 60) -> None:
        """Reads the markets. BadInput if one is not what it must be."""
        self._prices = prices
        self._delay_ns = settlement_delay_s * S_NS
        self._markets = read_markets(markets)
        self._quality = DataQuality()
        self._first_ns = next((now_ns for now_ns, *_ in self._reports()), 0)
        if not self._first_ns:
            raise BadInput(f"{prices}: no prices")

    @property
    def info(self) -> SourceInfo:
        """What this recording is."""
        return INFO

    @property
    def quality(self) -> DataQuality:
        """Counters of the latest pass."""
        return self._quality

    def batches(self) -> Iterator[Batch]:
        """Reports, listings and resolutions in time order."""
        self._quality = DataQuality()
        until_ns = max(market.close_ns for market, _ in self._markets) + self._delay_ns
        meter = Meter(self._quality, until_ns)
        streams: list[Stream] = [(self._first_ns, self._reports)]
        for order, (market, payouts_ppm) in enumerate(self._markets):
            listed = MarketListed(market=market)
            streams.append(_single(market.open_ns, order, listed))
            if payouts_ppm is not None:
                resolved = MarketResolved(
                    market_id=market.market_id,
                    payouts_ppm=payouts_ppm,
                    evidence=Evidence.OFFICIAL,
                )
                streams.append(_single(market.close_ns + self._delay_ns, order, resolved))
        for now_ns, _, _, source, events in merge(streams):
            yield meter.batch(now_ns, source, events)
        self._quality.fraction = 1.0

    def _reports(self) -> Iterator[Item]:
        latest: OracleReported | None = None
        now_ns = 0
        for where, row in csv_rows(self._prices, open_gzip, PRICE_COLUMNS):
            report = _report(where, row)
            recv_ns = whole(where, "recv_ms", row["recv_ms"], _TS_MIN_MS, _TS_MAX_MS) * MS_NS
            if recv_ns < now_ns:
                if recv_ns < now_ns - _REGRESS_MAX_NS:
                    raise BadInput(
                        f"{where}: recv_ms goes back by {(now_ns - recv_ns) / S_NS:.3f} s;"
                        " allowed: at most 1 s"
                    )
                self._quality.count_repaired("time_clamped")
                recv_ns = now_ns
            now_ns = recv_ns
            if report == latest:
                self._quality.count_set_aside(checks.DUPLICATE)
                continue
            latest = report
            yield now_ns, RANK_ORACLE, 0, ORACLE, (report,)


def _report(where: str, row: dict[str, str]) -> OracleReported:
    observed_ms = whole(where, "feed_ts_ms", row["feed_ts_ms"], _TS_MIN_MS, _TS_MAX_MS)
    if observed_ms % 1000:
        raise BadInput(f"{where}: feed_ts_ms is {observed_ms}; allowed: whole seconds")
    return OracleReported(
        asset="btc",
        source="chainlink",
        price_e18=whole(
            where, "full_accuracy_value", row["full_accuracy_value"], 1, E18 * 1_000_000_000
        ),
        observed_ns=observed_ms * MS_NS,
    )


def _single(now_ns: int, order: int, event: MarketListed | MarketResolved) -> Stream:
    def items() -> Iterator[Item]:
        yield now_ns, RANK_LIFECYCLE, order, LIFECYCLE, (event,)

    return now_ns, items


def read_markets(path: Path) -> list[tuple[Market, tuple[int, int] | None]]:
    """`(market, payouts or None)` in order of the file. BadInput for duplicates, unknown rules."""
    markets: list[tuple[Market, tuple[int, int] | None]] = []
    seen: set[str] = set()
    for number, text in lines(path, open_gzip):
        where = f"{path}: line {number}"
        try:
            row = _decode_row(text)
            market = _market(where, row)
        except (msgspec.DecodeError, UnicodeError, RecursionError, ValueError) as error:
            raise BadInput(f"{where}: not a market: {one_line(error)}") from error
        for key in (row.condition_id, row.slug, *row.token_ids):
            if not key or key in seen:
                raise BadInput(f"{where}: {key[:80]!r} is empty or listed twice")
            seen.add(key)
        markets.append((market, _payouts(where, row)))
    return markets


def _market(where: str, row: _Row) -> Market:
    asset, open_ns, close_ns = parse_slug(where, row.slug)
    if (row.start_sec * S_NS, row.end_sec * S_NS) != (open_ns, close_ns):
        raise BadInput(f"{where}: start_sec and end_sec do not fit {row.slug}")
    raw = row.raw
    if msgspec.json.decode(raw.outcomes, type=list[str]) != ["Up", "Down"]:
        raise BadInput(f'{where}: outcomes is {raw.outcomes[:40]!r}; allowed: ["Up", "Down"]')
    if raw.resolutionSource != f"{_SOURCE}{asset}-usd":
        raise BadInput(f"{where}: settlement source {raw.resolutionSource[:80]!r} is not known")
    tick_e4 = to_scaled(raw.orderPriceMinTickSize, E4, "orderPriceMinTickSize")
    if tick_e4 not in TICKS_E4:
        raise BadInput(f"{where}: orderPriceMinTickSize is {raw.orderPriceMinTickSize}")
    return Market(
        market_id=MarketId(row.condition_id),
        asset=asset,
        slug=row.slug,
        open_ns=open_ns,
        close_ns=close_ns,
        token_up=row.token_ids[0],
        token_down=row.token_ids[1],
        tick_e4=tick_e4,
        fees=FeeSchedule(
            rate_ppm=to_scaled(raw.feeSchedule.rate, PPM, "feeSchedule.rate"),
            exponent=raw.feeSchedule.exponent,
            taker_only=raw.feeSchedule.takerOnly,
            rebate_ppm=to_scaled(raw.feeSchedule.rebateRate, PPM, "feeSchedule.rebateRate"),
        ),
        settlement=PointBoundary(stream=f"{asset}-usd"),
        qty_min_e6=to_scaled(raw.orderMinSize, E6, "orderMinSize"),
        neg_risk=raw.negRisk,
    )


def _payouts(where: str, row: _Row) -> tuple[int, int] | None:
    if not row.resolved:
        return None
    payouts = {("1", "0"): (PPM, 0), ("0", "1"): (0, PPM), ("0.5", "0.5"): (PPM // 2, PPM // 2)}
    if row.outcome_prices not in payouts:
        raise BadInput(
            f"{where}: outcome_prices is {row.outcome_prices}; allowed when resolved:"
            " 1 and 0, 0 and 1, 0.5 and 0.5"
        )
    return payouts[row.outcome_prices]
