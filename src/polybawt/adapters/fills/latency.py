"""Delays as pure functions of (seed, purpose, timestamp).

There is no running random stream: what happened before, how many frames came and which outcome is
called Up cannot change a delay. Each delay is a constant plus a sample of an exponential tail, read
from a table that the seed fills once.
"""

from __future__ import annotations

from random import Random

from polybawt.adapters.fills.config import FillConfig
from polybawt.domain.units import MS_NS

_SIZE_BITS = 12
_MASK = (1 << _SIZE_BITS) - 1
_SHIFT = 64 - _SIZE_BITS
_MIX = 0x9E3779B97F4A7C15
"""2^64 over the golden ratio: the top bits of a multiple, modulo 2^64, spread times evenly."""

_FEED = 0x1F83D9AB
_ORDER = 0x5BE0CD19
_ACK = 0x3C6EF372
"""Salts of the three purposes, so that one timestamp has three unrelated delays."""


class Latency:
    """The three delays of the model, in nanoseconds."""

    __slots__ = ("_ack_ns", "_feed_ns", "_order_ns", "_tail_ns")

    def __init__(self, config: FillConfig) -> None:
        random = Random(config.seed)
        mean_ns = config.tail_ms * MS_NS
        self._tail_ns = tuple(
            int(random.expovariate(1.0) * mean_ns) for _ in range(1 << _SIZE_BITS)
        )
        self._feed_ns = config.feed_ms * MS_NS
        self._order_ns = config.order_ms * MS_NS
        self._ack_ns = config.ack_ms * MS_NS

    def _tail(self, at_ns: int, salt: int) -> int:
        return self._tail_ns[(at_ns ^ salt) * _MIX >> _SHIFT & _MASK]

    def feed_ns(self, recv_ns: int) -> int:
        """From the receipt of a frame to the bot seeing it."""
        # Once per frame: `_tail` written out.
        return self._feed_ns + self._tail_ns[(recv_ns ^ _FEED) * _MIX >> _SHIFT & _MASK]

    def order_ns(self, decided_ns: int) -> int:
        """From a decision to its orders and cancels reaching the book: one post, one delay."""
        return self._order_ns + self._tail(decided_ns, _ORDER)

    def ack_ns(self, venue_ns: int) -> int:
        """From an event at the venue to the bot knowing it."""
        return self._ack_ns + self._tail(venue_ns, _ACK)
