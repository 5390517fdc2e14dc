"""Dropping a finished market, so that memory stays flat over any number of windows."""

from polyvenue.exchange.accounts import FEES
from polyvenue.exchange.chain import redeem
from polyvenue.exchange.market import Market, Phase
from polyvenue.exchange.orders import PUSD
from polyvenue.exchange.settlement import count_in_flight, thaw
from polyvenue.exchange.state import Core


def forget(core: Core, market: Market) -> None:
    """Drop a market with its orders, trades and jobs.

    Shares that nobody redeemed are paid out first; what rounding left goes to the venue.
    ValueError unless its book is removed and nothing of it is under way.
    """
    market_id = market.market_id
    trades = [it for it in core.trades.values() if it.view.market_id == market_id]
    jobs = [it for it in core.jobs.values() if it.view.market_id == market_id]
    under_way = any(it.next_step < len(it.steps) for it in trades)
    under_way |= any(it.next_step < len(it.steps) for it in jobs)
    if market.phase is not Phase.REMOVED or market.open_ids or under_way:
        raise ValueError(f"market {market_id} still has a book, orders, trades or jobs under way")
    _release_hung(core, market)
    for account in core.ledger.accounts.values():
        redeem(core, market, account)
    core.ledger.move(FEES, PUSD, market.pool_e6)
    _drop_trades(core, market_id)
    for job in jobs:
        del core.jobs[job.view.job_id]
        core.jobs_of.pop((job.view.maker, job.view.nonce), None)
    core.orders = {key: it for key, it in core.orders.items() if it.market_id != market_id}
    for token_id in market.terms.token_ids:
        del core.tokens[token_id]
    del core.markets[market_id]


def _release_hung(core: Core, market: Market) -> None:
    """A trade whose path ended before its end never comes: its money is free again."""
    for trade in core.trades.values():
        if trade.view.market_id == market.market_id and not trade.view.status.is_final:
            if trade.is_mined:
                thaw(core, trade)
            else:
                count_in_flight(core, trade, -1)


def _drop_trades(core: Core, market_id: str) -> None:
    gone = {key for key, it in core.trades.items() if it.view.market_id == market_id}
    for maker in list(core.trades_of):
        kept = [trade_id for trade_id in core.trades_of[maker] if trade_id not in gone]
        core.trades_of[maker] = kept
    core.trades = {key: it for key, it in core.trades.items() if key not in gone}
