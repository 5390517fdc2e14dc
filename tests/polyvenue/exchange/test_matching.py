"""Who meets whom, at what price, and what each side pays and gets."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvenue.exchange import ExchangeConfig, MarketTerms
from polyvenue.exchange.events import SelfTradeDetected, TradePrinted
from polyvenue.exchange.matching import Plan, walk, within
from polyvenue.exchange.orders import OrderType, Placed, Refusal, ReplyStatus, Side
from polyvenue.exchange.truth import fills_of
from polyvenue.exchange.units import E6, FeeTerms, Rounding
from polyvenue.exchange.validate import check_order
from tests.polyvenue.exchange.world import (
    BUY,
    CERTAIN,
    DOWN,
    FAK,
    FOK,
    GTC,
    MARKET,
    PUSD,
    SELL,
    UP,
    World,
    e6,
    make_world,
)


def gains(world: World, who: str) -> tuple[int, int, int]:
    """Change of cash, Up and Down of a wallet that began with 10,000 pUSD and 1,000 pairs."""
    start = (e6(10_000), e6(1000), e6(1000))
    held = (world.held(who, PUSD), world.held(who, UP), world.held(who, DOWN))
    return (held[0] - start[0], held[1] - start[1], held[2] - start[2])


def test_a_bid_meets_an_ask_of_the_same_token() -> None:
    world = make_world()
    world.sell("b", UP, "0.52", "10")
    placed = world.send(world.request("a", BUY, UP, "0.55", "10"))
    assert isinstance(placed, Placed)
    assert placed.status is ReplyStatus.MATCHED
    assert (placed.making_e6, placed.taking_e6) == (e6("5.2"), e6(10))
    world.wait(10)
    assert gains(world, "a") == (-e6("5.2") - 174_720, e6(10), 0)
    assert gains(world, "b") == (e6("5.2"), -e6(10), 0)


def test_two_bids_that_sum_to_one_make_pairs() -> None:
    world = make_world()
    world.buy("b", DOWN, "0.48", "10")
    world.buy("a", UP, "0.53", "10")  # pays 0.52: the improvement is the taker's
    world.wait(10)
    assert gains(world, "a") == (-e6("5.2") - 174_720, e6(10), 0)
    assert gains(world, "b") == (-e6("4.8"), 0, e6(10))
    assert world.venue.market(MARKET).pool_e6 == e6(3010)


def test_two_asks_that_sum_to_one_dissolve_pairs() -> None:
    world = make_world()
    world.sell("b", DOWN, "0.48", "10")
    world.sell("a", UP, "0.51", "10")  # gets 0.52
    world.wait(10)
    assert gains(world, "a") == (e6("5.2") - 174_720, -e6(10), 0)
    assert gains(world, "b") == (e6("4.8"), 0, -e6(10))
    assert world.venue.market(MARKET).pool_e6 == e6(2990)


def test_a_pair_that_sums_to_less_or_more_does_not_meet() -> None:
    world = make_world()
    world.buy("b", DOWN, "0.47", "10")
    assert world.status(world.buy("a", UP, "0.52", "10")) == "LIVE"
    world.sell("b", DOWN, "0.48", "10")
    assert world.status(world.sell("a", UP, "0.54", "10")) == "LIVE"


def test_without_cross_matching_each_outcome_has_its_own_book() -> None:
    terms = MarketTerms(
        market_id=MARKET, token_ids=(UP, DOWN), hold_ns=0, cross_outcome_match=False
    )
    world = make_world(terms=terms)
    world.sell("b", DOWN, "0.30", "10")
    world.sell("a", UP, "0.30", "10")  # the asks sum to 0.60 and rest
    book = world.venue.book(UP)
    assert not isinstance(book, Refusal)
    assert (book.bids, book.asks) == ((), ((3000, e6(10)),))
    assert world.venue.truth().non_faithful == (MARKET,)
    world.buy("c", UP, "0.30", "10")
    world.wait(10)
    assert gains(world, "a") == (e6(3), -e6(10), 0)
    assert make_world().venue.truth().non_faithful == ()


def test_price_comes_before_time_and_time_before_size() -> None:
    world = make_world()
    late_best = world.request("b", SELL, UP, "0.51", "10")
    first = world.sell("b", UP, "0.52", "10")
    mirror = world.buy("c", DOWN, "0.48", "10")  # an ask of Up at 0.52, second in line
    third = world.sell("b", UP, "0.52", "10")
    world.accepted(late_best)
    world.buy("a", UP, "0.52", "25")
    seen = [world.venue.order(it) for it in (late_best.order_id, first, mirror, third)]
    assert [it.matched_e6 if it else None for it in seen] == [e6(10), e6(10), e6(5), 0]


def test_a_cancelled_order_loses_its_place() -> None:
    world = make_world()
    first, second = (world.sell("b", UP, "0.52", "10") for _ in range(2))
    world.venue.cancel(world.now_ns, "key-b", first)
    third = world.sell("b", UP, "0.52", "10")
    world.buy("a", UP, "0.52", "15")
    seen = [world.venue.order(it) for it in (first, second, third)]
    assert [it.matched_e6 if it else None for it in seen] == [0, e6(10), e6(5)]


def test_a_walk_over_levels_is_one_trade_for_each_price() -> None:
    world = make_world()
    for price, qty in (("0.50", "10"), ("0.50", "5"), ("0.55", "20"), ("0.60", "7")):
        world.sell("b", UP, price, qty)
    placed = world.send(world.request("a", BUY, UP, "0.55", "40"))
    assert isinstance(placed, Placed)
    assert (placed.making_e6, placed.taking_e6) == (e6("18.5"), e6(35))
    trades = world.venue.trades("a")
    assert [it.trade_id for it in trades] == list(placed.trade_ids)
    assert [(it.price_e4, it.qty_e6, it.fee_e6) for it in trades] == [
        (5000, e6(15), 262_500),
        (5500, e6(20), 346_500),
    ]
    assert [len(it.makers) for it in trades] == [2, 1]
    book = world.venue.book(UP)
    assert not isinstance(book, Refusal)
    assert book.bids == ((5500, e6(5)),)
    assert book.asks == ((6000, e6(7)),)
    assert [it.price_e4 for it in world.take(TradePrinted) if isinstance(it, TradePrinted)] == [
        5000,
        5500,
    ]


def test_one_trade_shows_each_maker_in_its_own_token() -> None:
    world = make_world()
    world.sell("b", UP, "0.52", "10")
    world.buy("c", DOWN, "0.48", "10")
    world.buy("a", UP, "0.52", "20")
    (trade,) = world.venue.trades("a")
    rows = [(it.maker, it.token_id, it.side, it.price_e4, it.cash_e6) for it in trade.makers]
    assert rows == [("b", UP, SELL, 5200, e6("5.2")), ("c", DOWN, BUY, 4800, e6("4.8"))]
    assert (trade.cash_e6, trade.qty_e6, trade.outcome) == (e6("10.4"), e6(20), 0)
    assert [it.is_taker for it in fills_of(trade)] == [True, False, False]
    assert world.venue.trades("c") == (trade,)


def test_both_books_are_mirrors() -> None:
    world = make_world()
    world.buy("a", UP, "0.40", "10")
    world.buy("b", DOWN, "0.35", "20")
    up, down = world.venue.book(UP), world.venue.book(DOWN)
    assert not isinstance(up, Refusal)
    assert not isinstance(down, Refusal)
    assert (up.bids, up.asks) == (((4000, e6(10)),), ((6500, e6(20)),))
    assert (down.bids, down.asks) == (((3500, e6(20)),), ((6000, e6(10)),))


def test_fok_takes_all_or_nothing_and_fak_what_is_there() -> None:
    world = make_world()
    world.sell("b", UP, "0.50", "10")
    fok = world.send(world.request("a", BUY, UP, "0.50", "12", FOK))
    assert isinstance(fok, Refusal)
    fak = world.buy("a", UP, "0.50", "12", FAK)
    view = world.venue.order(fak)
    assert view is not None
    assert (view.status, view.matched_e6) == ("CANCELED", e6(10))
    world.sell("b", UP, "0.50", "10")
    assert world.status(world.buy("a", UP, "0.50", "10", FOK)) == "MATCHED"
    assert world.venue.open_orders("key-a") == ()


def test_post_only_rests_or_is_refused() -> None:
    world = make_world()
    world.sell("b", UP, "0.50", "10")
    crossing = world.request("a", BUY, UP, "0.50", "10", post_only=True)
    assert isinstance(world.send(crossing), Refusal)
    mirrored = world.request("a", SELL, DOWN, "0.50", "10", post_only=True)
    assert isinstance(world.send(mirrored), Refusal)
    resting = world.request("a", BUY, UP, "0.49", "10", post_only=True)
    assert world.status(world.accepted(resting)) == "LIVE"


def test_trading_with_oneself_is_seen() -> None:
    world = make_world()
    mine = world.buy("a", DOWN, "0.50", "10")
    taker = world.buy("a", UP, "0.50", "10")
    (found,) = world.venue.truth().self_trades
    assert (found.maker, found.taker_order_id, found.maker_order_id) == ("a", taker, mine)
    assert world.take(SelfTradeDetected) == [found]
    world.wait(10)
    assert gains(world, "a") == (-e6(10) - 175_000, e6(10), e6(10))
    world.sell("b", UP, "0.60", "10")
    world.buy("a", UP, "0.60", "10")
    assert len(world.venue.truth().self_trades) == 1


@pytest.mark.parametrize(
    ("qty", "price_e4", "fee_e6"),
    [
        (10, 5300, 174_370),
        (6, 6400, 96_770),
        (5, 100, 3_470),
        (100, 5000, 1_750_000),
        (100, 9900, 69_300),
        (108, 3600, 1_741_820),
    ],
)
def test_fees_are_the_documented_ones(qty: int, price_e4: int, fee_e6: int) -> None:
    assert FeeTerms().taker_fee_e6(qty * E6, price_e4, Rounding.HALF_UP) == fee_e6


def test_the_direction_of_fee_rounding_is_a_switch() -> None:
    paid = []
    for rounding in (Rounding.FLOOR, Rounding.HALF_UP, Rounding.CEIL):
        world = make_world(ExchangeConfig(settlement=CERTAIN, fee_rounding=rounding))
        world.sell("b", UP, "0.01", "100")
        world.buy("a", UP, "0.01", "100.5")
        paid.append(world.venue.trades("a")[0].fee_e6)
    assert paid == [69_300] * 3
    assert [FeeTerms().taker_fee_e6(5 * E6, 100, it) for it in Rounding] == [3_460, 3_470, 3_470]
    assert FeeTerms().taker_fee_e6(5 * E6, 101, Rounding.HALF_UP) == 3_500


def test_a_tiny_fee_is_nothing_and_never_more_than_the_proceeds() -> None:
    assert FeeTerms().taker_fee_e6(5_000, 100, Rounding.HALF_UP) == 0
    greedy = FeeTerms(rate_ppm=2_000_000)
    world = make_world(
        terms=MarketTerms(market_id=MARKET, token_ids=(UP, DOWN), fees=greedy, hold_ns=0)
    )
    world.buy("b", UP, "0.10", "10")
    world.sell("a", UP, "0.10", "10")
    world.wait(10)
    assert gains(world, "a") == (0, -e6(10), 0)


def test_shares_with_four_decimals_split_each_pair_exactly() -> None:
    world = make_world()
    world.venue.change_tick(world.now_ns, MARKET, 10)
    world.buy("b", DOWN, "0.369", "100")
    request = world.request("a", BUY, UP, "0.631", "100", FAK)
    amounts = {"maker_amount_e6": e6(10), "taker_amount_e6": e6("15.8478")}
    world.accepted(msgspec.structs.replace(request, **amounts))
    world.wait(10)
    (trade,) = world.venue.trades("a")
    assert (trade.cash_e6, trade.makers[0].cash_e6) == (9_999_962, 5_847_838)


def test_a_plan_stops_at_the_first_match_that_the_wallet_cannot_pay() -> None:
    world = make_world()
    for price in ("0.50", "0.55", "0.60"):
        world.sell("b", UP, price, "10")
    market = world.venue.market(MARKET)
    taker = check_order(world.venue.core, world.request("a", BUY, UP, "0.60", "30"), "key-a")
    assert not isinstance(taker, Refusal)
    matches = walk(market, taker, Rounding.HALF_UP)
    two_e6 = sum(it.cash_e6 + it.fee_e6 for it in matches[:2])
    assert within(matches, BUY, two_e6) == Plan(tuple(matches[:2]), True)
    assert within(matches, BUY, two_e6 - 1) == Plan(tuple(matches[:1]), True)
    assert within(matches, BUY, e6(30)) == Plan(tuple(matches), False)
    assert within(matches, SELL, e6(20)) == Plan(tuple(matches[:2]), True)


@pytest.mark.parametrize(("kind", "status"), [(GTC, "CANCELED_NOT_ENOUGH_BALANCE"), (FOK, None)])
def test_rounding_can_ask_for_more_than_the_limit_and_the_rest_dies(
    kind: OrderType, status: str | None
) -> None:
    """Each fee is rounded by itself: at tiny remainders many matches cost more than one."""
    terms = MarketTerms(
        market_id=MARKET, token_ids=(UP, DOWN), hold_ns=0, tick_e4=1, min_size_e6=10_000
    )
    config = ExchangeConfig(settlement=CERTAIN, fee_rounding=Rounding.CEIL, marketable_buy_min_e6=0)
    world = make_world(config, terms=terms)
    for number in range(10):
        world.sell("b", UP, f"0.{4991 + number}", "0.01")
    taker = world.request("a", BUY, UP, "0.5", "0.10", kind)
    needed_e6 = 50_000 + 1_750
    world.venue.withdraw(world.now_ns, "a", world.held("a", PUSD) - needed_e6)
    result = world.send(taker)
    if status is None:
        assert isinstance(result, Refusal)
        assert result.text.startswith("not enough balance / allowance")
        assert world.venue.trades("a") == ()
    else:
        assert isinstance(result, Placed)
        assert world.status(taker.order_id) == status
        assert 0 < result.taking_e6 < e6("0.10")
    world.wait(10)
    assert world.held("a", PUSD) >= 0


prices = st.integers(1, 99)
sizes = st.integers(500, 5000)


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from("abc"), st.sampled_from((BUY, SELL)), st.booleans(), prices, sizes
        ),
        max_size=25,
    )
)
def test_books_never_cross_and_money_is_kept(
    rows: list[tuple[str, Side, bool, int, int]],
) -> None:
    world = make_world()
    for who, side, is_up, price, size in rows:
        request = world.request(
            who,
            side,
            UP if is_up else DOWN,
            f"0.{price:02}",
            f"{size / 100:.2f}",
        )
        world.send(request)  # checks every law
    world.wait(10)
    total_e6 = sum(world.held(who, PUSD) for who in "abc") + world.venue.truth().fees_e6
    assert total_e6 + world.venue.market(MARKET).pool_e6 == e6(33_000)
    assert world.held("a", UP) + world.held("b", UP) + world.held("c", UP) == (
        world.venue.market(MARKET).pool_e6
    )
