"""Every refusal with its status and exact text; a refused order changes nothing."""

import hashlib
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvenue.exchange import ExchangeConfig, MarketTerms
from polyvenue.exchange.market import PRICE_DECIMALS
from polyvenue.exchange.orders import BatchEntry, OrderRequest, OrderType, Placed, Refusal, Side
from polyvenue.exchange.state import EngineMode
from polyvenue.exchange.units import S_NS
from polyvenue.exchange.validate import check_price
from tests.polyvenue.exchange.world import (
    BUY,
    CERTAIN,
    CONFIG,
    DOWN,
    FAK,
    FOK,
    GTC,
    GTD,
    MARKET,
    SELL,
    START_NS,
    UP,
    World,
    e6,
    make_world,
    order_id,
)

NOW_S = START_NS // S_NS
ID = order_id(77)
HEAD = f"order {ID} is invalid. "
ACCURACY = "invalid amounts, the {} orders maker amount supports a max accuracy of {} decimals, "
FAK_TEXT = (
    "no orders found to match with FAK order. "
    "FAK orders are partially filled or killed if no match is found."
)
BALANCE = "not enough balance / allowance: the balance is not enough -> "


def asked(
    side: Side = BUY,
    gives: str = "5.2",
    gets: str = "10",
    kind: OrderType = GTC,
    **more: object,
) -> OrderRequest:
    """An order of wallet a by its two amounts."""
    request = OrderRequest(
        order_id=ID,
        owner="key-a",
        maker="a",
        token_id=UP,
        side=side,
        maker_amount_e6=e6(gives),
        taker_amount_e6=e6(gets),
        order_type=kind,
    )
    return msgspec.structs.replace(request, **more)


REFUSED = {
    "no hash": (asked(order_id="0xabc"), 400, "Invalid order payload"),
    "upper case hash": (asked(order_id="0x" + "A" * 64), 400, "Invalid order payload"),
    "nothing paid": (asked(gives="0"), 400, "Invalid order payload"),
    "nothing received": (asked(gets="0"), 400, "Invalid order payload"),
    "absurd amount": (asked(gives="1000000001"), 400, "Invalid order payload"),
    "post-only FAK": (asked(kind=FAK, post_only=True), 400, "Invalid order payload"),
    "post-only FOK": (asked(kind=FOK, post_only=True), 400, "Invalid order payload"),
    "owner": (
        asked(owner="key-b"),
        400,
        "the order owner has to be the owner of the API KEY",
    ),
    "signer": (
        asked(maker="b"),
        400,
        "the order signer address has to be the address of the API KEY",
    ),
    "token": (asked(token_id="9"), 400, "Invalid token id"),
    "BUY collateral decimals": (
        asked(gives="5.20001", gets="10"),
        400,
        ACCURACY.format("buy", 4) + "taker amount a max of 2 decimals",
    ),
    "BUY share decimals": (
        asked(gives="5.2", gets="10.001"),
        400,
        ACCURACY.format("buy", 4) + "taker amount a max of 2 decimals",
    ),
    "SELL share decimals": (
        asked(SELL, gives="10.001", gets="5.2"),
        400,
        ACCURACY.format("sell", 2) + "taker amount a max of 4 decimals",
    ),
    "FAK BUY collateral decimals": (
        asked(gives="5.201", gets="10", kind=FAK),
        400,
        ACCURACY.format("buy", 2) + "taker amount a max of 4 decimals",
    ),
    "FOK BUY share decimals": (
        asked(gives="5.2", gets="10.00001", kind=FOK),
        400,
        ACCURACY.format("buy", 2) + "taker amount a max of 4 decimals",
    ),
    "off the grid": (
        asked(gives="5.25", gets="10"),
        400,
        HEAD + "Price (0.525) breaks minimum tick size rule: 0.01",
    ),
    "no exact price": (
        asked(gives="5.2", gets="10.01"),
        400,
        HEAD + "Price (0.519481) breaks minimum tick size rule: 0.01",
    ),
    "price 1": (asked(gives="10"), 400, HEAD + "Price (1) breaks minimum tick size rule: 0.01"),
    "price below the tick": (
        asked(gives="0.05"),
        400,
        HEAD + "Price (0.005) breaks minimum tick size rule: 0.01",
    ),
    "FAK BUY between two prices": (
        asked(gives="5.25", gets="10", kind=FAK),
        400,
        HEAD + "Price (0.525) breaks minimum tick size rule: 0.01",
    ),
    "size": (
        asked(gives="2.5948", gets="4.99"),
        400,
        HEAD + "Size (4.99) lower than the minimum: 5",
    ),
    "GTD too soon": (asked(kind=GTD, expiration_s=NOW_S + 179), 400, "invalid expiration"),
    "GTC with expiration": (asked(expiration_s=NOW_S + 900), 400, "invalid expiration"),
    "post-only crosses": (
        asked(gives="6", post_only=True),
        400,
        "invalid post-only order: order crosses book",
    ),
    "marketable BUY too small": (
        asked(gives="0.5", gets="5", token_id=DOWN, kind=FAK),
        400,
        "invalid amount for a marketable BUY order ($0.5), min size: $1",
    ),
    "FOK without match": (
        asked(gives="5", kind=FOK),
        400,
        "order couldn't be fully filled. FOK orders are fully filled or killed.",
    ),
    "FOK with too little": (
        asked(gives="6", gets="10", kind=FOK),
        400,
        "order couldn't be fully filled. FOK orders are fully filled or killed.",
    ),
    "FAK without match": (asked(gives="5", kind=FAK), 400, FAK_TEXT),
    "balance for a resting BUY": (
        asked(gives="10000.5", gets="20001"),
        400,
        BALANCE + "balance: 10000000000, order amount: 10000500000",
    ),
    "balance for price and fee": (
        asked(gives="9900", gets="15000"),
        400,
        BALANCE + "balance: 10000000000, order amount: 10135620000",
    ),
    "shares": (
        asked(SELL, gives="1000.01", gets="600.006"),
        400,
        BALANCE + "balance: 1000000000, order amount: 1000010000",
    ),
}


@pytest.fixture
def world() -> World:
    """Wallet b offers 8 Up at 0.60."""
    world = make_world()
    world.sell("b", UP, "0.60", "8")
    return world


def digest(world: World) -> str:
    """Everything there is, without the time."""
    truth = msgspec.structs.replace(world.venue.truth(), now_ns=0)
    return hashlib.sha256(repr(truth).encode()).hexdigest()


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_order_is_refused_and_changes_nothing(world: World, name: str) -> None:
    request, status, text = REFUSED[name]
    before = digest(world)
    assert world.venue.place(world.now_ns, request, "key-a") == Refusal(status=status, text=text)
    assert world.venue.take_events() == ()
    assert digest(world) == before


GOOD = {
    "as documented": (asked(), 5200),
    "odd size": (asked(gives="2.6381", gets="7.13"), 3700),
    "SELL": (asked(SELL, gives="10", gets="7"), 7000),
    "GTD": (asked(kind=GTD, expiration_s=NOW_S + 180), 5200),
    "all the cash": (asked(gives="10000", gets="20000"), 5000),
    "least size": (asked(gives="2.6", gets="5"), 5200),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_order_rests_at_its_price(world: World, name: str) -> None:
    request, price_e4 = GOOD[name]
    assert isinstance(world.send(request), Placed)
    view = world.venue.order(ID)
    assert view is not None
    assert (view.price_e4, view.status) == (price_e4, "LIVE")


@pytest.mark.parametrize(
    ("gives", "gets", "tick_e4"),
    [
        ("10", "27.0270", 100),  # 10 / 0.37 floored to four decimals
        ("3.7", "10", 100),
        ("10", "16.6666", 100),
        ("10", "16.6666", 10),
        ("10", "15.8730", 100),  # 10 / 0.63
        ("10", "15.8478", 10),  # 10 / 0.631, five decimals floored to four
    ],
)
def test_a_market_buy_means_the_price_that_its_shares_were_divided_by(
    gives: str, gets: str, tick_e4: int
) -> None:
    world = make_world()
    world.venue.change_tick(START_NS, MARKET, tick_e4)
    world.sell("b", UP, "0.31", "100")
    request = asked(gives=gives, gets=gets, kind=FAK)
    placed = world.send(request)
    assert isinstance(placed, Placed), placed
    assert placed.taking_e6 == e6(gets)
    assert placed.making_e6 == e6(gets) * 31 // 100


def test_prices_follow_the_grid_of_the_moment(world: World) -> None:
    request = asked(gives="5.25", gets="10")
    assert isinstance(world.send(request), Refusal)
    world.venue.change_tick(world.now_ns, MARKET, 50)
    assert isinstance(world.send(request), Placed)


def test_the_same_order_is_a_duplicate_open_or_not(world: World) -> None:
    request = asked()
    world.accepted(request)
    text = HEAD + "Duplicated."
    assert world.send(request) == Refusal(status=400, text=text)
    world.venue.cancel(world.now_ns, "key-a", ID)
    assert world.send(request) == Refusal(status=400, text=text)


def test_an_ended_order_may_come_again_where_the_switch_says_so() -> None:
    config = ExchangeConfig(settlement=CERTAIN, duplicate_when_terminal=False)
    world = make_world(config)
    world.accepted(asked())
    assert isinstance(world.send(asked()), Refusal)
    world.venue.cancel(world.now_ns, "key-a", ID)
    world.accepted(asked())


def test_market_orders_may_be_small_where_the_switch_says_so(world: World) -> None:
    request = asked(gives="1.2", gets="2", kind=FAK)
    text = HEAD + "Size (2) lower than the minimum: 5"
    assert world.send(request) == Refusal(status=400, text=text)
    other = make_world(ExchangeConfig(settlement=CERTAIN, market_order_min_size=False))
    other.sell("b", UP, "0.60", "8")
    assert isinstance(other.send(request), Placed)


def test_an_unknown_key_is_unauthorized(world: World) -> None:
    refused = Refusal(status=401, text="Unauthorized/Invalid api key")
    assert world.venue.place(world.now_ns, asked(), "nobody") == refused
    assert world.venue.cancel(world.now_ns, "nobody", ID) == refused
    assert world.venue.cancel_all(world.now_ns, "nobody") == refused
    assert world.venue.heartbeat(world.now_ns, "nobody", "") == refused


def test_banned_and_closed_only_wallets(world: World) -> None:
    account = world.venue.account("a")
    account.closed_only = True
    assert world.send(asked()) == Refusal(status=400, text="'a' address in closed only mode")
    assert isinstance(world.send(asked(SELL, gives="10", gets="7")), Placed)
    account.banned = True
    sale = world.request("a", SELL, UP, "0.70", "10")
    assert world.send(sale) == Refusal(status=400, text="'a' address banned")


def test_plain_wallets_are_sent_to_the_deposit_wallet_flow() -> None:
    world = make_world(ExchangeConfig(eoa_allowed=False))
    text = "maker address not allowed, please use the deposit wallet flow"
    assert world.send(asked()) == Refusal(status=400, text=text)
    assert isinstance(world.send(asked(signature_type=3)), Placed)


def test_open_orders_and_matches_lower_what_is_free(world: World) -> None:
    world.buy("a", UP, "0.50", "19000")
    text = BALANCE + "balance: 10000000000, sum of active orders: 9500000000, "
    big = world.request("a", BUY, DOWN, "0.30", "2000")
    assert world.send(big) == Refusal(status=400, text=text + "order amount: 600000000")
    world.buy("a", UP, "0.60", "8")  # takes b's 8 for 4.8 and a fee of 0.1344
    text += "sum of matched orders: 4934400, order amount: 500000000"
    rest = world.request("a", BUY, DOWN, "0.25", "2000")  # what would be free without the match
    assert world.send(rest) == Refusal(status=400, text=text)
    world.accepted(world.request("a", BUY, DOWN, "0.25", "1980.26"))  # all that is free but 6e-4


def test_the_lower_of_balance_and_allowance_counts(world: World) -> None:
    account = world.venue.account("a")
    account.allowance_e6 = e6(5)
    head = "not enough balance / allowance: the allowance is not enough -> "
    text = head + "allowance: 5000000, order amount: 5200000"
    assert world.send(asked()) == Refusal(status=400, text=text)
    assert isinstance(world.send(asked(gives="5")), Placed)
    account.tokens_approved = False
    text = head + "allowance: 0, order amount: 10000000"
    sale = world.request("a", SELL, UP, "0.70", "10")
    assert world.send(sale) == Refusal(status=400, text=text)


def test_a_market_that_takes_no_orders_says_why() -> None:
    world = make_world()
    venue = world.venue
    later = MarketTerms(market_id="0xc1", token_ids=("3", "4"))
    venue.list_market(START_NS, later, accepts_orders=False)
    text = "the market is not yet ready to process new orders"
    assert world.send(asked(token_id="3")) == Refusal(status=400, text=text)
    venue.accept_orders(START_NS, "0xc1")
    world.accepted(asked(token_id="3"))
    venue.open_market(START_NS, MARKET)
    venue.end_market(START_NS, MARKET)
    request = world.request("a", BUY, UP, "0.50", "10")
    gone = Refusal(status=404, text="market not found")
    assert world.send(request) == gone
    venue.resolve_market(START_NS, MARKET, (1_000_000, 0))
    assert world.send(request) == gone
    venue.remove_book(START_NS, MARKET)
    gone = Refusal(status=404, text="No orderbook exists for the requested token id")
    assert world.send(request) == gone
    assert venue.book(UP) == gone
    assert venue.book("9") == gone


def test_orders_after_the_end_where_the_switch_says_so() -> None:
    world = make_world(ExchangeConfig(orders_after_end=True))
    world.venue.end_market(START_NS, MARKET)
    world.accepted(asked())
    world.venue.resolve_market(START_NS, MARKET, (0, 1_000_000))
    assert world.status(ID) == "CANCELED_MARKET_RESOLVED"


DISABLED = Refusal(
    status=503, text="Trading is currently disabled. Check polymarket.com for updates"
)
CANCEL_ONLY = Refusal(
    status=503,
    text="Trading is currently cancel-only. New orders are not accepted, but cancels are allowed.",
)
POST_ONLY = Refusal(
    status=503,
    text="post-only mode: only post-only orders and cancels are allowed",
    code="post_only_mode",
    retry_after_s=79,
)
RESTARTING = Refusal(status=425, text="Too Early", retry_after_s=1)


@pytest.mark.parametrize(
    ("mode", "place", "place_post_only", "cancel"),
    [
        (EngineMode.NORMAL, None, None, None),
        (EngineMode.POST_ONLY, POST_ONLY, None, None),
        (EngineMode.CANCEL_ONLY, CANCEL_ONLY, CANCEL_ONLY, None),
        (EngineMode.RESTARTING, RESTARTING, RESTARTING, RESTARTING),
        (EngineMode.DISABLED, DISABLED, DISABLED, DISABLED),
    ],
)
def test_each_engine_mode_takes_what_it_should(
    mode: EngineMode,
    place: Refusal | None,
    place_post_only: Refusal | None,
    cancel: Refusal | None,
) -> None:
    world = make_world()
    resting = world.buy("a", UP, "0.40", "10")
    world.venue.set_mode(world.now_ns, mode, 79 * S_NS)
    for post_only, expected in ((False, place), (True, place_post_only)):
        request = world.request("a", BUY, UP, "0.50", "10", post_only=post_only)
        result = world.send(request)
        assert result == expected if expected else isinstance(result, Placed)
    canceled = world.venue.cancel(world.now_ns, "key-a", resting)
    assert canceled == cancel if cancel else not isinstance(canceled, Refusal)


def test_a_restart_goes_through_post_only_back_to_normal() -> None:
    world = make_world()
    world.venue.restart(world.now_ns)
    seen = []
    for _ in range(5):
        seen.append(world.venue.core.mode)
        world.wait(60)
    restarting, post_only = EngineMode.RESTARTING, EngineMode.POST_ONLY
    assert seen == [restarting, restarting, post_only, post_only, EngineMode.NORMAL]


def test_a_later_change_of_mode_overtakes_the_end_of_the_first() -> None:
    world = make_world()
    world.venue.set_mode(world.now_ns, EngineMode.POST_ONLY, 10 * S_NS)
    world.venue.set_mode(world.now_ns, EngineMode.CANCEL_ONLY)
    world.wait(60)
    assert world.venue.core.mode is EngineMode.CANCEL_ONLY


def test_a_batch_judges_each_order_by_itself() -> None:
    world = make_world()
    good = world.request("a", BUY, UP, "0.50", "10")
    bad = world.request("a", BUY, UP, "0.50", "1")
    text = f"order {bad.order_id} is invalid. Size (1) lower than the minimum: 5"
    entries = world.venue.place_many(world.now_ns, [good, bad, good], "key-a")
    assert not isinstance(entries, Refusal)
    first, second, third = entries
    assert (first.success, first.error_text, first.order_id) == (True, "", good.order_id)
    assert second == BatchEntry(success=True, error_text=text, order_id="", placed=None)
    assert third.error_text == f"order {good.order_id} is invalid. Duplicated."


def test_a_batch_has_one_to_fifteen_orders() -> None:
    world = make_world()
    many = [world.request("a", BUY, UP, "0.10", "10") for _ in range(16)]
    text = "Too many orders in payload: 16, max allowed: 15"
    assert world.venue.place_many(START_NS, many, "key-a") == Refusal(status=400, text=text)
    text = "Invalid order payload"
    assert world.venue.place_many(START_NS, [], "key-a") == Refusal(status=400, text=text)
    entries = world.venue.place_many(START_NS, many[:15], "key-a")
    assert not isinstance(entries, Refusal)
    assert [entry.error_text for entry in entries] == [""] * 15


def test_a_batch_in_post_only_mode_refuses_entry_by_entry() -> None:
    world = make_world()
    world.venue.set_mode(START_NS, EngineMode.POST_ONLY)
    plain = world.request("a", BUY, UP, "0.10", "10")
    quote = world.request("a", BUY, UP, "0.10", "10", post_only=True)
    entries = world.venue.place_many(START_NS, [plain, quote], "key-a")
    assert not isinstance(entries, Refusal)
    assert [(entry.order_id, entry.error_text) for entry in entries] == [
        ("", POST_ONLY.text),
        (quote.order_id, ""),
    ]
    world.venue.set_mode(START_NS, EngineMode.RESTARTING)
    assert world.venue.place_many(START_NS, [quote], "key-a") == RESTARTING


def test_time_does_not_go_back() -> None:
    world = make_world(CONFIG)
    with pytest.raises(ValueError, match="time does not go back"):
        world.venue.advance(START_NS - 1)


TICKS = st.sampled_from(sorted(PRICE_DECIMALS))


@given(
    tick_e4=TICKS,
    gives_e6=st.integers(-1, 10**10),
    gets_e6=st.integers(-1, 10**10),
    side=st.sampled_from((BUY, SELL)),
    kind=st.sampled_from(tuple(OrderType)),
    round_to=st.sampled_from((1, 100, 10_000, 1_000_000)),
)
def test_any_two_amounts_are_an_exact_price_or_a_refusal_that_changes_nothing(
    tick_e4: int, gives_e6: int, gets_e6: int, side: Side, kind: OrderType, round_to: int
) -> None:
    world = make_world()
    world.venue.change_tick(START_NS, MARKET, tick_e4)
    world.check()
    before = digest(world)
    amounts = {
        "maker_amount_e6": gives_e6 // round_to * round_to,
        "taker_amount_e6": gets_e6 // round_to * round_to,
    }
    request = msgspec.structs.replace(asked(side, kind=kind), **amounts)
    result = world.send(request)
    if isinstance(result, Refusal):
        assert digest(world) == before
        return
    view = world.venue.order(ID)
    assert view is not None
    assert view.price_e4 % tick_e4 == 0
    assert view.price_e4 * request.qty_e6 == request.collateral_e6 * 10_000


@given(tick_e4=TICKS, step=st.integers(1, 9999), cents=st.integers(100, 100_000))
def test_every_market_buy_that_an_official_client_builds_is_taken(
    tick_e4: int, step: int, cents: int
) -> None:
    """Collateral in cents, shares floored to the decimals of the tick and at most to four."""
    world = make_world(ExchangeConfig(settlement=CERTAIN, market_order_min_size=False))
    world.venue.change_tick(START_NS, MARKET, tick_e4)
    price_e4 = tick_e4 * (1 + step % (10_000 // tick_e4 - 1))
    digits = min(PRICE_DECIMALS[tick_e4] + 2, 4)
    shares = Fraction(cents * 100, price_e4)
    gets_e6 = (shares * 10**digits).__floor__() * 10 ** (6 - digits)
    request = asked(kind=FAK, maker_amount_e6=cents * 10_000, taker_amount_e6=gets_e6)
    assert check_price(world.venue.market(MARKET), request) == price_e4
