"""The recorder: every figure of a report, from facts computed by hand."""

from __future__ import annotations

import pytest

from polybawt.domain.errors import InvariantError
from polybawt.domain.events import Evidence, JobKind
from polybawt.domain.fill import Liquidity
from polybawt.domain.ids import FillId, MarketId, Outcome, Side
from polybawt.domain.market import Phase
from polybawt.domain.order import OrderState
from polybawt.domain.units import E6, PPM, S_NS
from polybawt.report.model import MarkoutCell, Report, RunHeader, RunTotals, decode, encode
from polybawt.report.recorder import REASONS_MAX, Recorder
from polybawt.report.summary import Summary
from tests.unit.report.example import (
    MAKER,
    OPENING_E6,
    SNIPER,
    START_NS,
    example,
    fill,
    market,
)

UP_WINS = (PPM, 0)
DOWN_WINS = (0, PPM)


def finish(recorder: Recorder, result_e6: int = 0, paid_e6: int = 0) -> Report:
    header = RunHeader(version="1", data="d", queue="pessimistic", seed=1)
    own = Summary(opening_cash_e6=OPENING_E6, equity_e6=OPENING_E6 + result_e6)
    return recorder.finish(RunTotals(header=header, summary=own, rebates_paid_e6=paid_e6))


def resolve(recorder: Recorder, number: int, payouts: tuple[int, int], asset: str = "BTC") -> None:
    listed = market(number, asset=asset)
    recorder.market_resolved(listed.market_id, payouts, Evidence.OFFICIAL, listed.close_ns)


def cell(report: Report, horizon: str) -> MarkoutCell:
    (found,) = [c for c in report.markouts if c.horizon == horizon]
    return found


@pytest.fixture
def recorder() -> Recorder:
    own = Recorder(OPENING_E6)
    own.market_listed(market(0), START_NS)
    return own


def test_parts_of_the_result_add_up_exactly() -> None:
    report = example(windows=4)
    result_e6 = report.totals.summary.result_e6
    assert report.costs.result_e6 == result_e6
    assert sum(bar.pnl_e6 for bar in report.bars) == result_e6
    assert sum(row.costs.result_e6 for row in report.strategies) == result_e6
    assert sum(d.pnl_e6 or 0 for d in report.windows) == result_e6
    assert report.costs.fees_e6 == report.totals.summary.fees_e6
    assert report.costs.no_mid_e6 == 0
    assert report.costs.mid_qty_e6 == report.costs.qty_e6


@pytest.mark.parametrize(
    ("outcome", "side", "price_e4", "at_fill", "settled"),
    [
        (Outcome.UP, Side.BUY, 5_000, 20_000, 500_000),
        (Outcome.UP, Side.SELL, 5_500, 30_000, -450_000),
        (Outcome.DOWN, Side.BUY, 4_500, 30_000, -450_000),
        (Outcome.DOWN, Side.SELL, 4_900, 10_000, 490_000),
    ],
)
def test_a_markout_is_positive_when_it_is_good_for_us(
    recorder: Recorder, outcome: Outcome, side: Side, price_e4: int, at_fill: int, settled: int
) -> None:
    done = fill("f", outcome=outcome, side=side, price_e4=price_e4)
    recorder.fill(done, market(0).market_id, Phase.OPEN, 520_000, START_NS)
    resolve(recorder, 0, UP_WINS)
    report = finish(recorder)
    assert cell(report, "at fill").mean_e6 == at_fill
    assert cell(report, "settlement").mean_e6 == settled


def test_a_fill_takes_the_first_mid_at_or_after_its_horizon(recorder: Recorder) -> None:
    recorder.fill(fill("f"), market(0).market_id, Phase.OPEN, None, START_NS)
    for after_ns, mid in (
        (S_NS - 1, 1),
        (S_NS, 510_000),
        (2 * S_NS, None),
        (6 * S_NS, 520_000),
        (7 * S_NS, 2),
    ):
        recorder.sample(START_NS + after_ns, market(0).market_id, mid, 0)
    resolve(recorder, 0, UP_WINS)
    report = finish(recorder)
    assert cell(report, "1 s").mean_e6 == 10_000
    assert cell(report, "5 s").mean_e6 == 20_000
    missing = cell(report, "30 s")
    assert (missing.mean_e6, missing.n, missing.no_data) == (None, 0, 1)
    assert cell(report, "at fill").no_data == 1
    assert report.costs.no_mid_e6 == 5 * E6


@pytest.mark.parametrize(("late_ns", "n"), [(0, 1), (1, 0)])
def test_a_mid_later_than_twice_the_horizon_and_two_seconds_says_nothing(
    recorder: Recorder, late_ns: int, n: int
) -> None:
    recorder.fill(fill("f"), market(0).market_id, Phase.OPEN, None, START_NS)
    recorder.sample(START_NS + 12 * S_NS + late_ns, market(0).market_id, 510_000, 0)
    resolve(recorder, 0, UP_WINS)
    report = finish(recorder)
    assert cell(report, "5 s").n == n
    assert cell(report, "1 s").n == 0
    assert cell(report, "30 s").n == 0


@pytest.mark.parametrize(
    ("phase", "left_s", "bucket"),
    [
        (Phase.LISTED, 1_000, "before open"),
        (Phase.OPEN, 301, "open, over 300 s left"),
        (Phase.OPEN, 300, "open, 300-60 s left"),
        (Phase.OPEN, 60, "open, 300-60 s left"),
        (Phase.OPEN, 59, "under 60 s or closing"),
        (Phase.CLOSING, 500, "under 60 s or closing"),
    ],
)
def test_bucket(recorder: Recorder, phase: Phase, left_s: int, bucket: str) -> None:
    now_ns = max(START_NS, market(0).close_ns - left_s * S_NS)
    recorder.fill(fill("f"), market(0).market_id, phase, None, now_ns)
    resolve(recorder, 0, UP_WINS)
    assert {c.bucket for c in finish(recorder).markouts} == {bucket}


def test_the_standard_error_counts_windows_not_fills() -> None:
    recorder = Recorder(OPENING_E6)
    for number, payouts in ((0, UP_WINS), (1, DOWN_WINS)):
        listed = market(number)
        recorder.market_listed(listed, listed.open_ns)
        for i in range(50):
            recorder.fill(
                fill(f"{number}-{i}"), listed.market_id, Phase.OPEN, 500_000, listed.open_ns
            )
        resolve(recorder, number, payouts)
    settled = cell(finish(recorder), "settlement")
    assert (settled.n, settled.windows, settled.mean_e6) == (100, 2, 0)
    # Two equal clusters at +-0.5: the error of their mean is 0.5 / sqrt(1), not 0.5 / sqrt(99).
    assert settled.error_e6 == pytest.approx(500_000)
    assert cell(finish(recorder), "at fill").error_e6 == 0


def test_markets_of_one_window_are_one_observation() -> None:
    recorder = Recorder(OPENING_E6)
    for asset in ("BTC", "ETH"):
        recorder.market_listed(market(0, asset=asset), START_NS)
        recorder.fill(fill(asset), MarketId(f"{asset}-0"), Phase.OPEN, None, START_NS)
    for asset in ("BTC", "ETH"):
        resolve(recorder, 0, UP_WINS, asset)
    report = finish(recorder)
    assert report.windows_traded == 1
    assert [bar.pnl_e6 for bar in report.bars] == [10 * E6]
    assert cell(report, "settlement").windows == 1


def test_a_voided_fill_leaves_every_figure(recorder: Recorder) -> None:
    recorder.fill(fill("f"), market(0).market_id, Phase.OPEN, 500_000, START_NS)
    recorder.fill_voided(FillId("f"))
    recorder.sample(START_NS + 2 * S_NS, market(0).market_id, 600_000, 0)
    resolve(recorder, 0, UP_WINS)
    recorder.fill_voided(FillId("never seen"))
    report = finish(recorder)
    assert (report.quality.voids, report.quality.late_voids) == (1, 1)
    assert (report.windows_traded, report.markouts, report.costs.result_e6) == (0, (), 0)


def test_repetitions_change_nothing(recorder: Recorder) -> None:
    for _ in range(2):
        recorder.market_listed(market(0), START_NS)
        recorder.fill(fill("f"), market(0).market_id, Phase.OPEN, None, START_NS)
    resolve(recorder, 0, UP_WINS)
    resolve(recorder, 0, DOWN_WINS)
    report = finish(recorder)
    assert report.costs.result_e6 == 5 * E6
    assert report.windows[0].fills_total == 1


def test_a_fill_after_the_outcome_is_counted_apart(recorder: Recorder) -> None:
    resolve(recorder, 0, UP_WINS)
    recorder.fill(fill("f"), market(0).market_id, Phase.SETTLED, None, market(0).close_ns)
    assert finish(recorder).quality.late_fills == 1


def test_conversions_belong_to_the_result(recorder: Recorder) -> None:
    market_id = market(0).market_id
    recorder.converted(MAKER, market_id, JobKind.SPLIT, 10 * E6)
    sold = fill("f", side=Side.SELL, price_e4=6_000)
    recorder.fill(sold, market_id, Phase.OPEN, 500_000, START_NS)
    recorder.converted(MAKER, market_id, JobKind.REDEEM, 99 * E6)
    resolve(recorder, 0, UP_WINS)
    report = finish(recorder)
    # Ten pairs cost 10, ten Up brought 6, the ten Down left are worth nothing.
    assert report.costs.result_e6 == -4 * E6
    assert report.costs.spread_e6 == 1 * E6
    assert report.costs.holding_e6 == -5 * E6


def test_merging_is_the_reverse_of_splitting(recorder: Recorder) -> None:
    market_id = market(0).market_id
    for key, outcome in (("u", Outcome.UP), ("d", Outcome.DOWN)):
        bought = fill(key, outcome=outcome, price_e4=4_800)
        recorder.fill(bought, market_id, Phase.OPEN, None, START_NS)
    recorder.converted(MAKER, market_id, JobKind.MERGE, 10 * E6)
    resolve(recorder, 0, (PPM // 2, PPM // 2))
    assert finish(recorder).costs.result_e6 == 400_000


def test_a_window_without_an_outcome_stays_apart(recorder: Recorder) -> None:
    recorder.fill(fill("f"), market(0).market_id, Phase.OPEN, 500_000, START_NS)
    report = finish(recorder)
    assert (report.windows_traded, report.unsettled_traded) == (1, 1)
    assert report.bars == ()
    assert report.windows[0].pnl_e6 is None
    assert report.strategies[0].costs.result_e6 == 0
    assert cell(report, "settlement").no_data == 1


def test_results_are_split_by_evidence() -> None:
    recorder = Recorder(OPENING_E6)
    for number, evidence in ((0, Evidence.OFFICIAL), (1, Evidence.INFERRED)):
        listed = market(number)
        recorder.market_listed(listed, listed.open_ns)
        recorder.fill(fill(f"{number}"), listed.market_id, Phase.OPEN, None, listed.open_ns)
        recorder.market_resolved(listed.market_id, UP_WINS, evidence, listed.close_ns)
    assert finish(recorder).settled_by == (("inferred", 1, 5 * E6), ("official", 1, 5 * E6))


def test_attribution_by_strategy(recorder: Recorder) -> None:
    market_id = market(0).market_id
    recorder.order(MAKER, OrderState.SENT)
    recorder.order(MAKER, OrderState.CANCELLED)
    recorder.fill(fill("m"), market_id, Phase.OPEN, None, START_NS)
    taken = fill("t", strategy=SNIPER, liquidity=Liquidity.TAKER, outcome=Outcome.DOWN)
    recorder.fill(taken, market_id, Phase.OPEN, None, START_NS)
    resolve(recorder, 0, UP_WINS)
    sniper, maker = finish(recorder).strategies
    assert (maker.orders, maker.order_states) == (1, (("CANCELLED", 1),))
    assert (maker.maker_fills, maker.taker_fills, maker.costs.result_e6) == (1, 0, 5 * E6)
    assert (sniper.maker_fills, sniper.taker_fills) == (0, 1)
    assert sniper.costs.fees_e6 == 175_000
    assert sniper.costs.result_e6 == -5 * E6 - 175_000


def test_capital_is_weighted_by_time(recorder: Recorder) -> None:
    recorder.equity(START_NS, OPENING_E6, 0)
    recorder.equity(START_NS + 10 * S_NS, OPENING_E6 + 10 * E6, 100 * E6)
    recorder.equity(START_NS + 40 * S_NS, OPENING_E6 - 40 * E6, 0)
    recorder.fill(fill("f"), market(0).market_id, Phase.OPEN, None, START_NS + 40 * S_NS)
    resolve(recorder, 0, UP_WINS)
    report = finish(recorder, result_e6=5 * E6)
    assert report.capital.capital_locked_avg_e6 == 75 * E6
    assert report.capital.capital_locked_max_e6 == 100 * E6
    assert report.capital.locked_pusd_days == pytest.approx(3_000 / 86_400)
    assert report.capital.turnover == pytest.approx(5 / 75)
    assert report.capital.pnl_per_locked_day == pytest.approx(5 / (3_000 / 86_400))
    assert (report.drawdown_e6, report.drawdown_ppm) == (50 * E6, round(50 / 1_010 * PPM))


def test_nothing_locked_has_no_turnover(recorder: Recorder) -> None:
    capital = finish(recorder).capital
    assert (capital.turnover, capital.pnl_per_locked_day) == (None, None)


def test_refusals_keep_first_and_last_and_are_bounded(recorder: Recorder) -> None:
    for i in range(REASONS_MAX + 50):
        for value in (1, 2):
            recorder.refusal(
                MAKER,
                market(0).market_id,
                "check",
                f"CODE_{i}",
                value=value,
                limit=9,
                now_ns=START_NS + value,
            )
    report = finish(recorder)
    assert len(report.refusals) == REASONS_MAX + 1
    assert report.refusals[0].code == "OTHER"
    assert report.refusals[0].count == 100
    assert (report.refusals[1].first.value, report.refusals[1].last.value) == (1, 2)
    assert report.refusals[1].first.market == market(0).slug
    assert sum(row.count for row in report.refusals) == report.strategies[0].refusals


def test_silence_in_an_open_window_is_a_gap(recorder: Recorder) -> None:
    market_id = market(0).market_id
    for second, mid in ((-60, 500_000), (3, 500_000), (8, None), (14, 500_000), (5_000, 1)):
        recorder.sample(max(START_NS, START_NS + second * S_NS), market_id, mid, 0)
    quality = finish(recorder).quality
    assert (quality.samples, quality.samples_without_mid) == (4, 1)
    assert (quality.gaps, quality.gap_max_ns) == (1, 6 * S_NS)


def test_time_may_not_go_back(recorder: Recorder) -> None:
    with pytest.raises(InvariantError, match="time went back"):
        recorder.equity(START_NS - 1, 0, 0)


def test_the_most_active_windows_are_kept_and_nothing_else_grows() -> None:
    recorder = Recorder(OPENING_E6, keep_windows=3)
    for number in range(1_200):
        listed = market(number)
        recorder.market_listed(listed, listed.open_ns)
        for i in range(5 if number in (4, 700) else 1):
            done = fill(f"{number}-{i}")
            recorder.fill(done, listed.market_id, Phase.OPEN, 500_000, listed.open_ns)
        recorder.sample(listed.open_ns, listed.market_id, 500_000, E6)
        recorder.equity(listed.open_ns, OPENING_E6 + number, E6)
        resolve(recorder, number, UP_WINS)
    report = finish(recorder)
    assert [d.market_id for d in report.windows] == ["BTC-4", "BTC-700", "BTC-1199"]
    assert report.windows_traded == 1_200
    assert report.stats is not None
    assert report.stats.n == 1_200
    assert len(report.bars) <= 500
    assert sum(bar.windows for bar in report.bars) == 1_200
    assert sum(bar.pnl_e6 for bar in report.bars) == report.costs.result_e6
    assert len(encode(report)) < 200_000


def test_statistics_tell_how_many_windows_a_mean_needs() -> None:
    report = example(windows=3)
    assert report.stats is not None
    pnls = [bar.pnl_e6 / E6 for bar in report.bars]
    assert report.stats.mean == pytest.approx(sum(pnls) / 3)
    assert report.stats.needed is not None
    assert report.stats.needed == pytest.approx(
        (1.96 * report.stats.sd / report.stats.mean) ** 2, abs=1
    )


def test_a_report_survives_json() -> None:
    report = example(windows=2)
    assert decode(encode(report)) == report
    assert encode(example(windows=2)) == encode(report)
