"""Configuration of the exchange: one switch for each point that the venue does not document."""

import msgspec

from polyvenue.exchange.orders import TradeStatus
from polyvenue.exchange.units import MS_NS, PPM, S_NS, Rounding


class Delay(msgspec.Struct, frozen=True, kw_only=True):
    """A delay drawn evenly from `[low_ns, high_ns]`, or `tail_ns` with probability `tail_ppm`."""

    low_ns: int
    high_ns: int
    tail_ns: int = 0
    tail_ppm: int = 0

    def __post_init__(self) -> None:
        """ValueError unless 0 <= low <= high and the probability is one."""
        if not 0 <= self.low_ns <= self.high_ns or self.tail_ns < 0:
            raise ValueError("a delay needs 0 <= low_ns <= high_ns and tail_ns >= 0")
        if not 0 <= self.tail_ppm <= PPM:
            raise ValueError(f"tail_ppm is {self.tail_ppm}: allowed are 0 to {PPM}")


class SettlementConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How matched trades reach the chain. Probabilities are drawn once per trade, at its match.

    `fail_ppm`: ends FAILED; `fail_mined_ppm` of these were MINED before. `retry_ppm` of the others
    pass through RETRYING. `usable_from`: the status from which received amounts back new orders.
    `hash_from`: the status (MATCHED or MINED) that first carries a transaction hash.
    """

    mined: Delay = Delay(low_ns=2 * S_NS, high_ns=8 * S_NS, tail_ns=50 * S_NS, tail_ppm=10_000)
    confirmed: Delay = Delay(low_ns=2 * S_NS, high_ns=6 * S_NS)
    retried: Delay = Delay(low_ns=2 * S_NS, high_ns=10 * S_NS)
    retry_ppm: int = 5_000
    fail_ppm: int = 2_000
    fail_mined_ppm: int = 250_000
    usable_from: TradeStatus = TradeStatus.MINED
    hash_from: TradeStatus = TradeStatus.MINED

    def __post_init__(self) -> None:
        """ValueError for a probability outside 0..10^6 or a status that makes no sense."""
        for name in ("retry_ppm", "fail_ppm", "fail_mined_ppm"):
            value = getattr(self, name)
            if not 0 <= value <= PPM:
                raise ValueError(f"{name} is {value}: allowed are 0 to {PPM}")
        if self.usable_from not in (
            TradeStatus.MATCHED,
            TradeStatus.MINED,
            TradeStatus.CONFIRMED,
        ):
            raise ValueError(f"usable_from is {self.usable_from}: MATCHED, MINED or CONFIRMED")
        if self.hash_from not in (TradeStatus.MATCHED, TradeStatus.MINED):
            raise ValueError(f"hash_from is {self.hash_from}: MATCHED or MINED")


class ChainConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Split, merge and redeem through the relayer.

    `auto_redeem_ns`: when the venue redeems for accounts that let it, after a resolution (None:
    never; whether and when it does is not documented). `recheck_orders`: a job that takes what open
    orders rest on cancels them, as the venue does when it notices.
    """

    executed: Delay = Delay(low_ns=500 * MS_NS, high_ns=2 * S_NS)
    mined: Delay = Delay(low_ns=2 * S_NS, high_ns=6 * S_NS)
    confirmed: Delay = Delay(low_ns=2 * S_NS, high_ns=6 * S_NS)
    fail_ppm: int = 0
    auto_redeem_ns: int | None = None
    recheck_orders: bool = True

    def __post_init__(self) -> None:
        """ValueError for a probability outside 0..10^6 or a negative delay."""
        if not 0 <= self.fail_ppm <= PPM:
            raise ValueError(f"fail_ppm is {self.fail_ppm}: allowed are 0 to {PPM}")
        if self.auto_redeem_ns is not None and self.auto_redeem_ns < 0:
            raise ValueError(f"auto_redeem_ns is {self.auto_redeem_ns}: at least 0")


class ExchangeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Rules of the exchange; the defaults are the documented or most likely behaviour."""

    settlement: SettlementConfig = SettlementConfig()
    chain: ChainConfig = ChainConfig()
    fee_rounding: Rounding = Rounding.HALF_UP
    gtd_lead_s: int = 180
    gtd_early_s: int = 60
    market_order_min_size: bool = True
    """Whether FAK and FOK obey the minimum size in shares too."""
    marketable_buy_min_e6: int = 1_000_000
    orders_after_end: bool = False
    """Whether a market takes orders between its end and its resolution."""
    duplicate_when_terminal: bool = True
    """Whether the id of an order that has ended is still refused as a duplicate."""
    eoa_allowed: bool = True
    """False: signature type 0 is sent to the deposit wallet flow."""
    batch_max: int = 15
    cancel_max: int = 1000
    heartbeat_expiry_ns: int = 10 * S_NS
    heartbeat_check_ns: int = 5 * S_NS
    """Expiry is noticed at multiples of this after the first beat; 0 means at once."""
    restart_ns: int = 90 * S_NS
    restart_post_only_ns: int = 120 * S_NS
    """A restart answers 425 for the first and takes only post-only orders for the second."""
    rebate_min_e6: int = 1_000_000
    requests_max: int = 1_000_000
    """How many of the latest requests the truth remembers."""

    def __post_init__(self) -> None:
        """ValueError for a bound that is negative or empty."""
        for name in ("gtd_lead_s", "gtd_early_s", "marketable_buy_min_e6", "heartbeat_check_ns"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}: at least 0")
        for name in ("restart_ns", "restart_post_only_ns", "rebate_min_e6"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}: at least 0")
        for name in ("batch_max", "cancel_max", "heartbeat_expiry_ns", "requests_max"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: at least 1")
