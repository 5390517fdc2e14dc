"""Boundary points, expected outcomes, and how they stand against the venue's payout."""

from __future__ import annotations

import itertools

import pytest

from polybawt.domain.events import Boundary, BoundaryFixed, OracleReported, Quality
from polybawt.domain.fees import FeeSchedule
from polybawt.domain.ids import MarketId, Outcome
from polybawt.domain.market import (
    CandleOpenClose,
    Market,
    PointBoundary,
    SettlementRule,
    TwapBoundary,
)
from polybawt.domain.units import E18, S_NS
from polybawt.portfolio.settlement import REPORTS_KEPT, Agreement, Settlement, Standing

STREAM = "twap-60s"
OPEN_S, CLOSE_S = 900, 1800
M = MarketId("m")
RULES: tuple[SettlementRule, ...] = (TwapBoundary(stream=STREAM), PointBoundary(stream=STREAM))


def market(
    market_id: MarketId = M,
    rule: SettlementRule = RULES[0],
    asset: str = "BTC",
    open_s: int = OPEN_S,
    close_s: int = CLOSE_S,
) -> Market:
    return Market(
        market_id=market_id,
        asset=asset,
        slug=market_id,
        open_ns=open_s * S_NS,
        close_ns=close_s * S_NS,
        token_up="1",
        token_down="2",
        tick_e4=100,
        fees=FeeSchedule(),
        settlement=rule,
    )


def tick(at_s: float, price: int, source: str = STREAM, asset: str = "BTC") -> OracleReported:
    return OracleReported(
        asset=asset, source=source, price_e18=price * E18, observed_ns=round(at_s * S_NS)
    )


def fixed(
    price: int, at_s: int, quality: Quality, boundary: Boundary = Boundary.OPEN
) -> BoundaryFixed:
    return BoundaryFixed(
        market_id=M,
        boundary=boundary,
        price_e18=price * E18,
        observed_ns=at_s * S_NS,
        source="venue",
        quality=quality,
    )


def following(rule: SettlementRule = RULES[0]) -> Settlement:
    settlement = Settlement()
    assert settlement.follow(market(rule=rule)) == ()
    return settlement


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    ("close", "outcome"), [(101, Outcome.UP), (100, Outcome.UP), (99, Outcome.DOWN)]
)
def test_up_wins_unless_the_close_is_below_the_open(
    rule: SettlementRule, close: int, outcome: Outcome
) -> None:
    settlement = following(rule)
    assert settlement.expected(M) is None
    (opened,) = settlement.report(tick(OPEN_S, 100))
    assert (opened.boundary, opened.quality) == (Boundary.OPEN, Quality.EXACT)
    assert settlement.expected(M) is None
    (closed,) = settlement.report(tick(CLOSE_S, close))
    assert closed.boundary is Boundary.CLOSE
    assert settlement.expected(M) is outcome
    won = (1_000_000, 0) if outcome is Outcome.UP else (0, 1_000_000)
    assert settlement.compare(M, won) is Agreement.AGREE
    assert settlement.compare(M, (won[1], won[0])) is Agreement.DISAGREE
    assert settlement.compare(M, (500_000, 500_000)) is Agreement.DISAGREE


@pytest.mark.parametrize(
    ("at_s", "standing"),
    [
        (OPEN_S - 1, Standing.AWAITED),
        (OPEN_S, Standing.EXACT),
        (OPEN_S + 0.5, Standing.PROVISIONAL),
        (OPEN_S + 1, Standing.PROVISIONAL),
        (OPEN_S + 2, Standing.PROVISIONAL),
        (OPEN_S + 2.5, Standing.MISSING),
        (OPEN_S + 3, Standing.MISSING),
    ],
)
def test_the_first_report_stands_by_its_offset(at_s: float, standing: Standing) -> None:
    settlement = following()
    settlement.report(tick(at_s, 100))
    assert settlement.standing(M, Boundary.OPEN) is standing
    assert settlement.standing(M, Boundary.CLOSE) is Standing.AWAITED


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_reports_in_any_order_leave_the_same_point(order: tuple[int, ...]) -> None:
    settlement = following()
    for offset_s in order:
        settlement.report(tick(OPEN_S + offset_s, 100 + offset_s))
    point = settlement.point(M, Boundary.OPEN)
    assert point is not None
    assert (point.price_e18, point.quality) == (100 * E18, Quality.EXACT)


def test_a_later_second_does_not_replace_an_earlier_one() -> None:
    settlement = following()
    assert settlement.report(tick(OPEN_S + 1, 100))
    assert settlement.report(tick(OPEN_S + 2, 101)) == ()
    assert settlement.report(tick(OPEN_S + 1, 102)) == ()
    point = settlement.point(M, Boundary.OPEN)
    assert point is not None
    assert point.price_e18 == 100 * E18


def test_an_exact_value_from_elsewhere_replaces_a_provisional_one() -> None:
    settlement = following()
    settlement.report(tick(OPEN_S + 1, 100))
    assert not settlement.fix(fixed(98, OPEN_S + 2, Quality.PROVISIONAL))
    assert settlement.fix(fixed(99, OPEN_S + 9, Quality.EXACT))
    assert not settlement.fix(fixed(99, OPEN_S, Quality.EXACT))
    assert settlement.conflicts == 0
    assert settlement.report(tick(OPEN_S, 97)) == ()
    assert settlement.conflicts == 1
    point = settlement.point(M, Boundary.OPEN)
    assert point is not None
    assert point.price_e18 == 99 * E18


def test_a_price_for_a_market_not_followed_is_ignored() -> None:
    assert not Settlement().fix(fixed(99, OPEN_S, Quality.EXACT))


def test_only_the_markets_own_stream_and_asset_decide() -> None:
    settlement = following()
    assert settlement.report(tick(OPEN_S, 100, source="spot")) == ()
    assert settlement.report(tick(OPEN_S, 100, asset="ETH")) == ()
    assert settlement.standing(M, Boundary.OPEN) is Standing.AWAITED


def test_one_report_closes_a_window_and_opens_the_next() -> None:
    settlement = following()
    settlement.follow(market(MarketId("next"), open_s=CLOSE_S, close_s=CLOSE_S + 900))
    points = settlement.report(tick(CLOSE_S, 100))
    assert [(p.market_id, p.boundary) for p in points] == [
        (M, Boundary.CLOSE),
        ("next", Boundary.OPEN),
    ]


def test_a_market_listed_late_is_decided_by_reports_still_remembered() -> None:
    settlement = Settlement()
    for at_s in range(OPEN_S - 5, OPEN_S + 60):
        settlement.report(tick(at_s, at_s))
    (point,) = settlement.follow(market())
    assert (point.price_e18, point.quality) == (OPEN_S * E18, Quality.EXACT)
    assert settlement.follow(market()) == ()


def test_the_first_of_two_reports_of_one_second_is_remembered() -> None:
    settlement = Settlement()
    settlement.report(tick(OPEN_S, 100))
    settlement.report(tick(OPEN_S, 101))
    (point,) = settlement.follow(market())
    assert point.price_e18 == 100 * E18


def test_reports_are_remembered_up_to_a_bound() -> None:
    settlement = Settlement()
    for at_s in range(OPEN_S, OPEN_S + REPORTS_KEPT + 3):
        settlement.report(tick(at_s, at_s))
    assert settlement.follow(market()) == ()
    assert settlement.standing(M, Boundary.OPEN) is Standing.MISSING


def test_candle_markets_are_not_decided_here() -> None:
    settlement = following(CandleOpenClose(source="exchange", interval_s=3600))
    assert settlement.report(tick(OPEN_S, 100, source="exchange")) == ()
    assert settlement.expected(M) is None
    assert settlement.compare(M, (1_000_000, 0)) is Agreement.UNKNOWN
    assert settlement.standing(M, Boundary.OPEN) is Standing.UNDECIDED


def test_a_dropped_market_is_forgotten_and_its_neighbour_is_not() -> None:
    settlement = following()
    other = MarketId("other")
    settlement.follow(market(other))
    settlement.report(tick(OPEN_S, 100))
    settlement.drop(M)
    settlement.drop(M)
    assert settlement.point(M, Boundary.OPEN) is None
    assert [point.market_id for point in settlement.report(tick(CLOSE_S, 100))] == [other]
    assert settlement.expected(other) is Outcome.UP
    settlement.drop(other)
    assert settlement.report(tick(CLOSE_S, 100)) == ()
