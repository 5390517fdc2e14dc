"""A market: its window, its two tokens, its own tick, fees and settlement rule."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from polybawt.domain.fees import FeeSchedule
from polybawt.domain.ids import MarketId, Outcome
from polybawt.domain.units import E6, S_NS


class Phase(StrEnum):
    """Where a window stands; what is allowed in it is the strategies' and the gate's business."""

    LISTED = "LISTED"
    OPEN = "OPEN"
    CLOSING = "CLOSING"
    RESOLVING = "RESOLVING"
    SETTLED = "SETTLED"


LISTED, OPEN = Phase.LISTED, Phase.OPEN
CLOSING, RESOLVING, SETTLED = Phase.CLOSING, Phase.RESOLVING, Phase.SETTLED
"""Named as in `domain.ids`: cheap to look up."""


class TwapBoundary(msgspec.Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """Up wins if the oracle's time-weighted average at the close is not below that at the open."""

    stream: str
    lookback_s: int = 60


class CandleOpenClose(msgspec.Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """Up wins if the candle's close is not below its open."""

    source: str
    interval_s: int


class PointBoundary(msgspec.Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """Up wins if the oracle price at the close is not below that at the open."""

    stream: str


SettlementRule = TwapBoundary | CandleOpenClose | PointBoundary


class Market(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One window of one series, as listed. Amounts in 10^-6, prices in 10^-4, times Unix ns."""

    market_id: MarketId
    asset: str
    slug: str
    open_ns: int
    close_ns: int
    token_up: str
    token_down: str
    tick_e4: int
    fees: FeeSchedule
    settlement: SettlementRule
    qty_min_e6: int = 5 * E6
    notional_min_e6: int = E6
    neg_risk: bool = False
    venue: str = "polymarket"

    @property
    def duration_s(self) -> int:
        """Length of the window in seconds."""
        return (self.close_ns - self.open_ns) // S_NS

    @property
    def window(self) -> tuple[int, int]:
        """Key of the window that markets of several assets share: open and close."""
        return (self.open_ns, self.close_ns)

    def token(self, outcome: Outcome) -> str:
        """The venue's token id of an outcome."""
        return self.token_up if outcome is Outcome.UP else self.token_down

    def phase(self, now_ns: int, cutoff_ns: int) -> Phase:
        """Phase by time alone; SETTLED needs evidence and is the portfolio's to say."""
        if now_ns < self.open_ns:
            return LISTED
        if now_ns < self.close_ns - cutoff_ns:
            return OPEN
        return CLOSING if now_ns < self.close_ns else RESOLVING
