"""What may be asked of the control API: frozen values, checked when they are read."""

from enum import StrEnum
from typing import TypeVar

import msgspec

from polyvenue.exchange.units import PPM
from polyvenue.faults.base import AMOUNT_E6_MAX, ranged
from polyvenue.market_data.windows import DURATIONS
from polyvenue.signing.wallets import WalletKind

ADVANCE_MS_MAX = 3_600_000
HOLD_MS_MAX = 3_600_000
SPEED_MAX = 1_000.0
TICKS_E4 = {"0.1": 1000, "0.01": 100, "0.005": 50, "0.0025": 25, "0.001": 10, "0.0001": 1}


class AccountType(StrEnum):
    """The wallets that a new account may have: the key's own, or a deposit wallet."""

    EOA = WalletKind.EOA.value
    DEPOSIT = WalletKind.DEPOSIT.value


class AccountOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST /accounts`."""

    type: AccountType = AccountType.EOA
    collateral_e6: int = 0

    def __post_init__(self) -> None:
        """ValueError for an amount out of range."""
        ranged("collateral_e6", self.collateral_e6, 0, AMOUNT_E6_MAX)


class MarketOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST /markets`. Rates are fractions; `fail_rate` None is the venue's own.

    `start_s`: Unix seconds of venue time; None opens the window at once.
    """

    asset: str
    window_s: int
    agents: bool = False
    hold_ms: int = 150
    fail_rate: float | None = None
    tick: str | float = "0.01"
    fee_rate: float = 0.07
    cross_outcome_match: bool = True
    start_s: int | None = None

    def __post_init__(self) -> None:
        """ValueError for a figure out of range."""
        if self.window_s not in DURATIONS:
            raise ValueError(f"window_s is {self.window_s}: one of 60, 300, 900")
        ranged("hold_ms", self.hold_ms, 0, HOLD_MS_MAX)
        ranged("fail_rate", self.fail_rate, 0.0, 1.0)
        ranged("fee_rate", self.fee_rate, 0.0, 1.0)
        if f"{self.tick}" not in TICKS_E4:
            raise ValueError(f"tick is {self.tick!s:.40}: one of {', '.join(TICKS_E4)}")

    @property
    def tick_e4(self) -> int:
        """The price grid in 10^-4 pUSD."""
        return TICKS_E4[f"{self.tick}"]

    @property
    def fail_ppm(self) -> int | None:
        """How often a settlement fails."""
        return None if self.fail_rate is None else round(self.fail_rate * PPM)

    @property
    def fee_ppm(self) -> int:
        """The rate in the fee formula."""
        return round(self.fee_rate * PPM)


class ClockMode(StrEnum):
    """How venue time goes on."""

    REAL = "real"
    SCALED = "scaled"
    STEPPED = "stepped"


class ClockOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST /clock`. `speed` belongs to scaled, `advance_ms` to stepped."""

    mode: ClockMode
    speed: float | None = None
    advance_ms: int | None = None

    def __post_init__(self) -> None:
        """ValueError for a figure out of range, missing or without use."""
        scaled, stepped = self.mode is ClockMode.SCALED, self.mode is ClockMode.STEPPED
        if (self.speed is not None) != scaled:
            raise ValueError("speed is needed with mode scaled, and with no other")
        if self.advance_ms is not None and not stepped:
            raise ValueError("advance_ms needs mode stepped")
        ranged("speed", self.speed, 0.001, SPEED_MAX)
        ranged("advance_ms", self.advance_ms, 0, ADVANCE_MS_MAX)


OrderT = TypeVar("OrderT", AccountOrder, MarketOrder, ClockOrder)


def decode(body: bytes, kind: type[OrderT]) -> OrderT:
    """An order of its JSON. ValueError with one line that says what is wrong and where."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as broken:
        raise ValueError(f"body: {broken}") from broken
