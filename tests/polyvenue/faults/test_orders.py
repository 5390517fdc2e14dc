"""Faults of the venue itself: who believes the first thing it hears is wrong."""

from dataclasses import dataclass, field

import pytest

from polyvenue.exchange.chain import JobRequest
from polyvenue.exchange.events import JobKind, JobState
from polyvenue.exchange.orders import OrderRequest, Placed, Refusal, Side, TradeStatus
from polyvenue.exchange.units import MS_NS, PPM
from tests.polyvenue.faults.world import World, make_venue

E6 = 10**6


@dataclass
class Market:
    """A venue of its own with a running window and two funded wallets, a and b."""

    world: World = field(default_factory=lambda: World(make_venue()))
    count: int = 0

    def __post_init__(self) -> None:
        venue = self.world.venue
        self.exchange = venue.exchange
        now_ns = venue.catch_up()
        self.record = next(it for it in venue.markets.markets() if it.is_accepting(now_ns))
        self.market_id = self.record.window.condition_id
        self.exchange.set_hold(now_ns, self.market_id, 0)
        for name in ("a", "b"):
            self.exchange.create_account(now_ns, name, collateral_e6=1_000 * E6)
            self.exchange.add_api_key(now_ns, name, f"key-{name}")

    def place(self, who: str, outcome: int, cents: int, shares: int = 10) -> Placed | Refusal:
        """A BUY order."""
        self.count += 1
        request = OrderRequest(
            order_id=f"0x{self.count:064x}",
            owner=f"key-{who}",
            maker=who,
            token_id=self.record.window.token_ids[outcome],
            side=Side.BUY,
            maker_amount_e6=cents * shares * 10_000,
            taker_amount_e6=shares * E6,
        )
        return self.exchange.place(self.world.venue.catch_up(), request, request.owner)

    def pair(self) -> None:
        """One match: a buys Up at 60, b buys Down at 40."""
        assert isinstance(self.place("a", 0, 60), Placed)
        assert isinstance(self.place("b", 1, 40), Placed)

    def wait(self, seconds: float) -> None:
        """Let venue time pass."""
        self.world.venue.clock.step(int(seconds * 1000) * MS_NS)
        self.world.venue.catch_up()
        assert self.exchange.problems() == []

    def statuses(self) -> list[TradeStatus]:
        """Of every trade in the truth."""
        return [it.status for it in self.exchange.truth().fills if it.is_taker]


def test_a_matched_trade_fails_a_second_later() -> None:
    market = Market()
    steps = [{"status": "RETRYING", "after_ms": 500}, {"status": "FAILED", "after_ms": 500}]
    market.world.order("trade", steps=steps, market_id=market.market_id, nth=2)
    market.pair()
    market.pair()
    counted = len(market.statuses()) * 10  # the naive client's position: matched is mine
    market.wait(1)
    assert market.statuses()[1] is TradeStatus.FAILED
    market.wait(120)
    up = market.record.window.token_ids[0]
    held_e6 = market.exchange.account("a").held.get(up, 0)
    assert (counted, held_e6) == (20, 10 * E6)
    assert [it.hits for it in market.world.gate.faults()] == [1]


def test_a_hash_changes_and_a_trade_hangs() -> None:
    market = Market()
    steps = [
        {"status": "MINED", "after_ms": 100},
        {"status": "RETRYING", "after_ms": 100, "new_hash": True},
    ]
    market.world.order("trade", steps=steps, count=1)
    market.pair()
    market.wait(0.1)
    (mined,) = market.exchange.trades("a")
    market.wait(120)
    (after,) = market.exchange.trades("a")
    assert mined.tx_hash
    assert mined.tx_hash != after.tx_hash, "the hash that the naive client waits for never comes"
    assert after.status is TradeStatus.RETRYING


def test_three_of_ten_trades_fail_by_the_seed() -> None:
    def run(seed: int) -> list[TradeStatus]:
        market = Market()
        market.world.order("trade", steps=[{"status": "FAILED"}], probability=0.3, seed=seed)
        for _ in range(40):
            market.pair()
        market.wait(0)
        return market.statuses()

    first = run(4)
    assert first == run(4) != run(5)
    assert 5 <= first.count(TradeStatus.FAILED) <= 20


def test_a_removed_path_is_given_to_no_more_trades() -> None:
    market = Market()
    market.world.order("trade", steps=[{"status": "FAILED"}])
    made = market.world.order("job", steps=[{"state": "STATE_FAILED"}])
    market.pair()
    market.world.gate.remove(1)
    market.pair()
    market.wait(0)
    assert market.statuses() == [TradeStatus.FAILED, TradeStatus.MATCHED]
    market.world.gate.remove(made.id)
    core = market.exchange.core
    assert (core.trade_scripts, core.job_scripts) == ([], [])


def test_only_the_order_that_is_named_fails() -> None:
    market = Market()
    leg = market.place("a", 0, 60)
    assert isinstance(leg, Placed)
    market.world.order("trade", steps=[{"status": "FAILED"}], order_id=leg.order_id)
    assert isinstance(market.place("b", 1, 40), Placed)
    market.pair()
    market.wait(0)
    assert market.statuses() == [TradeStatus.FAILED, TradeStatus.MATCHED]


def test_a_split_fails_on_chain() -> None:
    market = Market()
    market.world.order("job", steps=[{"state": "STATE_FAILED", "after_ms": 100}], wallet="a")
    request = JobRequest(
        maker="a", kind=JobKind.SPLIT, market_id=market.market_id, qty_e6=5 * E6, nonce=0
    )
    job = market.exchange.submit_job(market.world.venue.catch_up(), request)
    assert not isinstance(job, Refusal)
    assert job.state is JobState.NEW  # the naive client counts its pairs from here
    market.wait(60)
    found = market.exchange.job(job.job_id)
    assert found is not None
    assert found.state is JobState.FAILED
    assert market.exchange.account("a").held == {"pUSD": 1_000 * E6}


def test_bad_paths_are_refused_and_arm_nothing() -> None:
    world = World(make_venue())
    with pytest.raises(ValueError, match="CONFIRMED after MATCHED"):
        world.order("trade", steps=[{"status": "CONFIRMED"}])
    with pytest.raises(ValueError, match="at least 0"):
        world.order("job", steps=[{"state": "STATE_FAILED", "after_ms": -1}])
    assert world.gate.faults() == ()
    assert world.venue.exchange.core.trade_scripts == []


def test_modes_refuse_orders_that_a_naive_client_keeps_sending() -> None:
    market = Market()
    market.world.order("engine", action="restart", after_ms=1_000)
    refused = market.place("a", 0, 50)
    assert isinstance(refused, Refusal)
    assert refused.status == 425
    market.wait(1)
    assert isinstance(market.place("a", 0, 50), Refusal), "after a restart: post-only"
    market.world.gate.clear()
    assert isinstance(market.place("a", 0, 50), Placed)
    market.world.order("engine", action="mode", mode="disabled", after_ms=500)
    refused = market.place("a", 0, 50)
    assert isinstance(refused, Refusal)
    assert refused.status == 503
    market.wait(0.5)
    assert isinstance(market.place("a", 0, 50), Placed)


def test_a_tick_change_refuses_a_price_from_a_cache() -> None:
    market = Market()
    assert isinstance(market.place("a", 0, 41), Placed)
    market.world.order("engine", action="tick", market_id=market.market_id, tick_e4=1000)
    assert isinstance(market.place("a", 0, 41), Refusal)
    with pytest.raises(ValueError, match="tick_e4 is 7"):
        market.world.order("engine", action="tick", market_id=market.market_id, tick_e4=7)
    with pytest.raises(ValueError, match="not listed"):
        market.world.order("engine", action="tick", market_id="0x", tick_e4=10)
    assert [it.active for it in market.world.gate.faults()] == [False]


def test_a_hold_delays_what_looked_immediate() -> None:
    market = Market()
    market.world.order("engine", action="hold", market_id=market.market_id, hold_ms=30_000)
    assert isinstance(market.place("a", 0, 60), Placed)
    taker = market.place("b", 1, 40)
    assert isinstance(taker, Placed)
    assert (taker.status, market.statuses()) == ("delayed", [])
    market.wait(29)
    assert market.statuses() == []


@pytest.mark.parametrize(
    ("winner", "payouts", "shown"), [("up", (PPM, 0), 0), ("down", (0, PPM), 1)]
)
def test_a_market_ends_early_and_the_loser_is_the_one_believed_in(
    winner: str, payouts: tuple[int, int], shown: int
) -> None:
    market = Market()
    fault = {"market_id": market.market_id}
    market.world.order("engine", action="end", **fault)
    assert isinstance(market.place("a", 0, 50), Refusal)
    market.world.order("engine", action="resolve", winner=winner, **fault)
    assert market.exchange.market(market.market_id).payouts_ppm == payouts
    record = market.world.venue.markets.market(market.market_id)
    assert record is not None
    assert record.winner == shown
    with pytest.raises(ValueError, match="cannot become"):
        market.world.order("engine", action="resolve", winner=winner, **fault)
    market.wait(600)  # the schedule passes by what was done by hand


def test_a_split_payout_pays_both() -> None:
    market = Market()
    for action, extra in (("end", {}), ("resolve", {"winner": "split"})):
        market.world.order("engine", action=action, market_id=market.market_id, **extra)
    assert market.exchange.market(market.market_id).payouts_ppm == (PPM // 2, PPM // 2)


def test_a_drained_wallet_is_a_ghost() -> None:
    market = Market()
    assert isinstance(market.place("a", 0, 60), Placed)
    market.world.order("balance", action="withdraw", wallet="a", amount_e6=1_000 * E6)
    assert isinstance(market.place("b", 1, 40), Placed)
    assert market.statuses() == [TradeStatus.MATCHED]
    market.wait(120)
    assert market.statuses() == [TradeStatus.FAILED]
    with pytest.raises(ValueError, match="can give 0 to 0"):
        market.world.order("balance", action="withdraw", wallet="a", amount_e6=1)


def test_wallets_are_changed_from_outside() -> None:
    market = Market()
    for fault in (
        {"action": "allowance", "amount_e6": 0},
        {"action": "banned", "on": True},
        {"action": "closed_only", "on": True},
    ):
        market = Market()
        market.world.order("balance", wallet="a", **fault)
        assert isinstance(market.place("a", 0, 50), Refusal), fault
        assert isinstance(market.place("b", 0, 50), Placed), fault
    market.world.order("balance", action="deposit", wallet="b", amount_e6=5)
    assert market.exchange.account("b").held["pUSD"] == 1_000 * E6 + 5
    market.world.order("balance", action="tokens_approved", wallet="b", on=False)
    assert not market.exchange.account("b").tokens_approved
    with pytest.raises(ValueError, match="does not exist"):
        market.world.order("balance", action="banned", wallet="nobody", on=True)
