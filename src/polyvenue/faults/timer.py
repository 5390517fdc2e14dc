"""Real time for faults of the transport: what a client's time-outs count in."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from polyvenue.clock import NS_PER_S, VenueClock


class Timer(Protocol):
    """Real time, and waiting for it."""

    def now_ns(self) -> int:
        """Never goes back."""

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """Call `do` once, so much later."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class LoopTimer:
    """The running event loop's time."""

    def __init__(self, clock: VenueClock) -> None:
        self._clock = clock

    def now_ns(self) -> int:
        """Never goes back."""
        return self._clock.real_ns()

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """Call `do` once, so much later."""
        asyncio.get_running_loop().call_later(seconds, do)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


def seconds_ns(seconds: float) -> int:
    """Seconds as nanoseconds, rounded down."""
    return int(seconds * NS_PER_S)
