"""The account is a function of the set of facts told: order and repetition change nothing.

Everything is told to AccountState as it comes from the venue: orders that were placed, then their
acceptances, fills, confirmations, voids and ends, in any order, some of them twice.
"""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from polybawt.domain import events as ev
from polybawt.domain.actions import MergePair, Place
from polybawt.domain.fees import FeeSchedule
from polybawt.domain.fill import Liquidity
from polybawt.domain.ids import FillId, Instrument, JobId, MarketId, OrderId, Side, StrategyName
from polybawt.domain.market import Market, TwapBoundary
from polybawt.domain.order import Leg, OrderState
from polybawt.domain.units import E6, LOT_E6, S_NS
from polybawt.invariants import check_account
from polybawt.portfolio.account import AccountState
from polybawt.portfolio.lots import Method

MARKET_ID = MarketId("0xaa")
NAMES = (StrategyName("a"), StrategyName("b"))
OPEN_NS = 1_790_586_000 * S_NS
MARKET = Market(
    market_id=MARKET_ID,
    asset="btc",
    slug="btc-updown-15m-1790586000",
    open_ns=OPEN_NS,
    close_ns=OPEN_NS + 900 * S_NS,
    token_up="1",
    token_down="2",
    tick_e4=100,
    fees=FeeSchedule(rate_ppm=70_000, exponent=1),
    settlement=TwapBoundary(stream="btc-usd-twap-60s"),
)


class Story(NamedTuple):
    """What was sent, what was told of it in order of venue time, and the same told otherwise."""

    orders: list[Place]
    merge: MergePair | None
    told: list[ev.Event]
    retold: list[ev.Event]


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Buys first, then sells of what was bought for certain, one merge, and perhaps the end."""
    bought = {(name, token): 0 for name in NAMES for token in (0, 1)}
    orders: list[Place] = []
    told: list[ev.Event] = []
    for number in range(draw(st.integers(1, 6))):
        name, token = draw(st.sampled_from(NAMES)), draw(st.integers(0, 1))
        held = bought[name, token]
        side = Side.SELL if held and draw(st.booleans()) else Side.BUY
        size = held if side is Side.SELL else draw(st.integers(1, 2_000)) * LOT_E6
        order = _place(
            number, name, Leg(instrument=Instrument(token), side=side, limit_e4=5_000, qty_e6=size)
        )
        orders.append(order)
        sure = _life(draw, order, number, told)
        bought[name, token] += sure if side is Side.BUY else -size
    merge = _merge(draw, bought, told)
    if draw(st.booleans()):
        payouts = draw(st.sampled_from([(1_000_000, 0), (0, 1_000_000), (500_000, 500_000)]))
        told.append(
            ev.MarketResolved(
                market_id=MARKET_ID, payouts_ppm=payouts, evidence=ev.Evidence.OFFICIAL
            )
        )
    again = draw(st.lists(st.sampled_from(told), max_size=6)) if told else []
    return Story(orders, merge, told, draw(st.permutations(told + again)))


def _place(number: int, name: StrategyName, leg: Leg) -> Place:
    return Place(
        strategy=name,
        market_id=MARKET_ID,
        order_id=OrderId(f"o{number}"),
        leg=leg,
        valid_until_ns=OPEN_NS + S_NS,
    )


def _life(draw: st.DrawFn, order: Place, number: int, told: list[ev.Event]) -> int:
    """Acceptance, fills with their fates, perhaps an end; how much was matched and not voided."""
    at_ns = OPEN_NS + number * S_NS
    told.append(ev.OrderAccepted(order_id=order.order_id, state=OrderState.LIVE, venue_ns=at_ns))
    rest, sure = order.leg.qty_e6, 0
    for match in range(draw(st.integers(0, 3))):
        if not rest:
            break
        qty = draw(st.integers(1, rest // LOT_E6)) * LOT_E6
        rest -= qty
        fill_id = FillId(f"{order.order_id}/{match}")
        fate = draw(st.sampled_from(["open", "confirmed", "voided"]))
        told.append(_filled(draw, order, fill_id, qty, at_ns + 10 * (match + 1)))
        if fate == "confirmed":
            told.append(ev.FillAdvanced(fill_id=fill_id, venue_ns=at_ns + 500 + match))
        elif fate == "voided":
            told.append(ev.FillVoided(fill_id=fill_id, cause="FAILED", venue_ns=at_ns + 500))
        sure += 0 if fate == "voided" else qty
    if rest and draw(st.booleans()):
        told.append(_cancelled(order, at_ns))
    return sure


def _filled(draw: st.DrawFn, order: Place, fill_id: FillId, qty: int, at_ns: int) -> ev.Filled:
    return ev.Filled(
        fill_id=fill_id,
        order_id=order.order_id,
        liquidity=Liquidity.TAKER,
        price_e4=draw(st.integers(1, 99)) * 100,
        qty_e6=qty,
        fee_e6=draw(st.integers(0, 2_000)) * 10,
        venue_ns=at_ns,
    )


def _cancelled(order: Place, at_ns: int) -> ev.OrderClosed:
    return ev.OrderClosed(
        order_id=order.order_id,
        state=OrderState.CANCELLED,
        reason="BY_USER",
        venue_ns=at_ns + 900,
    )


def _merge(
    draw: st.DrawFn, bought: dict[tuple[StrategyName, int], int], told: list[ev.Event]
) -> MergePair | None:
    name = draw(st.sampled_from(NAMES))
    pairs = min(bought[name, 0], bought[name, 1])
    if pairs <= 0 or draw(st.booleans()):
        return None
    told.append(
        ev.PairMerged(
            job_id=JobId("j1"), market_id=MARKET_ID, qty_e6=pairs, venue_ns=OPEN_NS + 60 * S_NS
        )
    )
    return MergePair(
        strategy=name,
        market_id=MARKET_ID,
        job_id=JobId("j1"),
        qty_e6=pairs,
        valid_until_ns=OPEN_NS + 60 * S_NS,
    )


def _account(story: Story, told: list[ev.Event], method: Method) -> AccountState:
    account = AccountState(1_000_000 * E6, method)
    account.apply(ev.MarketListed(market=MARKET))
    for order in story.orders:
        account.note(order, OPEN_NS)
    if story.merge is not None:
        account.note(story.merge, OPEN_NS)
    for event in told:
        account.apply(event)
    return account


def _picture(account: AccountState) -> list[object]:
    """All that may be asked of an account, in comparable values."""
    ledger = account.ledger
    totals = [(name, ledger.totals(name), ledger.position(name, MARKET_ID)) for name in NAMES]
    orders = [
        (order.order_id, order.state, order.matched_e6, order.filled_e6, sorted(order.fill_ids))
        for order in account.orders.by_id.values()
    ]
    sums = (ledger.cash_e6, ledger.receivable_e6, ledger.cost_e18, ledger.realized_e18)
    return [sums, ledger.fees_e6, totals, orders, account.cash_free_e6(), account.locked_e6()]


@settings(max_examples=150)
@given(stories(), st.sampled_from(list(Method)))
def test_order_and_repetition_of_facts_change_nothing(story: Story, method: Method) -> None:
    told = _account(story, story.told, method)
    retold = _account(story, story.retold, method)
    assert _picture(retold) == _picture(told)
    for account in (told, retold):
        check_account(account)
        account.ledger.audit()


@settings(max_examples=60)
@given(stories())
def test_facts_told_twice_in_a_row_change_nothing(story: Story) -> None:
    twice = [event for one in story.told for event in (one, one)]
    once = _picture(_account(story, story.told, Method.AVERAGE))
    assert _picture(_account(story, twice, Method.AVERAGE)) == once
