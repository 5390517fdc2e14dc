"""The ledger is a function of the set of facts: order, duplicates, interleaving do not matter."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from polybawt.domain.events import TransferKind
from polybawt.domain.fill import Fill, Liquidity
from polybawt.domain.ids import FillId, Instrument, JobId, MarketId, OrderId, Side, StrategyName
from polybawt.domain.units import E12
from polybawt.portfolio.ledger import Ledger
from polybawt.portfolio.lots import Method
from polybawt.portfolio.pnl import liquidation_mark_e18

MARKETS = (MarketId("m0"), MarketId("m1"))
NAMES = (StrategyName("a"), StrategyName("b"))
OPENING_E6 = 10**9


class Fact(NamedTuple):
    """One call of the ledger."""

    method: str
    args: tuple[object, ...]

    def tell(self, ledger: Ledger) -> bool:
        return bool(getattr(ledger, self.method)(*self.args))


class World(NamedTuple):
    """Facts that can all be true together, and the same ones in another order, some twice."""

    facts: list[Fact]
    shuffled: list[Fact]


@st.composite
def fills(draw: st.DrawFn) -> list[tuple[Fill, MarketId]]:
    result = []
    for i in range(draw(st.integers(0, 14))):
        market = draw(st.integers(0, 1))
        one = Fill(
            fill_id=FillId(f"f{i}"),
            order_id=OrderId(f"o{i}"),
            strategy=draw(st.sampled_from(NAMES)),
            instrument=Instrument(2 * market + draw(st.integers(0, 1))),
            side=draw(st.sampled_from(Side)),
            liquidity=Liquidity.TAKER,
            price_e4=draw(st.integers(1, 9_999)),
            qty_e6=draw(st.integers(1, 3_000_000)),
            fee_e6=draw(st.integers(0, 30_000)),
            venue_ns=draw(st.integers(1, 6)),
        )
        result.append((one, MARKETS[market]))
    return result


@st.composite
def jobs(draw: st.DrawFn) -> list[Fact]:
    result = []
    for i in range(draw(st.integers(0, 5))):
        args = (JobId(f"j{i}"), draw(st.sampled_from(NAMES)), draw(st.sampled_from(MARKETS)))
        amounts = (draw(st.integers(1, 3_000_000)), draw(st.integers(1, 6)))
        if draw(st.booleans()):
            alloc_ppm = draw(st.integers(0, 1_000_000))
            result.append(Fact("split", (*args, *amounts, alloc_ppm)))
        else:
            result.append(Fact("merge", (*args, *amounts)))
    return result


@st.composite
def worlds(draw: st.DrawFn) -> World:
    facts = draw(jobs())
    for one, market in draw(fills()):
        facts.append(Fact("fill", (one, market)))
        verdict = draw(st.sampled_from(("open", "confirm", "void")))
        if verdict != "open":
            facts.append(
                Fact(verdict, (one.fill_id, 9) if verdict == "confirm" else (one.fill_id,))
            )
    for i, market in enumerate(MARKETS):
        up_ppm = draw(st.sampled_from((None, 0, 1_000_000, 500_000, 333_333)))
        if up_ppm is not None:
            facts.append(Fact("settle", (market, (up_ppm, 1_000_000 - up_ppm), 7)))
        if draw(st.booleans()):
            cash_e6 = draw(st.integers(0, 9_000_000))
            facts.append(Fact("redeem", (JobId(f"r{i}"), market, cash_e6, 8)))
    kinds = draw(st.lists(st.sampled_from(TransferKind), max_size=3, unique=True))
    facts.extend(Fact("transfer", (f"t-{kind}", kind, 1_234_567)) for kind in kinds)
    again = draw(st.lists(st.sampled_from(facts), max_size=6)) if facts else []
    return World(facts, draw(st.permutations(facts + again)))


def run(facts: list[Fact], method: Method) -> Ledger:
    """Feed the facts; after every one the cheap checks hold."""
    ledger = Ledger(OPENING_E6, method)
    for fact in facts:
        fact.tell(ledger)
        ledger.check()
        held = [ledger.position(name, market) for name in NAMES for market in MARKETS]
        paid_e6 = ledger.cash_e6 - OPENING_E6 - ledger.transfers_e6 - ledger.rebates_e6
        assert sum(p.cash_e6 + p.receivable_e6 for p in held) == paid_e6 + ledger.receivable_e6
        assert sum(p.cost_e18 for p in held) == ledger.cost_e18
    ledger.audit()
    return ledger


def picture(ledger: Ledger) -> object:
    """Everything that can be read, in an order of its own."""
    positions = {
        (market, name): ledger.position(name, market) for market in MARKETS for name in NAMES
    }
    return (
        (ledger.cash_e6, ledger.receivable_e6, ledger.transfers_e6, ledger.rebates_e6),
        (ledger.realized_e18, ledger.realized_confirmed_e18, ledger.cost_e18, ledger.fees_e18),
        ledger.unfunded,
        positions,
        [ledger.totals(name) for name in NAMES],
        {market: ledger.strategies(market) for market in MARKETS},
        sorted((e.market_id, e.strategy, e.kind, e.key, e.postings) for e in ledger.entries()),
    )


@settings(max_examples=150, deadline=None)
@given(worlds(), st.sampled_from(Method))
def test_any_order_and_any_duplicates_give_the_same_ledger(world: World, method: Method) -> None:
    assert picture(run(world.facts, method)) == picture(run(world.shuffled, method))


@settings(max_examples=80, deadline=None)
@given(worlds(), st.sampled_from(Method))
def test_a_second_report_of_everything_changes_nothing(world: World, method: Method) -> None:
    ledger = run(world.facts, method)
    before = picture(ledger)
    assert not any(fact.tell(ledger) for fact in world.shuffled)
    assert picture(ledger) == before


@settings(max_examples=80, deadline=None)
@given(worlds(), st.integers(0, 10_000), st.integers(0, 10_000))
def test_profit_is_equity_growth_exactly_and_methods_agree_on_it(
    world: World, bid_up_e4: int, bid_down_e4: int
) -> None:
    totals = []
    for method in Method:
        ledger = run(world.shuffled, method)
        held = [ledger.position(name, market) for name in NAMES for market in MARKETS]
        mark_e18 = sum(
            liquidation_mark_e18(p.up_e6, p.down_e6, bid_up_e4, bid_down_e4) for p in held
        )
        profit_e18 = ledger.realized_e18 + mark_e18 - sum(p.cost_e18 for p in held)
        equity_e18 = (ledger.cash_e6 + ledger.receivable_e6) * E12 + mark_e18
        assert profit_e18 == equity_e18 - (OPENING_E6 + ledger.transfers_e6) * E12
        totals.append((profit_e18, ledger.cash_e6, ledger.receivable_e6, ledger.fees_e18))
    assert totals[0] == totals[1]


@settings(max_examples=80, deadline=None)
@given(fills(), st.sampled_from(Method), st.data())
def test_voided_fills_leave_no_trace(
    booked: list[tuple[Fill, MarketId]], method: Method, data: st.DataObject
) -> None:
    ledger, without = Ledger(OPENING_E6, method), Ledger(OPENING_E6, method)
    voided = {one.fill_id for one, _ in booked if data.draw(st.booleans())}
    for one, market in booked:
        ledger.fill(one, market)
    for fill_id in sorted(voided):
        assert ledger.void(fill_id)
        assert not ledger.void(fill_id)
    for one, market in booked:
        if one.fill_id not in voided:
            without.fill(one, market)
    ledger.audit()
    for name in NAMES:
        assert ledger.totals(name) == without.totals(name)
        for market in MARKETS:
            assert ledger.position(name, market) == without.position(name, market)
    assert (ledger.cash_e6, ledger.realized_e18) == (without.cash_e6, without.realized_e18)


@settings(max_examples=80, deadline=None)
@given(worlds(), st.sampled_from(Method))
def test_dropping_finished_markets_changes_no_total_and_forgets_no_duplicate(
    world: World, method: Method
) -> None:
    ledger = run(world.facts, method)
    for i, market in enumerate(MARKETS):
        if not ledger.is_settled(market):
            ledger.settle(market, (500_000, 500_000), 7)
        rest_e6 = ledger.live[market].due_e6 - ledger.live[market].redeemed_e6
        if rest_e6 > 0:
            ledger.redeem(JobId(f"rest{i}"), market, rest_e6, 8)
    before = [ledger.totals(name) for name in NAMES]
    rounding_e18 = -ledger.realized_e18
    for market in ledger.markets():
        if ledger.is_finished(market):
            ledger.drop(market)
    assert [ledger.totals(name) for name in NAMES] == before
    rounding_e18 += ledger.realized_e18
    assert rounding_e18 == ledger.rounding_e6 * E12 <= 4 * E12
    ledger.audit()
    cash_e6 = ledger.cash_e6
    for fact in world.facts:
        assert not fact.tell(ledger)
    assert ledger.cash_e6 == cash_e6
