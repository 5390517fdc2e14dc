"""Numbers as the venue writes them, to and from scaled integers, exactly.

Books repeat the same few texts thousands of times a minute, so every text is parsed once and then
looked up: prices in a table of all texts that exist, sizes in a table that fills as it is used.
"""

from __future__ import annotations

from polybawt.domain.units import E4, E6, MS_NS

PRICE_RANGE = "0.0001 to 0.9999, at most 4 decimals"
QTY_RANGE = "0 to 999999999999, at most 6 decimals"
_DECIMALS_SCALE = (1_000_000, 100_000, 10_000, 1_000, 100, 10, 1)
_QTY_TEXTS_MAX = 65_536


def _price_texts() -> dict[str, int]:
    """Every text of a price strictly between 0 and 1: "0.5", "0.50", "0.500", ".5" and so on."""
    table: dict[str, int] = {}
    for price_e4 in range(1, E4):
        digits = f"{price_e4:04d}"
        while True:
            table["0." + digits] = price_e4
            table["." + digits] = price_e4
            if not digits.endswith("0"):
                break
            digits = digits[:-1]
    return table


PRICES_E4 = _price_texts()
"""Price text to 10^-4. KeyError means: not a price."""


def parse_qty_e6(text: str) -> int:
    """A size in 10^-6. ValueError for anything but plain digits with at most six decimals."""
    whole, point, decimals = text.partition(".")
    if whole.isdigit() and len(whole) <= 12 and text.isascii():
        if not point:
            return int(whole) * E6
        if decimals.isdigit() and len(decimals) <= 6:
            return int(whole + decimals) * _DECIMALS_SCALE[len(decimals)]
    raise ValueError(f"{text[:40]!r} is not a size")


class QtyTable(dict[str, int]):
    """Size text to 10^-6, filled on use and emptied when it is full."""

    def __missing__(self, text: str) -> int:
        qty_e6 = parse_qty_e6(text)
        if len(self) >= _QTY_TEXTS_MAX:
            self.clear()
        self[text] = qty_e6
        return qty_e6


QTYS_E6 = QtyTable()
"""Size text to 10^-6. ValueError means: not a size."""


def parse_venue_ns(text: str) -> int:
    """A venue timestamp, milliseconds as 13 digits, in nanoseconds; ValueError otherwise."""
    ms = int(text)
    # 13 characters that make at least 10^12 are 13 digits: no sign, no underscore, no space.
    if len(text) != 13 or ms < 1_000_000_000_000:
        raise ValueError(f"{text[:40]!r} is not a time")
    return ms * MS_NS


def price_text(price_e4: int) -> str:
    """The shortest text of a price, as the venue writes it: 5700 is "0.57"."""
    return _decimal_text(price_e4, E4, 4)


def qty_text(qty_e6: int) -> str:
    """The shortest text of a size: 219217767 is "219.217767"."""
    return _decimal_text(qty_e6, E6, 6)


def _decimal_text(value: int, scale: int, decimals: int) -> str:
    whole, rest = divmod(value, scale)
    return f"{whole}.{rest:0{decimals}d}".rstrip("0") if rest else str(whole)
