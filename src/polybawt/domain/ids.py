"""Identifiers, and the two small enumerations that everything is keyed by."""

from __future__ import annotations

from enum import IntEnum
from typing import NewType

MarketId = NewType("MarketId", str)
OrderId = NewType("OrderId", str)
FillId = NewType("FillId", str)
JobId = NewType("JobId", str)
StrategyName = NewType("StrategyName", str)
Instrument = NewType("Instrument", int)
"""(venue, market, outcome) interned to an int: `2 * market number + outcome`."""


class Outcome(IntEnum):
    """The two outcomes of a market; Up wins a tie."""

    UP = 0
    DOWN = 1

    @property
    def other(self) -> Outcome:
        """The opposite outcome."""
        return DOWN if self is UP else UP

    @property
    def text(self) -> str:
        """`Up` or `Down`, the venue's spelling."""
        return "Up" if self is Outcome.UP else "Down"


class Side(IntEnum):
    """Side of an order or print; for a print it is the taker's."""

    BUY = 0
    SELL = 1

    @property
    def other(self) -> Side:
        """The opposite side."""
        return SELL if self is BUY else BUY


# Looking a member up on its class costs 70 ns in Python 3.11, more than a call does: hot code takes
# these names. So it is with Phase, Rounding and OrderState in their modules.
UP, DOWN = Outcome.UP, Outcome.DOWN
BUY, SELL = Side.BUY, Side.SELL


def other(instrument: Instrument) -> Instrument:
    """The opposite outcome of the same market."""
    return Instrument(instrument ^ 1)


def outcome_of(instrument: Instrument) -> Outcome:
    """The outcome that an instrument names."""
    return DOWN if instrument & 1 else UP


class InstrumentTable:
    """Interns (venue, market) pairs in order of listing: the same numbers in every replay."""

    __slots__ = ("_by_market", "_markets")

    def __init__(self) -> None:
        self._by_market: dict[tuple[str, MarketId], int] = {}
        self._markets: list[MarketId] = []

    def intern(self, venue: str, market_id: MarketId, outcome: Outcome) -> Instrument:
        """The instrument of this outcome, numbered at first sight."""
        number = self._by_market.get((venue, market_id))
        if number is None:
            number = len(self._markets)
            self._by_market[venue, market_id] = number
            self._markets.append(market_id)
        return Instrument(2 * number + outcome)

    def find(self, instrument: Instrument) -> MarketId | None:
        """The market of an instrument, None if there is no such instrument."""
        number = instrument >> 1
        return self._markets[number] if 0 <= number < len(self._markets) else None

    def market_id(self, instrument: Instrument) -> MarketId:
        """The market that a known instrument belongs to."""
        return self._markets[instrument >> 1]
