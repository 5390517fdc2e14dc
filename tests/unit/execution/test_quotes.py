"""Quote upkeep: what keeps its place, what goes, what is new."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from polybawt.domain.ids import Instrument, OrderId, Side
from polybawt.domain.intents import Upkeep
from polybawt.domain.order import Leg, Order, OrderState, Tif
from polybawt.domain.units import E6, MS_NS
from polybawt.execution.quotes import QuoteDiff, diff, keeps_place
from tests.world import ALPHA

BUY, SELL = Side.BUY, Side.SELL
UPKEEP = Upkeep(ticks=3, within_ns=200 * MS_NS, size_tol_ppm=200_000)
NOW = 10**15
BASE = Leg(instrument=Instrument(0), side=BUY, limit_e4=4_800, qty_e6=10 * E6, post_only=True)
ASK = replace(BASE, side=SELL, limit_e4=5_200)


def order(
    leg: Leg = BASE,
    *,
    state: OrderState = OrderState.LIVE,
    matched_e6: int = 0,
    age_ms: int = 0,
    name: str = "o1",
) -> Order:
    one = Order(OrderId(name), ALPHA, leg, NOW - age_ms * MS_NS)
    one.state = state
    one.matched_e6 = matched_e6
    return one


def keeps(one: Order, leg: Leg) -> bool:
    return keeps_place(one, leg, UPKEEP, 100, NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"instrument": Instrument(1)},
        {"side": SELL},
        {"post_only": False},
        {"tif": Tif.GTD},
    ],
)
def test_another_kind_of_order_keeps_no_place(change: dict[str, object]) -> None:
    assert keeps(order(), BASE)
    assert not keeps(order(), replace(BASE, **change))


@pytest.mark.parametrize(
    ("rest", "wanted", "kept"),
    [
        (10, 10, True),
        (8, 10, True),  # exactly the tolerance
        (7.99, 10, False),
        (10, 8.34, True),
        (10, 8.33, False),
        (10, 12.5, True),
        (10, 12.51, False),
        (0, 10, False),
    ],
)
def test_size_within_the_tolerance_of_what_is_wanted(
    rest: float, wanted: float, kept: bool
) -> None:
    one = order(matched_e6=round((10 - rest) * E6))
    assert keeps(one, replace(BASE, qty_e6=round(wanted * E6))) is kept


@pytest.mark.parametrize("age_ms", [0, 10_000])
def test_an_unchanged_price_keeps_its_place_at_any_age(age_ms: int) -> None:
    assert keeps(order(age_ms=age_ms), BASE)


@pytest.mark.parametrize(
    ("side", "old_e4", "new_e4", "age_ms", "kept"),
    [
        (BUY, 4_800, 5_000, 0, True),  # 2 ticks, young, the old order is the safer one
        (BUY, 4_800, 5_100, 0, False),  # 3 ticks
        (BUY, 4_800, 5_000, 199, True),
        (BUY, 4_800, 5_000, 200, False),  # old enough
        (BUY, 4_800, 4_700, 0, False),  # lowers the risk: passes at once
        (SELL, 5_200, 5_100, 0, True),
        (SELL, 5_200, 5_300, 0, False),  # lowers the risk
        (SELL, 5_200, 4_900, 0, False),
        (SELL, 5_200, 5_100, 200, False),
    ],
)
def test_a_small_price_change_of_a_young_order_waits_unless_it_lowers_risk(
    side: Side, old_e4: int, new_e4: int, age_ms: int, kept: bool
) -> None:
    leg = replace(BASE, side=side, limit_e4=old_e4)
    assert keeps(order(leg, age_ms=age_ms), replace(leg, limit_e4=new_e4)) is kept


# --- the whole set -------------------------------------------------------------------------------


def compare(wanted: list[Leg], *live: Order) -> QuoteDiff:
    return diff(wanted, live, UPKEEP, 100, NOW)


def test_nothing_wanted_pulls_what_can_be_cancelled() -> None:
    states = [s for s in OrderState if order(state=s).is_open]
    live = [order(state=s, name=s.value) for s in states]
    assert compare([], *live) == QuoteDiff(cancel=(OrderId("LIVE"), OrderId("PARTIAL")), place=())


def test_what_serves_stays_and_the_rest_is_replaced() -> None:
    moved = replace(BASE, limit_e4=4_500)
    live = (order(name="bid"), order(ASK, name="ask"))
    assert compare([moved, ASK], *live) == QuoteDiff(cancel=(OrderId("bid"),), place=(moved,))
    assert compare([BASE, ASK], *live) == QuoteDiff(cancel=(), place=())


@pytest.mark.parametrize("state", [OrderState.LIVE, OrderState.CANCEL_SENT])
def test_a_sale_waits_until_the_sale_that_holds_its_tokens_is_gone(state: OrderState) -> None:
    moved = replace(ASK, limit_e4=5_500)
    cancel = (OrderId("ask"),) if state is OrderState.LIVE else ()
    assert compare([moved], order(ASK, name="ask", state=state)) == QuoteDiff(
        cancel=cancel, place=()
    )


def test_one_order_serves_one_leg_and_a_second_like_it_goes() -> None:
    live = (order(name="a"), order(name="b"))
    assert compare([BASE], *live) == QuoteDiff(cancel=(OrderId("b"),), place=())
    assert compare([BASE, BASE], order(name="a")) == QuoteDiff(cancel=(), place=(BASE,))


@pytest.mark.parametrize(
    "state", [OrderState.SENT, OrderState.UNKNOWN, OrderState.DELAYED, OrderState.MATCHED]
)
def test_an_order_without_an_answer_holds_its_side_back(state: OrderState) -> None:
    moved = replace(BASE, limit_e4=4_500)
    waiting = order(state=state)
    assert compare([moved, ASK], waiting) == QuoteDiff(cancel=(), place=(ASK,))
    assert compare([BASE], waiting) == QuoteDiff(cancel=(), place=())


def test_an_order_that_is_being_cancelled_serves_nothing_and_holds_nothing_back() -> None:
    leaving = order(state=OrderState.CANCEL_SENT)
    assert compare([BASE], leaving) == QuoteDiff(cancel=(), place=(BASE,))
