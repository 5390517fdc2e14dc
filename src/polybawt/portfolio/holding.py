"""The facts of one strategy in one market, and their fold: a function of the set of facts alone.

Ops are kept in canonical order (venue time, kind, key). A new op that sorts last is applied to the
running fold; anything else folds this one window again. An op whose shares have not arrived waits
(`parked`) for the first op that brings them. Settlement is no op: it is derived from what is held,
so a late fill or void changes the claim by itself.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import NamedTuple

from polybawt.domain.errors import InvariantError
from polybawt.domain.ids import DOWN, UP, MarketId, StrategyName
from polybawt.domain.units import E12
from polybawt.portfolio.lots import Method
from polybawt.portfolio.ops import Op, OpKind, settle
from polybawt.portfolio.positions import Change, Fold, Position, payout_e6

Payouts = tuple[int, int]
"""Payout per share of (Up, Down) in ppm."""

_ORDER = attrgetter("order")


class Figures(NamedTuple):
    """What a holding adds to the account."""

    cash_e6: int
    due_e6: int
    cost_e18: int
    realized_e18: int
    fees_e18: int
    parked_cash_e6: int
    parked: int


def post(fold: Fold, parked: list[Op], op: Op) -> list[tuple[Op, Change]]:
    """Apply an op and whatever waited for it, or park it. What was applied, in order."""
    if fold.lacks(op):
        parked.append(op)
        return []
    applied = [(op, fold.apply(op))]
    if parked and op.kind <= OpKind.BUY:
        for waiting in tuple(parked):
            if not fold.lacks(waiting):
                parked.remove(waiting)
                applied.append((waiting, fold.apply(waiting)))
    return applied


class Holding:
    """One strategy in one market. Mutable only through `add`, `confirm` and `remove`."""

    __slots__ = (
        "cached",
        "fact_cash_e6",
        "fact_fees_e18",
        "fact_qty_e6",
        "fills",
        "fold",
        "market_id",
        "method",
        "ops",
        "parked",
        "provisional",
        "provisional_buys_e6",
        "provisional_sells_e6",
        "strategy",
    )

    def __init__(self, strategy: StrategyName, market_id: MarketId, method: Method) -> None:
        self.strategy = strategy
        self.market_id = market_id
        self.method = method
        self.ops: list[Op] = []
        self.parked: list[Op] = []
        self.fold = Fold(method)
        self.provisional: dict[str, Op] = {}
        self.provisional_buys_e6 = [0, 0]
        self.provisional_sells_e6 = [0, 0]
        self.fact_qty_e6 = [0, 0]
        self.fact_cash_e6 = 0
        self.fact_fees_e18 = 0
        self.fills = 0
        self.cached: Position | None = None

    def add(self, op: Op, *, provisional: bool) -> None:
        """Book a new op."""
        self._count(op, 1)
        if provisional:
            self.provisional[op.key] = op
            self._count_provisional(op, 1)
        self.cached = None
        if not self.ops or self.ops[-1].order < op.order:
            self.ops.append(op)
            post(self.fold, self.parked, op)
        else:
            insort(self.ops, op, key=_ORDER)
            self._refold()

    def confirm(self, op: Op) -> None:
        """A provisional fill is final."""
        del self.provisional[op.key]
        self._count_provisional(op, -1)
        self.cached = None

    def remove(self, op: Op) -> None:
        """A provisional fill never happened."""
        self.confirm(op)
        self._count(op, -1)
        del self.ops[bisect_left(self.ops, op.order, key=_ORDER)]
        self._refold()

    def _count(self, op: Op, sign: int) -> None:
        """Control totals straight from the facts, kept apart from the fold that they check."""
        self.fact_qty_e6[UP] += sign * op.moved_e6(UP)
        self.fact_qty_e6[DOWN] += sign * op.moved_e6(DOWN)
        self.fact_cash_e6 += sign * op.cash_e6
        self.fact_fees_e18 += sign * op.fee_e18
        if op.kind in (OpKind.BUY, OpKind.SELL):
            self.fills += sign

    def _count_provisional(self, op: Op, sign: int) -> None:
        by_side = self.provisional_buys_e6 if op.kind is OpKind.BUY else self.provisional_sells_e6
        by_side[op.outcome] += sign * op.qty_e6

    def _refold(self) -> None:
        self.fold, self.parked = self._folded(self.ops)

    def _folded(self, ops: Iterable[Op]) -> tuple[Fold, list[Op]]:
        fold, parked = Fold(self.method), list[Op]()
        for op in ops:
            post(fold, parked, op)
        return fold, parked

    def applied(self, settlement: Op | None) -> Iterator[tuple[Op, Change]]:
        """Every op with what it did, in the order of the fold, the settlement last."""
        fold, parked = Fold(self.method), list[Op]()
        for op in self.ops:
            yield from post(fold, parked, op)
        if settlement is not None:
            yield settlement, fold.apply(settlement)

    def due_e6(self, payouts: Payouts | None) -> int:
        """What the resolution pays for the booked shares; 0 while there is no evidence."""
        if payouts is None:
            return 0
        return payout_e6(self.fold.up.qty_e6, self.fold.down.qty_e6, payouts)

    def figures(self, payouts: Payouts | None) -> Figures:
        """This holding's part of the account totals."""
        fold = self.fold
        cost_e18 = fold.up.cost_e18 + fold.down.cost_e18
        parked_cash_e6 = sum(op.cash_e6 for op in self.parked) if self.parked else 0
        due_e6, realized_e18 = 0, fold.realized_e18
        if payouts is not None:
            due_e6 = self.due_e6(payouts)
            realized_e18 += due_e6 * E12 - cost_e18
            cost_e18 = 0
        return Figures(
            fold.cash_e6,
            due_e6,
            cost_e18,
            realized_e18,
            fold.fees_e18,
            parked_cash_e6,
            len(self.parked),
        )

    def realized_confirmed_e18(self, payouts: Payouts | None) -> int:
        """Realised profit of the confirmed ops alone, as if the others did not exist."""
        if not self.provisional:
            return self.figures(payouts).realized_e18
        fold, _ = self._folded(op for op in self.ops if self.provisional.get(op.key) is not op)
        if payouts is not None:
            fold.apply(settle(payouts))
        return fold.realized_e18

    def position(self, payouts: Payouts | None, redeemed_e6: int) -> Position:
        """The position, with the part of the market's redeemed cash that is this holding's."""
        fold, figures = self.fold, self.figures(payouts)
        if payouts is not None:
            return Position(
                realized_e18=figures.realized_e18,
                fees_e18=figures.fees_e18,
                cash_e6=figures.cash_e6 + redeemed_e6,
                receivable_e6=figures.due_e6 - redeemed_e6,
                unfunded=figures.parked,
            )
        (up_e6, down_e6), (buys_up, buys_down) = self.fact_qty_e6, self.provisional_buys_e6
        sells_up, sells_down = self.provisional_sells_e6
        return Position(
            up_e6=fold.up.qty_e6,
            down_e6=fold.down.qty_e6,
            up_confirmed_e6=up_e6 - buys_up + sells_up,
            down_confirmed_e6=down_e6 - buys_down + sells_down,
            up_sellable_e6=up_e6 - buys_up,
            down_sellable_e6=down_e6 - buys_down,
            up_cost_e18=fold.up.cost_e18,
            down_cost_e18=fold.down.cost_e18,
            realized_e18=figures.realized_e18,
            fees_e18=figures.fees_e18,
            cash_e6=figures.cash_e6,
            unfunded=figures.parked,
        )

    def check(self) -> None:
        """Facts against fold: shares (I4), cash and fees (I5), and the identity. O(parked)."""
        fold, name = self.fold, f"{self.strategy} in {self.market_id}"
        for outcome, lots in ((UP, fold.up), (DOWN, fold.down)):
            waiting_e6 = sum(op.moved_e6(outcome) for op in self.parked)
            if lots.qty_e6 + waiting_e6 != self.fact_qty_e6[outcome]:
                raise InvariantError(
                    f"I4: {name} holds {lots.qty_e6} {outcome.text}, facts say "
                    f"{self.fact_qty_e6[outcome]} with {waiting_e6} unfunded"
                )
            if lots.qty_e6 < 0 or lots.cost_e18 < 0 or (lots.cost_e18 and not lots.qty_e6):
                raise InvariantError(f"{name}: {lots.qty_e6} {outcome.text} cost {lots.cost_e18}")
        if fold.cash_e6 + sum(op.cash_e6 for op in self.parked) != self.fact_cash_e6:
            raise InvariantError(f"I5: {name} cash {fold.cash_e6}, facts {self.fact_cash_e6}")
        if fold.fees_e18 + sum(op.fee_e18 for op in self.parked) != self.fact_fees_e18:
            raise InvariantError(f"I5: {name} fees {fold.fees_e18}, facts {self.fact_fees_e18}")
        if fold.realized_e18 != fold.up.cost_e18 + fold.down.cost_e18 + fold.cash_e6 * E12:
            raise InvariantError(f"identity: {name} realised {fold.realized_e18} unexplained")

    def audit(self) -> None:
        """Fold everything again and compare; then `check`. O(ops)."""
        self.check()
        fresh, parked = self._folded(self.ops)
        if _state(fresh) != _state(self.fold):
            raise InvariantError(
                f"{self.strategy} in {self.market_id}: running fold {_state(self.fold)}, "
                f"folded again {_state(fresh)}"
            )
        if parked != self.parked or [*map(_ORDER, self.ops)] != sorted(map(_ORDER, self.ops)):
            raise InvariantError(
                f"{self.strategy} in {self.market_id}: order or waiting ops differ"
            )


def _state(fold: Fold) -> tuple[int, ...]:
    return (
        fold.cash_e6,
        fold.realized_e18,
        fold.fees_e18,
        fold.up.qty_e6,
        fold.up.cost_e18,
        fold.down.qty_e6,
        fold.down.cost_e18,
    )
