"""The 15-minute recording: order, what is set aside, when a market's life is told."""

from __future__ import annotations

from pathlib import Path

from polybawt.adapters.datasets.detect import open_source
from polybawt.domain.events import (
    Batch,
    BookReplaced,
    Evidence,
    MarketListed,
    MarketResolved,
    TickChanged,
)
from polybawt.domain.fees import FeeSchedule
from polybawt.domain.ids import Outcome
from polybawt.domain.market import TwapBoundary
from polybawt.domain.units import MS_NS, S_NS
from tests.recordings import OPEN_MS, OPEN_S, ROW, market_row, pair, write_15m


def read(folder: Path) -> tuple[list[Batch], dict[str, int]]:
    source = open_source(folder)
    return list(source.batches()), source.quality.set_aside


def kinds(batches: list[Batch]) -> list[str]:
    return [type(batch.events[0]).__name__ for batch in batches]


def test_both_faces_of_one_instant_are_one_frame(tmp_path: Path) -> None:
    batches, set_aside = read(write_15m(tmp_path, pair(OPEN_MS)))
    assert kinds(batches) == ["MarketListed", "BookReplaced", "MarketResolved"]
    assert [batch.source for batch in batches] == ["lifecycle", "polymarket.market", "lifecycle"]
    assert [batch.frame_seq for batch in batches] == [1, 2, 3]
    assert set_aside == {}
    up, down = batches[1].events
    assert isinstance(up, BookReplaced)
    assert isinstance(down, BookReplaced)
    assert (up.outcome, up.bids) == (Outcome.UP, ((4900, 12_250_000),))
    assert up.asks == ((9000, 7_500_000), (5100, 30_000_000))
    assert down.bids == ((1000, 7_500_000), (4900, 30_000_000))


def test_a_market_is_listed_with_the_terms_of_its_date(tmp_path: Path) -> None:
    batches, _ = read(write_15m(tmp_path, pair(OPEN_MS)))
    (listed,) = batches[0].events
    assert isinstance(listed, MarketListed)
    market = listed.market
    assert batches[0].now_ns == OPEN_MS * MS_NS
    assert (market.asset, market.tick_e4, market.qty_min_e6) == ("btc", 100, 5_000_000)
    assert (market.open_ns, market.duration_s) == (OPEN_S * S_NS, 900)
    assert market.fees == FeeSchedule(rate_ppm=70_000, exponent=1, rebate_ppm=200_000)
    assert market.settlement == TwapBoundary(stream="btc-usd-twap-60s", lookback_s=60)
    assert (market.token_up, market.token_down) == ("0xaa:up", "0xaa:down")


def test_the_outcome_comes_after_the_close_and_in_order_with_the_books(tmp_path: Path) -> None:
    late = OPEN_MS + 900_000 + 60_001
    batches, _ = read(write_15m(tmp_path, [*pair(OPEN_MS), *pair(late)]))
    assert kinds(batches) == ["MarketListed", "BookReplaced", "MarketResolved", "BookReplaced"]
    assert batches[2].now_ns == (OPEN_S + 960) * S_NS
    (resolved,) = batches[2].events
    assert isinstance(resolved, MarketResolved)
    assert resolved.payouts_ppm == (1_000_000, 0)
    assert resolved.evidence is Evidence.OFFICIAL


def test_a_changed_outcome_changes_nothing_before_it(tmp_path: Path) -> None:
    up, _ = read(write_15m(tmp_path / "up", pair(OPEN_MS)))
    other = market_row(payout_up="0.0", payout_down="1.0")
    down, _ = read(write_15m(tmp_path / "down", pair(OPEN_MS), [other]))
    assert up[:-1] == down[:-1]
    assert up[-1] != down[-1]


def test_a_market_without_outcome_is_not_resolved(tmp_path: Path) -> None:
    row = market_row(payout_up="", payout_down="")
    batches, _ = read(write_15m(tmp_path, pair(OPEN_MS), [row]))
    assert kinds(batches) == ["MarketListed", "BookReplaced"]


def test_rows_of_markets_merge_in_time_order_ties_by_the_list(tmp_path: Path) -> None:
    second = market_row(
        market_id="0xab",
        slug=f"btc-updown-15m-{OPEN_S + 900}",
        start_ts=str(OPEN_MS + 900_000),
        end_ts=str(OPEN_MS + 1_800_000),
    )
    rows = [
        *pair(OPEN_MS + 1000, "0xab"),
        *pair(OPEN_MS + 3000, "0xab"),
        *pair(OPEN_MS),
        *pair(OPEN_MS + 2000),
        *pair(OPEN_MS + 3000),
    ]
    batches, _ = read(write_15m(tmp_path, rows, [market_row(), second]))
    books = [
        ((batch.now_ns // MS_NS - OPEN_MS), batch.events[0].market_id)
        for batch in batches
        if isinstance(batch.events[0], BookReplaced)
    ]
    assert books == [
        (0, "0xaa"),
        (1000, "0xab"),
        (2000, "0xaa"),
        (3000, "0xaa"),
        (3000, "0xab"),
    ]
    assert [batch.frame_seq for batch in batches] == list(range(1, len(batches) + 1))


def test_a_finer_price_is_announced_once_before_the_book(tmp_path: Path) -> None:
    rows = [*pair(OPEN_MS), *pair(OPEN_MS + 1, bid=0.455), *pair(OPEN_MS + 2, bid=0.451)]
    source = open_source(write_15m(tmp_path, rows))
    batches = list(source.batches())
    assert kinds(batches)[1:5] == ["BookReplaced", "TickChanged", "BookReplaced", "BookReplaced"]
    assert isinstance(batches[2].events[0], TickChanged)
    assert batches[2].events[0].tick_e4 == 10
    assert batches[2].now_ns == batches[3].now_ns
    assert source.quality.inferred_ticks == 1


def crossed(ts: int) -> list[ROW]:
    down, up = pair(ts)
    return [(*down[:5], [0.48, *down[5][1:]], down[6]), (*up[:3], [0.52], *up[4:])]


def test_bad_snapshots_are_counted_and_not_emitted(tmp_path: Path) -> None:
    down, up = pair(OPEN_MS + 3)
    torn = [down, (*up[:4], [99.0], *up[5:])]
    rows = [
        *pair(OPEN_MS),
        *pair(OPEN_MS),  # repeated
        *crossed(OPEN_MS + 1),
        *[row for row in crossed(OPEN_MS + 2) if row[2] == "UP"],
        *torn,
        *[row for price in (0.4, 0.5) for row in pair(OPEN_MS + 4, bid=price)],
        *pair(OPEN_MS + 5)[:1],  # its twin is missing
    ]
    batches, set_aside = read(write_15m(tmp_path, rows))
    assert set_aside == {"duplicate": 2, "crossed": 2, "torn": 2}
    assert [len(batch.events) for batch in batches] == [1, 2, 1, 1]


def test_locked_is_crossed(tmp_path: Path) -> None:
    locked: ROW = ("0xaa", OPEN_MS + 1, "UP", [0.5], [1.0], [0.5], [1.0])
    _, set_aside = read(write_15m(tmp_path, [*pair(OPEN_MS), locked]))
    assert set_aside == {"crossed": 1}


def test_float_noise_in_a_size_is_repaired_and_counted(tmp_path: Path) -> None:
    row: ROW = ("0xaa", OPEN_MS, "UP", [0.5, 0.4], [1.9300000000000002] * 2, [], [])
    source = open_source(write_15m(tmp_path, [row]))
    batches = list(source.batches())
    event = batches[1].events[0]
    assert isinstance(event, BookReplaced)
    assert event.bids == ((4000, 1_930_000), (5000, 1_930_000))
    assert source.quality.repaired == {"size_noise": 2}
    assert source.quality.one_sided == 1


def test_pauses_over_five_seconds_are_counted_per_market(tmp_path: Path) -> None:
    rows = [row for second in (0, 5, 11) for row in pair(OPEN_MS + second * 1000)]
    source = open_source(write_15m(tmp_path, rows))
    assert sum(1 for _ in source.batches()) == 5
    assert source.quality.gaps_over_5s == 1


def test_a_listed_market_without_rows_is_counted(tmp_path: Path) -> None:
    empty = market_row(
        market_id="0xab",
        slug=f"btc-updown-15m-{OPEN_S + 900}",
        start_ts=str(OPEN_MS + 900_000),
        end_ts=str(OPEN_MS + 1_800_000),
    )
    batches, set_aside = read(write_15m(tmp_path, pair(OPEN_MS), [market_row(), empty]))
    assert set_aside == {"market_without_books": 1}
    assert len(batches) == 3
