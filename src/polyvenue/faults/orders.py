"""Faults of the venue itself: paths of trades and jobs, engine, markets, wallets."""

from typing import assert_never

from polyvenue.exchange import Exchange
from polyvenue.exchange.records import (
    JobPath,
    JobScript,
    JobStep,
    TradePath,
    TradeScript,
    TradeStep,
    Wants,
)
from polyvenue.exchange.state import EngineMode
from polyvenue.exchange.units import MS_NS, PPM
from polyvenue.faults.base import COUNT_MAX
from polyvenue.faults.within import (
    BalanceAction,
    BalanceFault,
    EngineAction,
    EngineFault,
    JobFault,
    TradeFault,
    Winner,
)
from polyvenue.market_data.oracle import Settlement, settle
from polyvenue.server.venue import Venue

PAYOUTS = {Winner.UP: (PPM, 0), Winner.DOWN: (0, PPM), Winner.SPLIT: (PPM // 2, PPM // 2)}


def trade_path(fault: TradeFault) -> TradePath:
    """The path it orders. ValueError for a move that the venue never makes."""
    steps = tuple(
        TradeStep(status=it.status, delay_ns=it.after_ms * MS_NS, new_hash=it.new_hash)
        for it in fault.steps
    )
    return TradePath(steps=steps, start=fault.start)


def job_path(fault: JobFault) -> JobPath:
    """The path it orders. ValueError for a move that the relayer never makes."""
    return JobPath(
        steps=tuple(JobStep(state=it.state, delay_ns=it.after_ms * MS_NS) for it in fault.steps)
    )


def script(
    exchange: Exchange, fault: TradeFault | JobFault, wants: Wants
) -> TradeScript | JobScript:
    """Give a path to the next trades or jobs that `wants` takes. ValueError for a bad path."""
    if isinstance(fault, TradeFault):
        return exchange.script_trades(
            trade_path(fault),
            market_id=fault.market_id,
            order_id=fault.order_id,
            count=COUNT_MAX,
            wants=wants,
        )
    return exchange.script_jobs(job_path(fault), maker=fault.wallet, count=COUNT_MAX, wants=wants)


# At once


def do_engine(venue: Venue, fault: EngineFault) -> None:
    """Order it of the engine or of a market. ValueError when that is not possible."""
    now_ns = venue.catch_up()
    exchange = venue.exchange
    for_ns = None if fault.after_ms is None else fault.after_ms * MS_NS
    if fault.action is EngineAction.MODE:
        assert fault.mode is not None, "checked when it was read"
        exchange.set_mode(now_ns, fault.mode, for_ns)
    elif fault.action is EngineAction.RESTART:
        exchange.restart(now_ns, for_ns)
    else:
        _do_market(venue, fault, now_ns)
    venue.publish()


def undo_engine(venue: Venue, fault: EngineFault) -> None:
    """End a mode or a restart; what was done to a market stays done."""
    if fault.action in (EngineAction.MODE, EngineAction.RESTART):
        venue.exchange.set_mode(venue.catch_up(), EngineMode.NORMAL)
        venue.publish()


def _do_market(venue: Venue, fault: EngineFault, now_ns: int) -> None:
    market_id, exchange = fault.market_id or "", venue.exchange
    exchange.market(market_id)  # ValueError for an unknown one, before anything is done
    match fault.action:
        case EngineAction.TICK:
            exchange.change_tick(now_ns, market_id, fault.tick_e4 or 0)
        case EngineAction.HOLD:
            exchange.set_hold(now_ns, market_id, (fault.hold_ms or 0) * MS_NS)
        case EngineAction.END:
            exchange.end_market(now_ns, market_id)
        case EngineAction.RESOLVE:
            _resolve(venue, market_id, fault.winner or Winner.ORACLE, now_ns)
        case EngineAction.MODE | EngineAction.RESTART:
            raise AssertionError("these concern no market")
        case _:
            assert_never(fault.action)


def _resolve(venue: Venue, market_id: str, winner: Winner, now_ns: int) -> None:
    """Report a payout. Gamma shows the prices that fit it; a split shows an unchanged price."""
    record = venue.markets.market(market_id)
    if record is None:
        raise ValueError(f"market {market_id} has no window: it cannot be resolved")
    window = record.window
    if winner is Winner.ORACLE:
        venue.resolve(window, now_ns)
        return
    oracle = venue.oracles[window.series.asset.code]
    start_e18 = settle(oracle, window.start_ns, window.end_ns, window.series.rule).start_e18
    step = {Winner.UP: 1, Winner.DOWN: -1, Winner.SPLIT: 0}[winner]
    venue.exchange.resolve_market(now_ns, market_id, PAYOUTS[winner])
    settlement = Settlement(start_e18, start_e18 + step * start_e18 // 1_000)
    venue.markets.note_winner(market_id, settlement, now_ns)


def do_balance(venue: Venue, fault: BalanceFault) -> None:
    """Do it to a wallet. ValueError for an unknown one or more than it has."""
    now_ns = venue.catch_up()
    exchange, wallet = venue.exchange, fault.wallet
    account = exchange.account(wallet)
    amount_e6, on = fault.amount_e6 or 0, fault.on is True
    match fault.action:
        case BalanceAction.WITHDRAW:
            exchange.withdraw(now_ns, wallet, amount_e6)
        case BalanceAction.DEPOSIT:
            exchange.deposit(now_ns, wallet, amount_e6)
        case BalanceAction.ALLOWANCE:
            account.allowance_e6 = amount_e6
        case BalanceAction.TOKENS_APPROVED:
            account.tokens_approved = on
        case BalanceAction.BANNED:
            account.banned = on
        case BalanceAction.CLOSED_ONLY:
            account.closed_only = on
        case _:
            assert_never(fault.action)
    venue.publish()
