"""Performance statistics: is this result more than luck?

Pure functions of exact numbers; a float counts as its shortest decimal text. NaN, infinity or an
argument outside its domain raises ValueError; "no answer" is None. One return per window: trades of
one window are dependent and must be added up before any statement of significance.

Sources: Bailey and Lopez de Prado, The deflated Sharpe ratio (2014); Bailey, Borwein, Lopez de
Prado and Zhu, The probability of backtest overfitting (2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from math import ceil, e, isfinite, sqrt
from statistics import NormalDist
from typing import NamedTuple

Number = int | float | Decimal | Fraction

EULER_GAMMA = 0.57721566490153286
_NORMAL = NormalDist()


class TradeStats(NamedTuple):
    """Moments of returns. `sd` divides by n-1; `skew` and `kurt` (normal: 3) divide by n."""

    n: int
    mean: float
    sd: float
    sharpe: float | None
    skew: float | None
    kurt: float | None
    profit_factor: float | None
    win_rate: float


class Drawdown(NamedTuple):
    """Largest fall below the running peak, and the largest relative to that peak."""

    absolute: Fraction
    relative: Fraction


class Overfit(NamedTuple):
    """`pbo`: share of splits whose in-sample best ranks in the lower half out of sample."""

    pbo: Fraction
    ranks: tuple[Fraction, ...]


def exact(value: Number, what: str) -> Fraction:
    """A finite number as an exact fraction; a float goes through its shortest decimal text."""
    if isinstance(value, float):
        if not isfinite(value):
            raise ValueError(f"{what} is {value}, not a finite number")
        return Fraction(repr(value))
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError(f"{what} is {value}, not a finite number")
    return Fraction(value)


class ReturnSums:
    """Power sums of returns, exact, in constant memory. Order of the returns does not matter."""

    __slots__ = ("gain", "loss", "n", "s1", "s2", "s3", "s4", "wins")

    def __init__(self) -> None:
        self.n = 0
        self.wins = 0
        self.gain = self.loss = Fraction(0)
        self.s1 = self.s2 = self.s3 = self.s4 = Fraction(0)

    def add(self, value: Number) -> None:
        """Count one return."""
        x = exact(value, "a return")
        square = x * x
        self.n += 1
        self.s1 += x
        self.s2 += square
        self.s3 += square * x
        self.s4 += square * square
        if x > 0:
            self.wins += 1
            self.gain += x
        else:
            self.loss -= x

    def stats(self) -> TradeStats:
        """The statistics so far. ValueError below two returns: a spread needs two."""
        n = self.n
        if n < 2:
            raise ValueError(f"{n} returns: statistics need at least 2")
        mean = self.s1 / n
        m2 = self.s2 / n - mean**2
        m3 = self.s3 / n - 3 * mean * self.s2 / n + 2 * mean**3
        m4 = self.s4 / n - 4 * mean * self.s3 / n + 6 * mean**2 * self.s2 / n - 3 * mean**4
        sd = sqrt(m2 * n / (n - 1))
        return TradeStats(
            n=n,
            mean=float(mean),
            sd=sd,
            sharpe=float(mean) / sd if m2 else None,
            skew=float(m3) / float(m2) ** 1.5 if m2 else None,
            kurt=float(m4 / m2**2) if m2 else None,
            profit_factor=float(self.gain / self.loss) if self.loss else None,
            win_rate=self.wins / n,
        )


def trade_stats(returns: Sequence[Number]) -> TradeStats:
    """Statistics of at least two returns, one per window."""
    sums = ReturnSums()
    for value in returns:
        sums.add(value)
    return sums.stats()


class DrawdownTracker:
    """Largest drawdown of a curve that arrives point by point, in constant memory."""

    __slots__ = ("absolute", "peak", "relative")

    def __init__(self) -> None:
        self.peak: Fraction | None = None
        self.absolute = Fraction(0)
        self.relative = Fraction(0)

    def add(self, value: Number) -> None:
        """Count the next point. A peak that is not positive has no relative drawdown."""
        x = exact(value, "equity")
        if self.peak is None or x >= self.peak:
            self.peak = x
            return
        fall = self.peak - x
        self.absolute = max(self.absolute, fall)
        if self.peak > 0:
            self.relative = max(self.relative, fall / self.peak)


def max_drawdown(equity: Sequence[Number]) -> Drawdown:
    """Largest drawdown of an equity curve of at least one point."""
    if not equity:
        raise ValueError("an equity curve needs at least one point")
    tracker = DrawdownTracker()
    for value in equity:
        tracker.add(value)
    return Drawdown(tracker.absolute, tracker.relative)


def psr(sharpe: Number, benchmark: Number, n: int, skew: Number, kurtosis: Number) -> float:
    """Probability that the true Sharpe ratio (per return) exceeds the benchmark.

    `kurtosis` is the full one (normal: 3). ValueError when n < 2, or when the moments belong to no
    distribution and leave the estimate without a variance.
    """
    if n < 2:
        raise ValueError(f"n is {n}: a Sharpe ratio needs at least 2 returns")
    sr = exact(sharpe, "sharpe")
    excess = sr - exact(benchmark, "benchmark")
    g3, g4 = exact(skew, "skew"), exact(kurtosis, "kurtosis")
    variance = 1 - g3 * sr + (g4 - 1) / 4 * sr**2
    if variance <= 0:
        raise ValueError(f"skew {skew} and kurtosis {kurtosis} give no positive variance")
    return _NORMAL.cdf(float(excess) * sqrt(n - 1) / sqrt(variance))


def expected_max_sharpe(variance: Number, trials: int) -> float:
    """Best Sharpe ratio that `trials` worthless variants show by luck; 0 for fewer than two.

    `variance` is that of the Sharpe ratios over the variants.
    """
    spread = exact(variance, "variance")
    if spread < 0 or trials < 0:
        raise ValueError(f"variance {variance} and trials {trials} must not be negative")
    if trials < 2:
        return 0.0
    first = _NORMAL.inv_cdf(1 - 1 / trials)
    second = _NORMAL.inv_cdf(1 - 1 / (trials * e))
    return sqrt(spread) * ((1 - EULER_GAMMA) * first + EULER_GAMMA * second)


def dsr(
    sharpe: Number, n: int, skew: Number, kurtosis: Number, *, variance: Number, trials: int
) -> float:
    """Deflated Sharpe ratio: PSR against the best that `trials` worthless variants would show."""
    return psr(sharpe, expected_max_sharpe(variance, trials), n, skew, kurtosis)


def pbo(matrix: Sequence[Sequence[Number]], blocks: int) -> Overfit:
    """Probability of backtest overfitting by combinatorially symmetric cross-validation.

    `matrix` has one row per period and one column per variant (at least two). The rows form an
    even number of equal blocks, trailing rows are dropped, and each half of the blocks is in sample
    once.
    """
    if blocks < 2 or blocks % 2:
        raise ValueError(f"blocks is {blocks}: needs an even number from 2")
    size = len(matrix) // blocks
    if size == 0:
        raise ValueError(f"{len(matrix)} rows do not fill {blocks} blocks")
    columns = len(matrix[0])
    if columns < 2 or any(len(row) != columns for row in matrix):
        raise ValueError("every row needs the same number of variants, at least 2")
    scores = [
        [sum((exact(row[c], "a return") for row in rows), Fraction(0)) for c in range(columns)]
        for rows in (matrix[b * size : (b + 1) * size] for b in range(blocks))
    ]
    total = [sum(column, Fraction(0)) for column in zip(*scores, strict=True)]
    ranks = []
    for chosen in combinations(range(blocks), blocks // 2):
        inside = [sum((scores[b][c] for b in chosen), Fraction(0)) for c in range(columns)]
        outside = [whole - part for whole, part in zip(total, inside, strict=True)]
        ranks.append(_relative_rank(outside, inside.index(max(inside))))
    return Overfit(
        Fraction(sum(rank <= Fraction(1, 2) for rank in ranks), len(ranks)), tuple(ranks)
    )


def _relative_rank(scores: Sequence[Fraction], chosen: int) -> Fraction:
    """Rank of one score from the worst (1), ties at their average, over the number plus one."""
    own = scores[chosen]
    below = sum(score < own for score in scores)
    equal = sum(score == own for score in scores)
    return (below + Fraction(equal + 1, 2)) / (len(scores) + 1)


def trades_needed(mean: Number, sd: Number, z: Number) -> int:
    """Windows until a mean this large stands `z` standard errors away from zero.

    ValueError for a mean of zero, which no number of windows can tell from zero.
    """
    average, spread, score = exact(mean, "mean"), exact(sd, "sd"), exact(z, "z")
    if average == 0 or spread < 0 or score <= 0:
        raise ValueError(f"mean {mean} must not be 0, sd {sd} not negative, z {z} positive")
    return ceil((score * spread / average) ** 2)
