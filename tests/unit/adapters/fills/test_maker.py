"""Resting orders: what fills them, and what does not."""

from __future__ import annotations

import pytest

from polybawt.domain.events import Filled
from polybawt.domain.fill import Liquidity
from tests.unit.adapters.fills.world import (
    BUY,
    DOWN,
    SELL,
    UP,
    World,
    book,
    change,
    leg,
    ns,
    place,
    printed,
)

BIDS, ASKS = {48: 100.0, 47: 50.0}, {52: 30.0, 53: 40.0}


def _resting(queue: str, qty: float = 20, **config: object) -> World:
    """A bid of ours at 0.48 behind 100 shares."""
    world = World(queue=queue, **config).listed(BIDS, ASKS)
    world.send(0, place("a", leg(BUY, 48, qty, post_only=True)))
    world.run(500)
    return world


def _filled(world: World) -> list[tuple[int, float]]:
    world.run(800_000)
    return [(cents, qty) for _, cents, qty, _ in world.fills()]


@pytest.mark.parametrize("queue", ["pessimistic", "power"])
@pytest.mark.parametrize(("ask", "through"), [(47, True), (48, False), (49, False)])
def test_the_opposite_best_strictly_through_fills_all_at_our_price(
    queue: str, ask: int, through: bool
) -> None:
    world = _resting(queue)
    world.frame(1_000, book(UP, {46: 100.0, 48: 100.0} if ask == 49 else {46: 100.0}, {ask: 1.0}))
    fills = _filled(world)
    if through:
        assert fills == [(48, 20.0)]
        (fill,) = world.heard(Filled)
        assert (fill.liquidity, fill.fee_e6, fill.venue_ns) == (Liquidity.MAKER, 0, ns(1_000))
    else:
        assert fills == []


def test_the_down_face_shows_the_same_book() -> None:
    world = World().listed(BIDS, ASKS)
    world.send(0, place("a", leg(BUY, 48, 20, outcome=DOWN, post_only=True)))
    world.run(500)
    # Our Down bid 0.48 is an Up ask 0.52: an Up bid of 0.53 is through it.
    world.frame(1_000, book(DOWN, {40: 1.0}, {47: 1.0}))
    assert _filled(world) == [(48, 20.0)]


def test_a_crossed_book_fills_nobody() -> None:
    world = _resting("pessimistic")
    world.frame(1_000, change(UP, SELL, 47, 10))
    assert _filled(world) == []


def test_displayed_decreases_never_fill_under_the_pessimistic_queue() -> None:
    world = _resting("pessimistic")
    world.frame(1_000, change(UP, BUY, 48, 1))
    world.frame(1_100, change(UP, BUY, 48, 0))
    assert _filled(world) == []


def test_a_decrease_beyond_what_stood_ahead_fills_the_excess_under_the_power_queue() -> None:
    world = _resting("power")
    world.frame(1_000, change(UP, BUY, 48, 150))  # 50 join behind us
    world.frame(1_100, change(UP, BUY, 48, 120))  # 76 ahead, 44 behind
    world.frame(1_200, change(UP, BUY, 48, 40))  # 80 gone: 4 beyond
    world.frame(1_300, change(UP, BUY, 48, 30))  # nothing ahead: 10 beyond
    assert _filled(world) == [(48, 4.0), (48, 10.0)]


def test_the_power_law_serves_two_own_orders_one_after_the_other() -> None:
    world = _resting("power", qty=5)
    world.send(500, place("b", leg(BUY, 48, 5, post_only=True)))
    world.frame(1_000, change(UP, BUY, 48, 150))
    world.frame(1_100, change(UP, BUY, 48, 42))  # 108 gone: 8 beyond
    world.run(2_000)
    assert [(f[0], f[2]) for f in world.fills()] == [("a/1", 5.0), ("b/1", 3.0)]


@pytest.mark.parametrize("queue", ["pessimistic", "power"])
def test_prints_eat_what_stood_ahead_then_fill(queue: str) -> None:
    world = _resting(queue)
    world.frame(1_000, printed(UP, SELL, 48, 60, ms=1_000))
    world.frame(1_001, change(UP, BUY, 48, 40, ms=1_001))
    world.frame(1_100, printed(UP, BUY, 48, 90, ms=1_100))  # our side: says nothing
    world.frame(1_100, printed(UP, SELL, 49, 90, ms=1_100))  # better priced: says nothing
    world.frame(1_200, printed(UP, SELL, 48, 50, ms=1_200))
    world.frame(1_300, printed(UP, SELL, 47, 5, ms=1_300))
    assert _filled(world) == [(48, 10.0), (48, 5.0)]


def test_a_print_on_down_is_a_print_of_the_same_book_and_its_mirror_counts_once() -> None:
    world = _resting("pessimistic")
    down, up = printed(DOWN, BUY, 52, 105, ms=1_000), printed(UP, SELL, 48, 105, ms=1_000)
    world.frame(1_000, down, up)
    assert _filled(world) == [(48, 5.0)]
    world = _resting("pessimistic")
    world.frame(1_000, up, up)
    assert _filled(world) == [(48, 5.0), (48, 15.0)]


def test_a_frame_that_repeats_the_last_prints_counts_once() -> None:
    world = _resting("pessimistic")
    for at_ms, stamp_ms in ((1_000, 1_000), (1_000, 1_000), (1_001, 1_001)):
        world.frame(at_ms, printed(UP, SELL, 48, 52, ms=stamp_ms))
    assert _filled(world) == [(48, 4.0)]


@pytest.mark.parametrize("queue", ["pessimistic", "power"])
def test_a_decrease_and_its_print_count_once_in_either_order(queue: str) -> None:
    after, shown = printed(UP, SELL, 48, 60, ms=1_000), change(UP, BUY, 48, 40, ms=1_000)
    for first, second in ((after, shown), (shown, after)):
        world = _resting(queue)
        world.frame(999, printed(UP, BUY, 60, 1, ms=999))  # this data set prints trades
        world.frame(1_000, first)
        world.frame(1_010, second)
        world.frame(1_100, printed(UP, SELL, 48, 45, ms=1_100))
        assert _filled(world) == [(48, 5.0)]


def test_where_trades_are_printed_a_decrease_without_one_fills_nobody() -> None:
    world = _resting("power")
    world.frame(999, printed(UP, BUY, 60, 1, ms=999))
    world.frame(1_000, change(UP, BUY, 48, 150, ms=1_000))
    world.frame(1_100, change(UP, BUY, 48, 0, ms=1_100))
    assert _filled(world) == []


def test_one_print_is_shared_by_our_orders_best_price_first() -> None:
    world = _resting("pessimistic")
    world.send(500, place("b", leg(BUY, 49, 20, post_only=True)))
    world.run(700)
    world.frame(1_000, printed(UP, SELL, 47, 30, ms=1_000))
    world.run(2_000)
    assert [(f[0], f[1], f[2]) for f in world.fills()] == [("b/1", 49, 20.0), ("a/1", 48, 10.0)]


@pytest.mark.parametrize("queue", ["pessimistic", "power"])
def test_a_level_outside_the_displayed_ones_proves_nothing(queue: str) -> None:
    world = World(queue=queue).listed(BIDS, ASKS)
    world.send(0, place("a", leg(BUY, 45, 20)))
    world.run(500)
    world.frame(1_000, book(UP, {48: 1.0, 45: 80.0}, ASKS))  # 80 came into view: ahead of us
    world.frame(1_100, book(UP, {48: 1.0, 46: 1.0}, ASKS))  # out of view again: no decrease
    world.frame(1_200, book(UP, {48: 1.0, 45: 70.0}, ASKS))
    world.frame(1_300, printed(UP, SELL, 45, 75, ms=1_300))
    assert _filled(world) == [(45, 5.0)]


def test_frames_before_the_arrival_do_not_fill() -> None:
    world = World().listed(BIDS, ASKS)
    world.send(0, place("a", leg(BUY, 48, 20)))
    world.frame(79, book(UP, {40: 1.0}, {47: 1.0}))
    world.frame(80, book(UP, BIDS, ASKS))
    assert _filled(world) == []
