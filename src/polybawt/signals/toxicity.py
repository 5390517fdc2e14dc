"""What a resting quote loses to whoever knows the price sooner.

Source: specification of quoting, sections on stale-quote risk. Volatility cancels: how far fair
value moves during a latency depends only on how likely Up is and how much time is left.
"""

from __future__ import annotations

from functools import lru_cache
from math import erf, exp, pi, sqrt
from statistics import NormalDist

from polybawt.domain.units import E6

_NORMAL = NormalDist()


def pdf(x: float) -> float:
    """Standard normal density."""
    return exp(-x * x / 2) / sqrt(2 * pi)


def cdf(x: float) -> float:
    """Standard normal distribution function."""
    return (1 + erf(x / sqrt(2))) / 2


def toxic_loss(sd: float, half_spread: float, fee: float) -> float:
    """Expected loss per share and side of a quote that a taker paying `fee` hits when it is stale.

    `sd` is the standard deviation of fair value over our relative latency. 0 if `sd` is 0.
    """
    if sd < 0 or half_spread < 0 or fee < 0:
        raise ValueError("toxic_loss needs sd, half_spread and fee of at least 0")
    if sd == 0:
        return 0.0
    t = (half_spread + fee) / sd
    return sd * pdf(t) - half_spread * cdf(-t)


def twap_variance_s(
    tau_s: float, window_s: float, lag_s: float, step_s: float
) -> tuple[int, float]:
    """Samples of the closing average still to come, and its variance in seconds of spot's."""
    n = round(window_s / step_s)
    first = tau_s - lag_s - (n - 1) * step_s
    if first >= 0:
        # all N samples lie ahead: first + step * sum_{m<N} m^2 / N^2
        return n, first + step_s * (n - 1) * (2 * n - 1) / (6 * n)
    times = [t for j in range(n) if (t := first + j * step_s) > 0]
    k = len(times)
    total = 0.0
    before = 0.0
    for i, t in enumerate(times):
        total += (k - i) ** 2 * (t - before)
        before = t
    return k, total / n**2


@lru_cache(maxsize=65_536)
def toxic_half_spread_e6(
    fair_e6: int, left_s: int, latency_ms: int, floor_e6: int, rate_ppm: int, lookback_s: int
) -> int:
    """Half-spread in 10^-6 that covers the floor and the toxic loss at the floor.

    `fair_e6` is the probability of Up by the book, `left_s` whole seconds to the close of a window
    that settles on an average over `lookback_s`, or on the last price if that is 0. Rounded to
    10^-6 before anything is compared with it.
    """
    fair_e6 = min(max(fair_e6, 1), E6 - 1)
    p = min(fair_e6, E6 - fair_e6) / E6
    share, variance_s = 1.0, float(left_s)
    if lookback_s:
        ahead, variance_s = twap_variance_s(left_s, lookback_s, 3, 1)
        share = ahead / lookback_s
    if share == 0 or variance_s <= 0:
        return floor_e6
    z = _NORMAL.inv_cdf(p)
    sd = pdf(z) * min(1.0, share * sqrt(latency_ms / 1000 / variance_s))
    fee = rate_ppm / E6 * p * (1 - p)
    return floor_e6 + round(toxic_loss(sd, floor_e6 / E6, fee) * E6)
