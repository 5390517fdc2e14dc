"""The core against a tiny venue: whatever is wished and answered, its promises hold."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from polybawt.domain import events as ev
from polybawt.domain.actions import ChainAction, MergePair, Place, Redeem
from polybawt.domain.ids import MarketId, OrderId, Outcome, Side, StrategyName
from polybawt.domain.intents import Intent
from polybawt.domain.market import Phase
from polybawt.domain.order import CANCELLABLE, Leg, OrderState, Tif
from polybawt.domain.units import E4, E6, S_NS, Rounding, floor_lot_e6
from polybawt.engine import Step
from polybawt.portfolio.account import LiveMarket
from polybawt.risk.limits import LimitsConfig, market_exposure, resting_e6, token_cost_e6
from polybawt.state import View
from tests.world import (
    ALPHA,
    BETA,
    CLOSE_NS,
    FEES,
    M1,
    M2,
    M3,
    OPEN_NS,
    World,
    convert,
    make_market,
    quote,
    resolved,
    shares,
    strategy,
    take,
)

S = OrderState
MARKETS = (
    make_market(M1),
    make_market(M2, asset="ETH"),
    make_market(M3, open_ns=OPEN_NS + 900 * S_NS),
)
LIMITS = LimitsConfig(
    order_fraction=0.05,
    token_fraction=0.05,
    market_fraction=0.08,
    window_fraction=0.12,
    asset_fraction=0.10,
    strategy_fraction=0.12,
    account_fraction=0.15,
    resting_fraction=0.20,
    working_orders_max=12,
    book_stale_ms=600_000,
)
CASH_E6 = 1_000 * E6

names = st.sampled_from((ALPHA, BETA))
ids = st.sampled_from((M1, M2, M3))
price = st.integers(5, 15).map(lambda n: 500 * n)
size = st.integers(4, 130).map(shares)
legs = st.tuples(st.sampled_from(Side), st.sampled_from(Outcome), price, size, st.booleans())
LegDraw = tuple[Side, Outcome, int, int, bool]
Wishes = dict[tuple[StrategyName, MarketId], list[Intent]]


class Core(RuleBasedStateMachine):
    """Rules wish, answer, fill and let time pass; the venue is the set of orders it knows."""

    def __init__(self) -> None:
        super().__init__()
        self.wishes: Wishes = {}
        self.broken: StrategyName | None = None
        self.steps: list[tuple[Wishes, StrategyName | None, ev.Batch, bytes]] = []
        self.world = self.new_world((ALPHA, BETA))
        self.unanswered: list[OrderId] = []
        self.standing: list[OrderId] = []
        self.provisional: list[ev.Filled] = []
        self.jobs: list[ChainAction] = []
        self.fills = 0

    def new_world(self, order: tuple[StrategyName, ...]) -> World:
        def decide(view: View) -> list[Intent]:
            if view.strategy == self.broken:
                raise RuntimeError("broken")
            return self.wishes.get((view.strategy, view.market.market_id), [])

        strategies = (strategy(decide, name) for name in order)
        return World(*strategies, limits=LIMITS, cash_e6=CASH_E6).ready(*MARKETS)

    # --- frames ----------------------------------------------------------------------------------

    def send(self, *events: ev.Event) -> None:
        account = self.world.account
        # No two facts of one instant: their order, and with it the average cost, would be free.
        self.world.now_ns += 1
        batch = self.world.batch(*events)
        step = self.world.engine.step(batch)
        encoded = msgspec.json.encode((step.decisions, step.actions))
        self.steps.append((dict(self.wishes), self.broken, batch, encoded))
        for action in step.actions:
            if isinstance(action, Place):
                self.check_place(action)
                self.unanswered.append(action.order_id)
                self.standing.append(action.order_id)
            elif isinstance(action, ChainAction):
                self.jobs.append(action)
        if account.halted:
            assert not any(isinstance(action, Place | ChainAction) for action in step.actions)

    def check_place(self, place: Place) -> None:
        live = self.world.live(place.market_id)
        state = self.world.state
        assert live.market.phase(state.now_ns, state.cutoff_ns) in (Phase.LISTED, Phase.OPEN)
        assert place.strategy not in self.world.account.quarantined
        orders = self.world.account.orders.open_in(place.market_id)
        assert not any(order.state is S.UNKNOWN for order in orders)

    def touch(self, market_id: MarketId) -> None:
        self.send(*self.world.books(market_id))

    def is_listed(self, market_id: MarketId) -> bool:
        return market_id in self.world.account.markets

    def leg(self, market_id: MarketId, draw: LegDraw) -> Leg:
        side, outcome, limit_e4, qty_e6, is_maker = draw
        return self.world.leg(
            side, outcome, limit_e4, qty_e6, market_id=market_id, post_only=is_maker
        )

    # --- wishes ----------------------------------------------------------------------------------

    @rule(name=names, market_id=ids, drawn=st.lists(legs, max_size=3))
    def wish_quote(self, name: StrategyName, market_id: MarketId, drawn: list[LegDraw]) -> None:
        if self.is_listed(market_id):
            wanted = [self.leg(market_id, draw) for draw in drawn]
            self.wishes[name, market_id] = [quote(*wanted, name=name, market_id=market_id)]
            self.touch(market_id)

    @rule(name=names, market_id=ids, drawn=st.lists(legs, min_size=1, max_size=2))
    def wish_take(self, name: StrategyName, market_id: MarketId, drawn: list[LegDraw]) -> None:
        if self.is_listed(market_id):
            wanted = [
                msgspec.structs.replace(self.leg(market_id, draw), tif=Tif.FAK, post_only=False)
                for draw in drawn
            ]
            self.wishes[name, market_id] = [take(*wanted, name=name, market_id=market_id)]
            self.touch(market_id)
            self.wishes.pop((name, market_id))

    @rule(name=names, kind=st.sampled_from((ev.JobKind.MERGE, ev.JobKind.SPLIT)), qty_e6=size)
    def wish_conversion(self, name: StrategyName, kind: ev.JobKind, qty_e6: int) -> None:
        if self.is_listed(M1):
            self.wishes[name, M1] = [convert(kind, qty_e6, name=name)]
            self.touch(M1)
            self.wishes.pop((name, M1))

    # --- the venue -------------------------------------------------------------------------------

    @precondition(lambda self: self.unanswered)
    @rule(
        data=st.data(),
        answer=st.sampled_from((S.LIVE, S.LIVE, S.LIVE, S.REJECTED, S.UNKNOWN, S.DELAYED)),
    )
    def answer(self, data: st.DataObject, answer: OrderState) -> None:
        order_id = self.unanswered.pop(data.draw(st.integers(0, len(self.unanswered) - 1)))
        order = self.world.account.orders.by_id.get(order_id)
        if order is None or order.state is not S.SENT:
            return
        if answer is S.REJECTED:
            self.standing.remove(order_id)
            self.send(ev.OrderRejected(order_id=order_id, code="X", venue_ns=self.world.now_ns))
        elif answer is S.UNKNOWN:
            self.send(ev.OrderUnknown(order_id=order_id, reason="TIMEOUT"))
        else:
            self.send(self.world.accepted(order_id, answer))

    @precondition(lambda self: self.standing)
    @rule(data=st.data(), part=st.sampled_from((0.3, 0.7, 1.0)))
    def fill(self, data: st.DataObject, part: float) -> None:
        order_id = data.draw(st.sampled_from(self.standing))
        order = self.world.account.orders.by_id.get(order_id)
        if order is None or not order.is_open:
            self.standing.remove(order_id)
            return
        qty_e6 = floor_lot_e6(round(order.rest_e6 * part)) or order.rest_e6
        leg = order.leg
        fee = 0 if leg.post_only else FEES.taker_fee_e6(qty_e6, leg.limit_e4, Rounding.HALF_UP)
        event = self.world.filled(order_id, qty_e6, fee_e6=fee)
        self.fills += 1
        self.provisional.append(event)
        self.send(event)

    @precondition(lambda self: self.standing)
    @rule(data=st.data(), is_refused=st.booleans())
    def close_or_refuse(self, data: st.DataObject, is_refused: bool) -> None:
        order_id = data.draw(st.sampled_from(self.standing))
        if is_refused:
            self.send(ev.CancelRefused(order_id=order_id, reason="X"))
        else:
            self.standing.remove(order_id)
            self.send(self.world.cancelled(order_id))

    @precondition(lambda self: self.provisional)
    @rule(is_repeated=st.booleans())
    def confirm(self, is_repeated: bool) -> None:
        one = self.provisional.pop(0)
        final = ev.FillAdvanced(fill_id=one.fill_id, venue_ns=self.world.now_ns)
        self.send(*([one, final, one, final] if is_repeated else [final]))

    @precondition(lambda self: self.jobs)
    @rule(has_failed=st.booleans())
    def finish_job(self, has_failed: bool) -> None:
        job = self.jobs.pop(0)
        now_ns = self.world.now_ns
        if has_failed:
            self.send(
                ev.JobFailed(
                    job_id=job.job_id, market_id=job.market_id, code="REVERTED", venue_ns=now_ns
                )
            )
            return
        kind: type[ev.JobDone] = ev.PairSplit
        if isinstance(job, MergePair | Redeem):
            kind = ev.PairMerged if isinstance(job, MergePair) else ev.Redeemed
        self.send(
            kind(job_id=job.job_id, market_id=job.market_id, qty_e6=job.qty_e6, venue_ns=now_ns)
        )

    # --- time, operator, bugs --------------------------------------------------------------------

    @rule(seconds=st.sampled_from((1, 1, 30, 900)))
    def wait(self, seconds: int) -> None:
        self.world.now_ns += seconds * S_NS
        self.send(ev.TimerFired())

    @rule(market_id=ids, up_ppm=st.sampled_from((0, 1_000_000)))
    def resolve(self, market_id: MarketId, up_ppm: int) -> None:
        live = self.world.account.markets.get(market_id)
        is_over = live is not None and self.world.now_ns >= live.market.close_ns
        if live is not None and is_over and live.payouts_ppm is None:
            self.send(resolved(market_id, (up_ppm, E6 - up_ppm)))

    @rule(command=st.sampled_from(("halt", "resume", "resume")))
    def operate(self, command: str) -> None:
        self.send(ev.OperatorCommanded(command=command))

    @rule(name=names, chance=st.integers(0, 9))
    def break_down(self, name: StrategyName, chance: int) -> None:
        if chance == 0:
            self.broken = name
            self.send(ev.TimerFired())

    # --- promises --------------------------------------------------------------------------------

    def live(self) -> Iterator[LiveMarket]:
        return iter(self.world.account.markets.values())

    @invariant()
    def what_is_at_risk_is_within_every_limit(self) -> None:
        account, limits = self.world.account, self.world.limits
        slack_e6 = 10 * self.fills  # each fill rounds its own cost and fee
        risk = {x.market.market_id: market_exposure(account, x).at_risk_e6 for x in self.live()}
        assert all(one <= limits.market_e6 + slack_e6 for one in risk.values())
        assert sum(risk.values()) <= limits.account_e6 + slack_e6
        for market in (live.market for live in self.live()):
            same = [x.market for x in self.live()]
            window = sum(risk[m.market_id] for m in same if m.window == market.window)
            asset = sum(risk[m.market_id] for m in same if m.asset == market.asset)
            assert window <= limits.window_e6 + slack_e6
            assert asset <= limits.asset_e6 + slack_e6
        for name in (ALPHA, BETA):
            own = sum(market_exposure(account, x, name).at_risk_e6 for x in self.live())
            assert own <= limits.strategy_e6 + slack_e6
        assert resting_e6(account) <= limits.resting_e6 + slack_e6
        assert account.cash_free_e6() >= -slack_e6
        assert account.orders.open_count <= LIMITS.working_orders_max

    @invariant()
    def no_token_costs_more_than_its_limit(self) -> None:
        account, limits = self.world.account, self.world.limits
        for live in self.live():
            if live.market.market_id == M1:
                continue  # a split buys both tokens at par, which is no risk and counts no limit
            for outcome in Outcome:
                cost = token_cost_e6(account, live, live.instrument(outcome))
                assert cost <= limits.token_e6 + 10 * self.fills

    @invariant()
    def no_own_bid_meets_an_own_ask(self) -> None:
        for live in self.live():
            open_legs = [o.leg for o in self.world.account.orders.open_in(live.market.market_id)]
            bids = [leg.up_price_e4 for leg in open_legs if leg.is_up_bid]
            asks = [leg.up_price_e4 for leg in open_legs if not leg.is_up_bid]
            assert max(bids, default=0) < min(asks, default=E4)

    @invariant()
    def nothing_is_sold_that_is_not_held(self) -> None:
        account = self.world.account
        for live in self.live():
            for name in (ALPHA, BETA):
                for outcome in Outcome:
                    promised = sum(
                        order.rest_e6
                        for order in account.open_orders(live.market.market_id, name)
                        if order.leg.side and order.leg.instrument == live.instrument(outcome)
                    )
                    held = account.held_e6(name, live, outcome)
                    assert promised <= held or live.payouts_ppm is not None

    @invariant()
    def what_must_be_withdrawn_is(self) -> None:
        account = self.world.account
        for live in self.live():
            phase = live.market.phase(self.world.state.now_ns, self.world.state.cutoff_ns)
            for order in account.orders.open_in(live.market.market_id):
                if account.halted or phase in (Phase.CLOSING, Phase.RESOLVING):
                    assert order.state not in CANCELLABLE

    @invariant()
    def the_ledger_says_the_same_from_its_facts(self) -> None:
        self.world.account.ledger.audit()
        assert self.world.account.ledger.cash_e6 >= 0

    def teardown(self) -> None:
        """The same frames give the same steps, in whatever order the strategies were registered."""
        again = self.new_world((BETA, ALPHA))
        for wishes, broken, batch, encoded in self.steps:
            self.wishes, self.broken = wishes, broken
            step: Step = again.engine.step(batch)
            assert msgspec.json.encode((step.decisions, step.actions)) == encoded
        assert CLOSE_NS > OPEN_NS


Core.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestCore = Core.TestCase
