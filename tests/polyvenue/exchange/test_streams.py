"""Events are enough to follow the books; the truth and the laws see what they must."""

from collections.abc import Callable
from random import Random

import pytest

from polyvenue.exchange import ExchangeConfig, MarketTerms
from polyvenue.exchange.events import BookChanged, BookSnapshot, TickSizeChanged
from polyvenue.exchange.orders import Refusal
from polyvenue.exchange.state import RequestNote
from polyvenue.exchange.units import E6, FeeTerms, Rounding, decimals_of, show
from tests.polyvenue.exchange.campaign import draw_request
from tests.polyvenue.exchange.world import (
    CERTAIN,
    DOWN,
    MARKET,
    PUSD,
    START_NS,
    UP,
    World,
    e6,
    make_world,
)

Levels = dict[tuple[bool, int], int]


def best(levels: Levels, *, is_bid: bool) -> int | None:
    """Best price of a side of a book that was kept from events."""
    prices = [price_e4 for (side, price_e4) in levels if side is is_bid]
    if not prices:
        return None
    return max(prices) if is_bid else min(prices)


@pytest.mark.parametrize("cross", [True, False])
def test_changes_alone_rebuild_both_books(cross: bool) -> None:
    terms = MarketTerms(
        market_id=MARKET, token_ids=(UP, DOWN), hold_ns=0, cross_outcome_match=cross, refine_e4=0
    )
    world = make_world(terms=terms, wallets="abcde")
    kept: dict[str, Levels] = {UP: {}, DOWN: {}}
    rng = Random(5)
    for number in range(1, 600):
        request = draw_request(rng, number)
        world.venue.place(world.now_ns, request, request.owner)
        if number % 7 == 0:
            world.venue.cancel_all(world.now_ns, request.owner)
        for event in world.venue.take_events():
            if isinstance(event, BookChanged):
                follow(kept, event)
            elif isinstance(event, BookSnapshot):
                rows = {(True, price): qty for price, qty in event.bids}
                rows |= {(False, price): qty for price, qty in event.asks}
                assert kept[event.token_id] == rows
    for token in (UP, DOWN):
        book = world.venue.book(token)
        assert not isinstance(book, Refusal)
        assert len(kept[token]) == len(book.bids) + len(book.asks) > 0


def follow(kept: dict[str, Levels], event: BookChanged) -> None:
    """Apply one event and compare the best prices that it names."""
    for change in event.changes:
        key = (change.is_bid, change.price_e4)
        if change.qty_e6:
            kept[change.token_id][key] = change.qty_e6
        else:
            del kept[change.token_id][key]
    for change in event.changes:
        levels = kept[change.token_id]
        assert best(levels, is_bid=True) == change.best_bid_e4
        assert best(levels, is_bid=False) == change.best_ask_e4


def test_one_change_shows_both_outcomes() -> None:
    world = make_world()
    world.buy("a", UP, "0.40", "10")
    (event,) = world.take(BookChanged)
    assert isinstance(event, BookChanged)
    rows = [(it.token_id, it.is_bid, it.price_e4, it.qty_e6) for it in event.changes]
    assert rows == [(UP, True, 4000, e6(10)), (DOWN, False, 6000, e6(10))]


def test_a_print_near_the_end_refines_the_grid_for_good() -> None:
    terms = MarketTerms(market_id=MARKET, token_ids=(UP, DOWN), hold_ns=0)
    world = make_world(terms=terms)
    for price, tick_e4 in (("0.95", 100), ("0.96", 10), ("0.50", 10)):
        world.sell("b", UP, price, "10")
        world.buy("a", UP, price, "10")
        assert world.venue.market(MARKET).tick_e4 == tick_e4
    (event,) = world.take(TickSizeChanged)
    assert isinstance(event, TickSizeChanged)
    assert (event.old_tick_e4, event.new_tick_e4) == (100, 10)
    low = make_world(terms=terms)
    low.sell("b", DOWN, "0.96", "10")
    low.buy("a", DOWN, "0.96", "10")
    assert low.venue.market(MARKET).tick_e4 == 10


def test_an_ordered_tick_leaves_what_rests() -> None:
    world = make_world()
    world.venue.change_tick(world.now_ns, MARKET, 10)
    order = world.buy("a", UP, "0.401", "10")
    world.venue.change_tick(world.now_ns, MARKET, 100)
    world.venue.change_tick(world.now_ns, MARKET, 100)
    world.check()
    assert world.status(order) == "LIVE"
    assert len(world.take(TickSizeChanged)) == 2
    with pytest.raises(ValueError, match="one of"):
        world.venue.change_tick(world.now_ns, MARKET, 3)


def test_the_truth_remembers_the_latest_requests() -> None:
    world = make_world(ExchangeConfig(settlement=CERTAIN, requests_max=2))
    for number in range(3):
        note = RequestNote(
            at_ns=START_NS, method="GET", path=f"/{number}", body_sha256="", status=200
        )
        world.venue.note_request(START_NS, note)
    truth = world.venue.truth()
    assert [it.path for it in truth.requests] == ["/1", "/2"]
    assert truth.requests_dropped == 1


def test_the_truth_tells_what_is_open_leaving_and_coming() -> None:
    world = make_world()
    world.buy("a", UP, "0.40", "10")
    world.sell("b", UP, "0.50", "10")
    world.buy("a", UP, "0.50", "10")
    rows = {(it.maker, it.asset): it for it in world.venue.truth().balances}
    cash = rows["a", PUSD]
    assert (cash.held_e6, cash.open_e6, cash.leaving_e6) == (e6(10_000), e6(4), 5_175_000)
    assert (rows["a", UP].coming_e6, rows["b", UP].leaving_e6) == (e6(10), e6(10))
    assert rows["fees", PUSD].coming_e6 == 175_000
    taker, maker = world.venue.truth().fills
    assert (taker.is_taker, taker.fee_e6, taker.cash_e6) == (True, 175_000, e6(5))
    assert (maker.is_taker, maker.fee_e6, maker.cash_e6) == (False, 0, e6(5))


def _steal(world: World) -> None:
    world.venue.account("a").held[PUSD] -= 1


def _forge(world: World) -> None:
    world.venue.account("a").held[UP] += 1


def _lose_reserve(world: World) -> None:
    world.venue.account("a").open[PUSD] -= 1


def _go_negative(world: World) -> None:
    world.venue.account("a").coming[UP] = -1


def _freeze_too_much(world: World) -> None:
    world.venue.account("a").frozen[UP] = e6(2000)


def _unback(world: World) -> None:
    world.venue.market(MARKET).supply_e6[0] += 1


def _close_open(world: World) -> None:
    order = world.venue.core.orders[world.venue.open_orders("key-a")[0].order_id]
    order.remaining_e6 = 0


def _cross(world: World) -> None:
    market = world.venue.market(MARKET)
    order = world.venue.core.orders[world.venue.open_orders("key-a")[0].order_id]
    market.books[0].bids.remove(order)
    order.is_bid = False
    order.book_price_e4 = 3000
    market.books[0].asks.add(order)


def _pay_too_much(world: World) -> None:
    world.venue.resolve_market(world.now_ns, MARKET, (1_000_000, 0))
    world.venue.market(MARKET).payouts_ppm = (1_000_000, 500_000)


@pytest.mark.parametrize(
    "breaking",
    [
        _steal,
        _forge,
        _lose_reserve,
        _go_negative,
        _freeze_too_much,
        _unback,
        _close_open,
        _cross,
        _pay_too_much,
    ],
)
def test_each_law_bites(breaking: Callable[[World], None]) -> None:
    world = make_world()
    world.buy("a", UP, "0.40", "10")
    world.buy("b", UP, "0.35", "10")
    breaking(world)
    assert world.venue.problems() != []


@pytest.mark.parametrize(
    ("value_e6", "text", "decimals"),
    [(0, "0", 0), (1, "0.000001", 6), (5_200_000, "5.2", 1), (10_000_000, "10", 0)],
)
def test_amounts_are_shown_plainly(value_e6: int, text: str, decimals: int) -> None:
    assert show(value_e6, E6) == text
    assert decimals_of(value_e6) == decimals


@pytest.mark.parametrize(
    "bad",
    [
        {"token_ids": ("1", "1")},
        {"tick_e4": 7},
        {"fine_tick_e4": 0},
        {"hold_ns": -1},
        {"min_size_e6": -1},
        {"fail_ppm": 1_000_001},
    ],
)
def test_terms_that_no_market_has_are_refused(bad: dict[str, object]) -> None:
    values: dict[str, object] = {"market_id": "0x1", "token_ids": ("1", "2")}
    with pytest.raises(ValueError, match=r"token|tick|at least|allowed"):
        MarketTerms(**{**values, **bad})  # type: ignore[arg-type]  # a table of bad values


def test_a_configuration_out_of_bounds_is_refused() -> None:
    for bad in ({"batch_max": 0}, {"gtd_lead_s": -1}, {"restart_ns": -1}):
        with pytest.raises(ValueError, match="at least"):
            ExchangeConfig(**bad)  # type: ignore[arg-type]  # a table of bad values


def test_a_flat_fee_and_none_at_all() -> None:
    flat = FeeTerms(rate_ppm=10_000, exponent=0)
    assert flat.taker_fee_e6(e6(10), 3000, Rounding.HALF_UP) == e6("0.1")
    assert FeeTerms(rate_ppm=0).taker_fee_e6(e6(10), 3000, Rounding.HALF_UP) == 0


def test_wallets_refuse_what_makes_no_sense() -> None:
    world = make_world()
    venue = world.venue
    with pytest.raises(ValueError, match="create it once"):
        venue.create_account(START_NS, "a")
    with pytest.raises(ValueError, match="create it first"):
        venue.account("z")
    with pytest.raises(ValueError, match="at least 0"):
        venue.deposit(START_NS, "a", -1)
    with pytest.raises(ValueError, match="can give"):
        venue.withdraw(START_NS, "a", e6(10_001))
    with pytest.raises(ValueError, match="more than 0"):
        venue.split_now(START_NS, "a", MARKET, 0)
    with pytest.raises(ValueError, match="cannot split"):
        venue.split_now(START_NS, "a", MARKET, e6(10_001))
    assert venue.usable_e6("a", PUSD) == e6(10_000)
