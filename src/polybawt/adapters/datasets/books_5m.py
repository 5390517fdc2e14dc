"""Recording `pm5m-btc-l2-book`: every full-book message of 5-minute markets, one face each.

`index.csv` lists the markets; `<slug>.jsonl.xz` has one line per message: `{"recv": collector epoch
seconds, "msg": the venue's book message}`. Only one token of each market is recorded throughout.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from polybawt.adapters.datasets import book_checks as checks
from polybawt.adapters.datasets.files import csv_rows, lines, one_line, open_plain, open_xz
from polybawt.adapters.datasets.merge import Item, Stream, merge
from polybawt.adapters.datasets.terms import TICK_E4, fees_at, parse_slug, settlement_at
from polybawt.adapters.frames import LIFECYCLE, MARKET, RANK_LIFECYCLE, RANK_MARKET, Meter
from polybawt.adapters.polymarket.codec import book_replaced
from polybawt.adapters.polymarket.wire import BookWire
from polybawt.domain.errors import BadInput, DecodeError
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
from polybawt.domain.units import E6, PPM, S_NS
from polybawt.ports import DataQuality, SourceInfo

INDEX_COLUMNS = ("slug", "condition_id", "main_asset_id", "main_token_won_inferred")
SUFFIX = ".jsonl.xz"
INFO = SourceInfo(
    name="pm5m-btc-l2-book",
    kind="books, full depth, every full-book message",
    origin="GitHub CronosVirus00/polymarket-BTC5min-database, commit 734d6bb",
    licence="CC BY 4.0",
    attribution="CronosVirus00",
    claims=("real full-depth books of real Bitcoin 5-minute markets, message by message",),
    limits=(
        "which token the recorded one is (Down) is inferred, and UNVERIFIED per market",
        "only one face of most markets: prices of the other are its mirror",
        "no outcomes: winners can only be inferred from the last book, and some not at all",
        "no trades and no book changes: that a resting order filled can only be bounded",
        "no spot or oracle price, so no strategy that needs one can be judged",
        "the collector's clock was off: nothing about latency can be learned",
        "tick changes are inferred from prices; fees and settlement rule are those of the date",
    ),
    official_outcomes=False,
)
_REGRESS_MAX_NS = S_NS
_RECV_MIN_S, _RECV_MAX_S = 1_577_836_800, 4_102_444_800


class _Line(msgspec.Struct, gc=False):
    recv: float
    msg: BookWire


_decode_line = msgspec.json.Decoder(_Line).decode


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """A market of the index: its file, its Down token and, if asked for, its inferred payouts."""

    market: Market
    path: Path
    token: str
    payouts_ppm: tuple[int, int] | None


class Books5m:
    """The recording, or one file of it, as a FrameSource.

    Inferred winners are emitted only with `assume_inferred_outcomes`, and as INFERRED.
    """

    def __init__(
        self,
        index: Path,
        only: Path | None = None,
        *,
        assume_inferred_outcomes: bool = False,
        settlement_delay_s: int = 60,
    ) -> None:
        """Reads the index and the first line of every file. BadInput if one is missing."""
        self._delay_ns = settlement_delay_s * S_NS
        self._infer = assume_inferred_outcomes
        markets = read_index(index)
        if only is not None:
            markets = [recorded for recorded in markets if recorded.path.name == only.name]
            if not markets:
                raise BadInput(f"{only}: no market of {index.name} has this file")
        self._markets = [(_first_recv_ns(recorded.path), recorded) for recorded in markets]
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
        """All markets in order of receipt; only files that overlap in time are open at once."""
        self._quality = DataQuality()
        until_ns = max(one.market.close_ns for _, one in self._markets) + self._delay_ns
        meter = Meter(self._quality, until_ns)
        streams: list[Stream] = []
        for order, (start_ns, recorded) in enumerate(self._markets):
            streams.append((start_ns, _Opening(recorded, order, self._quality).items))
            if self._infer and recorded.payouts_ppm is not None:
                streams.append(_resolution(recorded, order, self._delay_ns))
        for now_ns, _, _, source, events in merge(streams):
            yield meter.batch(now_ns, source, events)
        self._quality.fraction = 1.0


class _Opening:
    """One market's frames, opened when its first line is due."""

    def __init__(self, recorded: Recorded, order: int, quality: DataQuality) -> None:
        self._recorded = recorded
        self._market = recorded.market
        self._order = order
        self._quality = quality
        self._tick_e4 = recorded.market.tick_e4
        self._tokens = {recorded.token: Outcome.DOWN}
        self._latest: dict[Outcome, BookReplaced] = {}
        self._newest_ns = 0

    def items(self) -> Iterator[Item]:
        """Listing first, then one frame per message."""
        now_ns = 0
        for where, recv_ns, message in _messages(self._recorded.path):
            if not now_ns:
                listed = MarketListed(market=self._market)
                yield recv_ns, RANK_LIFECYCLE, self._order, LIFECYCLE, (listed,)
            if recv_ns < now_ns:
                if recv_ns < now_ns - _REGRESS_MAX_NS:
                    raise BadInput(
                        f"{where}: recv goes back by {(now_ns - recv_ns) / S_NS:.3f} s;"
                        " allowed: at most 1 s"
                    )
                self._quality.count_repaired("time_clamped")
                recv_ns = now_ns
            now_ns = recv_ns
            yield from self._frame(now_ns, self._book(where, message))

    def _book(self, where: str, message: BookWire) -> BookReplaced:
        if message.market != self._market.market_id:
            raise BadInput(
                f"{where}: market is {message.market[:80]!r}, the index says"
                f" {self._market.market_id}"
            )
        outcome = self._tokens.get(message.asset_id)
        if outcome is None:
            if len(self._tokens) == 2:
                raise BadInput(f"{where}: a third token {message.asset_id[:40]!r} in one market")
            outcome = self._tokens[message.asset_id] = Outcome.UP
        try:
            return book_replaced(message, self._market.market_id, outcome)
        except DecodeError as error:
            raise BadInput(f"{where}: {error}") from error

    def _frame(self, now_ns: int, book: BookReplaced) -> Iterator[Item]:
        fault = self._fault(book)
        if fault is not None:
            self._quality.count_set_aside(fault)
            return
        self._latest[book.outcome] = book
        self._newest_ns = book.venue_ns
        finer = checks.finer_tick_e4(book, self._tick_e4)
        if finer is not None:
            self._tick_e4 = finer
            self._quality.inferred_ticks += 1
            change = TickChanged(market_id=book.market_id, tick_e4=finer)
            yield now_ns, RANK_LIFECYCLE, self._order, LIFECYCLE, (change,)
        yield now_ns, RANK_MARKET, self._order, MARKET, (book,)

    def _fault(self, book: BookReplaced) -> str | None:
        latest = self._latest.get(book.outcome)
        if latest is not None and latest.venue_ns == book.venue_ns and latest == book:
            return checks.DUPLICATE
        if book.venue_ns < self._newest_ns:
            return checks.STALE_SIDE
        if checks.is_crossed(book):
            return checks.CROSSED
        face = self._latest.get(book.outcome.other)
        if face is not None and face.venue_ns == book.venue_ns and not checks.is_mirror(face, book):
            return checks.TORN
        return None


def _messages(path: Path) -> Iterator[tuple[str, int, BookWire]]:
    """`("file: line n", recv_ns, message)`. `recv` is taken to the microsecond."""
    for number, text in lines(path, open_xz):
        where = f"{path}: line {number}"
        try:
            line = _decode_line(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise BadInput(f"{where}: not a recorded book message: {one_line(error)}") from error
        if not _RECV_MIN_S <= line.recv <= _RECV_MAX_S:
            raise BadInput(
                f"{where}: recv is {line.recv}; allowed: {_RECV_MIN_S} to {_RECV_MAX_S} seconds"
            )
        yield where, round(line.recv * E6) * 1000, line.msg


def _first_recv_ns(path: Path) -> int:
    for _, recv_ns, _ in _messages(path):
        return recv_ns
    raise BadInput(f"{path}: no messages")


def _resolution(recorded: Recorded, order: int, delay_ns: int) -> Stream:
    """One frame with the inferred outcome, at the close and the delay after it; never earlier."""
    now_ns = recorded.market.close_ns + delay_ns

    def items() -> Iterator[Item]:
        assert recorded.payouts_ppm is not None
        resolved = MarketResolved(
            market_id=recorded.market.market_id,
            payouts_ppm=recorded.payouts_ppm,
            evidence=Evidence.INFERRED,
        )
        yield now_ns, RANK_LIFECYCLE, order, LIFECYCLE, (resolved,)

    return now_ns, items


def read_index(path: Path) -> list[Recorded]:
    """The markets of `index.csv`, in its order. BadInput for duplicates and missing files."""
    markets: list[Recorded] = []
    seen: set[str] = set()
    for where, row in csv_rows(path, open_plain, INDEX_COLUMNS):
        for key in (row["condition_id"], row["slug"]):
            if not key or key in seen:
                raise BadInput(f"{where}: market {key[:80]!r} is empty or listed twice")
            seen.add(key)
        markets.append(_recorded(where, row, path.parent))
    if not markets:
        raise BadInput(f"{path}: no markets")
    return markets


def _recorded(where: str, row: dict[str, str], folder: Path) -> Recorded:
    asset, open_ns, close_ns = parse_slug(where, row["slug"])
    if not row["main_asset_id"].isdigit():
        raise BadInput(f"{where}: main_asset_id is {row['main_asset_id'][:40]!r}; allowed: digits")
    payouts = {"": None, "1": (0, PPM), "0": (PPM, 0)}  # the main token is Down
    won = row["main_token_won_inferred"]
    if won not in payouts:
        raise BadInput(
            f"{where}: main_token_won_inferred is {won[:20]!r}; allowed: 1, 0 or nothing"
        )
    path = folder / (row["slug"] + SUFFIX)
    if not path.is_file():
        raise BadInput(f"{where}: its file {path.name} is missing")
    market = Market(
        market_id=MarketId(row["condition_id"]),
        asset=asset,
        slug=row["slug"],
        open_ns=open_ns,
        close_ns=close_ns,
        token_up=f"{row['condition_id']}:up",
        token_down=row["main_asset_id"],
        tick_e4=TICK_E4,
        fees=fees_at(where, open_ns),
        settlement=settlement_at(asset, open_ns),
    )
    return Recorded(market, path, row["main_asset_id"], payouts[won])
