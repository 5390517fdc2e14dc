"""Double entry: what an op posted, as postings that sum to zero per asset.

pUSD is posted in 10^-18, shares in 10^-6. What is ours is positive; realised profit and outside
capital are where it comes from, so gains and deposits are negative there. Every fill has a fee
line, also a zero one; it is a memo pair, because the fee is already in the cost or the proceeds.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import msgspec

from polybawt.domain.ids import MarketId, StrategyName
from polybawt.domain.units import E12
from polybawt.portfolio.ops import Op, OpKind
from polybawt.portfolio.positions import Change


class Account(StrEnum):
    """Where value sits."""

    CASH = "cash"
    POSITION = "position"
    RECEIVABLE = "receivable"
    REALIZED = "realized"
    CAPITAL = "capital"
    FEES = "fees"
    FEES_MEMO = "fees_memo"
    HOLDINGS = "holdings"
    VENUE = "venue"


class Asset(StrEnum):
    """What is counted; Up and Down are those of the entry's market."""

    PUSD = "pUSD"
    UP = "up"
    DOWN = "down"


class Posting(NamedTuple):
    """One line of an entry."""

    account: Account
    asset: Asset
    delta: int


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One balanced posting. `final_ns` is when the op became final, 0 while it is provisional."""

    kind: OpKind
    key: str
    venue_ns: int
    final_ns: int
    strategy: StrategyName
    market_id: MarketId
    postings: tuple[Posting, ...]

    @property
    def is_balanced(self) -> bool:
        """Whether the postings sum to zero in every asset."""
        return not any(
            sum(posting.delta for posting in self.postings if posting.asset is asset)
            for asset in Asset
        )


def postings(change: Change, fee_e18: int | None) -> tuple[Posting, ...]:
    """The lines of a change; zero lines are left out, except the fee line of a fill (not None)."""
    lines = (
        Posting(Account.CASH, Asset.PUSD, change.cash_e6 * E12),
        Posting(Account.RECEIVABLE, Asset.PUSD, change.receivable_e6 * E12),
        Posting(Account.POSITION, Asset.PUSD, change.cost_e18),
        Posting(Account.REALIZED, Asset.PUSD, -change.realized_e18),
        Posting(Account.CAPITAL, Asset.PUSD, -change.capital_e6 * E12),
        Posting(Account.HOLDINGS, Asset.UP, change.up_e6),
        Posting(Account.VENUE, Asset.UP, -change.up_e6),
        Posting(Account.HOLDINGS, Asset.DOWN, change.down_e6),
        Posting(Account.VENUE, Asset.DOWN, -change.down_e6),
    )
    fee: tuple[Posting, ...] = ()
    if fee_e18 is not None:
        fee = (
            Posting(Account.FEES, Asset.PUSD, fee_e18),
            Posting(Account.FEES_MEMO, Asset.PUSD, -fee_e18),
        )
    return tuple(line for line in lines if line.delta) + fee


def entry(
    op: Op, change: Change, *, strategy: StrategyName, market_id: MarketId, final_ns: int
) -> Entry:
    """The entry of an applied op."""
    is_fill = op.kind in (OpKind.BUY, OpKind.SELL)
    return Entry(
        kind=op.kind,
        key=op.key,
        venue_ns=op.venue_ns,
        final_ns=final_ns,
        strategy=strategy,
        market_id=market_id,
        postings=postings(change, op.fee_e18 if is_fill else None),
    )
