"""One of our orders at the simulated venue, in the prices of the unified (Up) book."""

from __future__ import annotations

from polybawt.domain.actions import Place
from polybawt.domain.ids import BUY, DOWN, SELL, MarketId, Outcome, outcome_of
from polybawt.domain.order import OrderState, Tif
from polybawt.domain.units import E4

UNKNOWN_AHEAD_E6 = 1 << 62
"""Stands ahead of an order that joined outside the displayed levels: nobody can say how much."""
NOT_DISPLAYED = -1
"""The order's level lies outside the displayed levels: its absence there proves nothing."""


class SimOrder:
    """An order from submission to its end. `side` and `price_e4` are those of the Up book."""

    __slots__ = (
        "ahead_e6",
        "arrived_ns",
        "credit_e6",
        "credit_ns",
        "decided_ns",
        "displayed_e6",
        "filled_e6",
        "fills",
        "frame_seq",
        "hold_end_ns",
        "place",
        "price_e4",
        "printed_e6",
        "rest_e6",
        "seq",
        "side",
        "state",
    )

    def __init__(
        self, place: Place, *, seq: int, decided_ns: int, arrived_ns: int, frame_seq: int
    ) -> None:
        self.place = place
        self.seq = seq
        self.decided_ns = decided_ns
        self.arrived_ns = arrived_ns
        self.frame_seq = frame_seq
        self.side = BUY if place.leg.is_up_bid else SELL
        self.price_e4 = place.leg.up_price_e4
        self.rest_e6 = place.leg.qty_e6
        self.state = OrderState.SENT
        self.hold_end_ns = 0
        self.fills = 0
        self.filled_e6 = 0
        self.ahead_e6 = 0
        self.displayed_e6 = 0
        self.printed_e6 = 0
        self.credit_e6 = 0
        self.credit_ns = 0

    @property
    def market_id(self) -> MarketId:
        """The market it was sent to."""
        return self.place.market_id

    @property
    def outcome(self) -> Outcome:
        """The token it trades."""
        return outcome_of(self.place.leg.instrument)

    @property
    def is_immediate(self) -> bool:
        """Whether it may never rest."""
        return self.place.leg.tif in (Tif.FAK, Tif.FOK)

    @property
    def state_after_fill(self) -> OrderState:
        """State that the fills reported so far amount to."""
        if self.filled_e6 == self.place.leg.qty_e6:
            return OrderState.FILLED
        return OrderState.MATCHED if self.is_immediate else OrderState.PARTIAL

    @property
    def dies_ns(self) -> int:
        """When a GTD dies: the venue takes it off a minute before its expiration."""
        return self.place.leg.expires_ns - 60_000_000_000

    def token_price_e4(self, up_price_e4: int) -> int:
        """A price of the Up book in this order's own token."""
        return E4 - up_price_e4 if self.outcome is DOWN else up_price_e4

    def reaches(self, up_price_e4: int) -> bool:
        """Whether its limit is at or through a price of the opposite side."""
        if self.side is BUY:
            return self.price_e4 >= up_price_e4
        return self.price_e4 <= up_price_e4
