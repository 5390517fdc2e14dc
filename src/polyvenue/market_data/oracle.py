"""The settlement source: Chainlink-like spot points and their time-weighted average.

The spot of a whole second is the path's price there. TWAP(T) is the mean of `lookback_s` spot
points ending at T - `lag_s` (60 and 3: one public measurement, feeds.md 4.2; the real sampling is
not published). Both are published late; the average is what markets settle on, ties are Up.
"""

from dataclasses import dataclass
from enum import StrEnum

from polyvenue.market_data.prices import PricePath, uniform
from polyvenue.market_data.text import NS, NS_PER_MS

_E18_PER_E8 = 10**10
_MEMORY = 4_096


class Kind(StrEnum):
    """Which of the two streams a point belongs to."""

    SPOT = "spot"
    TWAP = "twap"


@dataclass(frozen=True, slots=True)
class TwapRule:
    """How an average is taken, in seconds. `scaled` marks a rule the real venue does not have."""

    lookback_s: int = 60
    lag_s: int = 3

    @property
    def scaled(self) -> bool:
        """True for every look-back but the venue's own 60 s."""
        return self.lookback_s != 60


TWAP_60 = TwapRule()


def twap_rule(window_s: int) -> TwapRule:
    """The rule of a series: TWAP-60, scaled down where a window is shorter than five minutes."""
    if window_s >= 300:
        return TWAP_60
    return TwapRule(lookback_s=max(1, window_s * 60 // 900), lag_s=0)


@dataclass(frozen=True, slots=True)
class OraclePoint:
    """One point: the second it is stamped with, its value, and when clients can first see it."""

    observed_ns: int
    price_e18: int
    published_ns: int
    carried: bool


@dataclass(frozen=True, slots=True)
class RelayConfig:
    """Delays of the relay in ms, and how many points per million repeat the one before."""

    spot_ms: tuple[int, int] = (900, 1_350)
    twap_ms: tuple[int, int] = (900, 2_000)
    carried_ppm: int = 0


class Oracle:
    """Spot and averages of one asset. Every answer depends only on (seed, asset, second)."""

    def __init__(self, seed: int, path: PricePath, relay: RelayConfig | None = None) -> None:
        self.asset = path.asset
        self._path = path
        self._relay = relay or RelayConfig()
        self._key = f"{seed}:{path.asset.code}:oracle"
        # Memory of answers, bounded: every client asks for the same points.
        self._spots: dict[int, int] = {}
        self._points: dict[tuple[Kind, int, TwapRule], OraclePoint] = {}

    def spot_e18(self, second: int) -> int:
        """The spot value of a whole Unix second, 18 decimals."""
        found = self._spots.get(second)
        if found is None:
            found = self._path.price_e8(second * NS) * _E18_PER_E8
            if len(self._spots) >= _MEMORY:
                self._spots.clear()
            self._spots[second] = found
        return found

    def twap_e18(self, second: int, rule: TwapRule = TWAP_60) -> int:
        """The average stamped with a whole Unix second, 18 decimals, rounded down."""
        last = second - rule.lag_s
        total = sum(self.spot_e18(at) for at in range(last - rule.lookback_s + 1, last + 1))
        return total // rule.lookback_s

    def point(self, kind: Kind, second: int, rule: TwapRule = TWAP_60) -> OraclePoint:
        """The point stamped with `second`, as relayed."""
        found = self._points.get((kind, second, rule))
        if found is None:
            found = self._relayed(kind, second, rule)
            if len(self._points) >= _MEMORY:
                self._points.clear()
            self._points[kind, second, rule] = found
        return found

    def _relayed(self, kind: Kind, second: int, rule: TwapRule) -> OraclePoint:
        carried = self._is_carried(kind, second)
        shown = second - 1 if carried else second
        value = self.spot_e18(shown) if kind is Kind.SPOT else self.twap_e18(shown, rule)
        return OraclePoint(second * NS, value, self._published_ns(kind, second), carried)

    def published(
        self, kind: Kind, after_ns: int, until_ns: int, rule: TwapRule = TWAP_60
    ) -> list[OraclePoint]:
        """The points first visible in (after_ns, until_ns], oldest first."""
        slowest_ms = max(self._relay.spot_ms[1], self._relay.twap_ms[1])
        first = (after_ns - slowest_ms * NS_PER_MS) // NS - 1
        points = (self.point(kind, second, rule) for second in range(first, until_ns // NS + 1))
        return [point for point in points if after_ns < point.published_ns <= until_ns]

    def _is_carried(self, kind: Kind, second: int) -> bool:
        ppm = self._relay.carried_ppm
        return ppm > 0 and uniform(f"{self._key}:{kind}:c:{second}") * 1e6 < ppm

    def _published_ns(self, kind: Kind, second: int) -> int:
        """A point never overtakes the one before it, however late that one is."""
        before = (second - 1) * NS + self._delay_ns(kind, second - 1)
        return max(second * NS + self._delay_ns(kind, second), before + NS_PER_MS)

    def _delay_ns(self, kind: Kind, second: int) -> int:
        low, high = self._relay.spot_ms if kind is Kind.SPOT else self._relay.twap_ms
        return int((low + (high - low) * uniform(f"{self._key}:{kind}:d:{second}")) * NS_PER_MS)


@dataclass(frozen=True, slots=True)
class Settlement:
    """The truth of one window: the average at both ends, and the winning outcome (0 is Up)."""

    start_e18: int
    end_e18: int

    @property
    def winner(self) -> int:
        """0 (Up) when the end is at or above the start, else 1 (Down)."""
        return 0 if self.end_e18 >= self.start_e18 else 1


def settle(oracle: Oracle, start_ns: int, end_ns: int, rule: TwapRule) -> Settlement:
    """How a window from `start_ns` to `end_ns` (whole seconds) ends, known or not yet.

    A repeated point of the relay does not matter: the report itself is settled on.
    """
    return Settlement(oracle.twap_e18(start_ns // NS, rule), oracle.twap_e18(end_ns // NS, rule))
