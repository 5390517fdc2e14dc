"""What happens on our Binance: one print and one best quote after another, from the path.

USDT stands above USD by a slowly walking basis, so Binance is not the oracle. In every slot of the
grid each symbol has exactly one print and one quote: trade ids and update ids are therefore dense
and depend only on time. Payloads: feeds.md 1.3.
"""

import math
from dataclasses import dataclass

from polyvenue.market_data.assets import Asset
from polyvenue.market_data.prices import GRID_NS, PricePath, gaussian, uniform
from polyvenue.market_data.text import NS, NS_PER_MS, JsonObject, fixed_text

# Ids count slots from here, so that they look like the venue's and fit in 53 bits.
_EPOCH_NS = 1_767_225_600 * NS
_FIRST_TRADE_ID = 5_900_000_000
_FIRST_UPDATE_ID = 80_000_000_000
_BASIS_BLOCK_NS = 600 * NS
_LATENCY_MS = (5, 50)
_MEMORY = 512


@dataclass(frozen=True, slots=True)
class BinanceEvent:
    """One payload: the stream it belongs to, and when it reaches a client."""

    stream: str
    at_ns: int
    payload: JsonObject


class BinanceTape:
    """Prints and quotes of one symbol."""

    def __init__(self, seed: int, path: PricePath, *, basis_bp: float = 2.5) -> None:
        self.asset: Asset = path.asset
        self._path = path
        self._key = f"{seed}:{path.asset.code}:binance"
        self._shared_key = f"{seed}:usdt"  # one walk for every symbol: it is the dollar that moves
        self._basis = basis_bp * 1e-4
        self._symbol = path.asset.binance_symbol
        self._tick_e8 = int(10 ** (8 - path.asset.decimals))
        self._slots: dict[int, tuple[BinanceEvent, BinanceEvent]] = {}
        self.streams = tuple(f"{self._symbol.lower()}@{name}" for name in ("trade", "bookTicker"))

    def events(self, after_ns: int, until_ns: int) -> list[BinanceEvent]:
        """Everything that reaches clients in (after_ns, until_ns], in order."""
        first = (after_ns - _LATENCY_MS[1] * NS_PER_MS) // GRID_NS
        found: list[BinanceEvent] = []
        for slot in range(first, until_ns // GRID_NS + 1):
            pair = self._slot(slot)
            if after_ns < pair[0].at_ns <= until_ns:
                found += pair
        return found

    def _slot(self, slot: int) -> tuple[BinanceEvent, BinanceEvent]:
        """The quote and the print of a slot, remembered for the next client."""
        pair = self._slots.get(slot)
        if pair is None:
            at_ns = slot * GRID_NS + self._latency_ns(slot)
            quote = BinanceEvent(self.streams[1], at_ns, self._quote(slot))
            pair = (quote, BinanceEvent(self.streams[0], at_ns, self._print(slot)))
            if len(self._slots) >= _MEMORY:
                self._slots.clear()
            self._slots[slot] = pair
        return pair

    def _latency_ns(self, slot: int) -> int:
        low, high = _LATENCY_MS
        return int((low + (high - low) * uniform(f"{self._key}:l:{slot}")) * NS_PER_MS)

    def _middle_e8(self, slot: int) -> int:
        """The path plus the basis, in 1e-8 USDT."""
        at_ns = slot * GRID_NS
        block, into = divmod(at_ns, _BASIS_BLOCK_NS)
        low, high = (gaussian(f"{self._shared_key}:{block + step}") for step in (0, 1))
        walk = low + (high - low) * into / _BASIS_BLOCK_NS
        return int(self._path.price_e8(at_ns) * (1.0 + self._basis * (1.0 + 0.3 * walk)))

    def _bid_e8(self, slot: int) -> int:
        bid = self._middle_e8(slot) // self._tick_e8 * self._tick_e8
        return max(bid, self._tick_e8)

    def _qty_e8(self, slot: int, label: str) -> int:
        """Log-normal around 500 USDT, at least one lot of 1e-5."""
        median = 500.0 / self._path.asset.price
        size = median * math.exp(1.2 * gaussian(f"{self._key}:{label}:{slot}"))
        return max(1, round(size * 1e5)) * 1_000

    def _quote(self, slot: int) -> JsonObject:
        bid_e8 = self._bid_e8(slot)
        return {
            "u": _FIRST_UPDATE_ID + slot - _EPOCH_NS // GRID_NS,
            "s": self._symbol,
            "b": fixed_text(bid_e8, 8),
            "B": fixed_text(self._qty_e8(slot, "bid"), 8),
            "a": fixed_text(bid_e8 + self._tick_e8, 8),
            "A": fixed_text(self._qty_e8(slot, "ask"), 8),
        }

    def _print(self, slot: int) -> JsonObject:
        at_ms = slot * GRID_NS // NS_PER_MS
        sold = uniform(f"{self._key}:s:{slot}") < 0.5
        price_e8 = self._bid_e8(slot) + (0 if sold else self._tick_e8)
        return {
            "e": "trade",
            "E": at_ms + 1,
            "s": self._symbol,
            "t": _FIRST_TRADE_ID + slot - _EPOCH_NS // GRID_NS,
            "p": fixed_text(price_e8, 8),
            "q": fixed_text(self._qty_e8(slot, "print"), 8),
            "T": at_ms,
            "m": sold,
            "M": True,
        }
