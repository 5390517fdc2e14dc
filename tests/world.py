"""A small world for tests of the core: one account, some markets, frames by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from polybawt.domain import events as ev
from polybawt.domain.actions import Cancel, MergePair, Place
from polybawt.domain.book import Level
from polybawt.domain.fees import FeeSchedule
from polybawt.domain.fill import Liquidity
from polybawt.domain.ids import FillId, JobId, MarketId, OrderId, Outcome, Side, StrategyName
from polybawt.domain.intents import Convert, Intent, Quote, Take, Upkeep
from polybawt.domain.market import Market, PointBoundary
from polybawt.domain.order import Leg, OrderState, Tif
from polybawt.domain.units import E4, E6, S_NS
from polybawt.engine import Engine, Step
from polybawt.portfolio.account import AccountState, LiveMarket
from polybawt.portfolio.lots import Method
from polybawt.risk.limits import Limits, LimitsConfig
from polybawt.state import State, View
from polybawt.strategies.base import Plugin, Strategy, StrategyConfig

M1, M2, M3 = MarketId("m1"), MarketId("m2"), MarketId("m3")
ALPHA, BETA = StrategyName("alpha"), StrategyName("beta")
OPEN_NS = 1_800_000_000 * S_NS
CLOSE_NS = OPEN_NS + 900 * S_NS
CUTOFF_NS = 5 * S_NS
FEES = FeeSchedule(rate_ppm=70_000, exponent=1, rebate_ppm=200_000)
KEEP_ALWAYS = Upkeep(ticks=1, within_ns=0, size_tol_ppm=0)
WIDE = LimitsConfig(
    order_fraction=1,
    token_fraction=1,
    market_fraction=1,
    window_fraction=1,
    asset_fraction=1,
    strategy_fraction=1,
    account_fraction=1,
    resting_fraction=1,
    duplicate_ms=0,
    collar_fraction=1,
)
"""Limits that bind nothing, for tests of one check at a time."""


def make_market(
    market_id: MarketId = M1,
    *,
    asset: str = "BTC",
    tick_e4: int = 100,
    open_ns: int = OPEN_NS,
    fees: FeeSchedule = FEES,
) -> Market:
    """A 15-minute window."""
    return Market(
        market_id=market_id,
        asset=asset,
        slug=f"{asset.lower()}-updown-15m-{market_id}",
        open_ns=open_ns,
        close_ns=open_ns + 900 * S_NS,
        token_up=f"{market_id}-up",
        token_down=f"{market_id}-down",
        tick_e4=tick_e4,
        fees=fees,
        settlement=PointBoundary(stream="chainlink"),
    )


Decide = Callable[[View], list[Intent]]


def strategy(decide: Decide, name: StrategyName = ALPHA) -> Strategy[StrategyConfig]:
    """A strategy of one function."""

    def call(view: View, _config: StrategyConfig) -> list[Intent]:
        return decide(view)

    return Strategy(Plugin(name=name, config=StrategyConfig, decide=call), StrategyConfig())


def shares(count: float) -> int:
    """Shares in 10^-6."""
    return round(count * E6)


class World:
    """An engine with its state, and the frames that reach it."""

    def __init__(
        self,
        *strategies: Strategy[StrategyConfig],
        limits: LimitsConfig = WIDE,
        cash_e6: int = 5_000 * E6,
    ) -> None:
        self.account = AccountState(cash_e6, Method.AVERAGE)
        self.state = State(self.account, CUTOFF_NS)
        self.limits = Limits.of(limits, cash_e6)
        self.engine = Engine(self.state, strategies, self.limits)
        self.now_ns = OPEN_NS + 60 * S_NS
        self.frame_seq = 0
        self._fills = 0

    def batch(self, *events: ev.Event, source: str = "books") -> ev.Batch:
        """The next frame, now."""
        self.frame_seq += 1
        return ev.Batch(self.frame_seq, self.now_ns, source, events)

    def send(self, *events: ev.Event, after_ms: int = 0, source: str = "books") -> Step:
        """One frame through the engine."""
        self.now_ns += after_ms * 1_000_000
        return self.engine.step(self.batch(*events, source=source))

    def apply(self, *events: ev.Event, source: str = "books") -> None:
        """One frame into the state, without decisions."""
        self.state.apply(self.batch(*events, source=source))

    def list(self, *markets: Market) -> None:
        """List markets, without decisions."""
        self.apply(*(ev.MarketListed(market=market) for market in markets))

    def ready(self, *markets: Market, bid_e4: int = 4_800, ask_e4: int = 5_200) -> World:
        """List markets with both books in place, without decisions."""
        for market in markets or (make_market(),):
            self.list(market)
            self.apply(*self.books(market.market_id, bid_e4, ask_e4))
        return self

    def books(
        self,
        market_id: MarketId = M1,
        bid_e4: int = 4_800,
        ask_e4: int = 5_200,
        *,
        bid_qty_e6: int = 100 * E6,
        ask_qty_e6: int = 100 * E6,
    ) -> tuple[ev.BookReplaced, ev.BookReplaced]:
        """Up's book with one level a side (0 and 10,000: none), and its mirror image for Down."""
        bids = ((bid_e4, bid_qty_e6),) if bid_e4 > 0 else ()
        asks = ((ask_e4, ask_qty_e6),) if ask_e4 < E4 else ()
        return mirrored(market_id, bids, asks, self.now_ns)

    def view(self, market_id: MarketId = M1, name: StrategyName = ALPHA) -> View:
        """What a strategy sees."""
        return self.state.view(market_id, name)

    def live(self, market_id: MarketId = M1) -> LiveMarket:
        """A listed market."""
        return self.account.markets[market_id]

    # --- legs, orders, fills ---------------------------------------------------------------------

    def leg(
        self,
        side: Side = Side.BUY,
        outcome: Outcome = Outcome.UP,
        limit_e4: int = 4_800,
        qty_e6: int = 10 * E6,
        *,
        market_id: MarketId = M1,
        tif: Tif = Tif.GTC,
        post_only: bool = True,
    ) -> Leg:
        """One order as wanted."""
        return Leg(
            instrument=self.live(market_id).instrument(outcome),
            side=side,
            limit_e4=limit_e4,
            qty_e6=qty_e6,
            tif=tif,
            post_only=post_only,
        )

    def place(
        self, leg: Leg, *, name: StrategyName = ALPHA, state: OrderState = OrderState.LIVE
    ) -> OrderId:
        """An order that stands, without decisions; SENT: not yet answered."""
        order_id = OrderId(self.account.next_id("t"))
        market_id = self.account.instruments.market_id(leg.instrument)
        self.state.now_ns = self.now_ns
        self.state.note(Place(strategy=name, market_id=market_id, order_id=order_id, leg=leg))
        if state is OrderState.UNKNOWN:
            self.apply(ev.OrderUnknown(order_id=order_id, reason="TIMEOUT"))
        elif state is not OrderState.SENT:
            self.apply(self.accepted(order_id))
        if state is OrderState.CANCEL_SENT:
            self.state.note(
                Cancel(strategy=name, market_id=market_id, order_id=order_id, reason="X")
            )
        return order_id

    def accepted(self, order_id: OrderId, state: OrderState = OrderState.LIVE) -> ev.OrderAccepted:
        """The venue's answer to a place."""
        return ev.OrderAccepted(order_id=order_id, state=state, venue_ns=self.now_ns)

    def cancelled(self, order_id: OrderId) -> ev.OrderClosed:
        """The venue's answer to a cancel."""
        return ev.OrderClosed(
            order_id=order_id, state=OrderState.CANCELLED, reason="BY_USER", venue_ns=self.now_ns
        )

    def filled(
        self, order_id: OrderId, qty_e6: int, *, price_e4: int | None = None, fee_e6: int = 0
    ) -> ev.Filled:
        """A new fill of an order, at its limit."""
        self._fills += 1
        leg = self.account.orders.by_id[order_id].leg
        return ev.Filled(
            fill_id=FillId(f"f{self._fills}"),
            order_id=order_id,
            liquidity=Liquidity.MAKER if leg.post_only else Liquidity.TAKER,
            price_e4=leg.limit_e4 if price_e4 is None else price_e4,
            qty_e6=qty_e6,
            fee_e6=fee_e6,
            venue_ns=self.now_ns,
        )

    def hold(
        self,
        outcome: Outcome,
        qty_e6: int,
        price_e4: int = 5_000,
        *,
        name: StrategyName = ALPHA,
        market_id: MarketId = M1,
        confirm: bool = True,
    ) -> FillId:
        """Tokens bought and, unless told otherwise, confirmed; without decisions."""
        leg = self.leg(Side.BUY, outcome, price_e4, qty_e6, market_id=market_id)
        order_id = self.place(leg, name=name)
        fill = self.filled(order_id, qty_e6)
        self.apply(fill)
        if confirm:
            self.apply(ev.FillAdvanced(fill_id=fill.fill_id, venue_ns=self.now_ns))
        return fill.fill_id

    def merging(self, qty_e6: int, *, name: StrategyName = ALPHA) -> JobId:
        """A merge under way, without decisions."""
        job_id = JobId(self.account.next_id("j"))
        self.state.note(MergePair(strategy=name, market_id=M1, job_id=job_id, qty_e6=qty_e6))
        return job_id


def mirrored(
    market_id: MarketId, bids: Iterable[Level], asks: Iterable[Level], venue_ns: int
) -> tuple[ev.BookReplaced, ev.BookReplaced]:
    """Up's book and its mirror image for Down."""
    bids, asks = tuple(bids), tuple(asks)

    def book(outcome: Outcome, b: tuple[Level, ...], a: tuple[Level, ...]) -> ev.BookReplaced:
        return ev.BookReplaced(
            market_id=market_id, outcome=outcome, bids=b, asks=a, venue_ns=venue_ns
        )

    def flip(levels: tuple[Level, ...]) -> tuple[Level, ...]:
        return tuple((E4 - price_e4, qty_e6) for price_e4, qty_e6 in levels)

    return book(Outcome.UP, bids, asks), book(Outcome.DOWN, flip(asks), flip(bids))


def quote(*legs: Leg, name: StrategyName = ALPHA, market_id: MarketId = M1) -> Quote:
    """A wish for resting orders."""
    return Quote(strategy=name, market_id=market_id, legs=legs, upkeep=KEEP_ALWAYS)


def take(*legs: Leg, name: StrategyName = ALPHA, market_id: MarketId = M1) -> Take:
    """A wish to remove liquidity, all legs or none."""
    return Take(strategy=name, market_id=market_id, plan_id="p", legs=legs)


def convert(
    kind: ev.JobKind, qty_e6: int, *, name: StrategyName = ALPHA, market_id: MarketId = M1
) -> Convert:
    """A wish to split or merge."""
    return Convert(strategy=name, market_id=market_id, kind=kind, qty_e6=qty_e6)


def resolved(
    market_id: MarketId = M1, payouts_ppm: tuple[int, int] = (1_000_000, 0)
) -> ev.MarketResolved:
    """Official evidence of an outcome."""
    return ev.MarketResolved(
        market_id=market_id, payouts_ppm=payouts_ppm, evidence=ev.Evidence.OFFICIAL
    )


def placed(step: Step | Sequence[object]) -> list[Place]:
    """The places among a step's actions."""
    actions = step.actions if isinstance(step, Step) else step
    return [action for action in actions if isinstance(action, Place)]


def cancels(step: Step) -> list[OrderId]:
    """The orders that a step withdraws."""
    return [action.order_id for action in step.actions if isinstance(action, Cancel)]
