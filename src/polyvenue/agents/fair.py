"""The probability of Up, from the price path as somebody sees it who looks into the past.

Up wins when the average at the end is at or above the average at the start. Both averages are means
of spot points of whole seconds; those seen already are known, the others are expected at the price
seen last. Price changes are taken as Gaussian, independent, with a constant volatility.
"""

import math

from polyvenue.agents.scene import Scene
from polyvenue.market_data.text import NS

_YEAR_S = 365.25 * 86_400
PPM = 1_000_000


class FairValue:
    """What Up is worth in a scene. Floats inside; the answer is rounded to 10^-6."""

    def __init__(self, scene: Scene, vol_pct: int = 100) -> None:
        self._scene = scene
        vol_year = scene.path.asset.vol_year * vol_pct / 100
        self._vol = vol_year / math.sqrt(_YEAR_S)
        self._known_ns = scene.start_ns - scene.rule.lag_s * NS
        self._strike = 0.0

    def up_ppm(self, seen_ns: int) -> int:
        """Probability of Up in 10^-6 for one who has seen the path until `seen_ns`."""
        scene = self._scene
        price = scene.path.price(seen_ns)
        end, variance_s = self._average(scene.end_ns // NS, seen_ns, price)
        if seen_ns >= self._known_ns:
            if not self._strike:
                self._strike = scene.oracle.twap_e18(scene.start_ns // NS, scene.rule) / 1e18
            strike = self._strike
        else:
            strike, _ = self._average(scene.start_ns // NS, seen_ns, price)
            variance_s = float(scene.window_s)
        sd = self._vol * price * math.sqrt(variance_s)
        if sd == 0.0:
            return PPM if end >= strike else 0
        return round(PPM * 0.5 * math.erfc((strike - end) / (sd * math.sqrt(2.0))))

    def _average(self, at_s: int, seen_ns: int, price: float) -> tuple[float, float]:
        """Expected average stamped `at_s`, and its variance in seconds of the path's."""
        rule = self._scene.rule
        last, count = at_s - rule.lag_s, rule.lookback_s
        first, seen_s = last - count + 1, seen_ns // NS
        if seen_s < first:
            return price, first - seen_ns / NS + count / 3
        known = range(first, min(last, seen_s) + 1)
        total = sum(self._scene.oracle.spot_e18(second) for second in known) / 1e18
        open_count = count - len(known)
        variance_s = (open_count / count) ** 2 * open_count / 3
        return (total + open_count * price) / count, variance_s
