"""What is to be done at the edge. Values only; the core performs nothing."""

from __future__ import annotations

import msgspec

from polybawt.domain.ids import JobId, MarketId, OrderId, StrategyName
from polybawt.domain.order import Leg


class Action(msgspec.Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """One thing to do, valid until `valid_until_ns` (0: no end)."""

    strategy: StrategyName
    market_id: MarketId
    valid_until_ns: int = 0
    reason: str = ""


class Place(Action, frozen=True, kw_only=True, gc=False):
    """Send an order."""

    order_id: OrderId
    leg: Leg


class Cancel(Action, frozen=True, kw_only=True, gc=False):
    """Withdraw one order."""

    order_id: OrderId


class ChainAction(Action, frozen=True, kw_only=True, gc=False):
    """Chain work on one market: `qty_e6` pairs, or for a redeem the expected cash."""

    job_id: JobId
    qty_e6: int


class SplitPair(ChainAction, frozen=True, kw_only=True, gc=False):
    """pUSD to pairs."""


class MergePair(ChainAction, frozen=True, kw_only=True, gc=False):
    """Pairs to pUSD."""


class Redeem(ChainAction, frozen=True, kw_only=True, gc=False):
    """Winners of a resolved market to pUSD."""
