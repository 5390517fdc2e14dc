"""What happened, as values: the one list of event types (docs/architecture.md).

A Frame is what came in, a Batch its decoded atomic group, an event one fact in it.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from polybawt.domain.book import Level
from polybawt.domain.fill import Liquidity
from polybawt.domain.ids import FillId, JobId, MarketId, OrderId, Outcome, Side
from polybawt.domain.market import Market
from polybawt.domain.order import OrderState


class Event(msgspec.Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """One fact. Frozen; names are past participles."""


class Quality(StrEnum):
    """How far a price may be trusted."""

    EXACT = "exact"
    PROVISIONAL = "provisional"
    DEGRADED = "degraded"


class Boundary(StrEnum):
    """The two instants whose oracle prices decide a window."""

    OPEN = "open"
    CLOSE = "close"


class Evidence(StrEnum):
    """What a resolution rests on. INFERRED settles only when the user asks for it, and apart."""

    OFFICIAL = "official"
    CHAIN = "chain"
    INFERRED = "inferred"


class FeedState(StrEnum):
    """State of a source."""

    LIVE = "live"
    STALE = "stale"
    DOWN = "down"


class JobKind(StrEnum):
    """Chain work."""

    SPLIT = "split"
    MERGE = "merge"
    REDEEM = "redeem"


class TransferKind(StrEnum):
    """Cash that is no trade."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    REBATE = "rebate"


# --- market data ---------------------------------------------------------------------------------


class BookReplaced(Event, frozen=True, kw_only=True, gc=False):
    """A token's whole book. Levels are (price_e4, qty_e6) in any order."""

    market_id: MarketId
    outcome: Outcome
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    venue_ns: int


class BookChanged(Event, frozen=True, kw_only=True, gc=False):
    """One level's new absolute quantity; 0 removes it."""

    market_id: MarketId
    outcome: Outcome
    side: Side
    price_e4: int
    qty_e6: int
    venue_ns: int


class TradePrinted(Event, frozen=True, kw_only=True, gc=False):
    """Someone's public trade; `side` is the taker's."""

    market_id: MarketId
    outcome: Outcome
    side: Side
    price_e4: int
    qty_e6: int
    venue_ns: int


class SpotTicked(Event, frozen=True, kw_only=True, gc=False):
    """An exchange price (a statistic, never money)."""

    asset: str
    source: str
    price: float
    venue_ns: int


class OracleReported(Event, frozen=True, kw_only=True, gc=False):
    """A report of a settlement stream: price in 10^-18 USD, observed at a whole second."""

    asset: str
    source: str
    price_e18: int
    observed_ns: int


# --- life of a market ----------------------------------------------------------------------------


class MarketListed(Event, frozen=True, kw_only=True, gc=False):
    """A market with everything needed to trade it; never its outcome."""

    market: Market


class TickChanged(Event, frozen=True, kw_only=True, gc=False):
    """The tick of a market from now on; idempotent."""

    market_id: MarketId
    tick_e4: int


class BoundaryFixed(Event, frozen=True, kw_only=True, gc=False):
    """The oracle price that decides one end of a window."""

    market_id: MarketId
    boundary: Boundary
    price_e18: int
    observed_ns: int
    source: str
    quality: Quality


class MarketResolved(Event, frozen=True, kw_only=True, gc=False):
    """Evidence of the payout per share of (Up, Down), in ppm: (1000000, 0) is Up."""

    market_id: MarketId
    payouts_ppm: tuple[int, int]
    evidence: Evidence


# --- answers to our actions ----------------------------------------------------------------------


class OrderAccepted(Event, frozen=True, kw_only=True, gc=False):
    """The venue has the order; `state` is what its reply says (LIVE, DELAYED or MATCHED)."""

    order_id: OrderId
    state: OrderState
    venue_ns: int


class OrderRejected(Event, frozen=True, kw_only=True, gc=False):
    """The venue refused the order; it never stood."""

    order_id: OrderId
    code: str
    venue_ns: int


class OrderClosed(Event, frozen=True, kw_only=True, gc=False):
    """The order left the book: UNMATCHED, CANCELLED or EXPIRED, with the venue's reason."""

    order_id: OrderId
    state: OrderState
    reason: str
    venue_ns: int


class OrderUnknown(Event, frozen=True, kw_only=True, gc=False):
    """The outcome of a request is not known; the order keeps its reservation."""

    order_id: OrderId
    reason: str


class CancelRefused(Event, frozen=True, kw_only=True, gc=False):
    """The venue did not cancel; what the order is, other evidence says."""

    order_id: OrderId
    reason: str


class ActionExpired(Event, frozen=True, kw_only=True, gc=False):
    """A place action was too old to send; not a byte of it left."""

    order_id: OrderId


class Filled(Event, frozen=True, kw_only=True, gc=False):
    """One match of one of our orders, provisional."""

    fill_id: FillId
    order_id: OrderId
    liquidity: Liquidity
    price_e4: int
    qty_e6: int
    fee_e6: int
    venue_ns: int


class FillAdvanced(Event, frozen=True, kw_only=True, gc=False):
    """A provisional fill is confirmed."""

    fill_id: FillId
    venue_ns: int


class FillVoided(Event, frozen=True, kw_only=True, gc=False):
    """A provisional fill failed to settle: it never happened."""

    fill_id: FillId
    cause: str
    venue_ns: int


class JobDone(Event, frozen=True, kw_only=True, gc=False):
    """Common fields of finished chain work."""

    job_id: JobId
    market_id: MarketId
    qty_e6: int
    venue_ns: int


class PairSplit(JobDone, frozen=True, kw_only=True, gc=False):
    """pUSD became one Up and one Down each."""


class PairMerged(JobDone, frozen=True, kw_only=True, gc=False):
    """Pairs became pUSD."""


class Redeemed(JobDone, frozen=True, kw_only=True, gc=False):
    """The payout of a resolved market is cash; `qty_e6` is the cash received."""


class JobFailed(Event, frozen=True, kw_only=True, gc=False):
    """Chain work that was refused or reverted: nothing of it happened."""

    job_id: JobId
    market_id: MarketId
    code: str
    venue_ns: int


class CashMoved(Event, frozen=True, kw_only=True, gc=False):
    """A deposit, withdrawal or paid rebate, keyed by `transfer_id`."""

    transfer_id: str
    kind: TransferKind
    cash_e6: int
    venue_ns: int


# --- the machine ---------------------------------------------------------------------------------


class FeedChanged(Event, frozen=True, kw_only=True, gc=False):
    """A source came, went stale or went down."""

    feed: str
    state: FeedState


class TimerFired(Event, frozen=True, kw_only=True, gc=False):
    """Time passed; the batch's `now_ns` says how far."""


class OperatorCommanded(Event, frozen=True, kw_only=True, gc=False):
    """A person's order to the bot."""

    command: str
    params: tuple[str, ...] = ()


class Frame(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Inbound bytes and when they came."""

    frame_seq: int
    recv_ns: int
    recv_wall_ns: int
    source: str
    payload: bytes


class Batch(msgspec.Struct, frozen=True, gc=False):
    """The decoded atomic group of one frame: applied whole, then decided on once."""

    frame_seq: int
    now_ns: int
    source: str
    events: tuple[Event, ...]
