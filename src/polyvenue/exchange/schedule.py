"""What is due when: a heap whose ties keep the order in which they were put in."""

import heapq
from enum import IntEnum

import msgspec


class Duty(IntEnum):
    """What is to be done."""

    RELEASE_HOLD = 1
    EXPIRE_ORDER = 2
    ADVANCE_TRADE = 3
    ADVANCE_JOB = 4
    CHECK_HEARTBEAT = 5
    CHANGE_MODE = 6
    AUTO_REDEEM = 7


class Task(msgspec.Struct, frozen=True, order=True):
    """Due at `at_ns`; `number` breaks ties. `key` names the order, trade, job, key or market."""

    at_ns: int
    number: int
    duty: Duty
    key: str
    mark: int = 0
    """Tells a task that was overtaken from the one that replaced it."""


class Schedule:
    """Tasks by time, then by the order in which they were added."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Task]] = []
        self._count = 0

    def add(self, at_ns: int, duty: Duty, key: str, mark: int = 0) -> None:
        """Put a task in."""
        self._count += 1
        task = Task(at_ns, self._count, duty, key, mark)
        heapq.heappush(self._heap, (at_ns, self._count, task))

    def next_ns(self) -> int | None:
        """When the next task is due."""
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now_ns: int) -> Task | None:
        """The next task that is due by `now_ns`, taken out."""
        if not self._heap or self._heap[0][0] > now_ns:
            return None
        return heapq.heappop(self._heap)[2]
