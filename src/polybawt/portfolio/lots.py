"""Shares of one outcome with their cost, by the two cost methods.

Cost is in 10^-18 pUSD, floored when shares are taken out; what was floored away stays in the rest,
so no cost is ever lost and the last share takes all that remains.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import Protocol


class Method(StrEnum):
    """Which cost leaves first. Both give the same total, split otherwise into realised and not."""

    AVERAGE = "average"
    FIFO = "fifo"


class Lots(Protocol):
    """Shares of one outcome; `take` never takes more than is held (the caller asks first)."""

    qty_e6: int
    cost_e18: int

    def add(self, qty_e6: int, cost_e18: int) -> None:
        """Shares come in at a total cost."""

    def take(self, qty_e6: int) -> int:
        """Shares leave; the cost that leaves with them."""


class AverageLots:
    """One merged lot."""

    __slots__ = ("cost_e18", "qty_e6")

    def __init__(self) -> None:
        self.qty_e6 = 0
        self.cost_e18 = 0

    def add(self, qty_e6: int, cost_e18: int) -> None:
        """Shares come in at a total cost."""
        self.qty_e6 += qty_e6
        self.cost_e18 += cost_e18

    def take(self, qty_e6: int) -> int:
        """Shares leave; the cost that leaves with them."""
        if qty_e6 == self.qty_e6:
            taken_e18 = self.cost_e18
        else:
            taken_e18 = self.cost_e18 * qty_e6 // self.qty_e6
        self.qty_e6 -= qty_e6
        self.cost_e18 -= taken_e18
        return taken_e18


class FifoLots:
    """Every purchase its own lot, oldest first."""

    __slots__ = ("_lots", "cost_e18", "qty_e6")

    def __init__(self) -> None:
        self._lots: deque[tuple[int, int]] = deque()
        self.qty_e6 = 0
        self.cost_e18 = 0

    def add(self, qty_e6: int, cost_e18: int) -> None:
        """Shares come in at a total cost."""
        self._lots.append((qty_e6, cost_e18))
        self.qty_e6 += qty_e6
        self.cost_e18 += cost_e18

    def take(self, qty_e6: int) -> int:
        """Shares leave; the cost that leaves with them."""
        self.qty_e6 -= qty_e6
        if not self.qty_e6:
            taken_e18, self.cost_e18 = self.cost_e18, 0
            self._lots.clear()
            return taken_e18
        taken_e18 = 0
        while qty_e6:
            lot_e6, lot_e18 = self._lots.popleft()
            if lot_e6 > qty_e6:
                part_e18 = lot_e18 * qty_e6 // lot_e6
                self._lots.appendleft((lot_e6 - qty_e6, lot_e18 - part_e18))
                lot_e6, lot_e18 = qty_e6, part_e18
            qty_e6 -= lot_e6
            taken_e18 += lot_e18
        self.cost_e18 -= taken_e18
        return taken_e18


def empty_lots(method: Method) -> Lots:
    """Lots of one outcome that hold nothing yet."""
    return AverageLots() if method is Method.AVERAGE else FifoLots()
