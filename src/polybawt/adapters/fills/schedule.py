"""What is due when: one heap, ordered by (time, rank, order of scheduling)."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from enum import IntEnum

from polybawt.ports import NEVER_NS


class Rank(IntEnum):
    """Order of things at one instant: ends, then the book received, then arrivals and the rest."""

    END = 0
    BOOK = 1
    ARRIVAL = 2


class Schedule:
    """Calls due in the future. `due_ns` is the earliest, NEVER_NS if there is none."""

    __slots__ = ("_count", "_heap", "due_ns")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, int, Callable[[int], None]]] = []
        self._count = 0
        self.due_ns = NEVER_NS

    def add(self, due_ns: int, rank: Rank, call: Callable[[int], None]) -> None:
        """Run `call(due_ns)` when its time comes."""
        self._count += 1
        heapq.heappush(self._heap, (due_ns, rank, self._count, call))
        self.due_ns = self._heap[0][0]

    def run(self, now_ns: int, before: Rank | None = None) -> None:
        """Run what is due at or before `now_ns`; at that instant only ranks below `before`."""
        heap = self._heap
        while heap:
            due_ns, rank, _, call = heap[0]
            if due_ns > now_ns or (due_ns == now_ns and before is not None and rank >= before):
                break
            heapq.heappop(heap)
            call(due_ns)
        self.due_ns = heap[0][0] if heap else NEVER_NS
