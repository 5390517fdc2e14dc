"""`markets.csv` of the 15-minute recording: windows and official payouts."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from polybawt.adapters.datasets.files import csv_rows, open_plain, whole
from polybawt.adapters.datasets.terms import TICK_E4, fees_at, parse_slug, settlement_at
from polybawt.domain.errors import BadInput
from polybawt.domain.ids import MarketId
from polybawt.domain.market import Market
from polybawt.domain.units import MS_NS, PPM

MARKET_COLUMNS = (
    "market_id",
    "slug",
    "start_ts",
    "end_ts",
    "outcome_up",
    "outcome_down",
    "payout_up",
    "payout_down",
)
TS_MIN_MS, TS_MAX_MS = 1_577_836_800_000, 4_102_444_800_000
"""Years 2020 to 2100: a time outside is in another unit."""


class Listing(NamedTuple):
    """A market of the recording and, apart from it, how it ended."""

    market: Market
    payouts_ppm: tuple[int, int] | None


def read_markets(path: Path) -> list[Listing]:
    """The markets of `markets.csv`, in its order. BadInput for duplicates and wrong values."""
    listings: list[Listing] = []
    seen: set[str] = set()
    for where, row in csv_rows(path, open_plain, MARKET_COLUMNS):
        for key in (row["market_id"], row["slug"]):
            if not key or key in seen:
                raise BadInput(f"{where}: market {key[:80]!r} is empty or listed twice")
            seen.add(key)
        listings.append(Listing(_market(where, row), _payouts(where, row)))
    if not listings:
        raise BadInput(f"{path}: no markets")
    return listings


def _market(where: str, row: dict[str, str]) -> Market:
    asset, open_ns, close_ns = parse_slug(where, row["slug"])
    for name, expected_ns in (("start_ts", open_ns), ("end_ts", close_ns)):
        if whole(where, name, row[name], TS_MIN_MS, TS_MAX_MS) * MS_NS != expected_ns:
            raise BadInput(f"{where}: {name} is {row[name]}, but {row['slug']} says otherwise")
    for name, expected in (("outcome_up", "Up"), ("outcome_down", "Down")):
        if row[name] != expected:
            raise BadInput(f"{where}: {name} is {row[name][:40]!r}; allowed: {expected}")
    market_id = row["market_id"]
    return Market(
        market_id=MarketId(market_id),
        asset=asset,
        slug=row["slug"],
        open_ns=open_ns,
        close_ns=close_ns,
        token_up=f"{market_id}:up",
        token_down=f"{market_id}:down",
        tick_e4=TICK_E4,
        fees=fees_at(where, open_ns),
        settlement=settlement_at(asset, open_ns),
    )


def _payouts(where: str, row: dict[str, str]) -> tuple[int, int] | None:
    texts = {"0": 0, "0.0": 0, "0.5": PPM // 2, "1": PPM, "1.0": PPM}
    if not row["payout_up"] and not row["payout_down"]:
        return None
    up, down = texts.get(row["payout_up"]), texts.get(row["payout_down"])
    if up is None or down is None or up + down != PPM:
        raise BadInput(
            f"{where}: payouts are {row['payout_up'][:20]!r} and {row['payout_down'][:20]!r};"
            " allowed: 1 and 0, 0 and 1, 0.5 and 0.5"
        )
    return up, down
