"""Ops to a position: the one place that says what each op does to cash, lots and realised profit.

Identity, exact in 10^-18 pUSD after every op: realised = cost + cash + receivable - deposits.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

import msgspec

from polybawt.domain.errors import InvariantError
from polybawt.domain.units import CEIL, E6, E12, PPM, div
from polybawt.portfolio.lots import Method, empty_lots
from polybawt.portfolio.ops import Op, OpKind


class Position(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one strategy has in one market. Shares 10^-6, cost and realised 10^-18 pUSD.

    `up_e6` and `down_e6` are all that is booked, provisional included; the confirmed quantities
    leave provisional fills out. `up_sellable_e6` also leaves out what provisional sells will take
    (the reserve of open sells is the caller's to subtract). Cash is the net flow with fees.
    """

    up_e6: int = 0
    down_e6: int = 0
    up_confirmed_e6: int = 0
    down_confirmed_e6: int = 0
    up_sellable_e6: int = 0
    down_sellable_e6: int = 0
    up_cost_e18: int = 0
    down_cost_e18: int = 0
    realized_e18: int = 0
    fees_e18: int = 0
    cash_e6: int = 0
    receivable_e6: int = 0
    rebates_e6: int = 0
    deposits_e6: int = 0
    unfunded: int = 0

    @property
    def cost_e18(self) -> int:
        """Cost of everything held: the capital that is bound here."""
        return self.up_cost_e18 + self.down_cost_e18

    @property
    def fees_e6(self) -> int:
        """Fees paid. Exact where fees are pUSD; a fee in shares is rounded up."""
        return div(self.fees_e18, E12, CEIL)

    @property
    def is_flat(self) -> bool:
        """Nothing held and nothing still to be received."""
        return not (self.up_e6 or self.down_e6 or self.receivable_e6)


EMPTY = Position()


class Change(msgspec.Struct, frozen=True, gc=False):
    """What one op did, signed. In pUSD: cash + receivable + cost = realised + capital."""

    up_e6: int = 0
    down_e6: int = 0
    cash_e6: int = 0
    receivable_e6: int = 0
    cost_e18: int = 0
    realized_e18: int = 0
    capital_e6: int = 0


def payout_e6(up_e6: int, down_e6: int, payouts_ppm: tuple[int, int]) -> int:
    """Claim of a holding at a payout per share, each outcome floored to 10^-6 as the chain does."""
    return up_e6 * payouts_ppm[0] // PPM + down_e6 * payouts_ppm[1] // PPM


class Fold:
    """State of ops applied one after another. Never short: `apply` refuses what is not held."""

    __slots__ = (
        "cash_e6",
        "deposits_e6",
        "down",
        "fees_e18",
        "realized_e18",
        "rebates_e6",
        "receivable_e6",
        "up",
    )

    def __init__(self, method: Method) -> None:
        self.up = empty_lots(method)
        self.down = empty_lots(method)
        self.cash_e6 = 0
        self.receivable_e6 = 0
        self.realized_e18 = 0
        self.fees_e18 = 0
        self.rebates_e6 = 0
        self.deposits_e6 = 0

    def lacks(self, op: Op) -> bool:
        """Whether the op takes shares that are not held."""
        if op.kind is OpKind.SELL:
            return (self.down if op.outcome else self.up).qty_e6 < op.qty_e6
        if op.kind is OpKind.MERGE:
            return self.up.qty_e6 < op.qty_e6 or self.down.qty_e6 < op.qty_e6
        return False

    def apply(self, op: Op) -> Change:
        """Apply one op. ValueError for more than is held; InvariantError if it is unbalanced."""
        if self.lacks(op):
            what = op.outcome.text if op.kind is OpKind.SELL else "pairs"
            raise ValueError(
                f"{op.kind.name.lower()} of {op.qty_e6} e-6 {what}: only "
                f"{self.up.qty_e6} Up and {self.down.qty_e6} Down are held"
            )
        change = self._move(op)
        credit_e18 = change.realized_e18 + change.capital_e6 * E12
        if (change.cash_e6 + change.receivable_e6) * E12 + change.cost_e18 != credit_e18:
            raise InvariantError(f"{op.kind.name} {op.key} does not balance: {change}")
        self.cash_e6 += change.cash_e6
        self.receivable_e6 += change.receivable_e6
        self.realized_e18 += change.realized_e18
        self.deposits_e6 += change.capital_e6
        self.fees_e18 += op.fee_e18
        return change

    def _move(self, op: Op) -> Change:
        """Move the lots and say what that means for the other accounts."""
        cash_e6, cash_e18 = op.cash_e6, op.cash_e6 * E12
        match op.kind:
            case OpKind.BUY:
                (self.down if op.outcome else self.up).add(op.qty_e6, -cash_e18)
                up_e6, down_e6 = (0, op.qty_e6) if op.outcome else (op.qty_e6, 0)
                return Change(up_e6, down_e6, cash_e6, 0, -cash_e18)
            case OpKind.SELL:
                taken_e18 = (self.down if op.outcome else self.up).take(op.qty_e6)
                up_e6, down_e6 = (0, -op.qty_e6) if op.outcome else (-op.qty_e6, 0)
                return Change(up_e6, down_e6, cash_e6, 0, -taken_e18, cash_e18 - taken_e18)
            case OpKind.SPLIT:
                up_e18 = op.qty_e6 * op.up_ppm * E6
                self.up.add(op.qty_e6, up_e18)
                self.down.add(op.qty_e6, op.qty_e6 * E12 - up_e18)
                return Change(op.qty_e6, op.qty_e6, cash_e6, 0, op.qty_e6 * E12)
            case OpKind.MERGE:
                taken_e18 = self.up.take(op.qty_e6) + self.down.take(op.qty_e6)
                gain_e18 = op.qty_e6 * E12 - taken_e18
                return Change(-op.qty_e6, -op.qty_e6, cash_e6, 0, -taken_e18, gain_e18)
            case OpKind.SETTLE:
                up_e6, down_e6 = self.up.qty_e6, self.down.qty_e6
                due_e6 = payout_e6(up_e6, down_e6, (op.up_ppm, op.down_ppm))
                taken_e18 = self.up.take(up_e6) + self.down.take(down_e6)
                gain_e18 = due_e6 * E12 - taken_e18
                return Change(-up_e6, -down_e6, 0, due_e6, -taken_e18, gain_e18)
            case OpKind.REDEEM:
                return Change(0, 0, cash_e6, -cash_e6)
            case OpKind.REBATE:
                self.rebates_e6 += cash_e6
                return Change(0, 0, cash_e6, 0, 0, cash_e18)
            case OpKind.DEPOSIT:
                return Change(0, 0, cash_e6, 0, 0, 0, cash_e6)
            case _:
                assert_never(op.kind)


def fold(ops: Iterable[Op], method: Method) -> Position:
    """Position after the ops in the order given, all of them confirmed.

    ValueError for selling or merging more than is held: the ledger never goes short.
    """
    state = Fold(method)
    for op in ops:
        state.apply(op)
    up_e6, down_e6 = state.up.qty_e6, state.down.qty_e6
    return Position(
        up_e6=up_e6,
        down_e6=down_e6,
        up_confirmed_e6=up_e6,
        down_confirmed_e6=down_e6,
        up_sellable_e6=up_e6,
        down_sellable_e6=down_e6,
        up_cost_e18=state.up.cost_e18,
        down_cost_e18=state.down.cost_e18,
        realized_e18=state.realized_e18,
        fees_e18=state.fees_e18,
        cash_e6=state.cash_e6,
        receivable_e6=state.receivable_e6,
        rebates_e6=state.rebates_e6,
        deposits_e6=state.deposits_e6,
    )
