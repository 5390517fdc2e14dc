"""Executable invariants over the state. Pure: each raises InvariantError or does nothing.

Numbers refer to the specification of reliability, section 2.
"""

from __future__ import annotations

from polybawt.domain.errors import InvariantError
from polybawt.domain.units import LOT_E6
from polybawt.portfolio.account import AccountState


def check_account(account: AccountState) -> None:
    """I4, I5, I7, I21: the ledger balances, cash is not negative, no order is overfilled."""
    account.ledger.check()
    if account.ledger.cash_e6 < 0:
        raise InvariantError(f"cash is {account.ledger.cash_e6} e-6 pUSD")
    for market_id in account.orders.markets():
        if market_id not in account.markets:
            raise InvariantError(f"open orders in market {market_id}, which is not live")
        for order in account.orders.open_in(market_id):
            if order.matched_e6 > order.leg.qty_e6 + LOT_E6:
                raise InvariantError(f"order {order.order_id} is overfilled")
            if not 0 <= order.filled_e6 <= order.matched_e6:
                raise InvariantError(f"order {order.order_id}: filled {order.filled_e6}")
    for market_id, live in account.markets.items():
        if account.ledger.is_settled(market_id) and live.payouts_ppm is None:
            raise InvariantError(f"market {market_id} is settled without evidence")
