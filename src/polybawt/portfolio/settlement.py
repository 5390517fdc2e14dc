"""Boundary prices and the outcome that we expect from them. Never evidence: the venue decides.

The price at a boundary is the first report of the market's own stream observed at or after it.
Stamps are whole seconds: offset 0 is exact, up to `LATE_S` seconds is provisional and gives way to
anything earlier or exact, later is missing. The venue does not document which report it takes, so
the result is compared with its payout (docs/venue.md, outcome rule).
"""

from __future__ import annotations

from enum import StrEnum

from polybawt.domain.events import Boundary, BoundaryFixed, OracleReported, Quality
from polybawt.domain.ids import MarketId, Outcome
from polybawt.domain.market import CandleOpenClose, Market
from polybawt.domain.units import PPM, S_NS
from polybawt.portfolio.recent import Recent

LATE_S = 2
"""Oldest offset in seconds at which a report still stands for a boundary."""
REPORTS_KEPT = 256
"""Reports kept per stream for markets listed after their boundary; at 1 Hz above four minutes."""

Stream = tuple[str, str]
"""(asset, source)"""


class Standing(StrEnum):
    """How far a boundary is."""

    AWAITED = "awaited"
    PROVISIONAL = "provisional"
    EXACT = "exact"
    MISSING = "missing"
    UNDECIDED = "undecided"


class Agreement(StrEnum):
    """Our expected outcome against the venue's payout."""

    AGREE = "agree"
    DISAGREE = "disagree"
    UNKNOWN = "unknown"


class Settlement:
    """Boundary prices of the listed markets. Memory: the markets not dropped, and recent reports.

    Markets settled by a candle (`CandleOpenClose`) are not decided here: always unknown.
    """

    __slots__ = ("_awaiting", "_latest_ns", "_markets", "_points", "_recent", "conflicts")

    def __init__(self) -> None:
        self.conflicts = 0
        """Exact prices that contradicted an exact one; the first stays."""
        self._markets: dict[MarketId, Market] = {}
        self._points: dict[tuple[MarketId, Boundary], BoundaryFixed] = {}
        self._awaiting: dict[tuple[Stream, int], list[tuple[MarketId, Boundary]]] = {}
        self._recent: dict[Stream, Recent[int, OracleReported]] = {}
        self._latest_ns: dict[Stream, int] = {}

    def follow(self, market: Market) -> tuple[BoundaryFixed, ...]:
        """Follow a market; boundaries that recent reports already decide are returned."""
        stream = _stream(market)
        if stream is None or market.market_id in self._markets:
            return ()
        self._markets[market.market_id] = market
        for boundary, at_ns in _boundaries(market):
            waiting = self._awaiting.setdefault((stream, at_ns), [])
            waiting.append((market.market_id, boundary))
        fixed: list[BoundaryFixed] = []
        for report in self._recent.get(stream, {}).values():
            for boundary, at_ns in _boundaries(market):
                if 0 <= report.observed_ns - at_ns <= LATE_S * S_NS:
                    fixed += self._offer(market.market_id, boundary, at_ns, report)
        return tuple(fixed)

    def report(self, event: OracleReported) -> tuple[BoundaryFixed, ...]:
        """Boundaries that a report fixes for the first time, or better than before."""
        stream = (event.asset, event.source)
        recent = self._recent.get(stream)
        if recent is None:
            recent = self._recent[stream] = Recent(REPORTS_KEPT)
        if event.observed_ns not in recent:
            recent.put(event.observed_ns, event)
        if event.observed_ns > self._latest_ns.get(stream, 0):
            self._latest_ns[stream] = event.observed_ns
        fixed: list[BoundaryFixed] = []
        second_ns = event.observed_ns - event.observed_ns % S_NS
        for offset_s in range(LATE_S + 1):
            at_ns = second_ns - offset_s * S_NS
            if event.observed_ns - at_ns <= LATE_S * S_NS:
                for market_id, boundary in self._awaiting.get((stream, at_ns), ()):
                    fixed += self._offer(market_id, boundary, at_ns, event)
        return tuple(fixed)

    def fix(self, event: BoundaryFixed) -> bool:
        """Take a boundary price, also from elsewhere (the venue's record). True if it stands."""
        if event.market_id not in self._markets:
            return False
        key = (event.market_id, event.boundary)
        old = self._points.get(key)
        if old is not None and old.quality is Quality.EXACT:
            if event.quality is Quality.EXACT and event.price_e18 != old.price_e18:
                self.conflicts += 1
            return False
        is_better = event.quality is Quality.EXACT or old is None
        if not is_better and old is not None and event.observed_ns >= old.observed_ns:
            return False
        self._points[key] = event
        return True

    def point(self, market_id: MarketId, boundary: Boundary) -> BoundaryFixed | None:
        """The price that stands for a boundary, None while there is none."""
        return self._points.get((market_id, boundary))

    def standing(self, market_id: MarketId, boundary: Boundary) -> Standing:
        """Whether a boundary is known, still to come, or missed by its stream."""
        market = self._markets.get(market_id)
        stream = None if market is None else _stream(market)
        if market is None or stream is None:
            return Standing.UNDECIDED
        point = self._points.get((market_id, boundary))
        if point is not None:
            exact = point.quality is Quality.EXACT
            return Standing.EXACT if exact else Standing.PROVISIONAL
        at_ns = market.open_ns if boundary is Boundary.OPEN else market.close_ns
        is_over = self._latest_ns.get(stream, 0) > at_ns + LATE_S * S_NS
        return Standing.MISSING if is_over else Standing.AWAITED

    def expected(self, market_id: MarketId) -> Outcome | None:
        """The outcome by our boundary prices: Up unless the close is below the open."""
        opened = self._points.get((market_id, Boundary.OPEN))
        closed = self._points.get((market_id, Boundary.CLOSE))
        if opened is None or closed is None:
            return None
        return Outcome.UP if closed.price_e18 >= opened.price_e18 else Outcome.DOWN

    def compare(self, market_id: MarketId, payouts_ppm: tuple[int, int]) -> Agreement:
        """Our expectation against the venue's payout; a split payout is never what we expect."""
        expected = self.expected(market_id)
        if expected is None:
            return Agreement.UNKNOWN
        return Agreement.AGREE if payouts_ppm[expected] == PPM else Agreement.DISAGREE

    def drop(self, market_id: MarketId) -> None:
        """Forget a market; nothing happens if it is not followed."""
        market = self._markets.pop(market_id, None)
        stream = None if market is None else _stream(market)
        if market is None or stream is None:
            return
        for boundary, at_ns in _boundaries(market):
            self._points.pop((market_id, boundary), None)
            waiting = self._awaiting[stream, at_ns]
            waiting.remove((market_id, boundary))
            if not waiting:
                del self._awaiting[stream, at_ns]

    def _offer(
        self, market_id: MarketId, boundary: Boundary, at_ns: int, report: OracleReported
    ) -> tuple[BoundaryFixed, ...]:
        """Offer a report to a boundary: the event if it now stands."""
        point = BoundaryFixed(
            market_id=market_id,
            boundary=boundary,
            price_e18=report.price_e18,
            observed_ns=report.observed_ns,
            source=report.source,
            quality=Quality.EXACT if report.observed_ns == at_ns else Quality.PROVISIONAL,
        )
        return (point,) if self.fix(point) else ()


def _stream(market: Market) -> Stream | None:
    """The reports that decide a market; None if no report does."""
    if isinstance(market.settlement, CandleOpenClose):
        return None
    return (market.asset, market.settlement.stream)


def _boundaries(market: Market) -> tuple[tuple[Boundary, int], tuple[Boundary, int]]:
    return ((Boundary.OPEN, market.open_ns), (Boundary.CLOSE, market.close_ns))
