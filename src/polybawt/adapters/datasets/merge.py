"""Merges time-ordered streams into one total order, opening each only when its time has come."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush

from polybawt.domain.events import Event

Item = tuple[int, int, int, str, tuple[Event, ...]]
"""`(now_ns, rank of the source, order in the file, source, events)`"""
Stream = tuple[int, Callable[[], Iterator[Item]]]
"""`(time of its first item, how to open it)`; its items are in order."""


def merge(streams: Sequence[Stream]) -> Iterator[Item]:
    """All items in order of (now, rank, order); equal ones in order of the streams."""
    pending = sorted(enumerate(streams), key=lambda entry: entry[1][0], reverse=True)
    heap: list[tuple[int, int, int, int, Item, Iterator[Item]]] = []

    def push(number: int, stream: Iterator[Item]) -> None:
        item = next(stream, None)
        if item is not None:
            heappush(heap, (item[0], item[1], item[2], number, item, stream))

    while heap or pending:
        while pending and (not heap or pending[-1][1][0] <= heap[0][0]):
            number, (_, opened) = pending.pop()
            push(number, opened())
        if heap:
            *_, number, item, stream = heappop(heap)
            yield item
            push(number, stream)
