"""A small caller of SimVenue for tests: times in ms, prices in cents, quantities in shares."""

from __future__ import annotations

from typing import TypeVar

from polybawt.adapters.fills import FillConfig, SimVenue, VenueRecord
from polybawt.domain.actions import Action, Cancel, MergePair, Place, Redeem, SplitPair
from polybawt.domain.events import (
    Batch,
    BookChanged,
    BookReplaced,
    Event,
    Evidence,
    Filled,
    MarketListed,
    MarketResolved,
    TradePrinted,
)
from polybawt.domain.fees import FeeSchedule
from polybawt.domain.ids import Instrument, JobId, MarketId, OrderId, Outcome, Side, StrategyName
from polybawt.domain.market import Market, TwapBoundary
from polybawt.domain.order import Leg, Tif
from polybawt.domain.units import E6, MS_NS

UP, DOWN, BUY, SELL = Outcome.UP, Outcome.DOWN, Side.BUY, Side.SELL
T0_MS = 20_700 * 86_400_000
MARKET_ID = MarketId("0xm")
MARKET = Market(
    market_id=MARKET_ID,
    asset="btc",
    slug="btc-updown-15m-1",
    open_ns=T0_MS * MS_NS,
    close_ns=(T0_MS + 900_000) * MS_NS,
    token_up="1",
    token_down="2",
    tick_e4=100,
    fees=FeeSchedule(rate_ppm=70_000, exponent=1, rebate_ppm=200_000),
    settlement=TwapBoundary(stream="btc"),
)
Levels = dict[int, float]
E = TypeVar("E", bound=Event)


def ns(ms: float) -> int:
    """Unix nanoseconds of `ms` after the window's open."""
    return int((T0_MS + ms) * MS_NS)


def shares(qty: float) -> int:
    """Shares in 10^-6."""
    return round(qty * E6)


def book(outcome: Outcome, bids: Levels, asks: Levels, ms: float = 0) -> BookReplaced:
    """A snapshot from {cents: shares}."""
    return BookReplaced(
        market_id=MARKET_ID,
        outcome=outcome,
        bids=tuple((cents * 100, shares(qty)) for cents, qty in bids.items()),
        asks=tuple((cents * 100, shares(qty)) for cents, qty in asks.items()),
        venue_ns=ns(ms),
    )


def change(outcome: Outcome, side: Side, cents: int, qty: float, ms: float = 0) -> BookChanged:
    """One level's new quantity."""
    return BookChanged(
        market_id=MARKET_ID,
        outcome=outcome,
        side=side,
        price_e4=cents * 100,
        qty_e6=shares(qty),
        venue_ns=ns(ms),
    )


def printed(outcome: Outcome, taker: Side, cents: int, qty: float, ms: float = 0) -> TradePrinted:
    """A public trade."""
    return TradePrinted(
        market_id=MARKET_ID,
        outcome=outcome,
        side=taker,
        price_e4=cents * 100,
        qty_e6=shares(qty),
        venue_ns=ns(ms),
    )


def leg(
    side: Side,
    cents: int,
    qty: float,
    *,
    outcome: Outcome = UP,
    tif: Tif = Tif.GTC,
    post_only: bool = False,
    expires_ms: float | None = None,
) -> Leg:
    """One order as wanted."""
    return Leg(
        instrument=Instrument(int(outcome)),
        side=side,
        limit_e4=cents * 100,
        qty_e6=shares(qty),
        tif=tif,
        post_only=post_only,
        expires_ns=0 if expires_ms is None else ns(expires_ms),
    )


def place(order_id: str, order_leg: Leg) -> Place:
    """The action that sends an order."""
    return Place(
        strategy=StrategyName("s"),
        market_id=MARKET_ID,
        order_id=OrderId(order_id),
        leg=order_leg,
    )


def cancel(order_id: str) -> Cancel:
    """The action that withdraws it."""
    return Cancel(strategy=StrategyName("s"), market_id=MARKET_ID, order_id=OrderId(order_id))


def job(kind: type[SplitPair | MergePair | Redeem], job_id: str, qty: float = 0) -> Action:
    """Chain work."""
    return kind(
        strategy=StrategyName("s"), market_id=MARKET_ID, job_id=JobId(job_id), qty_e6=shares(qty)
    )


def resolved(up_ppm: int) -> MarketResolved:
    """The payout of Up; Down gets the rest."""
    payouts = (up_ppm, 1_000_000 - up_ppm)
    return MarketResolved(market_id=MARKET_ID, payouts_ppm=payouts, evidence=Evidence.OFFICIAL)


class World:
    """Drives one SimVenue: constant delays of 80 ms unless the configuration says otherwise."""

    def __init__(self, **config: object) -> None:
        self.log: list[VenueRecord] = []
        settings = FillConfig.model_validate({"tail_ms": 0, **config})
        self.venue = SimVenue(settings, self.log.append)
        self.events: list[tuple[float, Event]] = []
        self.frames = 0

    def frame(self, ms: float, *events: Event) -> None:
        """One frame received at `ms`."""
        self.frames += 1
        self.venue.on_market(Batch(self.frames, ns(ms), "market", events))

    def listed(self, bids: Levels, asks: Levels) -> World:
        """List the market and show a first Up book at 0 ms."""
        self.frame(0, MarketListed(market=MARKET), book(UP, bids, asks))
        return self

    def send(self, ms: float, *actions: Action) -> None:
        """What the bot decided at `ms`."""
        self.venue.submit(actions, ns(ms), self.frames)

    def run(self, ms: float) -> None:
        """Let time pass to `ms` and collect what the bot hears by then."""
        self.venue.advance(ns(ms))
        for at_ns, group in self.venue.answers(ns(ms)):
            self.events += [(at_ns / MS_NS - T0_MS, event) for event in group]

    def heard(self, kind: type[E]) -> list[E]:
        """All events of one kind so far."""
        return [event for _, event in self.events if isinstance(event, kind)]

    def fills(self) -> list[tuple[str, int, float, int]]:
        """(fill id, cents, shares, fee in 10^-6)."""
        return [
            (fill.fill_id, fill.price_e4 // 100, fill.qty_e6 / E6, fill.fee_e6)
            for fill in self.heard(Filled)
        ]
