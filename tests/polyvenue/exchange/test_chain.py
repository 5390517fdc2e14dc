"""Split, merge and redeem; the end of a market; auto-redeem; forgetting."""

import msgspec
import pytest

from polyvenue.exchange import ExchangeConfig
from polyvenue.exchange.chain import JobRequest
from polyvenue.exchange.events import (
    BookRemoved,
    JobChanged,
    JobKind,
    JobState,
    JobView,
    MarketListed,
    MarketResolved,
    OrderChanged,
    PhaseChanged,
)
from polyvenue.exchange.orders import Refusal, TradeStatus
from polyvenue.exchange.records import JobPath, JobStep, TradePath, TradeStep
from polyvenue.exchange.units import S_NS
from tests.polyvenue.exchange.world import (
    CERTAIN,
    DOWN,
    MARKET,
    PUSD,
    START_NS,
    SURE_CHAIN,
    UP,
    World,
    e6,
    make_world,
)

HALVES = (500_000, 500_000)


def submit(
    world: World, kind: JobKind, qty: str = "0", nonce: int | None = None, who: str = "a"
) -> JobView:
    """A job that must be taken."""
    request = JobRequest(maker=who, kind=kind, market_id=MARKET, qty_e6=e6(qty), nonce=nonce)
    view = world.venue.submit_job(world.now_ns, request)
    assert isinstance(view, JobView)
    return view


def done(world: World, job: JobView) -> JobView:
    """The job after a while."""
    world.wait(60)
    view = world.venue.job(job.job_id)
    assert view is not None
    return view


def money(world: World, who: str = "a") -> tuple[int, int, int]:
    """Cash, Up and Down of a wallet."""
    return world.held(who, PUSD), world.held(who, UP), world.held(who, DOWN)


def finish(world: World, payouts_ppm: tuple[int, int] = (1_000_000, 0)) -> None:
    """End and resolve the market."""
    world.venue.open_market(world.now_ns, MARKET)
    world.venue.end_market(world.now_ns, MARKET)
    world.venue.resolve_market(world.now_ns, MARKET, payouts_ppm)
    world.check()


def test_a_split_makes_pairs_when_it_is_mined() -> None:
    world = make_world(pairs=0)
    job = submit(world, JobKind.SPLIT, "100")
    world.wait(2.9)
    assert money(world) == (e6(10_000), 0, 0)
    world.wait(0.1)
    assert money(world) == (e6(9900), e6(100), e6(100))
    assert done(world, job).state is JobState.CONFIRMED
    states = [it.job.state for it in world.events if isinstance(it, JobChanged)]
    assert states == [JobState.NEW, JobState.EXECUTED, JobState.MINED, JobState.CONFIRMED]


def test_a_merge_dissolves_pairs() -> None:
    world = make_world()
    view = done(world, submit(world, JobKind.MERGE, "400"))
    assert (view.state, view.qty_e6, view.cash_e6) == (JobState.CONFIRMED, e6(400), e6(400))
    assert len(view.tx_hash) == 66
    assert money(world) == (e6(10_400), e6(600), e6(600))


def test_a_job_without_means_fails_and_changes_nothing() -> None:
    world = make_world()
    before = money(world)
    for kind, qty in ((JobKind.SPLIT, "10000.01"), (JobKind.MERGE, "1000.01")):
        view = done(world, submit(world, kind, qty))
        assert (view.state, view.error) == (JobState.FAILED, "transfer amount exceeds balance")
    view = done(world, submit(world, JobKind.REDEEM))
    assert (view.state, view.error) == (JobState.FAILED, "result for condition not received yet")
    assert money(world) == before


def test_means_are_looked_at_when_the_job_is_mined() -> None:
    world = make_world(pairs=0)
    first, second = (submit(world, JobKind.SPLIT, "6000") for _ in range(2))
    assert done(world, first).state is JobState.CONFIRMED
    assert done(world, second).state is JobState.FAILED
    assert money(world) == (e6(4000), e6(6000), e6(6000))


@pytest.mark.parametrize(
    ("request_", "status", "text"),
    [
        (JobRequest(maker="z", kind=JobKind.SPLIT, market_id=MARKET, qty_e6=1), 400, "payload"),
        (JobRequest(maker="a", kind=JobKind.SPLIT, market_id="?", qty_e6=1), 404, "not found"),
        (JobRequest(maker="a", kind=JobKind.SPLIT, market_id=MARKET), 400, "payload"),
        (JobRequest(maker="a", kind=JobKind.MERGE, market_id=MARKET, qty_e6=-1), 400, "payload"),
    ],
)
def test_a_bad_job_is_refused(request_: JobRequest, status: int, text: str) -> None:
    world = make_world()
    refusal = world.venue.submit_job(START_NS, request_)
    assert isinstance(refusal, Refusal)
    assert refusal.status == status
    assert text in refusal.text
    assert world.venue.truth().jobs == ()


def test_the_same_nonce_is_the_same_job_and_acts_once() -> None:
    world = make_world()
    first = submit(world, JobKind.SPLIT, "100", nonce=0)
    assert submit(world, JobKind.SPLIT, "100", nonce=0) == first
    view = done(world, first)
    assert submit(world, JobKind.SPLIT, "100", nonce=0) == view
    assert money(world) == (e6(9900), e6(1100), e6(1100))
    other = submit(world, JobKind.SPLIT, "200", nonce=0)
    assert (other.state, other.error) == (JobState.INVALID, "nonce 0 is not the next one, 1")
    assert submit(world, JobKind.SPLIT, "1", nonce=5).state is JobState.INVALID
    assert submit(world, JobKind.SPLIT, "1", nonce=1).state is JobState.NEW


def test_jobs_fail_and_hang_by_script_or_by_chance() -> None:
    chain = msgspec.structs.replace(SURE_CHAIN, fail_ppm=1_000_000)
    world = make_world(ExchangeConfig(settlement=CERTAIN, chain=chain))
    hanging = JobPath(steps=(JobStep(state=JobState.EXECUTED, delay_ns=S_NS),))
    world.venue.script_jobs(hanging, maker="a")
    hung, failed = submit(world, JobKind.SPLIT, "100"), submit(world, JobKind.SPLIT, "100")
    assert done(world, hung).state is JobState.EXECUTED
    view = done(world, failed)
    assert (view.state, view.error) == (JobState.FAILED, "execution reverted")
    assert money(world) == (e6(10_000), e6(1000), e6(1000))
    with pytest.raises(ValueError, match="allowed is"):
        JobPath(steps=(JobStep(state=JobState.MINED, delay_ns=0),))
    with pytest.raises(ValueError, match="at least 1"):
        world.venue.script_jobs(hanging, count=0)


def test_a_job_takes_what_orders_rest_on_and_they_are_cancelled() -> None:
    world = make_world()
    sale = world.sell("a", UP, "0.90", "800")
    bid = world.buy("a", UP, "0.10", "10")
    submit(world, JobKind.MERGE, "500")
    world.wait(10)
    assert [world.status(it) for it in (sale, bid)] == ["CANCELED_NOT_ENOUGH_BALANCE", "LIVE"]
    chain = msgspec.structs.replace(SURE_CHAIN, recheck_orders=False)
    other = make_world(ExchangeConfig(settlement=CERTAIN, chain=chain))
    sale = other.sell("a", UP, "0.90", "800")
    submit(other, JobKind.MERGE, "500")
    other.wait(10)
    assert other.status(sale) == "LIVE"


@pytest.mark.parametrize(
    ("payouts_ppm", "cash"),
    [((1_000_000, 0), "300"), ((0, 1_000_000), "1000"), (HALVES, "650")],
)
def test_a_redeem_pays_by_the_winner(payouts_ppm: tuple[int, int], cash: str) -> None:
    world = make_world()
    world.venue.transfer(START_NS, "a", "b", UP, e6(700))
    finish(world, payouts_ppm)
    view = done(world, submit(world, JobKind.REDEEM))
    assert (view.state, view.qty_e6, view.cash_e6) == (JobState.CONFIRMED, e6(1300), e6(cash))
    assert money(world) == (e6(10_000) + e6(cash), 0, 0)
    again = done(world, submit(world, JobKind.REDEEM))
    assert (again.state, again.qty_e6, again.cash_e6) == (JobState.CONFIRMED, 0, 0)


def test_a_resolution_clears_the_book_and_says_who_won() -> None:
    world = make_world()
    order = world.buy("a", UP, "0.50", "10")
    finish(world, (0, 1_000_000))
    assert world.status(order) == "CANCELED_MARKET_RESOLVED"
    (event,) = world.take(MarketResolved)
    assert isinstance(event, MarketResolved)
    assert event.winning_token_id == DOWN
    phases = [it.phase for it in world.events if isinstance(it, PhaseChanged)]
    assert phases == ["open", "ended", "resolved"]
    world.venue.remove_book(world.now_ns, MARKET)
    world.check()
    assert len(world.take(BookRemoved)) == 1
    tie = make_world()
    finish(tie, HALVES)
    (event,) = tie.take(MarketResolved)
    assert isinstance(event, MarketResolved)
    assert event.winning_token_id is None


def test_trades_settle_after_the_resolution_too() -> None:
    world = make_world()
    world.buy("b", DOWN, "0.50", "10")
    world.buy("a", UP, "0.50", "10")
    finish(world)
    world.wait(10)
    assert money(world) == (e6(9995) - 175_000, e6(1010), e6(1000))
    submit(world, JobKind.REDEEM)
    world.wait(10)
    assert money(world) == (e6(11_005) - 175_000, 0, 0)


def test_the_life_of_a_market_goes_one_way() -> None:
    world = make_world()
    venue = world.venue
    with pytest.raises(ValueError, match="resolve it first"):
        venue.remove_book(START_NS, MARKET)
    venue.end_market(START_NS, MARKET)
    with pytest.raises(ValueError, match="it cannot become open"):
        venue.open_market(START_NS, MARKET)
    for payouts_ppm in ((1_000_000, 1), (1_000_001, -1)):
        with pytest.raises(ValueError, match="payouts_ppm"):
            venue.resolve_market(START_NS, MARKET, payouts_ppm)
    venue.resolve_market(START_NS, MARKET, (0, 1_000_000))
    with pytest.raises(ValueError, match="it cannot become resolved"):
        venue.resolve_market(START_NS, MARKET, (0, 1_000_000))
    with pytest.raises(ValueError, match="is not listed"):
        venue.open_market(START_NS, "0xnone")
    with pytest.raises(ValueError, match="listed already"):
        venue.list_market(START_NS, venue.market(MARKET).terms)


def test_a_listing_is_an_event() -> None:
    world = make_world(wallets="")
    terms = msgspec.structs.replace(
        world.venue.market(MARKET).terms, market_id="0xc9", token_ids=("8", "9")
    )
    world.venue.list_market(START_NS, terms, accepts_orders=False)
    world.check()
    listed = MarketListed(
        at_ns=START_NS, market_id="0xc9", token_ids=("8", "9"), accepts_orders=False
    )
    assert world.take(MarketListed) == [listed]


def test_the_venue_redeems_for_those_who_let_it() -> None:
    chain = msgspec.structs.replace(SURE_CHAIN, auto_redeem_ns=30 * S_NS)
    world = make_world(ExchangeConfig(settlement=CERTAIN, chain=chain))
    world.venue.account("a").auto_redeem = True
    finish(world)
    world.wait(29)
    assert world.venue.truth().jobs == ()
    world.wait(10)
    (job,) = world.venue.truth().jobs
    assert (job.maker, job.by_venue, job.state) == ("a", True, JobState.CONFIRMED)
    assert money(world) == (e6(11_000), 0, 0)
    assert money(world, "b") == (e6(10_000), e6(1000), e6(1000))
    assert submit(world, JobKind.REDEEM, nonce=0).state is JobState.NEW


def test_a_forgotten_market_leaves_nothing_behind_and_owes_nothing() -> None:
    world = make_world()
    venue = world.venue
    world.sell("b", UP, "0.50", "10")
    world.buy("a", UP, "0.50", "10")
    submit(world, JobKind.SPLIT, "10")
    with pytest.raises(ValueError, match="under way"):
        venue.forget_market(world.now_ns, MARKET)
    finish(world, HALVES)
    venue.remove_book(world.now_ns, MARKET)
    with pytest.raises(ValueError, match="under way"):
        venue.forget_market(world.now_ns, MARKET)
    world.wait(30)
    venue.forget_market(world.now_ns, MARKET)
    world.check()
    truth = venue.truth()
    assert (truth.orders, truth.fills, truth.jobs) == ((), (), ())
    assert {it.asset for it in truth.balances} == {PUSD}
    assert sum(it.held_e6 for it in truth.balances) == e6(33_000)
    assert venue.trades("a") == ()
    venue.list_market(
        world.now_ns, msgspec.structs.replace(make_world().venue.market(MARKET).terms)
    )
    world.buy("a", UP, "0.50", "10")


def test_what_hangs_for_ever_does_not_keep_a_market() -> None:
    world = make_world()
    venue = world.venue
    mined = TradeStep(status=TradeStatus.MINED, delay_ns=S_NS)
    venue.script_trades(TradePath(steps=()))
    venue.script_trades(TradePath(steps=(mined,)))
    for _ in range(2):
        world.sell("b", UP, "0.50", "10")
        world.buy("a", UP, "0.50", "10")
    finish(world)
    venue.remove_book(world.now_ns, MARKET)
    world.wait(30)
    venue.forget_market(world.now_ns, MARKET)
    world.check()
    # a: one trade of two was mined, and 1010 winning shares were paid out
    assert money(world) == (e6(9995) - 175_000 + e6(1010), 0, 0)
    account = venue.account("a")
    assert (account.leaving, account.coming, account.frozen) == ({}, {}, {})


def test_an_auto_redeem_of_a_forgotten_market_does_nothing() -> None:
    chain = msgspec.structs.replace(SURE_CHAIN, auto_redeem_ns=30 * S_NS)
    world = make_world(ExchangeConfig(settlement=CERTAIN, chain=chain))
    finish(world)
    world.venue.remove_book(world.now_ns, MARKET)
    world.venue.forget_market(world.now_ns, MARKET)
    world.wait(60)
    assert money(world) == (e6(11_000), 0, 0)


def test_a_redeem_sent_again_is_the_same_job() -> None:
    world = make_world()
    finish(world)
    first = submit(world, JobKind.REDEEM, nonce=0)
    view = done(world, first)
    assert submit(world, JobKind.REDEEM, nonce=0) == view
    assert submit(world, JobKind.SPLIT, "5", nonce=0).state is JobState.INVALID


def test_events_of_orders_carry_the_reason_of_the_end() -> None:
    world = make_world()
    world.buy("a", UP, "0.50", "10")
    finish(world)
    reasons = [it.reason for it in world.events if isinstance(it, OrderChanged)]
    assert reasons == ["", "market resolved"]
