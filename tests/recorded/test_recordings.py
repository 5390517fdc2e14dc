"""The real recordings, whole, where they are present; and the shipped sample, always."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files
from pathlib import Path

from polybawt.adapters.datasets.detect import open_source
from polybawt.adapters.tape.reader import Tape
from polybawt.domain.events import (
    Batch,
    BookReplaced,
    Evidence,
    MarketListed,
    MarketResolved,
    OracleReported,
)
from polybawt.domain.units import E4
from polybawt.ports import FrameSource
from tests.recordings import shared

SAMPLE = Path(str(files("polybawt"))) / "data" / "sample" / "btc-15m.tape"


def replay(source: FrameSource) -> Counter[str]:
    """Counts of event types; every batch is in order and no outcome is early."""
    counts: Counter[str] = Counter()
    close_ns: dict[str, int] = {}
    now_ns = seq = 0
    for batch in source.batches():
        assert batch.frame_seq == seq + 1
        assert batch.now_ns >= now_ns
        seq, now_ns = batch.frame_seq, batch.now_ns
        for event in batch.events:
            counts[type(event).__name__] += 1
            if isinstance(event, MarketListed):
                close_ns[event.market.market_id] = event.market.close_ns
            elif isinstance(event, MarketResolved):
                assert now_ns > close_ns[event.market_id]
                counts[event.evidence] += 1
            elif isinstance(event, BookReplaced):
                assert _is_sound(event)
    assert seq == source.quality.frames
    return counts


def _is_sound(book: BookReplaced) -> bool:
    bid_e4 = book.bids[-1][0] if book.bids else 0
    ask_e4 = book.asks[-1][0] if book.asks else E4
    return book.market_id != "" and bid_e4 < ask_e4


def test_the_sample_is_small_and_says_whose_it_is() -> None:
    tape = Tape(SAMPLE)
    assert SAMPLE.stat().st_size <= 3_000_000
    assert (tape.info.licence, tape.info.attribution) == ("CC BY 4.0", "Resolved Markets")


def test_the_sample_replays_whole() -> None:
    tape = Tape(SAMPLE)
    counts = replay(tape)
    assert counts["MarketListed"] == counts["MarketResolved"] == counts[Evidence.OFFICIAL] == 12
    assert counts["BookReplaced"] == 25_228
    assert (tape.quality.frames, tape.quality.inferred_ticks) == (12_891, 8)
    assert tape.quality.set_aside == {"crossed": 3, "torn": 11}


def test_the_sample_is_the_recording() -> None:
    source = open_source(shared("pm15m-btc-l2-top20"))
    tape = Tape(SAMPLE)
    pairs: zip[tuple[Batch, Batch]] = zip(source.batches(), tape.batches(), strict=True)
    assert all(original == replayed for original, replayed in pairs)
    assert tape.quality == source.quality
    assert tape.info == source.info


def test_books_of_15_minutes() -> None:
    source = open_source(shared("pm15m-btc-l2-top20"))
    counts = replay(source)
    assert counts[Evidence.OFFICIAL] == 12
    assert source.quality.set_aside == {"crossed": 3, "torn": 11}
    assert source.quality.repaired == {"size_noise": 158}
    assert (source.quality.frames, source.quality.gaps_over_5s) == (12_891, 676)


def test_books_of_5_minutes_one_market() -> None:
    folder = shared("pm5m-btc-l2-book")
    source = open_source(folder / "btc-updown-5m-1776082200.jsonl.xz")
    counts = replay(source)
    assert counts["BookReplaced"] + sum(source.quality.set_aside.values()) == 3705
    assert counts["MarketResolved"] == 0


def test_books_of_5_minutes_whole() -> None:
    source = open_source(shared("pm5m-btc-l2-book"), assume_inferred_outcomes=True)
    counts = replay(source)
    assert source.quality.set_aside == {"stale_side": 4, "duplicate": 2, "torn": 1}
    assert counts["BookReplaced"] == 435_480 - 7
    assert counts["MarketListed"] == 161
    assert counts[Evidence.INFERRED] == 132
    assert counts[Evidence.OFFICIAL] == 0


def test_the_oracle_decides_as_the_venue_did() -> None:
    source = open_source(shared("pm5m-chainlink-settlement"))
    points: dict[int, int] = {}
    windows: dict[str, tuple[int, int]] = {}
    agreed = 0
    for batch in source.batches():
        for event in batch.events:
            if isinstance(event, OracleReported):
                points[event.observed_ns] = event.price_e18
            elif isinstance(event, MarketListed):
                market = event.market
                windows[market.market_id] = (market.open_ns, market.close_ns)
            elif isinstance(event, MarketResolved):
                opened, closed = (points.get(ns) for ns in windows[event.market_id])
                if opened is not None and closed is not None:
                    assert (closed >= opened) == (event.payouts_ppm[0] > 0)
                    agreed += 1
    assert agreed > 150
    assert source.quality.frames == 52_189
    assert source.quality.repaired == {"time_clamped": 3}
