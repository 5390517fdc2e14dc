"""Trades on their way to the chain: paths, what may be used when, and exact reversal."""

from collections import Counter

import msgspec
import pytest

from polyvenue.exchange import ExchangeConfig
from polyvenue.exchange.config import ChainConfig, Delay, SettlementConfig
from polyvenue.exchange.events import JobState, RebatePaid, TradeStatusChanged
from polyvenue.exchange.orders import Placed, Refusal, TradeStatus
from polyvenue.exchange.records import JobPath, JobStep, TradePath, TradeStep
from polyvenue.exchange.units import DAY_NS, S_NS
from tests.polyvenue.exchange.world import (
    BUY,
    CERTAIN,
    DOWN,
    MARKET,
    PUSD,
    SELL,
    START_NS,
    UP,
    World,
    e6,
    make_world,
)

T = TradeStatus


def path(
    *statuses: TradeStatus, start: TradeStatus = T.MATCHED, new_hash: bool = False
) -> TradePath:
    """A path with two seconds before each status."""
    steps = tuple(TradeStep(status=it, delay_ns=2 * S_NS, new_hash=new_hash) for it in statuses)
    return TradePath(steps=steps, start=start)


def balances(world: World) -> object:
    """Every balance there is."""
    return world.venue.truth().balances


def statuses(world: World) -> list[TradeStatus]:
    """Statuses that were reported, in order."""
    return [it.trade.status for it in world.events if isinstance(it, TradeStatusChanged)]


PAIRS = {
    "complementary": ((SELL, UP, "0.52"), (BUY, UP, "0.55")),
    "bids make pairs": ((BUY, DOWN, "0.48"), (BUY, UP, "0.55")),
    "asks dissolve pairs": ((SELL, DOWN, "0.48"), (SELL, UP, "0.50")),
}

FAILING = {
    "at once": path(T.FAILED),
    "after retrying": path(T.RETRYING, T.FAILED),
    "after mined": path(T.MINED, T.FAILED),
    "mined, retried, failed": path(T.MINED, T.RETRYING, T.FAILED),
    "mined twice": path(T.MINED, T.RETRYING, T.MATCHED, T.MINED, T.RETRYING, T.FAILED),
}


@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("failing", FAILING)
def test_a_failed_trade_is_undone_to_the_last_unit(kind: str, failing: str) -> None:
    world = make_world()
    before = balances(world)
    world.venue.script_trades(FAILING[failing])
    maker, taker = PAIRS[kind]
    world.accepted(world.request("b", *maker, "10"))
    world.accepted(world.request("a", *taker, "10"))
    world.wait(60)
    assert statuses(world) == [T.MATCHED, *(it.status for it in FAILING[failing].steps)]
    assert balances(world) == before
    assert world.venue.market(MARKET).pool_e6 == e6(3000)
    assert world.venue.truth().fees_e6 == 0
    assert {it.status for it in world.venue.truth().fills} == {T.FAILED}


@pytest.mark.parametrize("kind", PAIRS)
def test_a_retried_trade_settles_once(kind: str) -> None:
    straight, retried = make_world(), make_world()
    retried.venue.script_trades(
        path(T.MINED, T.RETRYING, T.MINED, T.RETRYING, T.MINED, T.CONFIRMED)
    )
    for world in (straight, retried):
        maker, taker = PAIRS[kind]
        world.accepted(world.request("b", *maker, "10"))
        world.accepted(world.request("a", *taker, "10"))
        world.wait(60)
    assert balances(retried) == balances(straight)


def test_money_moves_when_the_trade_is_mined() -> None:
    world = make_world()
    world.sell("b", UP, "0.50", "10")
    world.buy("a", UP, "0.50", "10")
    assert (world.held("a", PUSD), world.held("a", UP)) == (e6(10_000), e6(1000))
    world.wait(1.9)
    assert world.held("a", UP) == e6(1000)
    world.wait(0.1)
    assert world.held("a", UP) == e6(1010)
    assert world.held("a", PUSD) == e6(9995) - 175_000
    assert world.held("b", PUSD) == e6(10_005)
    assert statuses(world) == [T.MATCHED, T.MINED]
    world.wait(3)
    assert statuses(world) == [T.MATCHED, T.MINED, T.CONFIRMED]


@pytest.mark.parametrize(
    ("usable_from", "sold_at"),
    [(T.MATCHED, T.MATCHED), (T.MINED, T.MINED), (T.CONFIRMED, T.CONFIRMED)],
)
def test_received_shares_can_be_sold_from_the_status_that_the_switch_names(
    usable_from: TradeStatus, sold_at: TradeStatus
) -> None:
    settlement = msgspec.structs.replace(CERTAIN, usable_from=usable_from)
    world = make_world(ExchangeConfig(settlement=settlement), pairs=0)
    world.venue.split_now(START_NS, "b", MARKET, e6(100))
    world.sell("b", UP, "0.50", "10")
    world.buy("a", UP, "0.50", "10")
    seen = []
    for seconds in (0, 2, 3):
        world.wait(seconds)
        result = world.send(world.request("a", SELL, UP, "0.60", "10"))
        if isinstance(result, Placed):
            seen.append(statuses(world)[-1])
            break
        assert result.text.startswith("not enough balance / allowance: the balance is not enough")
    assert seen == [sold_at]


def test_what_a_doomed_trade_brought_cannot_be_spent_meanwhile() -> None:
    world = make_world(pairs=0)
    world.venue.split_now(START_NS, "b", MARKET, e6(100))
    world.venue.script_trades(path(T.MINED, T.RETRYING, T.FAILED))
    world.sell("b", UP, "0.50", "10")
    world.buy("a", UP, "0.50", "10")
    world.wait(2)
    assert world.held("a", UP) == e6(10)
    assert isinstance(world.send(world.request("a", SELL, UP, "0.60", "10")), Refusal)
    with pytest.raises(ValueError, match="can give 0 to 0"):
        world.venue.transfer(world.now_ns, "a", "c", UP, 1)


def test_shares_that_come_late_fail_the_sale_that_counted_on_them() -> None:
    settlement = msgspec.structs.replace(CERTAIN, usable_from=T.MATCHED)
    world = make_world(ExchangeConfig(settlement=settlement), pairs=0)
    world.venue.split_now(START_NS, "b", MARKET, e6(100))
    world.venue.script_trades(path(T.RETRYING, T.FAILED))
    world.sell("b", UP, "0.50", "10")
    world.buy("a", UP, "0.50", "10")
    world.buy("c", UP, "0.40", "10")
    world.sell("a", UP, "0.40", "10")
    world.wait(30)
    assert Counter(it.status for it in world.venue.trades("a")) == {T.FAILED: 2}


@pytest.mark.parametrize("drained", ["cash", "shares", "cash allowance", "share allowance"])
def test_a_maker_that_drains_its_wallet_leaves_a_ghost_fill(drained: str) -> None:
    world = make_world()
    venue, account = world.venue, world.venue.account("b")
    side = BUY if "cash" in drained else SELL
    world.accepted(world.request("b", side, UP, "0.50", "10"))
    before = {who: (world.held(who, PUSD), world.held(who, UP)) for who in "ac"}
    if drained == "cash":
        venue.withdraw(world.now_ns, "b", e6("9996"))
    elif drained == "shares":
        venue.transfer(world.now_ns, "b", "c", UP, e6(995))
        before["c"] = (before["c"][0], before["c"][1] + e6(995))
    elif drained == "cash allowance":
        account.allowance_e6 = e6(4)
    else:
        account.tokens_approved = False
    world.accepted(world.request("a", SELL if side is BUY else BUY, UP, "0.50", "10"))
    world.wait(30)
    assert statuses(world) == [T.MATCHED, T.RETRYING, T.FAILED]
    assert {who: (world.held(who, PUSD), world.held(who, UP)) for who in "ac"} == before


def test_a_wallet_that_is_looked_at_again_loses_its_newest_orders() -> None:
    world = make_world()
    orders = [world.buy("b", UP, price, "10000") for price in ("0.10", "0.20", "0.30")]
    sale = world.sell("b", UP, "0.90", "10")
    world.venue.withdraw(world.now_ns, "b", e6(8000))
    assert world.venue.recheck_balance(world.now_ns, "b") == (orders[2], orders[1])
    world.check()
    expected = ["LIVE", *["CANCELED_NOT_ENOUGH_BALANCE"] * 2, "LIVE"]
    assert [world.status(it) for it in (*orders, sale)] == expected


def test_hashes_come_late_and_change_when_the_script_says_so() -> None:
    world = make_world()
    step = TradeStep(status=T.RETRYING, delay_ns=S_NS, new_hash=True)
    mined = TradeStep(status=T.MINED, delay_ns=S_NS)
    again = TradeStep(status=T.MINED, delay_ns=S_NS, new_hash=True)
    world.venue.script_trades(TradePath(steps=(mined, step, again)))
    world.sell("b", UP, "0.50", "10")
    world.buy("a", UP, "0.50", "10")
    world.wait(10)
    seen = [it.trade.tx_hash for it in world.events if isinstance(it, TradeStatusChanged)]
    assert seen[0] == ""
    assert all(len(it) == 66 for it in seen[1:])
    assert len(set(seen)) == 4
    assert world.venue.trades("a")[0].status is T.MINED  # the script ends here: it hangs for ever


def test_a_hash_at_the_match_where_the_switch_says_so() -> None:
    settlement = msgspec.structs.replace(CERTAIN, hash_from=T.MATCHED)
    world = make_world(ExchangeConfig(settlement=settlement))
    world.sell("b", UP, "0.50", "10")
    world.buy("a", UP, "0.50", "10")
    world.wait(10)
    hashes = {it.trade.tx_hash for it in world.events if isinstance(it, TradeStatusChanged)}
    assert len(hashes) == 1
    assert "" not in hashes


def test_scripts_fit_an_order_a_market_or_any_trade_and_are_used_up() -> None:
    world = make_world()
    venue = world.venue
    maker = world.sell("b", UP, "0.50", "5")
    other = world.sell("b", UP, "0.51", "5")
    venue.script_trades(path(T.FAILED), market_id="0xelse")
    venue.script_trades(path(T.RETRYING, T.FAILED), order_id=other)
    venue.script_trades(path(T.MINED), count=2)
    venue.script_trades(path(start=T.MATCHED_NOT_BROADCASTED))
    world.buy("a", UP, "0.51", "10")
    for _ in range(2):
        world.sell("b", UP, "0.50", "5")
        world.buy("a", UP, "0.50", "5")
    world.wait(30)
    expected = [T.MINED, T.FAILED, T.MINED, T.MATCHED_NOT_BROADCASTED]
    assert [it.status for it in venue.trades("a")] == expected
    assert world.status(maker) == "MATCHED"
    with pytest.raises(ValueError, match="at least 1"):
        venue.script_trades(path(T.MINED), count=0)


@pytest.mark.parametrize(
    ("statuses", "start"),
    [
        ((T.CONFIRMED,), T.MATCHED),
        ((T.MINED, T.MATCHED), T.MATCHED),
        ((T.MINED, T.CONFIRMED, T.FAILED), T.MATCHED),
        ((T.FAILED, T.RETRYING), T.MATCHED),
        ((T.MINED,), T.MATCHED_NOT_BROADCASTED),
        ((), T.MINED),
    ],
)
def test_a_script_keeps_to_the_moves_of_the_venue(
    statuses: tuple[TradeStatus, ...], start: TradeStatus
) -> None:
    with pytest.raises(ValueError, match=r"allowed is|starts MATCHED"):
        path(*statuses, start=start)


def test_drawn_paths_have_the_frequencies_of_the_configuration() -> None:
    settlement = SettlementConfig(retry_ppm=200_000, fail_ppm=300_000, fail_mined_ppm=500_000)
    world = make_world(ExchangeConfig(settlement=settlement))
    for _ in range(600):
        world.venue.place(START_NS, world.request("b", SELL, UP, "0.50", "5"), "key-b")
        world.venue.place(START_NS, world.request("a", BUY, UP, "0.50", "5"), "key-a")
        world.venue.place(START_NS, world.request("a", SELL, UP, "0.50", "5"), "key-a")
        world.venue.place(START_NS, world.request("b", BUY, UP, "0.50", "5"), "key-b")
    world.wait(300)
    paths: dict[str, list[TradeStatus]] = {}
    for event in world.events:
        if isinstance(event, TradeStatusChanged):
            paths.setdefault(event.trade.trade_id, []).append(event.trade.status)
    counts = Counter(tuple(it) for it in paths.values())
    share = {key: value / len(paths) for key, value in counts.items()}
    assert share[T.MATCHED, T.MINED, T.CONFIRMED] == pytest.approx(0.56, abs=0.05)
    assert share[T.MATCHED, T.RETRYING, T.MINED, T.CONFIRMED] == pytest.approx(0.14, abs=0.04)
    assert share[T.MATCHED, T.RETRYING, T.FAILED] == pytest.approx(0.15, abs=0.04)
    assert share[T.MATCHED, T.MINED, T.RETRYING, T.FAILED] == pytest.approx(0.15, abs=0.04)


def test_a_market_has_its_own_rate_of_failures() -> None:
    terms = msgspec.structs.replace(make_world().venue.market(MARKET).terms, fail_ppm=1_000_000)
    world = make_world(terms=terms)
    world.sell("b", UP, "0.50", "10")
    world.buy("a", UP, "0.50", "10")
    world.wait(30)
    assert world.venue.trades("a")[0].status is T.FAILED


@pytest.mark.parametrize(
    "bad",
    [
        {"fail_ppm": 1_000_001},
        {"retry_ppm": -1},
        {"usable_from": T.FAILED},
        {"hash_from": T.CONFIRMED},
    ],
)
def test_a_settlement_that_makes_no_sense_is_refused(bad: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"allowed|MATCHED"):
        SettlementConfig(**bad)  # type: ignore[arg-type]  # a table of bad values


def test_a_step_back_in_time_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 0"):
        TradePath(steps=(TradeStep(status=T.MINED, delay_ns=-1),))
    with pytest.raises(ValueError, match="at least 0"):
        JobPath(steps=(JobStep(state=JobState.EXECUTED, delay_ns=-1),))
    with pytest.raises(ValueError, match="at least 0"):
        ChainConfig(auto_redeem_ns=-1)
    with pytest.raises(ValueError, match="allowed are"):
        ChainConfig(fail_ppm=-1)


def test_a_delay_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="low_ns <= high_ns"):
        Delay(low_ns=2, high_ns=1)
    with pytest.raises(ValueError, match="tail_ppm"):
        Delay(low_ns=0, high_ns=1, tail_ppm=2_000_000)


def test_makers_share_a_fifth_of_the_confirmed_fees_of_a_day() -> None:
    config = ExchangeConfig(settlement=CERTAIN, rebate_min_e6=100_000)
    world = make_world(config)
    world.sell("b", UP, "0.50", "300")
    world.sell("c", UP, "0.50", "100")
    world.sell("a", UP, "0.51", "100")
    world.buy("a", UP, "0.50", "400")  # fee 7
    world.buy("a", UP, "0.51", "5")  # against itself: a fee, but no weight
    day = START_NS // DAY_NS
    assert world.venue.pay_rebates(world.now_ns, day) == {}
    world.wait(10)
    pool_e6 = 7_000_000 + 87_470
    expected = {"b": pool_e6 // 5 * 3 // 4, "c": pool_e6 // 5 // 4}
    before = world.held("b", PUSD)
    assert world.venue.pay_rebates(world.now_ns, day) == expected
    world.check()
    assert world.held("b", PUSD) - before == expected["b"]
    assert [it.maker for it in world.events if isinstance(it, RebatePaid)] == ["b", "c"]
    assert world.venue.pay_rebates(world.now_ns, day) == {}


def test_a_rebate_below_the_minimum_is_not_paid() -> None:
    world = make_world()
    world.sell("b", UP, "0.50", "100")
    world.buy("a", UP, "0.50", "100")
    world.wait(10)
    assert world.venue.pay_rebates(world.now_ns, START_NS // DAY_NS) == {}
    assert world.venue.truth().fees_e6 == 1_750_000


def test_a_failed_trade_earns_no_rebate() -> None:
    world = make_world(ExchangeConfig(settlement=CERTAIN, rebate_min_e6=0))
    world.venue.script_trades(path(T.MINED, T.FAILED))
    world.sell("b", UP, "0.50", "100")
    world.buy("a", UP, "0.50", "100")
    world.wait(10)
    assert world.venue.pay_rebates(world.now_ns, START_NS // DAY_NS) == {}
