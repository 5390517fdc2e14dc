"""Records of what is under way: trades, chain jobs and heartbeats, and scripts for their paths."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from polyvenue.exchange.events import JobState, JobView, TradeView
from polyvenue.exchange.orders import TradeStatus

Wants = Callable[[], bool]
"""Asked once about each trade or job that a script fits; False lets it pass."""

S = TradeStatus
TRADE_MOVES: dict[TradeStatus, tuple[TradeStatus, ...]] = {
    S.MATCHED_NOT_BROADCASTED: (S.MATCHED, S.FAILED),
    S.MATCHED: (S.MINED, S.RETRYING, S.FAILED),
    S.MINED: (S.CONFIRMED, S.RETRYING, S.FAILED),
    S.RETRYING: (S.MATCHED, S.MINED, S.FAILED),
    S.CONFIRMED: (),
    S.FAILED: (),
}
"""What may follow a status of a trade."""

JOB_MOVES: dict[JobState, tuple[JobState, ...]] = {
    JobState.NEW: (JobState.EXECUTED, JobState.FAILED, JobState.INVALID),
    JobState.EXECUTED: (JobState.MINED, JobState.FAILED),
    JobState.MINED: (JobState.CONFIRMED,),
    JobState.CONFIRMED: (),
    JobState.FAILED: (),
    JobState.INVALID: (),
}
"""What may follow a state of a chain job. What was mined stays."""


class TradeStep(msgspec.Struct, frozen=True, kw_only=True):
    """The next status of a trade, so long after the one before; maybe in a new transaction."""

    status: TradeStatus
    delay_ns: int
    new_hash: bool = False


class TradePath(msgspec.Struct, frozen=True, kw_only=True):
    """All statuses of a trade. One that ends before CONFIRMED or FAILED hangs for ever."""

    steps: tuple[TradeStep, ...]
    start: TradeStatus = TradeStatus.MATCHED

    def __post_init__(self) -> None:
        """ValueError for a move that the venue never makes."""
        if self.start not in (S.MATCHED, S.MATCHED_NOT_BROADCASTED):
            raise ValueError(f"a trade starts MATCHED or MATCHED_NOT_BROADCASTED, not {self.start}")
        status: TradeStatus = self.start
        for step in self.steps:
            if step.status not in TRADE_MOVES[status]:
                allowed = ", ".join(TRADE_MOVES[status]) or "nothing"
                raise ValueError(f"{step.status} after {status}: allowed is {allowed}")
            if step.delay_ns < 0:
                raise ValueError(f"delay_ns is {step.delay_ns}: at least 0")
            status = step.status


@dataclass(slots=True)
class TradeScript:
    """A path for the next `count` trades of a market, of an order (either side), or of any."""

    path: TradePath
    market_id: str | None
    order_id: str | None
    count: int
    wants: Wants | None = None


class JobStep(msgspec.Struct, frozen=True, kw_only=True):
    """The next state of a chain job, so long after the one before."""

    state: JobState
    delay_ns: int


class JobPath(msgspec.Struct, frozen=True, kw_only=True):
    """All states of a chain job after NEW. One that ends early hangs for ever."""

    steps: tuple[JobStep, ...]

    def __post_init__(self) -> None:
        """ValueError for a move that the relayer never makes."""
        state = JobState.NEW
        for step in self.steps:
            if step.state not in JOB_MOVES[state]:
                allowed = ", ".join(JOB_MOVES[state]) or "nothing"
                raise ValueError(f"{step.state} after {state}: allowed is {allowed}")
            if step.delay_ns < 0:
                raise ValueError(f"delay_ns is {step.delay_ns}: at least 0")
            state = step.state


@dataclass(slots=True)
class JobScript:
    """A path for the next `count` chain jobs of a wallet, or of any."""

    path: JobPath
    maker: str | None
    count: int
    wants: Wants | None = None


class Posting(msgspec.Struct, frozen=True):
    """What the settlement of a trade does to one asset of one wallet."""

    maker: str
    asset: str
    delta_e6: int


@dataclass(slots=True)
class TradeRecord:
    """A trade on its way. `is_mined` while its postings are in force on chain."""

    view: TradeView
    postings: tuple[Posting, ...]
    pairs_e6: int
    """Pairs that it creates; negative when it dissolves some."""
    steps: tuple[TradeStep, ...]
    next_step: int = 0
    hashes: int = 0
    is_mined: bool = False
    is_frozen: bool = False


@dataclass(slots=True)
class JobRecord:
    """A chain job on its way."""

    view: JobView
    steps: tuple[JobStep, ...]
    next_step: int = 0


@dataclass(slots=True)
class Beat:
    """The heartbeat of one API key. `count` numbers its ids, `mark` its registrations."""

    armed_ns: int
    last_ns: int
    count: int
    beat_id: str
    mark: int
