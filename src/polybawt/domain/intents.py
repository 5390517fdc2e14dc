"""What a strategy wants, and what risk made of it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from polybawt.domain.events import JobKind
from polybawt.domain.ids import MarketId, StrategyName
from polybawt.domain.order import Leg
from polybawt.domain.units import PPM


class Upkeep(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """When a resting order keeps its place although a slightly different one is wanted."""

    ticks: int
    within_ns: int
    size_tol_ppm: int


class Intent(msgspec.Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """Common fields: expected gain per share, worst case in pUSD, and why."""

    strategy: StrategyName
    market_id: MarketId
    edge_e4: int = 0
    worst_loss_e6: int = 0
    reason: str = ""


class Take(Intent, frozen=True, kw_only=True, gc=False):
    """Remove liquidity: all legs or none, on one scale."""

    plan_id: str
    legs: tuple[Leg, ...]


class Quote(Intent, frozen=True, kw_only=True, gc=False):
    """The complete set of orders that should rest in this market; empty pulls everything."""

    legs: tuple[Leg, ...]
    upkeep: Upkeep


class Convert(Intent, frozen=True, kw_only=True, gc=False):
    """Split pUSD into pairs or merge pairs into pUSD."""

    kind: JobKind
    qty_e6: int


class Check(StrEnum):
    """The checks of the pre-trade gate, in the order in which they run."""

    KILL_LATCH = "kill_latch"
    MODE = "mode"
    PHASE = "phase"
    FRESHNESS = "freshness"
    PRICE = "price"
    COLLAR = "collar"
    SIZE = "size"
    ORDER_LIMIT = "order_limit"
    DUPLICATE = "duplicate"
    SELF_CROSS = "self_cross"
    TOKEN_LIMIT = "token_limit"
    MARKET_LIMIT = "market_limit"
    WINDOW_LIMIT = "window_limit"
    ASSET_LIMIT = "asset_limit"
    STRATEGY_LIMIT = "strategy_limit"
    ACCOUNT_LIMIT = "account_limit"
    RESTING_LIMIT = "resting_limit"
    CASH = "cash"
    TOKENS = "tokens"
    WORKING_ORDERS = "working_orders"
    REJECT_STREAK = "reject_streak"
    STRATEGY = "strategy"


class Refusal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Why something was not done: which check, a stable code, and the numbers that bound."""

    check: Check
    code: str
    value: int = 0
    limit: int = 0


class Decision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An intent, judged. `scale_ppm` 0 is a refusal; `legs` are what may be sent."""

    intent: Intent
    scale_ppm: int = PPM
    legs: tuple[Leg, ...] = ()
    refusals: tuple[Refusal, ...] = ()
