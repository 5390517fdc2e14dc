"""Faults of the venue itself: trades, chain jobs, engine, markets, wallets; as frozen values."""

from enum import StrEnum

import msgspec

from polyvenue.exchange.events import JobState
from polyvenue.exchange.orders import TradeStatus
from polyvenue.exchange.state import EngineMode
from polyvenue.faults.base import (
    AMOUNT_E6_MAX,
    DAY_MS,
    SEED_MAX,
    Fault,
    needs,
    only_uses,
    ranged,
)

# Trades and jobs


class TradeMove(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The next status of a trade, `after_ms` later (venue time), maybe with a new hash."""

    status: TradeStatus
    after_ms: int = 0
    new_hash: bool = False


class TradeFault(Fault, frozen=True, kw_only=True, tag="trade"):
    """The path of the next trades: of a market, of an order (on either side), or of any.

    A path that ends before CONFIRMED or FAILED hangs for ever.
    """

    steps: tuple[TradeMove, ...]
    start: TradeStatus = TradeStatus.MATCHED
    market_id: str | None = None
    order_id: str | None = None


class JobMove(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The next state of a chain job, `after_ms` later (venue time)."""

    state: JobState
    after_ms: int = 0


class JobFault(Fault, frozen=True, kw_only=True, tag="job"):
    """The path of the next chain jobs (split, merge, redeem), of a wallet or of any."""

    steps: tuple[JobMove, ...]
    wallet: str | None = None


# What is done at once


class EngineAction(StrEnum):
    """What is ordered of the engine or of a market."""

    MODE = "mode"
    RESTART = "restart"
    TICK = "tick"
    HOLD = "hold"
    END = "end"
    RESOLVE = "resolve"


class Winner(StrEnum):
    """The payout of a forced resolution; `oracle` asks the oracle as usual."""

    UP = "up"
    DOWN = "down"
    SPLIT = "split"
    ORACLE = "oracle"


E = EngineAction
ENGINE_USES: dict[EngineAction, tuple[str, ...]] = {
    E.MODE: ("mode", "after_ms"),
    E.RESTART: ("after_ms",),
    E.TICK: ("market_id", "tick_e4"),
    E.HOLD: ("market_id", "hold_ms"),
    E.END: ("market_id",),
    E.RESOLVE: ("market_id", "winner"),
}
ENGINE_FIELDS = ("mode", "after_ms", "market_id", "tick_e4", "hold_ms", "winner")


class EngineFault(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="kind",
    tag="engine",
    forbid_unknown_fields=True,
):
    """Done once, when it is posted. mode: until changed, or for `after_ms`; restart: down for that.

    hold: another matching delay. end: close the market early. resolve: report the payout.
    """

    action: EngineAction
    seed: int = 1
    mode: EngineMode | None = None
    after_ms: int | None = None
    market_id: str | None = None
    tick_e4: int | None = None
    hold_ms: int | None = None
    winner: Winner | None = None

    def __post_init__(self) -> None:
        """ValueError for a figure out of range, a field missing or without use."""
        only_uses(self, self.action, ENGINE_USES[self.action], ENGINE_FIELDS)
        for name in ENGINE_USES[self.action]:
            if name != "after_ms":
                needs(self, self.action, name)
        ranged("seed", self.seed, 0, SEED_MAX)
        ranged("after_ms", self.after_ms, 0, DAY_MS)
        ranged("hold_ms", self.hold_ms, 0, DAY_MS)


class BalanceAction(StrEnum):
    """What happens to a wallet."""

    WITHDRAW = "withdraw"
    DEPOSIT = "deposit"
    ALLOWANCE = "allowance"
    TOKENS_APPROVED = "tokens_approved"
    BANNED = "banned"
    CLOSED_ONLY = "closed_only"


B = BalanceAction
AMOUNTS = (B.WITHDRAW, B.DEPOSIT, B.ALLOWANCE)


class BalanceFault(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="kind",
    tag="balance",
    forbid_unknown_fields=True,
):
    """Done once, when it is posted: move collateral, set an allowance, set a flag (`on`)."""

    action: BalanceAction
    wallet: str
    seed: int = 1
    amount_e6: int | None = None
    on: bool | None = None

    def __post_init__(self) -> None:
        """ValueError for an amount out of range, a field missing or without use."""
        used = "amount_e6" if self.action in AMOUNTS else "on"
        only_uses(self, self.action, (used,), ("amount_e6", "on"))
        needs(self, self.action, used)
        ranged("seed", self.seed, 0, SEED_MAX)
        ranged("amount_e6", self.amount_e6, 0, AMOUNT_E6_MAX)
