"""One change of what we own, as a value: what the ledger folds, in a canonical order.

An op is a fact that has been priced: signed cash, shares, fee. Everything that the ledger knows is
a function of a set of ops, never of the order in which they became known.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

from polybawt.domain.fill import Fill
from polybawt.domain.ids import Outcome, Side, outcome_of
from polybawt.domain.units import E4, E12, PPM, Rounding, notional_e6

E8 = E12 // E4


class OpKind(IntEnum):
    """What changed. The number ranks ops of one instant: what brings shares comes first."""

    SPLIT = 0
    BUY = 1
    SELL = 2
    MERGE = 3
    SETTLE = 4
    REDEEM = 5
    REBATE = 6
    DEPOSIT = 7


class Op(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One op. `qty_e6` is shares (pairs for split and merge) that change hands, never negative.

    `cash_e6` is signed and includes the fee; `fee_e18` says how much of the cost is fee. `up_ppm`
    is Up's part of a split's cost, or with `down_ppm` the payout per share of a settlement.
    """

    kind: OpKind
    qty_e6: int = 0
    cash_e6: int = 0
    outcome: Outcome = Outcome.UP
    fee_e18: int = 0
    up_ppm: int = 0
    down_ppm: int = 0
    key: str = ""
    venue_ns: int = 0

    @property
    def order(self) -> tuple[int, int, str]:
        """Key of the canonical order: venue time, kind, identifier."""
        return (self.venue_ns, self.kind, self.key)

    def moved_e6(self, outcome: Outcome) -> int:
        """Signed change of the shares of one outcome by trading; a settlement is none."""
        match self.kind:
            case OpKind.SPLIT:
                return self.qty_e6
            case OpKind.MERGE:
                return -self.qty_e6
            case OpKind.BUY:
                return self.qty_e6 if outcome is self.outcome else 0
            case OpKind.SELL:
                return -self.qty_e6 if outcome is self.outcome else 0
            case _:
                return 0


def of_fill(fill: Fill) -> Op:
    """The op of one of our fills, fee in pUSD as the venue reports it."""
    return Op(
        kind=OpKind.BUY if fill.side is Side.BUY else OpKind.SELL,
        qty_e6=fill.qty_e6,
        cash_e6=fill.cash_e6,
        outcome=outcome_of(fill.instrument),
        fee_e18=fill.fee_e6 * E12,
        key=fill.fill_id,
        venue_ns=fill.venue_ns,
    )


def buy(outcome: Outcome, qty_e6: int, price_e4: int, fee_e6: int = 0, fee_qty_e6: int = 0) -> Op:
    """Buy `qty_e6`; the venue keeps `fee_qty_e6` of them where its fee is in shares (V1)."""
    _require(qty_e6, price_e4, fee_e6)
    if not 0 <= fee_qty_e6 <= qty_e6:
        raise ValueError(f"fee of {fee_qty_e6} e-6 shares on {qty_e6} e-6 bought")
    return Op(
        kind=OpKind.BUY,
        qty_e6=qty_e6 - fee_qty_e6,
        cash_e6=-notional_e6(price_e4, qty_e6, Rounding.CEIL) - fee_e6,
        outcome=outcome,
        fee_e18=fee_e6 * E12 + fee_qty_e6 * price_e4 * E8,
    )


def sell(outcome: Outcome, qty_e6: int, price_e4: int, fee_e6: int = 0) -> Op:
    """Sell `qty_e6`; the fee comes out of the proceeds."""
    _require(qty_e6, price_e4, fee_e6)
    return Op(
        kind=OpKind.SELL,
        qty_e6=qty_e6,
        cash_e6=notional_e6(price_e4, qty_e6, Rounding.FLOOR) - fee_e6,
        outcome=outcome,
        fee_e18=fee_e6 * E12,
    )


def split(qty_e6: int, alloc_ppm: int = PPM // 2, *, key: str = "", venue_ns: int = 0) -> Op:
    """pUSD to pairs at par; `alloc_ppm` of the cost is Up's, the rest Down's."""
    if qty_e6 < 0 or not 0 <= alloc_ppm <= PPM:
        raise ValueError(f"split of {qty_e6} e-6 with {alloc_ppm} ppm to Up: outside 0..{PPM}")
    return Op(
        kind=OpKind.SPLIT,
        qty_e6=qty_e6,
        cash_e6=-qty_e6,
        up_ppm=alloc_ppm,
        key=key,
        venue_ns=venue_ns,
    )


def merge(qty_e6: int, *, key: str = "", venue_ns: int = 0) -> Op:
    """Pairs to pUSD at par."""
    if qty_e6 < 0:
        raise ValueError(f"merge of {qty_e6} e-6 pairs: must not be negative")
    return Op(kind=OpKind.MERGE, qty_e6=qty_e6, cash_e6=qty_e6, key=key, venue_ns=venue_ns)


def settle(payouts_ppm: tuple[int, int], *, key: str = "", venue_ns: int = 0) -> Op:
    """Every share becomes a claim at the payout per share of (Up, Down), which sum to one."""
    up_ppm, down_ppm = payouts_ppm
    if min(payouts_ppm) < 0 or up_ppm + down_ppm != PPM:
        raise ValueError(f"payouts {payouts_ppm} ppm: must not be negative and sum to {PPM}")
    return Op(kind=OpKind.SETTLE, up_ppm=up_ppm, down_ppm=down_ppm, key=key, venue_ns=venue_ns)


def redeem(cash_e6: int, *, key: str = "", venue_ns: int = 0) -> Op:
    """A claim becomes cash."""
    return Op(kind=OpKind.REDEEM, cash_e6=cash_e6, key=key, venue_ns=venue_ns)


def rebate(cash_e6: int) -> Op:
    """A paid rebate: cash that is realised at once."""
    return Op(kind=OpKind.REBATE, cash_e6=cash_e6)


def deposit(cash_e6: int) -> Op:
    """Capital from outside; negative is a withdrawal."""
    return Op(kind=OpKind.DEPOSIT, cash_e6=cash_e6)


def _require(qty_e6: int, price_e4: int, fee_e6: int) -> None:
    if qty_e6 < 0 or fee_e6 < 0 or not 0 <= price_e4 <= E4:
        raise ValueError(
            f"{qty_e6} e-6 shares at {price_e4} e-4, fee {fee_e6} e-6: a price is in 0..{E4}, "
            "quantity and fee are not negative"
        )
