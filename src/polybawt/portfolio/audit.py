"""The whole ledger again from its facts: every entry, and the proof that they sum to the state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from polybawt.domain.errors import InvariantError
from polybawt.domain.ids import MarketId, StrategyName
from polybawt.domain.units import E12
from polybawt.portfolio.entries import Account, Asset, Entry, entry, postings
from polybawt.portfolio.live import LiveMarket
from polybawt.portfolio.ops import Op, OpKind, settle
from polybawt.portfolio.positions import Change

if TYPE_CHECKING:
    from polybawt.portfolio.ledger import Ledger

ACCOUNT = StrategyName("")
"""Owner of entries that belong to the whole account."""
NO_MARKET = MarketId("")


def entries(ledger: Ledger) -> Iterator[Entry]:
    """Balanced entries: one that brings forward what is compacted, then each live market's ops."""
    yield _brought_forward(ledger)
    for market_id, market in ledger.live.items():
        yield from _market_entries(ledger, market_id, market)


def _market_entries(ledger: Ledger, market_id: MarketId, market: LiveMarket) -> Iterator[Entry]:
    last: Op | None = None
    if market.payouts is not None:
        last = settle(market.payouts, key=market_id, venue_ns=market.settled_ns)
    for name in sorted(market.holdings):
        for op, change in market.holdings[name].applied(last):
            yield entry(
                op, change, strategy=name, market_id=market_id, final_ns=ledger.final_ns(op)
            )
    for op in sorted(market.redeems, key=lambda op: op.order):
        change = Change(0, 0, op.cash_e6, -op.cash_e6)
        yield entry(op, change, strategy=ACCOUNT, market_id=market_id, final_ns=op.venue_ns)


def _brought_forward(ledger: Ledger) -> Entry:
    """Opening cash, transfers, rebates, and finished markets, whose claims are all cash."""
    closed = ledger.closed.values()
    capital_e6 = ledger.opening_e6 + ledger.transfers_e6
    plain_e6 = ledger.rebates_e6 + ledger.rounding_e6
    change = Change(
        cash_e6=capital_e6 + plain_e6 + sum(total.cash_e6 for total in closed),
        realized_e18=plain_e6 * E12 + sum(total.realized_e18 for total in closed),
        capital_e6=capital_e6,
    )
    return Entry(
        kind=OpKind.DEPOSIT,
        key="brought-forward",
        venue_ns=0,
        final_ns=0,
        strategy=ACCOUNT,
        market_id=NO_MARKET,
        postings=postings(change, sum(total.fees_e18 for total in closed)),
    )


def audit(ledger: Ledger) -> None:
    """Fold everything again, balance every entry, and compare the sums. InvariantError. O(ops)."""
    ledger.check()
    for market in ledger.live.values():
        for holding in market.holdings.values():
            holding.audit()
    sums: Counter[Account] = Counter()
    for one in entries(ledger):
        if not one.is_balanced:
            raise InvariantError(f"entry {one.key} of {one.market_id} does not balance: {one}")
        for posting in one.postings:
            if posting.asset is Asset.PUSD:
                sums[posting.account] += posting.delta
    expected = {
        Account.CASH: ledger.cash_e6 * E12,
        Account.RECEIVABLE: ledger.receivable_e6 * E12,
        Account.POSITION: ledger.cost_e18,
        Account.REALIZED: -ledger.realized_e18,
        Account.CAPITAL: -(ledger.opening_e6 + ledger.transfers_e6) * E12,
        Account.FEES: ledger.fees_e18,
    }
    for account, value in expected.items():
        if sums[account] != value:
            raise InvariantError(f"{account}: entries sum to {sums[account]}, state has {value}")
