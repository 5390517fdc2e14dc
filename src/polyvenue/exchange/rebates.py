"""Maker rebates: a share of each market's taker fees of a day, pro rata by maker volume."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from polyvenue.exchange.units import PPM, FeeTerms


@dataclass(slots=True)
class _Row:
    terms: FeeTerms
    fees_e6: int = 0
    weights: dict[str, int] = field(default_factory=dict)


class Rebates:
    """Confirmed fees and maker weights by day and market, until the day is paid.

    Weights are what a fill would have paid as a taker, exact integers.
    """

    def __init__(self) -> None:
        self._rows: dict[tuple[int, str], _Row] = {}

    def accrue(
        self, key: tuple[int, str], terms: FeeTerms, fee_e6: int, weights: Mapping[str, int]
    ) -> None:
        """Count one confirmed trade of a (day, market)."""
        row = self._rows.setdefault(key, _Row(terms))
        row.fees_e6 += fee_e6
        for maker, weight in weights.items():
            row.weights[maker] = row.weights.get(maker, 0) + weight

    def take_day(self, day: int) -> dict[str, int]:
        """What each maker earned that day, floored, in 10^-6 pUSD; the day starts again at zero.

        Trades that are confirmed later count for the next payment of the same day.
        """
        due: dict[str, int] = {}
        for key in [key for key in self._rows if key[0] == day]:
            row = self._rows.pop(key)
            total = sum(row.weights.values())
            for maker, weight in row.weights.items():
                pool = row.fees_e6 * row.terms.rebate_ppm
                due[maker] = due.get(maker, 0) + (pool * weight // (PPM * total) if total else 0)
        return due

    def due(self, maker: str, day: int) -> dict[str, int]:
        """What a maker has earned on a day so far, by market, in 10^-6 pUSD; nothing is paid."""
        found: dict[str, int] = {}
        for (row_day, market_id), row in self._rows.items():
            if row_day == day and maker in row.weights:
                pool = row.fees_e6 * row.terms.rebate_ppm
                found[market_id] = pool * row.weights[maker] // (PPM * sum(row.weights.values()))
        return found
