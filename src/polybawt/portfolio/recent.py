"""A bounded memory of finished things."""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(OrderedDict[K, V]):
    """The newest `limit` items by insertion. At the bound the oldest is forgotten and counted."""

    __slots__ = ("forgotten", "limit")

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit
        self.forgotten = 0

    def put(self, key: K, value: V) -> None:
        """Remember an item."""
        self[key] = value
        if len(self) > self.limit:
            self.popitem(last=False)
            self.forgotten += 1
