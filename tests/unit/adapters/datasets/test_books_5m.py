"""The 5-minute book recording: one face, receive order, inferred outcomes only on request."""

from __future__ import annotations

from pathlib import Path

import pytest

from polybawt.adapters.datasets.books_5m import Books5m
from polybawt.adapters.datasets.detect import open_source
from polybawt.domain.errors import BadInput
from polybawt.domain.events import BookReplaced, Evidence, MarketListed, MarketResolved
from polybawt.domain.ids import Outcome
from polybawt.domain.market import PointBoundary
from polybawt.domain.units import S_NS
from tests.recordings import START_5M, book_line, write_5m

UP_FACE = {
    "asset_id": "333",
    "bids": [{"price": "0.49", "size": "12.25"}],
    "asks": [{"price": "0.9", "size": "7.5"}, {"price": "0.51", "size": "30"}],
}


def ms(offset: int) -> str:
    return str(START_5M * 1000 + offset)


def test_the_main_token_is_down_and_the_other_up(tmp_path: Path) -> None:
    lines = [book_line(START_5M + 0.25), book_line(START_5M + 0.5, **UP_FACE)]
    listed, down, up = [
        batch.events[0] for batch in open_source(write_5m(tmp_path, lines)).batches()
    ]
    assert isinstance(listed, MarketListed)
    assert isinstance(down, BookReplaced)
    assert isinstance(up, BookReplaced)
    assert listed.market.settlement == PointBoundary(stream="btc-usd")
    assert (listed.market.token_up, listed.market.token_down) == ("0xbb:up", "222")
    assert listed.market.duration_s == 300
    assert (down.outcome, up.outcome) == (Outcome.DOWN, Outcome.UP)
    assert down.bids == ((1000, 7_500_000), (4900, 30_000_000))
    assert down.venue_ns == START_5M * S_NS


def test_time_is_that_of_receipt_to_the_microsecond(tmp_path: Path) -> None:
    lines = [book_line(1776081600.393325), book_line(1776081601.9, timestamp=ms(5))]
    batches = list(open_source(write_5m(tmp_path, lines)).batches())
    assert [batch.now_ns for batch in batches] == [
        1776081600393325000,
        1776081600393325000,
        1776081601900000000,
    ]


def test_no_outcome_unless_inference_is_asked_for(tmp_path: Path) -> None:
    folder = write_5m(tmp_path, [book_line(START_5M)])
    assert not any(
        isinstance(event, MarketResolved)
        for batch in open_source(folder).batches()
        for event in batch.events
    )
    *_, last = open_source(folder, assume_inferred_outcomes=True).batches()
    (resolved,) = last.events
    assert isinstance(resolved, MarketResolved)
    assert resolved.evidence is Evidence.INFERRED
    assert resolved.payouts_ppm == (0, 1_000_000)  # the main token, Down, won
    assert last.now_ns == (START_5M + 360) * S_NS


def test_a_market_without_inferred_winner_stays_open(tmp_path: Path) -> None:
    folder = write_5m(tmp_path, [book_line(START_5M)], won="")
    assert len(list(open_source(folder, assume_inferred_outcomes=True).batches())) == 2


def test_repeats_stale_crossed_and_torn_messages_are_set_aside(tmp_path: Path) -> None:
    crossed = {"bids": [{"price": "0.51", "size": "1"}]}
    torn = UP_FACE | {"asks": [{"price": "0.51", "size": "31"}]}
    lines = [
        book_line(START_5M, timestamp=ms(5)),
        book_line(START_5M + 1, timestamp=ms(5)),
        book_line(START_5M + 2, timestamp=ms(4), **UP_FACE),
        book_line(START_5M + 3, timestamp=ms(6), **crossed),
        book_line(START_5M + 4, timestamp=ms(5), **torn),
        book_line(START_5M + 5, timestamp=ms(5), **UP_FACE),
    ]
    source = open_source(write_5m(tmp_path, lines))
    assert len(list(source.batches())) == 3
    assert source.quality.set_aside == {"duplicate": 1, "stale_side": 1, "crossed": 1, "torn": 1}


def test_a_small_step_back_is_clamped_and_counted(tmp_path: Path) -> None:
    lines = [book_line(START_5M + 2), book_line(START_5M + 1.5, timestamp=ms(1))]
    source = open_source(write_5m(tmp_path, lines))
    assert [batch.now_ns for batch in source.batches()] == [(START_5M + 2) * S_NS] * 3
    assert source.quality.repaired == {"time_clamped": 1}


def test_one_file_alone_gives_its_market(tmp_path: Path) -> None:
    folder = write_5m(tmp_path, [book_line(START_5M)])
    (path,) = folder.glob("*.xz")
    source = open_source(path)
    assert isinstance(source, Books5m)
    assert len(list(source.batches())) == 2
    path.rename(folder / "other.jsonl.xz")
    with pytest.raises(BadInput, match="is missing"):
        open_source(folder / "other.jsonl.xz")


def test_a_third_token_is_refused(tmp_path: Path) -> None:
    lines = [
        book_line(START_5M),
        book_line(START_5M, **UP_FACE),
        book_line(START_5M, asset_id="444"),
    ]
    with pytest.raises(BadInput, match="line 3: a third token"):
        list(open_source(write_5m(tmp_path, lines)).batches())
