"""An order and its life cycle: the one table of states and transitions.

Two rules: everything that changes an order's state lives in this file, and the file does not know
who reports a fact. Evidence may come in any order, so a state may be skipped, never invented; the
state counts *matched* size, so a voided fill lowers what is filled but never moves a state back.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from polybawt.domain.errors import InvariantError
from polybawt.domain.ids import BUY, Instrument, OrderId, Side, StrategyName
from polybawt.domain.units import LOT_E6


class Tif(StrEnum):
    """Time in force."""

    GTC = "GTC"
    GTD = "GTD"
    FOK = "FOK"
    FAK = "FAK"


class OrderState(StrEnum):
    """States of the life cycle; the last six are terminal and absorb."""

    INTENT = "INTENT"
    SENT = "SENT"
    UNKNOWN = "UNKNOWN"
    DELAYED = "DELAYED"
    MATCHED = "MATCHED"
    LIVE = "LIVE"
    PARTIAL = "PARTIAL"
    CANCEL_SENT = "CANCEL_SENT"
    REJECTED = "REJECTED"
    UNMATCHED = "UNMATCHED"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    ABSENT = "ABSENT"


_S = OrderState
TERMINAL = frozenset({_S.REJECTED, _S.UNMATCHED, _S.FILLED, _S.CANCELLED, _S.EXPIRED, _S.ABSENT})

TRANSITIONS: dict[OrderState, frozenset[OrderState]] = {
    _S.INTENT: frozenset({_S.SENT, _S.REJECTED, _S.UNKNOWN}),
    _S.SENT: frozenset(
        {
            _S.LIVE,
            _S.PARTIAL,
            _S.FILLED,
            _S.DELAYED,
            _S.MATCHED,
            _S.UNMATCHED,
            _S.CANCELLED,
            _S.REJECTED,
            _S.UNKNOWN,
        }
    ),
    _S.UNKNOWN: frozenset(set(_S) - {_S.INTENT, _S.UNKNOWN}),
    _S.DELAYED: frozenset(
        {_S.LIVE, _S.PARTIAL, _S.FILLED, _S.MATCHED, _S.UNMATCHED, _S.CANCELLED, _S.UNKNOWN}
    ),
    _S.MATCHED: frozenset({_S.PARTIAL, _S.FILLED, _S.CANCELLED, _S.UNKNOWN}),
    _S.LIVE: frozenset(
        {_S.PARTIAL, _S.FILLED, _S.CANCEL_SENT, _S.CANCELLED, _S.EXPIRED, _S.UNKNOWN}
    ),
    _S.PARTIAL: frozenset({_S.FILLED, _S.CANCEL_SENT, _S.CANCELLED, _S.EXPIRED, _S.UNKNOWN}),
    _S.CANCEL_SENT: frozenset(
        {_S.CANCELLED, _S.FILLED, _S.EXPIRED, _S.PARTIAL, _S.LIVE, _S.UNKNOWN}
    ),
    **{state: frozenset() for state in TERMINAL},
}
"""From each state, the states it may go to (docs/architecture.md, order life cycle)."""

CANCELLABLE = frozenset({_S.LIVE, _S.PARTIAL})
"""States in which a cancel may be sent; a held order cannot be cancelled."""

_MATCHING = frozenset({_S.SENT, _S.DELAYED, _S.MATCHED, _S.LIVE})
"""States that a partial match moves on."""


CANCEL_SENT, UNKNOWN = _S.CANCEL_SENT, _S.UNKNOWN
"""Named as in `domain.ids`: cheap to look up."""


class Leg(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One order as wanted: a limit on one instrument. Quantities in 10^-6 shares."""

    instrument: Instrument
    side: Side
    limit_e4: int
    qty_e6: int
    tif: Tif = Tif.GTC
    post_only: bool = False
    expires_ns: int = 0

    @property
    def up_price_e4(self) -> int:
        """The limit in Up's prices: buying Down at p is selling Up at 1 - p."""
        return 10_000 - self.limit_e4 if self.instrument & 1 else self.limit_e4

    @property
    def is_up_bid(self) -> bool:
        """Whether this leg stands on the bid side of the unified book."""
        return (self.side is BUY) != bool(self.instrument & 1)


class Order:
    """Our order, owned by the account state. Mutable only through the methods below."""

    __slots__ = (
        "closed_reason",
        "created_ns",
        "fill_ids",
        "filled_e6",
        "leg",
        "matched_e6",
        "order_id",
        "state",
        "strategy",
        "venue_order_id",
    )

    def __init__(self, order_id: OrderId, strategy: StrategyName, leg: Leg, now_ns: int) -> None:
        self.order_id = order_id
        self.strategy = strategy
        self.leg = leg
        self.created_ns = now_ns
        self.state = OrderState.INTENT
        self.matched_e6 = 0
        self.filled_e6 = 0
        self.fill_ids: list[str] = []
        self.venue_order_id: str | None = None
        self.closed_reason: str | None = None

    @property
    def is_open(self) -> bool:
        """Not terminal: it may still trade, and its rest counts against every limit."""
        return self.state not in TERMINAL

    @property
    def rest_e6(self) -> int:
        """Size that may still trade: reserved while the order is open, 0 once it is terminal."""
        if self.state in TERMINAL:
            return 0
        rest_e6 = self.leg.qty_e6 - self.matched_e6
        return rest_e6 if rest_e6 > 0 else 0

    def advance(self, to: OrderState, reason: str | None = None) -> bool:
        """Move to a state that evidence shows. False if the order stays: same state, or terminal.

        Raises InvariantError for a transition that the table does not hold.
        """
        if to is self.state or self.state in TERMINAL:
            return False
        if to not in TRANSITIONS[self.state]:
            raise InvariantError(f"order {self.order_id}: {self.state} cannot become {to}")
        self.state = to
        if to in TERMINAL:
            self.closed_reason = reason
        return True

    def match(self, fill_id: str, qty_e6: int) -> None:
        """Book a match. Late fills of a terminal order are booked and never re-open it (I7)."""
        if qty_e6 <= 0:
            raise InvariantError(f"order {self.order_id}: fill {fill_id} of {qty_e6}")
        self.matched_e6 += qty_e6
        self.filled_e6 += qty_e6
        self.fill_ids.append(fill_id)
        if self.matched_e6 > self.leg.qty_e6 + LOT_E6:
            raise InvariantError(
                f"order {self.order_id}: matched {self.matched_e6} of {self.leg.qty_e6}"
            )
        if not self.is_open:
            return
        if self.matched_e6 > self.leg.qty_e6 - LOT_E6:
            self.advance(OrderState.FILLED)
        elif self.state in _MATCHING:
            # The rest of a GTC or GTD rests and can be withdrawn; that of a FAK or FOK dies.
            is_resting = self.state is _S.LIVE or self.leg.tif in (Tif.GTC, Tif.GTD)
            self.advance(_S.PARTIAL if is_resting else _S.MATCHED)

    def void(self, qty_e6: int) -> None:
        """A fill failed: less is filled, but what was matched stays matched."""
        self.filled_e6 -= qty_e6
        if self.filled_e6 < 0:
            raise InvariantError(f"order {self.order_id}: voided more than was filled")
