"""The schedule of windows: order, delays, ids, and a state that does not grow."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvenue.market_data.text import NS
from polyvenue.market_data.windows import (
    Phase,
    Schedule,
    Transition,
    make_window,
    series_of,
)
from tests.polyvenue.market_data.samples import DOWN, SEED, START_NS, START_S, UP, WINDOW


def schedule(*windows_s: int, start_ns: int = START_NS + 100 * NS) -> Schedule:
    return Schedule(SEED, [series_of("btc", window_s) for window_s in windows_s], start_ns)


def test_ids_are_the_slug_s() -> None:
    assert WINDOW.slug == "btc-updown-15m-1795366800"
    other = make_window(SEED + 1, series_of("btc", 900), START_S)
    assert (other.condition_id, other.token_ids) == (WINDOW.condition_id, WINDOW.token_ids)
    assert UP != DOWN
    assert len(UP) == len(DOWN) == 77
    assert max(int(UP), int(DOWN)) < 2**256
    assert len(WINDOW.condition_id) == 66
    assert (WINDOW.outcome_of(UP), WINDOW.outcome_of(DOWN)) == (0, 1)


def test_ids_of_many_windows_differ() -> None:
    windows = [
        make_window(SEED, series_of(asset, 60), START_S + i * 60)
        for asset in ("btc", "eth")
        for i in range(500)
    ]
    for name in ("condition_id", "question_id", "token_ids", "market_id", "event_id", "slug"):
        assert len({getattr(window, name) for window in windows}) == 1_000


def test_the_demo_says_so_in_its_slug() -> None:
    assert make_window(SEED, series_of("eth", 60), START_S).slug == "eth-updown-1m-1795366800"


@pytest.mark.parametrize(("window_s", "scale"), [(60, 0.2), (300, 1.0), (900, 1.0)])
def test_delays_are_those_of_the_venue_scaled(window_s: int, scale: float) -> None:
    for index in range(200):
        window = make_window(SEED, series_of("sol", window_s), START_S + index * window_s)
        resolved = (window.resolved_ns - window.end_ns) / 1e9 / scale
        payout = (window.payout_ns - window.end_ns) / 1e9 / scale
        assert 20 <= resolved <= 90
        assert 54 <= payout <= 90
        assert 0 <= window.clob_closed_ns - window.resolved_ns <= 10 * scale * NS
        assert 10 * scale * NS <= window.gamma_closed_ns - window.resolved_ns <= 60 * scale * NS
        assert window.book_removed_ns > window.resolved_ns
        assert window.listed_ns < window.accepting_ns < window.start_ns < window.end_ns
        assert window.retired_ns > max(window.payout_ns, window.gamma_closed_ns)


@given(st.integers(0, 2**32))
def test_the_steps_of_the_clock_change_nothing(seed: int) -> None:
    until_ns = START_NS + 2_000 * NS
    once = schedule(60, 300).advance(until_ns)
    stepped, found, now_ns = schedule(60, 300), [], START_NS
    chance = random.Random(seed)
    while now_ns < until_ns:
        now_ns = min(until_ns, now_ns + chance.randrange(1, 200) * NS)
        found += stepped.advance(now_ns)
    assert found == once


def test_next_ns_is_exact() -> None:
    plan = schedule(60)
    plan.advance(START_NS + 100 * NS)
    for _ in range(200):
        due_ns = plan.next_ns()
        assert plan.advance(due_ns - 1) == []
        found = plan.advance(due_ns)
        assert found
        assert all(transition.at_ns == due_ns for transition in found)


def test_a_window_lives_through_every_phase_in_order() -> None:
    lives: dict[str, list[Transition]] = {}
    for transition in schedule(60, 900).advance(START_NS + 10_000 * NS):
        lives.setdefault(transition.window.slug, []).append(transition)
    finished = [life for life in lives.values() if life[-1].phase is Phase.RETIRED]
    assert len(finished) > 100
    for life in finished:
        assert {transition.phase for transition in life} == set(Phase)
        assert len(life) == len(Phase)
        assert [t.at_ns for t in life] == sorted(t.at_ns for t in life)
        assert [t.phase for t in life[:5]] == list(Phase)[:5]


def test_at_the_start_the_running_window_and_those_ahead_are_there() -> None:
    start_ns = START_NS + 100 * NS
    found = schedule(900).advance(start_ns)
    listed = [t.window.start_ns for t in found if t.phase is Phase.LISTED]
    assert listed[0] == START_NS
    assert len(listed) in (4, 5)
    assert [t.window.start_ns for t in found if t.phase is Phase.OPENED] == [START_NS]
    assert all(t.phase is not Phase.ENDED for t in found)


def test_memory_does_not_grow() -> None:
    plan = schedule(60)
    sizes = []
    for index in range(1, 40):
        plan.advance(START_NS + index * 3_600 * NS)
        sizes.append(len(plan._heap))
    assert max(sizes[5:]) <= max(sizes[:5]) + 5


@pytest.mark.parametrize(
    ("asset", "window_s", "ahead"), [("eur", 900, 4), ("btc", 899, 4), ("btc", 900, 0)]
)
def test_a_series_that_does_not_exist_is_refused(asset: str, window_s: int, ahead: int) -> None:
    with pytest.raises(ValueError, match=r"length 60, 300 or 900"):
        series_of(asset, window_s, ahead=ahead)


def test_a_schedule_needs_a_series() -> None:
    with pytest.raises(ValueError, match="none given"):
        Schedule(SEED, [], START_NS)
