"""SpreadMaker as a table: what it sees, what it wants."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from polybawt.domain import events as ev
from polybawt.domain.ids import Outcome, Side
from polybawt.domain.intents import Convert, Quote, Upkeep
from polybawt.domain.order import Tif
from polybawt.domain.units import E6, MS_NS, S_NS
from polybawt.signals.toxicity import toxic_half_spread_e6
from polybawt.strategies.spread_maker import (
    NAME,
    PLUGIN,
    Config,
    clip_e6,
    decide,
    fair_price,
    inventory_shift_e6,
)
from tests.world import CLOSE_NS, OPEN_NS, World, make_market, mirrored, resolved, shares

UP, DOWN, BUY, SELL = Outcome.UP, Outcome.DOWN, Side.BUY, Side.SELL
CONFIG = Config(latency_ms=0)
"""No toxic loss, so that the half-spread is its floor of 0.01."""
Wanted = set[tuple[Side, Outcome, int, int]]


def ready(bid_e4: int = 4_000, ask_e4: int = 6_000, *, tick_e4: int = 100) -> World:
    return World().ready(make_market(tick_e4=tick_e4), bid_e4=bid_e4, ask_e4=ask_e4)


def quote_of(world: World, config: Config = CONFIG) -> Quote:
    quote, *_ = decide(world.view(name=NAME), config)
    assert isinstance(quote, Quote)
    return quote


def wanted(world: World, config: Config = CONFIG) -> Wanted:
    legs = quote_of(world, config).legs
    assert all(leg.post_only and leg.tif is Tif.GTC for leg in legs)
    return {(x.side, Outcome(x.instrument & 1), x.limit_e4, x.qty_e6) for x in legs}


# --- prices --------------------------------------------------------------------------------------


def test_two_bids_around_the_fair_price_one_for_each_outcome() -> None:
    quote = quote_of(ready())
    assert (quote.strategy, quote.market_id, quote.reason) == (NAME, "m1", "")
    assert wanted(ready()) == {
        (BUY, UP, 4_900, shares(10)),
        (BUY, DOWN, 4_900, shares(10)),
    }
    assert (quote.edge_e4, quote.worst_loss_e6) == (100, 9_800_000)


def test_fair_is_the_weighted_mid_whichever_token_is_fresher() -> None:
    world = ready()
    world.apply(*world.books(bid_e4=4_000, ask_e4=6_000, ask_qty_e6=300 * E6))
    assert fair_price(world.view(), CONFIG) == (450_000, "")
    _, down = mirrored(world.view().market.market_id, [(4_000, E6)], [(6_000, E6)], 2 * CLOSE_NS)
    world.apply(down)
    assert fair_price(world.view(), CONFIG) == (500_000, "")


def test_the_half_spread_is_what_quoting_costs() -> None:
    config = Config(half_spread_floor_e4=150, latency_ms=2_000)
    world = ready(2_000, 8_000)
    world.now_ns = CLOSE_NS - 240 * S_NS
    world.apply(*world.books(bid_e4=2_000, ask_e4=8_000))
    half = toxic_half_spread_e6(500_000, 240, 2_000, 15_000, 70_000, 0)
    assert 15_000 < half < 100_000
    below = (500_000 - half) // 10_000 * 100
    assert {(side, price) for side, _, price, _ in wanted(world, config)} == {(BUY, below)}
    assert quote_of(world, config).edge_e4 == half // 100


@pytest.mark.parametrize(
    ("tick_e4", "up_e4", "down_e4"), [(100, 4_900, 4_800), (10, 4_910, 4_880), (1, 4_914, 4_885)]
)
def test_bids_round_down_and_asks_up_to_the_tick(tick_e4: int, up_e4: int, down_e4: int) -> None:
    world = ready(tick_e4=tick_e4)
    world.apply(*world.books(bid_e4=4_000, ask_e4=6_000, bid_qty_e6=206 * E6, ask_qty_e6=200 * E6))
    assert fair_price(world.view(), CONFIG) == (501_478, "")  # raw 0.491478 and 0.511478
    assert wanted(world) == {(BUY, UP, up_e4, shares(10)), (BUY, DOWN, down_e4, shares(10))}


@pytest.mark.parametrize("tick_e4", [100, 10])
def test_never_crossing_what_is_shown(tick_e4: int) -> None:
    # The weighted mid lies at the bid, so that the raw ask would cross it.
    world = ready(tick_e4=tick_e4)
    world.apply(*world.books(bid_e4=4_800, ask_e4=5_600, ask_qty_e6=10**15))
    config = Config(latency_ms=0, half_spread_floor_e4=1)
    assert wanted(world, config) == {
        (BUY, UP, 4_800 - tick_e4, shares(10)),
        (BUY, DOWN, 5_200 - tick_e4, shares(10)),
    }


def test_a_side_that_leaves_the_grid_is_not_quoted() -> None:
    assert wanted(ready(100, 300)) == {(BUY, UP, 100, shares(10)), (BUY, DOWN, 9_700, shares(10))}
    world = ready(100, 200)
    assert wanted(world) == {(BUY, DOWN, 9_700, shares(10))}
    tight = Config(latency_ms=0, half_spread_floor_e4=5_000)
    assert wanted(ready(), tight) == set()
    assert quote_of(ready(), tight).reason == "NO_SIDE"


# --- inventory -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("net", "fair_e6", "shift_e6"),
    [(0, 500_000, 0), (10, 500_000, -5_000), (-10, 500_000, 5_000), (10, 900_000, -1_800)],
)
def test_inventory_shifts_both_prices_against_itself(net: int, fair_e6: int, shift_e6: int) -> None:
    assert inventory_shift_e6(shares(net), fair_e6, 2_000) == shift_e6


@pytest.mark.parametrize(
    ("net", "clip"), [(0, 10), (-50, 10), (25, 7.5), (99, 0.1), (100, 0), (150, 0)]
)
def test_the_growing_side_shrinks_to_nothing_at_the_cap(net: int, clip: float) -> None:
    assert clip_e6(shares(net), CONFIG) == shares(clip)


def test_holding_up_lowers_both_prices_and_sells_what_is_held() -> None:
    world = ready(tick_e4=10)
    world.hold(UP, shares(20), name=NAME)
    # Shift -0.01: bid 0.48 with a smaller clip, ask 0.50 from the tokens held.
    assert wanted(world) == {(BUY, UP, 4_800, shares(8)), (SELL, UP, 5_000, shares(10))}


def test_holding_down_mirrors_it() -> None:
    world = ready(tick_e4=10)
    world.hold(DOWN, shares(20), name=NAME)
    assert wanted(world) == {(BUY, DOWN, 4_800, shares(8)), (SELL, DOWN, 5_000, shares(10))}


@pytest.mark.parametrize("held", [60, 100])
def test_at_the_cap_only_the_shrinking_side_is_quoted(held: int) -> None:
    world = ready(tick_e4=10)
    world.hold(UP, shares(held), name=NAME)
    assert {(side, outcome) for side, outcome, _, _ in wanted(world)} == {(SELL, UP)}


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (4.99, {(BUY, UP, 4_870), (BUY, DOWN, 4_920)}),  # too little to sell: buy the other
        (5, {(BUY, UP, 4_870), (SELL, UP, 5_080)}),
        (7.5, {(BUY, UP, 4_860), (SELL, UP, 5_070)}),
    ],
)
def test_held_tokens_are_sold_before_the_other_is_bought(
    held: float, expected: set[tuple[Side, Outcome, int]]
) -> None:
    world = ready(tick_e4=10)
    world.hold(UP, shares(held), name=NAME)
    got = wanted(world)
    assert {row[:3] for row in got} == expected
    assert all(qty == shares(held) for side, _, _, qty in got if side is SELL)


def test_tokens_of_others_and_provisional_tokens_are_not_sold() -> None:
    world = ready(tick_e4=10)
    world.hold(UP, shares(20))
    assert {side for side, *_ in wanted(world)} == {BUY}
    world.hold(UP, shares(20), name=NAME, confirm=False)
    assert wanted(world) == {(BUY, UP, 4_800, shares(8)), (BUY, DOWN, 5_000, shares(10))}


# --- when not to quote ---------------------------------------------------------------------------


def test_listed_and_closing_and_settled_pull() -> None:
    world = ready()
    for now_ns, reason in (
        (OPEN_NS - 1, "PHASE_LISTED"),
        (CLOSE_NS - 5 * S_NS, "PHASE_CLOSING"),
        (CLOSE_NS, "PHASE_RESOLVING"),
    ):
        world.now_ns = now_ns
        world.apply(*world.books(bid_e4=4_000, ask_e4=6_000))
        quote = quote_of(world)
        assert (quote.legs, quote.reason) == ((), reason)
    world.apply(resolved())
    assert quote_of(world).reason == "PHASE_SETTLED"


@pytest.mark.parametrize(
    ("feed_ms", "book_ms", "reason"),
    [
        (3_000, 3_000, ""),
        (3_001, 3_001, "FEED_STALE"),
        (0, 10_000, ""),
        (0, 10_001, "BOOK_STALE"),
    ],
)
def test_a_stale_feed_or_book_pulls(feed_ms: int, book_ms: int, reason: str) -> None:
    world = ready()
    world.now_ns += (book_ms - feed_ms) * MS_NS
    world.apply()  # the connection spoke
    world.now_ns += feed_ms * MS_NS
    world.apply(ev.TimerFired(), source="timer")
    assert fair_price(world.view(), CONFIG)[1] == reason


def test_no_book_one_side_or_a_crossed_book_pulls() -> None:
    world = World()
    world.list(make_market())
    only_change = ev.BookChanged(
        market_id=make_market().market_id,
        outcome=UP,
        side=BUY,
        price_e4=4_000,
        qty_e6=E6,
        venue_ns=1,
    )
    world.apply(only_change)
    assert fair_price(world.view(), CONFIG) == (0, "NO_BOOK")
    for bid_e4, ask_e4, reason in (
        (4_000, 10_000, "ONE_SIDED"),
        (0, 6_000, "ONE_SIDED"),
        (5_000, 5_000, "BOOK_CROSSED"),
        (5_100, 5_000, "BOOK_CROSSED"),
    ):
        world.apply(*world.books(bid_e4=bid_e4, ask_e4=ask_e4))
        assert fair_price(world.view(), CONFIG) == (0, reason)


@pytest.mark.parametrize(
    ("spread_e4", "trigger_e4", "reason"),
    [
        (500, 500, "SPREAD_BELOW_TRIGGER"),  # above 5 cents, not at 5 cents
        (600, 500, ""),
        (100, 0, ""),
    ],
)
def test_the_spread_trigger_of_the_original_profile(
    spread_e4: int, trigger_e4: int, reason: str
) -> None:
    world = ready(4_000, 4_000 + spread_e4)
    assert fair_price(world.view(), Config(spread_trigger_e4=trigger_e4))[1] == reason


@pytest.mark.parametrize(
    ("mid_e4", "left_s", "reason"),
    [
        (5_000, 200, ""),
        (5_000, 199, "NEAR_END"),
        (6_500, 199, "NEAR_END"),
        (3_500, 199, "NEAR_END"),
        (6_600, 199, ""),
        (3_400, 199, ""),
        (9_000, 100, ""),
        (9_000, 99, "NEAR_END"),
    ],
)
def test_the_end_comes_sooner_while_the_outcome_is_open(
    mid_e4: int, left_s: int, reason: str
) -> None:
    world = ready()
    world.now_ns = CLOSE_NS - left_s * S_NS
    world.apply(*world.books(bid_e4=mid_e4 - 100, ask_e4=mid_e4 + 100))
    assert fair_price(world.view(), CONFIG)[1] == reason


# --- pairs, upkeep -------------------------------------------------------------------------------


def merges(world: World) -> list[int]:
    return [i.qty_e6 for i in decide(world.view(name=NAME), CONFIG) if isinstance(i, Convert)]


@pytest.mark.parametrize(
    ("up", "down", "merged"),
    [(9.99, 50, []), (10, 10, [10]), (30, 25.5, [25.5]), (0, 100, [])],
)
def test_idle_pairs_are_merged(up: float, down: float, merged: list[float]) -> None:
    world = ready()
    for outcome, qty in ((UP, up), (DOWN, down)):
        if qty:
            world.hold(outcome, shares(qty), name=NAME)
    assert merges(world) == [shares(qty) for qty in merged]


def test_pairs_are_merged_once_and_also_when_nothing_is_quoted() -> None:
    world = ready()
    for outcome in Outcome:
        world.hold(outcome, shares(20), name=NAME)
    world.now_ns = CLOSE_NS - S_NS
    world.apply(*world.books())
    assert quote_of(world).legs == ()
    (_, merge) = decide(world.view(name=NAME), CONFIG)
    assert isinstance(merge, Convert)
    assert (merge.kind, merge.qty_e6, merge.reason) == (
        ev.JobKind.MERGE,
        shares(20),
        "IDLE_PAIRS",
    )
    world.merging(shares(5), name=NAME)
    assert merges(world) == []


def test_tokens_that_wait_for_a_merge_are_not_sold() -> None:
    world = ready(tick_e4=10)
    world.hold(UP, shares(27), name=NAME)
    world.hold(DOWN, shares(20), name=NAME)
    assert merges(world) == [shares(20)]
    sold = {(outcome, qty) for side, outcome, _, qty in wanted(world) if side is SELL}
    assert sold == {(UP, shares(7))}


def test_upkeep_is_the_configured_one() -> None:
    config = Config(requote_ticks=3, requote_ms=250, requote_size_tol=0.35)
    upkeep = Upkeep(ticks=3, within_ns=250 * MS_NS, size_tol_ppm=350_000)
    assert quote_of(ready(), config).upkeep == upkeep


def test_the_minimum_size_is_the_markets() -> None:
    big = replace(make_market(), qty_min_e6=shares(15))
    assert wanted(World().ready(big, bid_e4=4_000, ask_e4=6_000)) == set()
    assert PLUGIN.name == NAME
