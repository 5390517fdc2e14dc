"""Token buckets per signer, with the headers that tell a client where it stands.

Each signer (the address of the API key) has one bucket for orders and one for cancels; size and
refill follow the tier of its volume. Source: the venue's page on trading rate limits, and
polymarket.md 4.9. Whether the venue enforces them is not known, hence the three modes.

Balances are whole billionths of a token, so that refill (tokens per second times nanoseconds) is
exact.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from polyvenue.signing.addresses import Address
from polyvenue.signing.refusal import TOO_MANY_REQUESTS, Refusal

NS_PER_S = 1_000_000_000
TOKEN = 1_000_000_000

REMAINING = "Poly-RateLimit-Remaining"
RESET = "Poly-RateLimit-Reset"
TIER = "Poly-RateLimit-Tier"
WARNING = "Poly-RateLimit-Warning"
RETRY_AFTER = "Retry-After"


class LimitMode(StrEnum):
    """What happens to a request that its bucket cannot pay."""

    OFF = "off"
    WARN = "warn"
    ENFORCE = "enforce"


class Bucket(StrEnum):
    """Which of a signer's buckets a call draws from."""

    ORDER = "order"
    CANCEL = "cancel"


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of one tier: tokens per second and tokens at most.

    `volume_usd` is the 30-day volume that earns it. `cancel_debt`: a cancel of many orders at once
    may leave the balance below zero.
    """

    name: str
    volume_usd: int
    order_rate: int
    order_burst: int
    cancel_rate: int
    cancel_burst: int
    cancel_debt: bool

    def rate(self, bucket: Bucket) -> int:
        """Tokens per second that flow in."""
        return self.order_rate if bucket is Bucket.ORDER else self.cancel_rate

    def burst(self, bucket: Bucket) -> int:
        """Tokens in a full bucket."""
        return self.order_burst if bucket is Bucket.ORDER else self.cancel_burst


_TABLE = (
    ("standard", 0, 40, 60, 80, 120, True),
    ("copper", 30_000, 60, 90, 120, 180, True),
    ("bronze", 50_000, 80, 120, 160, 240, True),
    ("silver", 100_000, 200, 300, 400, 600, True),
    ("gold", 500_000, 400, 600, 800, 1_200, True),
    ("platinum", 2_500_000, 450, 675, 900, 1_350, False),
    ("diamond", 5_000_000, 525, 787, 1_050, 1_575, False),
    ("elite", 10_000_000, 600, 900, 1_200, 1_800, False),
)

TIERS: dict[str, Tier] = {
    name: Tier(
        name=name,
        volume_usd=volume_usd,
        order_rate=order_rate,
        order_burst=order_burst,
        cancel_rate=cancel_rate,
        cancel_burst=cancel_burst,
        cancel_debt=cancel_debt,
    )
    for name, volume_usd, order_rate, order_burst, cancel_rate, cancel_burst, cancel_debt in _TABLE
}
STANDARD = TIERS["standard"]


def tier_of_volume(volume_usd: int) -> Tier:
    """The highest tier that a 30-day volume earns."""
    return [tier for tier in TIERS.values() if tier.volume_usd <= volume_usd][-1]


def cost_of(method: str, path: str, entries: int = 1) -> tuple[Bucket, int] | None:
    """The bucket and the tokens of a call before it runs; None for a call without a cost.

    `entries` counts the orders or ids of a batch. Cancel-all and cancel-market cost one token here,
    and one more for each order that they cancelled (`Limits.settle`).
    """
    match method, path:
        case "POST", "/order":
            return Bucket.ORDER, 1
        case "POST", "/orders":
            return Bucket.ORDER, entries
        case "DELETE", "/order" | "/cancel-all" | "/cancel-market-orders":
            return Bucket.CANCEL, 1
        case "DELETE", "/orders":
            return Bucket.CANCEL, entries
        case _:
            return None


class Verdict(msgspec.Struct, frozen=True):
    """What a bucket says to a call: headers for its reply, and the refusal if it must not run."""

    headers: dict[str, str]
    refusal: Refusal | None = None


class _Balance:
    __slots__ = ("filled_ns", "tokens")

    def __init__(self, tokens: int, filled_ns: int) -> None:
        self.tokens = tokens
        self.filled_ns = filled_ns


class Limits:
    """The buckets of all signers. Bound: two balances and a tier per signer that has an API key."""

    def __init__(self, mode: LimitMode = LimitMode.WARN, default: Tier = STANDARD) -> None:
        """Every signer starts in the default tier with full buckets."""
        self.mode = mode
        self._default = default
        self._tiers: dict[Address, Tier] = {}
        self._balances: dict[tuple[Address, Bucket], _Balance] = {}

    def tier(self, signer: Address) -> Tier:
        """The tier of a signer."""
        return self._tiers.get(signer, self._default)

    def put_tier(self, signer: Address, tier: Tier) -> None:
        """Move a signer to a tier; the next call cuts what a bucket holds above the new burst."""
        self._tiers[signer] = tier

    def charge(self, signer: Address, bucket: Bucket, cost: int, now_ns: int) -> Verdict:
        """Take the whole cost or nothing; in mode `warn` a call that cannot pay runs unpaid.

        A cost above the burst is never admitted and gets no `Retry-After`: waiting does not help.
        ValueError for a negative cost.
        """
        if cost < 0:
            raise ValueError(f"a call costs {cost} tokens: at least 0")
        if self.mode is LimitMode.OFF:
            return Verdict({})
        balance = self._refilled(signer, bucket, now_ns)
        if balance.tokens >= cost * TOKEN:
            balance.tokens -= cost * TOKEN
            return Verdict(self._headers(signer, bucket, 1, now_ns))
        headers = self._headers(signer, bucket, cost, now_ns)
        if self.mode is LimitMode.WARN:
            return Verdict(headers | {WARNING: "true"})
        if cost <= self.tier(signer).burst(bucket):
            wait_ns = self._wait_ns(signer, bucket, cost)
            headers[RETRY_AFTER] = str(max(1, -(-wait_ns // NS_PER_S)))
        return Verdict(headers, TOO_MANY_REQUESTS)

    def settle(self, signer: Address, cancelled: int, now_ns: int) -> dict[str, str]:
        """Take one cancel token per order that cancel-all or cancel-market cancelled.

        The balance goes below zero where the tier allows it, else it stops at zero. The headers
        replace those of the charge.
        """
        if self.mode is LimitMode.OFF:
            return {}
        balance = self._refilled(signer, Bucket.CANCEL, now_ns)
        balance.tokens -= cancelled * TOKEN
        if not self.tier(signer).cancel_debt:
            balance.tokens = max(0, balance.tokens)
        return self._headers(signer, Bucket.CANCEL, 1, now_ns)

    def _refilled(self, signer: Address, bucket: Bucket, now_ns: int) -> _Balance:
        """The balance at `now_ns`; a clock that steps back refills nothing."""
        tier = self.tier(signer)
        full = tier.burst(bucket) * TOKEN
        balance = self._balances.get((signer, bucket))
        if balance is None:
            balance = self._balances[signer, bucket] = _Balance(full, now_ns)
        elapsed_ns = max(0, now_ns - balance.filled_ns)
        balance.tokens = min(full, balance.tokens + elapsed_ns * tier.rate(bucket))
        balance.filled_ns += elapsed_ns
        return balance

    def _wait_ns(self, signer: Address, bucket: Bucket, cost: int) -> int:
        """Time until the bucket holds the cost, or is full if it never can."""
        tier = self.tier(signer)
        wanted = min(cost, tier.burst(bucket)) * TOKEN
        missing = max(0, wanted - self._balances[signer, bucket].tokens)
        return -(-missing // tier.rate(bucket))

    def _headers(self, signer: Address, bucket: Bucket, cost: int, now_ns: int) -> dict[str, str]:
        """Whole tokens left, and the Unix second at which `cost` tokens can be paid."""
        reset_ns = now_ns + self._wait_ns(signer, bucket, cost)
        return {
            REMAINING: str(self._balances[signer, bucket].tokens // TOKEN),
            RESET: str(-(-reset_ns // NS_PER_S)),
            TIER: self.tier(signer).name,
        }
