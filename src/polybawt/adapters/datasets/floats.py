"""Binary floats of parquet columns to scaled integers, through their shortest decimal text."""

from __future__ import annotations

from polybawt.adapters.polymarket.text import parse_qty_e6, price_text
from polybawt.domain.units import E4, E6
from polybawt.ports import DataQuality

PRICES_E4 = {float(price_text(price_e4)): price_e4 for price_e4 in range(1, E4)}
"""Every price as the float that its decimal text gives; NaN and anything finer is not in it."""
_NOISE_E6 = 0.01
"""A size is a sum of floats at its publisher, so 1.93 may come as 1.9300000000000002."""
_QTY_MAX = 1e9
_FLOATS_MAX = 65_536


class QtyTable(dict[float, int]):
    """Size to 10^-6, filled on use. ValueError for NaN, zero, negative, endless or finer sizes.

    A size within 10^-8 of a whole number of 10^-6 is taken for it and counted as repaired.
    """

    def __init__(self, quality: DataQuality) -> None:
        super().__init__()
        self._quality = quality
        self._noisy: dict[float, int] = {}

    def __missing__(self, value: float) -> int:
        if value in self._noisy:
            self._quality.count_repaired("size_noise")
            return self._noisy[value]
        qty_e6 = self._parse(value)
        if len(self) + len(self._noisy) >= _FLOATS_MAX:
            self.clear()
            self._noisy.clear()
        return qty_e6

    def _parse(self, value: float | None) -> int:
        if value is None or not 0 < value <= _QTY_MAX:
            raise ValueError(f"{value}; allowed: above 0, at most {_QTY_MAX:.0f}")
        text = repr(value).removesuffix(".0")
        try:
            qty_e6 = self[value] = parse_qty_e6(text)
        except ValueError:
            qty_e6 = round(value * E6)
            if not qty_e6 or abs(value * E6 - qty_e6) > _NOISE_E6:
                raise ValueError(f"{value}; allowed: at most 6 decimals") from None
            self._noisy[value] = qty_e6
            self._quality.count_repaired("size_noise")
        return qty_e6
