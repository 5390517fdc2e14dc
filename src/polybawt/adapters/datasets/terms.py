"""Terms that a recording does not carry: what the venue charged and settled on, by date.

Source: the venue's fee history and the settlement sources of its 5- and 15-minute series
(docs/venue.md). A date without known terms is refused: a guessed fee makes a false result.
"""

from __future__ import annotations

import re

from polybawt.domain.errors import BadInput
from polybawt.domain.fees import FeeSchedule
from polybawt.domain.market import PointBoundary, SettlementRule, TwapBoundary
from polybawt.domain.units import S_NS

_CRYPTO_FEES_SINCE_NS = 1_774_828_800 * S_NS  # 2026-03-30
_TWAP_30_SINCE_NS = 1_786_060_800 * S_NS  # 2026-08-07
_TWAP_60_SINCE_NS = 1_786_665_600 * S_NS  # 2026-08-14
_SLUG = re.compile(r"([a-z]{2,8})-updown-(5|15)m-(\d{10})", re.ASCII)
TICK_E4 = 100
"""Every market of these series is created with a tick of 0.01; it may become finer later."""


def parse_slug(where: str, slug: str) -> tuple[str, int, int]:
    """`(asset, open_ns, close_ns)` of a slug such as `btc-updown-15m-1790586000`."""
    match = _SLUG.fullmatch(slug)
    if match is None:
        raise BadInput(
            f"{where}: slug is {slug[:60]!r}; allowed: <asset>-updown-<5 or 15>m-<Unix seconds>"
        )
    asset, minutes, start = match.groups()
    open_ns = int(start) * S_NS
    return asset, open_ns, open_ns + int(minutes) * 60 * S_NS


def fees_at(where: str, open_ns: int) -> FeeSchedule:
    """Fee terms of a crypto window that opens then. BadInput before 2026-03-30."""
    if open_ns < _CRYPTO_FEES_SINCE_NS:
        raise BadInput(f"{where}: opens before 2026-03-30, when fees had another formula")
    return FeeSchedule(rate_ppm=70_000, exponent=1, taker_only=True, rebate_ppm=200_000)


def settlement_at(asset: str, open_ns: int) -> SettlementRule:
    """What decides a 5- or 15-minute window that opens then."""
    if open_ns < _TWAP_30_SINCE_NS:
        return PointBoundary(stream=f"{asset}-usd")
    lookback_s = 30 if open_ns < _TWAP_60_SINCE_NS else 60
    return TwapBoundary(stream=f"{asset}-usd-twap-{lookback_s}s", lookback_s=lookback_s)
