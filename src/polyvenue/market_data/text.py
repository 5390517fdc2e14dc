"""How the venue writes numbers, times and JSON.

Prices and amounts are integers inside (`_e4`, `_e6`, `_e18`) and decimal text on the wire, without
trailing zeros, as recorded ("0.5", "17952.49"). Times are Unix nanoseconds inside.
"""

import json
from datetime import UTC, datetime
from functools import lru_cache

NS = 1_000_000_000
NS_PER_MS = 1_000_000

JsonObject = dict[str, object]


def decimal_text(value: int, places: int) -> str:
    """`value` x 10^-`places` as plain decimal text: no exponent, no trailing zeros."""
    sign = "-" if value < 0 else ""
    whole, part = divmod(abs(value), 10**places)
    digits = str(part).rjust(places, "0").rstrip("0") if places else ""
    return f"{sign}{whole}.{digits}" if digits else f"{sign}{whole}"


@lru_cache(maxsize=10_001)
def price_text(price_e4: int) -> str:
    """A price: 5000 is "0.5"."""
    return decimal_text(price_e4, 4)


def amount_text(amount_e6: int) -> str:
    """Shares or pUSD: 44_200_000 is "44.2"."""
    return decimal_text(amount_e6, 6)


def price_number(price_e4: int) -> int | float:
    """A price as a JSON number: 0, 0.5, 1 (whole values have no point, as recorded)."""
    return price_e4 // 10_000 if price_e4 % 10_000 == 0 else price_e4 / 10_000


def amount_number(amount_e6: int) -> int | float:
    """An amount as a JSON number; whole values have no point."""
    return amount_e6 // 1_000_000 if amount_e6 % 1_000_000 == 0 else amount_e6 / 1_000_000


def fixed_text(value: int, places: int) -> str:
    """As `decimal_text`, but every decimal is written: 5 with 2 places is "0.05"."""
    whole, part = divmod(value, 10**places)
    return f"{whole}.{part:0{places}d}"


def ms_text(time_ns: int) -> str:
    """Unix milliseconds as text: the `timestamp` of CLOB messages."""
    return str(time_ns // NS_PER_MS)


def seconds_text(time_ns: int) -> str:
    """Unix seconds as text."""
    return str(time_ns // NS)


def _utc(time_ns: int) -> datetime:
    return datetime.fromtimestamp(time_ns // NS, UTC)


def iso_text(time_ns: int) -> str:
    """Whole seconds, ISO 8601 with Z: "2026-11-22T17:00:00Z"."""
    return f"{_utc(time_ns):%Y-%m-%dT%H:%M:%SZ}"


def iso_micros_text(time_ns: int) -> str:
    """Microseconds, ISO 8601 with Z: "2026-07-23T02:48:35.302901Z"."""
    return f"{_utc(time_ns):%Y-%m-%dT%H:%M:%S}.{time_ns % NS // 1000:06d}Z"


def date_text(time_ns: int) -> str:
    """The UTC date: "2026-11-22"."""
    return f"{_utc(time_ns):%Y-%m-%d}"


def database_text(time_ns: int) -> str:
    """The form of Gamma's `closedTime`, which is not ISO: "2026-11-22 17:16:10+00"."""
    return f"{_utc(time_ns):%Y-%m-%d %H:%M:%S}+00"


def parse_iso(text: str) -> int | None:
    """Unix nanoseconds of an ISO date or date-time (UTC when it names no zone), else None."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * NS


def dump(value: object) -> str:
    """Compact JSON, keys in the order given, ASCII only."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def dump_spaced(value: object) -> str:
    """JSON as Gamma puts it inside strings: a space after each comma."""
    return json.dumps(value)
