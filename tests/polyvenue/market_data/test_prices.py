"""A price depends on seed, asset and time, and on nothing else."""

import itertools
import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvenue.market_data.assets import ASSETS
from polyvenue.market_data.oracle import (
    TWAP_60,
    Kind,
    Oracle,
    RelayConfig,
    Settlement,
    TwapRule,
    settle,
    twap_rule,
)
from polyvenue.market_data.prices import GRID_NS, PricePath
from polyvenue.market_data.text import NS
from tests.polyvenue.market_data.samples import START_NS, START_S, oracle

HOUR_S = 3_600


def path(asset: str = "btc", seed: int = 7) -> PricePath:
    return PricePath(seed, ASSETS[asset])


def test_the_order_of_questions_changes_nothing() -> None:
    times = [START_NS + offset * GRID_NS for offset in range(-3_000, 30_000, 7)]
    forward = path()
    expected = {at: forward.price_e8(at) for at in times}
    shuffled = random.Random(1).sample(times, len(times))
    other = path()
    assert {at: other.price_e8(at) for at in shuffled} == expected
    assert [path().price_e8(at) for at in times[:50]] == [expected[at] for at in times[:50]]


def test_a_golden_path() -> None:
    """These numbers may only change with a changelog line: recorded runs depend on them."""
    prices = path()
    assert [prices.price_e8(START_NS + second * NS) for second in (0, 1, 450, 900)] == GOLDEN


GOLDEN = [7921322452177, 7920895047717, 7915508639026, 7907914358967]


@given(st.integers(0, 2**62), st.sampled_from(sorted(ASSETS)), st.integers(-5, 5))
def test_any_instant_has_a_positive_price(time_ns: int, asset: str, seed: int) -> None:
    price = path(asset, seed).price_e8(time_ns)
    assert price == path(asset, seed).price_e8(time_ns - time_ns % GRID_NS)
    assert ASSETS[asset].price / 5 < price / 1e8 < ASSETS[asset].price * 5


def test_seeds_and_assets_have_their_own_paths() -> None:
    seen = {
        tuple(path(asset, seed).price_e8(START_NS + s * NS) * 10**8 // base for s in range(5))
        for asset in ASSETS
        for seed in (1, 2)
        for base in [path(asset, seed).price_e8(START_NS)]
    }
    assert len(seen) == 2 * len(ASSETS)


@pytest.mark.parametrize("asset", ["btc", "eth", "sol"])
def test_the_volatility_is_the_asset_s(asset: str) -> None:
    """Minute returns of two days, against the yearly figure, within a third."""
    prices = path(asset)
    levels = [math.log(prices.price_e8(START_NS + i * 60 * NS)) for i in range(2 * 24 * 60)]
    moves = [after - before for before, after in itertools.pairwise(levels)]
    year = statistics.pstdev(moves) * math.sqrt(365.25 * 24 * 60)
    assert ASSETS[asset].vol_year * 0.67 < year < ASSETS[asset].vol_year * 1.5


def test_jumps_happen_and_can_be_switched_off() -> None:
    def largest(jump_chance: float) -> float:
        prices = PricePath(7, ASSETS["btc"], jump_chance=jump_chance, jump_bp=40.0)
        levels = [math.log(prices.price_e8(START_NS + i * NS)) for i in range(4 * HOUR_S)]
        return max(abs(b - a) for a, b in itertools.pairwise(levels)) * 1e4

    assert largest(0.0) < 15.0 < largest(1.0)


def test_a_twap_is_the_mean_of_sixty_seconds_that_end_three_before() -> None:
    source = oracle()
    spots = [source.spot_e18(second) for second in range(START_S - 62, START_S - 2)]
    assert len(spots) == 60
    assert source.twap_e18(START_S) == sum(spots) // 60
    assert source.twap_e18(START_S) != source.spot_e18(START_S)


def test_a_spot_has_the_price_of_its_second() -> None:
    assert oracle().spot_e18(START_S) == path().price_e8(START_NS) * 10**10


@pytest.mark.parametrize(
    ("window_s", "rule", "scaled"),
    [(900, TWAP_60, False), (300, TWAP_60, False), (60, TwapRule(4, 0), True)],
)
def test_only_the_demo_is_scaled(window_s: int, rule: TwapRule, scaled: bool) -> None:
    assert twap_rule(window_s) == rule
    assert rule.scaled is scaled


@pytest.mark.parametrize("kind", Kind)
def test_points_are_published_late_in_order_and_once(kind: Kind) -> None:
    source = oracle()
    until_ns = START_NS + 300 * NS
    points = source.published(kind, START_NS, until_ns)
    assert [p.observed_ns // NS for p in points] == list(
        range(points[0].observed_ns // NS, points[-1].observed_ns // NS + 1)
    )
    delays = [(p.published_ns - p.observed_ns) / 1e9 for p in points]
    assert min(delays) >= 0.9
    assert max(delays) <= 2.0
    times = [p.published_ns for p in points]
    assert times == sorted(set(times))
    assert len(points) in (299, 300, 301)


@given(st.lists(st.integers(1, 5_000), min_size=1, max_size=20))
def test_publication_does_not_depend_on_the_steps(steps_ms: list[int]) -> None:
    source = oracle()
    at_ns, found = START_NS, []
    for step in steps_ms:
        found += source.published(Kind.TWAP, at_ns, at_ns + step * 1_000_000)
        at_ns += step * 1_000_000
    assert found == oracle().published(Kind.TWAP, START_NS, at_ns)


def test_a_carried_point_repeats_the_one_before() -> None:
    source = Oracle(7, path(), RelayConfig(carried_ppm=200_000))
    points = source.published(Kind.SPOT, START_NS, START_NS + 200 * NS)
    carried = [point for point in points if point.carried]
    assert 10 < len(carried) < 80
    for point in carried:
        assert point.price_e18 == source.spot_e18(point.observed_ns // NS - 1)


@pytest.mark.parametrize(("end", "winner"), [(99, 1), (100, 0), (101, 0)])
def test_a_tie_is_up(end: int, winner: int) -> None:
    assert Settlement(100, end).winner == winner


def test_a_window_starts_where_the_one_before_ended() -> None:
    source = oracle()
    first = settle(source, START_NS, START_NS + 900 * NS, TWAP_60)
    second = settle(source, START_NS + 900 * NS, START_NS + 1_800 * NS, TWAP_60)
    assert first.end_e18 == second.start_e18
    assert first.start_e18 == source.twap_e18(START_S)


def test_both_outcomes_happen() -> None:
    source = oracle()
    wins = [
        settle(source, START_NS + i * 900 * NS, START_NS + (i + 1) * 900 * NS, TWAP_60).winner
        for i in range(60)
    ]
    assert 15 < sum(wins) < 45


def test_memory_of_answers_is_bounded_and_changes_none() -> None:
    source = oracle()
    first = [source.point(Kind.TWAP, START_S + s) for s in range(5)]
    for second in range(5_000):
        source.point(Kind.SPOT, START_S + second)
    assert max(len(source._points), len(source._spots), len(source._path._knots)) <= 4_096
    assert [source.point(Kind.TWAP, START_S + s) for s in range(5)] == first


def test_the_coarse_knots_join_without_a_step() -> None:
    """Around a knot, every 2.4 days, the path moves as anywhere else."""
    knot_ns = GRID_NS << 21
    at_ns = (START_NS // knot_ns + 1) * knot_ns
    around = [math.log(path().price_e8(at_ns + i * GRID_NS)) for i in range(-5, 6)]
    assert max(abs(b - a) for a, b in itertools.pairwise(around)) < 5e-4
