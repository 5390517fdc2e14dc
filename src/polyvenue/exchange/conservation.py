"""What must hold after every event, checked over the whole state."""

from polyvenue.exchange.market import Market, Phase
from polyvenue.exchange.state import Core
from polyvenue.exchange.units import E4, PPM


def problems(core: Core) -> list[str]:
    """One line for each law that is broken; empty when all hold."""
    found = _money(core) + _reservations(core)
    for market in core.markets.values():
        found += _shares(core, market) + _books(core, market)
    return found


def _money(core: Core) -> list[str]:
    """Collateral in wallets (fees included) and behind shares is what was deposited."""
    in_wallets_e6 = core.ledger.collateral_e6()
    pools_e6 = sum(market.pool_e6 for market in core.markets.values())
    deposited_e6 = core.ledger.deposited_e6
    if in_wallets_e6 + pools_e6 == deposited_e6:
        return []
    return [f"collateral {in_wallets_e6} + pools {pools_e6} is not deposits {deposited_e6}"]


def _reservations(core: Core) -> list[str]:
    """Nothing is negative, and what is open is the sum over the open orders."""
    found: list[str] = []
    sums: dict[tuple[str, str], int] = {}
    for market in core.markets.values():
        for order_id in market.open_ids:
            order = core.orders[order_id]
            key = (order.request.maker, order.asset)
            sums[key] = sums.get(key, 0) + order.reserved_e6
            if not order.status.is_open or order.remaining_e6 <= 0:
                found.append(f"order {order_id} is open and {order.status}")
    for account in core.ledger.accounts.values():
        for kind in (account.held, account.open, account.leaving, account.coming, account.frozen):
            found += [f"{account.maker} {it}: {kind[it]}" for it in kind if kind[it] < 0]
        for asset, open_e6 in account.open.items():
            if sums.pop((account.maker, asset), 0) != open_e6:
                found.append(f"{account.maker} {asset}: open {open_e6} is not its orders' sum")
        for asset, frozen_e6 in account.frozen.items():
            if frozen_e6 > account.held.get(asset, 0):
                found.append(f"{account.maker} {asset}: frozen {frozen_e6} is more than held")
    return found + [f"{key}: {value} reserved by nobody" for key, value in sums.items() if value]


def _shares(core: Core, market: Market) -> list[str]:
    """Wallets hold all shares there are; the pool covers them, exactly before a resolution."""
    found = []
    for outcome, token_id in enumerate(market.terms.token_ids):
        supply_e6, held_e6 = market.supply_e6[outcome], core.ledger.tokens_e6(token_id)
        if supply_e6 != held_e6:
            found.append(f"{token_id}: {held_e6} held of {supply_e6}")
    if market.payouts_ppm is None:
        if market.supply_e6 != [market.pool_e6, market.pool_e6]:
            found.append(f"{market.market_id}: {market.supply_e6} over {market.pool_e6}")
        return found
    pairs = zip(market.supply_e6, market.payouts_ppm, strict=True)
    if sum(supply_e6 * payout_ppm for supply_e6, payout_ppm in pairs) > market.pool_e6 * PPM:
        found.append(f"{market.market_id}: the pool {market.pool_e6} does not cover its shares")
    return found


def _books(core: Core, market: Market) -> list[str]:
    """No resting book is crossed; asks of a faithful market never sum below 1."""
    found = []
    for outcome in (0, 1):
        bid_e4, ask_e4 = market.best(outcome)
        if bid_e4 is not None and ask_e4 is not None and bid_e4 >= ask_e4:
            found.append(f"{market.market_id}: outcome {outcome} rests at {bid_e4} and {ask_e4}")
    asks = [market.best(outcome)[1] for outcome in (0, 1)]
    if market.terms.cross_outcome_match and None not in asks and sum(it or 0 for it in asks) < E4:
        found.append(f"{market.market_id}: asks {asks} sum below 1")
    resting = [core.orders[it] for it in market.open_ids if core.orders[it].is_resting]
    if market.phase in (Phase.RESOLVED, Phase.REMOVED) and resting:
        found.append(f"{market.market_id}: {len(resting)} orders rest after the resolution")
    for number, book in enumerate(market.books):
        for side in (book.bids, book.asks):
            is_bid = side is book.bids
            shown_e6 = sum(qty_e6 for _, qty_e6 in side.rows())
            rest_e6 = sum(
                it.remaining_e6 for it in resting if (it.book, it.is_bid) == (number, is_bid)
            )
            if shown_e6 != rest_e6:
                found.append(f"{market.market_id}: shows {shown_e6}, rests {rest_e6}")
    return found
