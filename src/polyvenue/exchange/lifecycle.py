"""Life of a market, and modes of the engine.

Who drives it says when; here is only what each step does. Steps are one-way: CREATED, TRADING,
OPEN, ENDED, RESOLVED, REMOVED.
"""

from polyvenue.exchange.entry import close
from polyvenue.exchange.events import (
    BookRemoved,
    EngineModeChanged,
    MarketListed,
    MarketResolved,
    PhaseChanged,
)
from polyvenue.exchange.market import Market, MarketTerms, Phase
from polyvenue.exchange.orders import OrderStatus
from polyvenue.exchange.schedule import Duty
from polyvenue.exchange.state import Core, EngineMode
from polyvenue.exchange.units import PPM

RANKS = {phase: rank for rank, phase in enumerate(Phase)}


def add_market(core: Core, terms: MarketTerms, *, accepts_orders: bool) -> None:
    """A new market. ValueError when its id or a token is taken."""
    if terms.market_id in core.markets or any(it in core.tokens for it in terms.token_ids):
        raise ValueError(f"market {terms.market_id} or one of its tokens is listed already")
    phase = Phase.TRADING if accepts_orders else Phase.CREATED
    market = core.markets[terms.market_id] = Market(terms, phase, core.now_ns)
    for outcome, token_id in enumerate(terms.token_ids):
        core.tokens[token_id] = (market, outcome)
    core.emit(
        MarketListed(
            at_ns=core.now_ns,
            market_id=terms.market_id,
            token_ids=terms.token_ids,
            accepts_orders=accepts_orders,
        )
    )


def find(core: Core, market_id: str) -> Market:
    """The market. ValueError when there is none."""
    market = core.markets.get(market_id)
    if market is None:
        raise ValueError(f"market {market_id} is not listed: list it first")
    return market


def enter_phase(core: Core, market: Market, phase: Phase) -> None:
    """Move a market forward. ValueError for a step back."""
    if RANKS[phase] <= RANKS[market.phase]:
        raise ValueError(f"market {market.market_id} is {market.phase}: it cannot become {phase}")
    market.phase = phase
    core.emit(PhaseChanged(at_ns=core.now_ns, market_id=market.market_id, phase=phase))


def resolve(core: Core, market: Market, payouts_ppm: tuple[int, int]) -> None:
    """Report the payout and clear the book. Held orders end with their release.

    ValueError unless the payouts are not negative and sum to 1.
    """
    if min(payouts_ppm) < 0 or sum(payouts_ppm) != PPM:
        raise ValueError(f"payouts_ppm {payouts_ppm}: two shares of a pair, together {PPM}")
    enter_phase(core, market, Phase.RESOLVED)
    market.payouts_ppm = payouts_ppm
    for order_id in list(market.open_ids):
        order = core.orders[order_id]
        if order.status is OrderStatus.LIVE:
            close(core, order, OrderStatus.CANCELED_MARKET_RESOLVED, reason="market resolved")
    winner = payouts_ppm.index(PPM) if PPM in payouts_ppm else None
    core.emit(
        MarketResolved(
            at_ns=core.now_ns,
            market_id=market.market_id,
            payouts_ppm=payouts_ppm,
            winning_token_id=None if winner is None else market.terms.token_ids[winner],
        )
    )
    if (after_ns := core.config.chain.auto_redeem_ns) is not None:
        core.schedule.add(core.now_ns + after_ns, Duty.AUTO_REDEEM, market.market_id)


def remove_book(core: Core, market: Market) -> None:
    """Take the book away. ValueError unless the market is resolved."""
    if market.phase is not Phase.RESOLVED:
        raise ValueError(f"market {market.market_id} is {market.phase}: resolve it first")
    enter_phase(core, market, Phase.REMOVED)
    core.emit(BookRemoved(at_ns=core.now_ns, market_id=market.market_id))


def set_mode(core: Core, mode: EngineMode, for_ns: int | None, then: EngineMode) -> None:
    """Change what the engine accepts, for a time or until the next change."""
    core.mode = mode
    core.mode_mark += 1
    core.mode_until_ns = None if for_ns is None else core.now_ns + for_ns
    core.emit(EngineModeChanged(at_ns=core.now_ns, mode=mode))
    if core.mode_until_ns is not None:
        core.schedule.add(core.mode_until_ns, Duty.CHANGE_MODE, then, core.mode_mark)


def change_mode(core: Core, then: str, mark: int) -> None:
    """End a timed mode, unless another change came first. After a restart comes post-only."""
    if mark != core.mode_mark:
        return
    mode = EngineMode(then)
    if mode is EngineMode.POST_ONLY:
        set_mode(core, mode, core.config.restart_post_only_ns, EngineMode.NORMAL)
    else:
        set_mode(core, mode, None, EngineMode.NORMAL)
