"""One seeded spot path per asset: the price at t depends only on (seed, asset, t).

The logarithm of the price is built by midpoint displacement (Levy's construction of Brownian
motion): independent values at knots 2.4 days apart, then every halving of the interval adds a
Gaussian drawn from a hash of (seed, asset, level, index), down to a grid of 100 ms. So any instant
can be asked for, in any order, without walking there. On top of it:

- volatility that differs from one quarter of an hour to the next (log-normal) and over the day;
- jumps: in each block of about 27 minutes one jump may happen; the block drifts back by the
  jump's size, evenly, so that a block always ends where the bridge wants it. Seen over a window it
  is a jump that stays.

Between two grid points the price stands still. Prices are rounded to 1e-8 USD.
"""

import math
from collections import OrderedDict
from hashlib import blake2b

from polyvenue.market_data.assets import Asset
from polyvenue.market_data.text import NS

GRID_NS = 100_000_000
_LEVELS = 21
_KNOT_STEPS = 1 << _LEVELS
# A level of detail whose intervals are this short follows the local volatility.
_LOCAL_STEPS = 1 << 13
_JUMP_BLOCK = 1 << 14
_SECONDS_PER_YEAR = 365.25 * 86_400
_CACHE_SIZE = 4_096
_TWO_PI = 2.0 * math.pi


def uniform(key: str) -> float:
    """A number in [0, 1), the same for the same key on every machine."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big") / 2.0**64


def gaussian(key: str) -> float:
    """A standard normal number, by Box and Muller from a hash of the key."""
    digest = blake2b(key.encode(), digest_size=16).digest()
    first = (int.from_bytes(digest[:8], "big") + 1) / (2.0**64 + 1)
    second = int.from_bytes(digest[8:], "big") / 2.0**64
    return math.sqrt(-2.0 * math.log(first)) * math.cos(_TWO_PI * second)


class PricePath:
    """The hidden path of one asset. It keeps a bounded cache of knots, which changes no value."""

    def __init__(
        self, seed: int, asset: Asset, *, jump_chance: float = 0.2, jump_bp: float = 8.0
    ) -> None:
        self.asset = asset
        self._key = f"{seed}:{asset.code}"
        self._step_sd = asset.vol_year * math.sqrt(GRID_NS / NS / _SECONDS_PER_YEAR)
        self._jump_chance = jump_chance
        self._jump_sd = jump_bp * 1e-4
        self._knots: OrderedDict[tuple[int, int], float] = OrderedDict()
        self._local: OrderedDict[int, float] = OrderedDict()

    def price_e8(self, time_ns: int) -> int:
        """The price at an instant in 1e-8 USD, always positive."""
        step = time_ns // GRID_NS
        level = self._bridge(step) + self._jump(step)
        return max(1, round(self.asset.price * math.exp(level) * 1e8))

    def price(self, time_ns: int) -> float:
        """The same in USD, as a float: for statistics and agents, never for settlement."""
        return self.price_e8(time_ns) / 1e8

    def _bridge(self, step: int) -> float:
        """The Brownian part at a grid step: displace midpoints until the step is reached."""
        left = step - step % _KNOT_STEPS
        if step == left:
            return self._coarse(left)
        span = _KNOT_STEPS
        low, high = self._coarse(left), self._coarse(left + span)
        while True:
            half = span // 2
            middle = left + half
            value = self._middle(span, middle, low, high)
            if step == middle:
                return value
            if step < middle:
                high = value
            else:
                left, low = middle, value
            span = half

    def _coarse(self, step: int) -> float:
        """Independent values with the variance that makes their differences Brownian."""
        return self._step_sd * math.sqrt(_KNOT_STEPS / 2) * gaussian(f"{self._key}:k:{step}")

    def _middle(self, span: int, middle: int, low: float, high: float) -> float:
        cached = self._knots.get((span, middle))
        if cached is not None:
            return cached
        scale = self._step_sd * math.sqrt(span) / 2
        if span <= _LOCAL_STEPS:
            scale *= self._local_vol(middle // _LOCAL_STEPS)
        value = (low + high) / 2 + scale * gaussian(f"{self._key}:{span}:{middle}")
        if span > 2:  # the last level is asked for once in a forward walk
            self._knots[span, middle] = value
            if len(self._knots) > _CACHE_SIZE:
                self._knots.popitem(last=False)
        return value

    def _local_vol(self, block: int) -> float:
        """A factor around 1: clustered by blocks of 14 minutes, higher from 13 to 17 h UTC."""
        cached = self._local.get(block)
        if cached is not None:
            return cached
        noise = (gaussian(f"{self._key}:v:{block}") + gaussian(f"{self._key}:v:{block // 4}")) / 2
        hour = block * _LOCAL_STEPS * GRID_NS % (86_400 * NS) / (3_600 * NS)
        season = 0.9 + 0.35 * math.exp(-(((hour - 15.0) / 2.5) ** 2))
        factor = season * math.exp(0.5 * noise - 0.0625)
        self._local[block] = factor
        if len(self._local) > _CACHE_SIZE:
            self._local.popitem(last=False)
        return factor

    def _jump(self, step: int) -> float:
        block, into = divmod(step, _JUMP_BLOCK)
        key = f"{self._key}:j:{block}"
        if uniform(key) >= self._jump_chance:
            return 0.0
        size = self._jump_sd * gaussian(key + ":size")
        jumped = into >= uniform(key + ":at") * _JUMP_BLOCK
        return size * (float(jumped) - into / _JUMP_BLOCK)
