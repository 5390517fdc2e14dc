"""Each check of the gate: the last value that passes, the first that does not, and its numbers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from polybawt.domain import events as ev
from polybawt.domain.ids import Outcome, Side
from polybawt.domain.intents import Check, Refusal
from polybawt.domain.order import Leg, OrderState, Tif
from polybawt.domain.units import LOT_E6, MS_NS, S_NS
from polybawt.risk.checks import Candidate, refuse_leg
from polybawt.risk.limits import LimitsConfig
from tests.world import (
    BETA,
    CLOSE_NS,
    CUTOFF_NS,
    M2,
    OPEN_NS,
    WIDE,
    World,
    make_market,
    quote,
    resolved,
    shares,
)

UP, DOWN, BUY, SELL = Outcome.UP, Outcome.DOWN, Side.BUY, Side.SELL
Row = tuple[World, Leg, list[Leg]]


def verdict(world: World, leg: Leg, *pending: Leg) -> Refusal | None:
    world.state.now_ns = world.now_ns
    return refuse_leg(Candidate(quote(leg), leg, world.state, world.limits, pending))


def refusal(check: Check, code: str, value: int = 0, limit: int = 0) -> Refusal:
    return Refusal(check=check, code=code, value=value, limit=limit)


def world(**limits: object) -> World:
    return World(limits=LimitsConfig.model_validate(WIDE.model_dump() | limits)).ready()


def test_a_sound_order_passes() -> None:
    one = world()
    assert verdict(one, one.leg()) is None


# --- mode ----------------------------------------------------------------------------------------


def test_an_unknown_order_blocks_its_market_and_no_other() -> None:
    one = World(limits=WIDE).ready(make_market(), make_market(M2))
    for name in (BETA, BETA):
        one.place(one.leg(limit_e4=4_000), name=name, state=OrderState.UNKNOWN)
    assert verdict(one, one.leg()) == refusal(Check.MODE, "UNKNOWN_ORDER", 2)
    assert verdict(one, one.leg(market_id=M2)) is None


@pytest.mark.parametrize("state", [OrderState.SENT, OrderState.LIVE, OrderState.CANCEL_SENT])
def test_any_other_open_order_does_not_block(state: OrderState) -> None:
    one = world()
    one.place(one.leg(limit_e4=4_000), state=state)
    assert verdict(one, one.leg()) is None


# --- phase ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now_ns", "expected"),
    [
        (OPEN_NS - S_NS, None),
        (CLOSE_NS - CUTOFF_NS - 1, None),
        (CLOSE_NS - CUTOFF_NS, refusal(Check.PHASE, "CLOSING", 5_000, 5_000)),
        (CLOSE_NS - 1, refusal(Check.PHASE, "CLOSING", 0, 5_000)),
        (CLOSE_NS, refusal(Check.PHASE, "RESOLVING", 0, 5_000)),
        (CLOSE_NS + 2 * S_NS, refusal(Check.PHASE, "RESOLVING", -2_000, 5_000)),
    ],
)
def test_no_order_after_the_cutoff(now_ns: int, expected: Refusal | None) -> None:
    one = world()
    one.now_ns = now_ns
    one.apply(*one.books())
    assert verdict(one, one.leg()) == expected


def test_no_order_in_a_resolved_market() -> None:
    one = world()
    one.apply(resolved())
    assert verdict(one, one.leg()) == refusal(Check.PHASE, "RESOLVED")


# --- freshness -----------------------------------------------------------------------------------


def test_no_order_without_a_book() -> None:
    one = World(limits=WIDE)
    one.list(make_market())
    assert verdict(one, one.leg()) == refusal(Check.FRESHNESS, "NO_BOOK")
    one.apply(one.books()[1])
    assert verdict(one, one.leg()) is None


@pytest.mark.parametrize(
    ("age_ms", "expected"),
    [(10_000, None), (10_001, refusal(Check.FRESHNESS, "BOOK_STALE", 10_001, 10_000))],
)
def test_no_order_on_a_stale_book(age_ms: int, expected: Refusal | None) -> None:
    one = world()
    one.now_ns += age_ms * MS_NS
    assert verdict(one, one.leg()) == expected


@pytest.mark.parametrize("ask_e4", [5_000, 4_900])
def test_no_order_on_a_crossed_book(ask_e4: int) -> None:
    one = world()
    one.apply(*one.books(bid_e4=5_000, ask_e4=ask_e4))
    assert verdict(one, one.leg()) == refusal(Check.FRESHNESS, "BOOK_CROSSED", 5_000, ask_e4)


# --- price ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit_e4", [0, 50, 4_850, 9_901, 10_000, -100])
def test_a_price_off_the_grid(limit_e4: int) -> None:
    one = world()
    leg = one.leg(limit_e4=limit_e4)
    assert verdict(one, leg) == refusal(Check.PRICE, "OFF_GRID", limit_e4, 100)


def test_the_grid_is_that_of_the_tick_in_force() -> None:
    one = world()
    one.apply(ev.TickChanged(market_id=one.live().market.market_id, tick_e4=10))
    assert verdict(one, one.leg(limit_e4=4_850)) is None
    assert verdict(one, one.leg(limit_e4=4_855)) == refusal(Check.PRICE, "OFF_GRID", 4_855, 10)


# --- collar --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("bid_e4", "ask_e4"), [(0, 5_200), (4_800, 10_000), (0, 10_000)])
def test_no_reference_price(bid_e4: int, ask_e4: int) -> None:
    one = world()
    one.apply(*one.books(bid_e4=bid_e4, ask_e4=ask_e4))
    assert verdict(one, one.leg()) == refusal(Check.COLLAR, "NO_REFERENCE")


@pytest.mark.parametrize(
    ("side", "outcome", "limit_e4", "bound"),
    [
        # Reference Up 0.40, Down 0.60; 5 ticks are 0.05, 10 % are 0.04 and 0.06.
        (BUY, UP, 4_500, None),
        (BUY, UP, 4_600, 4_500),
        (BUY, UP, 100, None),  # passive
        (SELL, UP, 3_500, None),
        (SELL, UP, 3_400, 3_500),
        (SELL, UP, 9_900, None),
        (BUY, DOWN, 6_600, None),
        (BUY, DOWN, 6_700, 6_600),
        (SELL, DOWN, 5_400, None),
        (SELL, DOWN, 5_300, 5_400),
    ],
)
def test_the_wider_collar_holds(
    side: Side, outcome: Outcome, limit_e4: int, bound: int | None
) -> None:
    one = world(collar_ticks=5, collar_fraction=0.1)
    for held in Outcome:
        one.hold(held, shares(10))
    one.apply(*one.books(bid_e4=3_900, ask_e4=4_100))
    expected = None if bound is None else refusal(Check.COLLAR, "THROUGH", limit_e4, bound)
    assert verdict(one, one.leg(side, outcome, limit_e4)) == expected


# --- size ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("qty_e6", "expected"),
    [
        (0, refusal(Check.SIZE, "OFF_LOT", 0, LOT_E6)),
        (-LOT_E6, refusal(Check.SIZE, "OFF_LOT", -LOT_E6, LOT_E6)),
        (shares(10) + 1, refusal(Check.SIZE, "OFF_LOT", shares(10) + 1, LOT_E6)),
        (shares(4.99), refusal(Check.SIZE, "BELOW_MIN", shares(4.99), shares(5))),
        (shares(5), None),
        (shares(20), None),
        (shares(20.01), refusal(Check.ORDER_LIMIT, "SHARES", shares(20.01), shares(20))),
    ],
)
def test_size(qty_e6: int, expected: Refusal | None) -> None:
    one = world(order_shares_max=20)
    assert verdict(one, one.leg(qty_e6=qty_e6)) == expected


@pytest.mark.parametrize(
    ("side", "limit_e4", "post_only", "expected"),
    [
        (BUY, 2_000, False, None),
        (BUY, 1_900, False, refusal(Check.SIZE, "BELOW_NOTIONAL", 950_000, 1_000_000)),
        (BUY, 1_900, True, None),
        (SELL, 1_900, False, None),
    ],
)
def test_a_marketable_buy_needs_its_notional(
    side: Side, limit_e4: int, post_only: bool, expected: Refusal | None
) -> None:
    one = world()
    one.hold(UP, shares(10))
    one.apply(*one.books(bid_e4=1_900, ask_e4=2_100))
    leg = one.leg(side, UP, limit_e4, shares(5), post_only=post_only)
    assert verdict(one, leg) == expected


@pytest.mark.parametrize(
    ("tif", "side", "qty", "expected"),
    [
        (Tif.FAK, BUY, 10, None),
        (Tif.FOK, BUY, 10.5, refusal(Check.SIZE, "CENT_RULE", shares(10.5), shares(1))),
        (Tif.FAK, BUY, 10.5, refusal(Check.SIZE, "CENT_RULE", shares(10.5), shares(1))),
        (Tif.FAK, SELL, 10.5, None),
        (Tif.GTC, BUY, 10.5, None),
    ],
)
def test_cent_rule(tif: Tif, side: Side, qty: float, expected: Refusal | None) -> None:
    one = world()
    one.hold(UP, shares(20))
    one.apply(*one.books(bid_e4=3_600, ask_e4=3_800))
    leg = one.leg(side, UP, 3_700, shares(qty), tif=tif, post_only=False)
    assert verdict(one, leg) == expected


# --- duplicates ----------------------------------------------------------------------------------


def duplicate(age_ms: int) -> Refusal:
    return refusal(Check.DUPLICATE, "DUPLICATE", age_ms, 500)


@pytest.mark.parametrize(
    ("age_ms", "state", "change", "expected"),
    [
        (0, OrderState.SENT, lambda leg: leg, duplicate(0)),
        (499, OrderState.LIVE, lambda leg: leg, duplicate(499)),
        (500, OrderState.LIVE, lambda leg: leg, None),
        (0, OrderState.CANCEL_SENT, lambda leg: leg, None),
        (0, OrderState.LIVE, lambda leg: replace(leg, limit_e4=4_700), None),
        (0, OrderState.LIVE, lambda leg: replace(leg, qty_e6=shares(11)), None),
    ],
)
def test_the_same_order_again(
    age_ms: int, state: OrderState, change: Callable[[Leg], Leg], expected: Refusal | None
) -> None:
    one = world(duplicate_ms=500)
    leg = one.leg()
    one.place(leg, state=state)
    one.now_ns += age_ms * MS_NS
    assert verdict(one, change(leg)) == expected


def test_the_same_order_of_another_strategy_is_no_duplicate() -> None:
    one = world(duplicate_ms=500)
    one.place(one.leg(), name=BETA)
    assert verdict(one, one.leg()) is None


# --- self-cross ----------------------------------------------------------------------------------


@pytest.mark.parametrize("is_pending", [True, False])
@pytest.mark.parametrize(
    ("own", "new", "crosses"),
    [
        ((SELL, UP, 5_100), (BUY, UP, 5_100), True),
        ((SELL, UP, 5_100), (BUY, UP, 5_000), False),
        ((BUY, UP, 5_000), (SELL, UP, 5_000), True),
        ((BUY, UP, 5_000), (SELL, UP, 5_100), False),
        ((BUY, DOWN, 4_900), (BUY, UP, 5_100), True),  # both bought at 1: a pair from ourselves
        ((BUY, DOWN, 4_900), (BUY, UP, 5_000), False),
        ((SELL, DOWN, 4_900), (SELL, UP, 5_100), True),
        ((SELL, DOWN, 4_900), (SELL, UP, 5_200), False),
        ((SELL, DOWN, 4_900), (BUY, DOWN, 4_900), True),
        ((BUY, UP, 5_000), (BUY, UP, 5_100), False),
        ((BUY, UP, 5_000), (SELL, DOWN, 4_900), False),  # both bids
    ],
)
def test_no_own_bid_meets_an_own_ask(
    own: tuple[Side, Outcome, int],
    new: tuple[Side, Outcome, int],
    crosses: bool,
    is_pending: bool,
) -> None:
    one = world()
    for outcome in Outcome:
        one.hold(outcome, shares(40))
    mine, leg = one.leg(*own), one.leg(*new)
    pending = [mine] if is_pending else []
    if not is_pending:
        one.place(mine)
    up_e4 = [x.limit_e4 if x.instrument == 0 else 10_000 - x.limit_e4 for x in (leg, mine)]
    expected = refusal(Check.SELF_CROSS, "OWN_ORDER", *up_e4) if crosses else None
    assert verdict(one, leg, *pending) == expected


def test_orders_of_other_strategies_count_and_those_of_other_markets_do_not() -> None:
    one = World(limits=WIDE).ready(make_market(), make_market(M2))
    one.hold(UP, shares(20), market_id=M2, name=BETA)
    one.place(one.leg(SELL, UP, 4_700, market_id=M2), name=BETA)
    pending = one.leg(BUY, DOWN, 5_300, market_id=M2)
    assert verdict(one, one.leg(), pending) is None
    one.place(one.leg(BUY, DOWN, 5_200), name=BETA, state=OrderState.CANCEL_SENT)
    assert verdict(one, one.leg()) == refusal(Check.SELF_CROSS, "OWN_ORDER", 4_800, 4_800)


# --- tokens, working orders ----------------------------------------------------------------------


def test_never_more_sold_than_is_free() -> None:
    one = world()
    one.hold(UP, shares(20))
    one.hold(DOWN, shares(50))
    one.hold(UP, shares(50), name=BETA)
    one.hold(UP, shares(50), confirm=False)
    sell = one.leg(SELL, UP, 5_500, shares(20))
    assert verdict(one, sell) is None
    over = replace(sell, qty_e6=shares(20.01))
    assert verdict(one, over) == refusal(Check.TOKENS, "NOT_FREE", shares(20.01), shares(20))
    one.place(replace(sell, limit_e4=5_400, qty_e6=shares(6)), state=OrderState.CANCEL_SENT)
    assert verdict(one, sell) == refusal(Check.TOKENS, "NOT_FREE", shares(20), shares(14))
    pending = [
        replace(sell, qty_e6=shares(5)),
        one.leg(SELL, DOWN, 5_500, shares(20)),
        one.leg(BUY, UP, 4_000, shares(20)),
    ]
    assert verdict(one, sell, *pending) == refusal(Check.TOKENS, "NOT_FREE", shares(20), shares(9))
    one.merging(shares(4))
    assert verdict(one, sell) == refusal(Check.TOKENS, "NOT_FREE", shares(20), shares(10))


def test_working_orders_are_counted_over_the_account() -> None:
    one = world(working_orders_max=3)
    one.place(one.leg(limit_e4=4_700), name=BETA)
    one.place(one.leg(limit_e4=4_600), state=OrderState.SENT)
    leg = one.leg()
    assert verdict(one, leg) is None
    expected = refusal(Check.WORKING_ORDERS, "TOO_MANY", 3, 3)
    assert verdict(one, leg, one.leg(limit_e4=4_500)) == expected


def test_the_first_check_that_fails_names_itself() -> None:
    one = world()
    one.now_ns = CLOSE_NS
    bad = one.leg(SELL, UP, 4_850, shares(1))
    assert verdict(one, bad) == refusal(Check.PHASE, "RESOLVING", 0, 5_000)
    one.place(one.leg(limit_e4=4_000), state=OrderState.UNKNOWN)
    assert verdict(one, bad) == refusal(Check.MODE, "UNKNOWN_ORDER", 1)
