"""Trades on their way to the chain: MATCHED, MINED, CONFIRMED, or RETRYING and FAILED.

At the match each side's money is counted as leaving or coming; on chain it moves when the trade is
MINED, and only if every payer still has it. A trade that leaves MINED again is undone to the last
unit: what it brought stays frozen until its end, so that nothing can be spent twice.
"""

import hashlib

import msgspec

from polyvenue.exchange.accounts import FEES, bump
from polyvenue.exchange.config import Delay, SettlementConfig
from polyvenue.exchange.events import (
    MakerFill,
    SelfTradeDetected,
    TradePrinted,
    TradeStatusChanged,
    TradeView,
)
from polyvenue.exchange.market import Market
from polyvenue.exchange.matching import Match
from polyvenue.exchange.orders import PUSD, Order, Side, TradeStatus
from polyvenue.exchange.records import Posting, TradePath, TradeRecord, TradeStep
from polyvenue.exchange.schedule import Duty
from polyvenue.exchange.state import Core
from polyvenue.exchange.units import DAY_NS, PPM


def draw(core: Core, delay: Delay) -> int:
    """One delay from the seeded generator."""
    if delay.tail_ppm and core.rng.randrange(PPM) < delay.tail_ppm:
        return delay.tail_ns
    return core.rng.randint(delay.low_ns, delay.high_ns)


def next_id(core: Core) -> str:
    """The id of the next trade, in the shape of a UUID; a function of seed and count."""
    core.trade_count += 1
    digest = hashlib.sha256(f"{core.seed}:trade:{core.trade_count}".encode()).hexdigest()
    return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))


def record(core: Core, market: Market, order: Order, match: Match, trade_id: str) -> None:
    """Start a trade: its money is spoken for, and it is printed and reported as matched."""
    path = _path(core, market, order, match)
    makers = tuple(
        _maker_fill(core, order, part.maker, part.qty_e6, part.cash_e6, trade_id)
        for part in match.taken
    )
    request = order.request
    view = TradeView(
        trade_id=trade_id,
        market_id=market.market_id,
        taker_order_id=order.order_id,
        owner=request.owner,
        maker=request.maker,
        token_id=request.token_id,
        outcome=order.outcome,
        side=request.side,
        price_e4=match.price_e4,
        qty_e6=match.qty_e6,
        cash_e6=match.cash_e6,
        fee_e6=match.fee_e6,
        makers=makers,
        status=path.start,
        matched_ns=core.now_ns,
        updated_ns=core.now_ns,
        tx_hash="",
    )
    pairs_e6 = sum(part.pairs_e6 for part in match.taken)
    trade = TradeRecord(view=view, postings=_postings(view), pairs_e6=pairs_e6, steps=path.steps)
    if core.config.settlement.hash_from is TradeStatus.MATCHED:
        _new_hash(core, trade)
    core.trades[trade_id] = trade
    for maker in dict.fromkeys((request.maker, *(fill.maker for fill in makers))):
        core.trades_of.setdefault(maker, []).append(trade_id)
    count_in_flight(core, trade, 1)
    _print(core, trade.view)
    _schedule_next(core, trade)


def _maker_fill(
    core: Core, taker: Order, maker: Order, qty_e6: int, cash_e6: int, trade_id: str
) -> MakerFill:
    request = maker.request
    if request.maker == taker.request.maker:
        detected = SelfTradeDetected(
            at_ns=core.now_ns,
            trade_id=trade_id,
            maker=request.maker,
            taker_order_id=taker.order_id,
            maker_order_id=maker.order_id,
        )
        core.self_trades.append(detected)
        core.emit(detected)
    return MakerFill(
        order_id=maker.order_id,
        owner=request.owner,
        maker=request.maker,
        token_id=request.token_id,
        outcome=maker.outcome,
        side=request.side,
        price_e4=maker.price_e4,
        qty_e6=qty_e6,
        cash_e6=cash_e6,
    )


def _postings(view: TradeView) -> tuple[Posting, ...]:
    """What the trade does to the wallets: taker, makers in order, then the fee."""
    rows: list[Posting] = []
    taker = (view.maker, view.token_id, view.side, view.qty_e6, view.cash_e6, view.fee_e6)
    sides = [taker]
    sides += [(it.maker, it.token_id, it.side, it.qty_e6, it.cash_e6, 0) for it in view.makers]
    for maker, token_id, side, qty_e6, cash_e6, fee_e6 in sides:
        sign = 1 if side is Side.BUY else -1
        rows.append(Posting(maker, token_id, sign * qty_e6))
        rows.append(Posting(maker, PUSD, -sign * cash_e6 - fee_e6))
    if view.fee_e6:
        rows.append(Posting(FEES, PUSD, view.fee_e6))
    return tuple(rows)


def _print(core: Core, view: TradeView) -> None:
    core.emit(
        TradePrinted(
            at_ns=core.now_ns,
            market_id=view.market_id,
            trade_id=view.trade_id,
            token_id=view.token_id,
            side=view.side,
            price_e4=view.price_e4,
            qty_e6=view.qty_e6,
            tx_hash=view.tx_hash,
        )
    )
    core.emit(TradeStatusChanged(at_ns=core.now_ns, trade=view))


def _path(core: Core, market: Market, order: Order, match: Match) -> TradePath:
    """The first script that fits, or a drawn path."""
    ids = {order.order_id} | {part.maker.order_id for part in match.taken}
    for script in core.trade_scripts:
        fits = script.market_id in (None, market.market_id)
        fits = fits and (script.order_id is None or script.order_id in ids)
        if fits and (script.wants is None or script.wants()):
            script.count -= 1
            if script.count == 0:
                core.trade_scripts.remove(script)
            return script.path
    config = core.config.settlement
    fail_ppm = config.fail_ppm if market.terms.fail_ppm is None else market.terms.fail_ppm
    return TradePath(steps=_drawn(core, config, fail_ppm))


def _drawn(core: Core, config: SettlementConfig, fail_ppm: int) -> tuple[TradeStep, ...]:
    fails = core.rng.randrange(PPM) < fail_ppm
    mined = TradeStep(status=TradeStatus.MINED, delay_ns=draw(core, config.mined))
    retrying = TradeStep(
        status=TradeStatus.RETRYING, delay_ns=draw(core, config.retried), new_hash=True
    )
    if fails:
        was_mined = core.rng.randrange(PPM) < config.fail_mined_ppm
        failed = TradeStep(status=TradeStatus.FAILED, delay_ns=draw(core, config.retried))
        return (mined, retrying, failed) if was_mined else (retrying, failed)
    confirmed = TradeStep(status=TradeStatus.CONFIRMED, delay_ns=draw(core, config.confirmed))
    if core.rng.randrange(PPM) < config.retry_ppm:
        return retrying, mined, confirmed
    return mined, confirmed


def _schedule_next(core: Core, trade: TradeRecord) -> None:
    if trade.next_step < len(trade.steps):
        due_ns = core.now_ns + trade.steps[trade.next_step].delay_ns
        core.schedule.add(due_ns, Duty.ADVANCE_TRADE, trade.view.trade_id)


def _new_hash(core: Core, trade: TradeRecord) -> None:
    trade.hashes += 1
    text = f"{core.seed}:tx:{trade.view.trade_id}:{trade.hashes}"
    tx_hash = "0x" + hashlib.sha256(text.encode()).hexdigest()
    trade.view = msgspec.structs.replace(trade.view, tx_hash=tx_hash)


def advance(core: Core, trade_id: str) -> None:
    """Take the next step of a trade's path; one whose payer has not the money fails instead."""
    trade = core.trades[trade_id]
    step = trade.steps[trade.next_step]
    trade.next_step += 1
    status = step.status
    if status is TradeStatus.MINED and not _is_covered(core, trade):
        failed = TradeStep(
            status=TradeStatus.FAILED, delay_ns=draw(core, core.config.settlement.retried)
        )
        trade.steps, trade.next_step = (failed,), 0
        status = TradeStatus.RETRYING
    _apply_status(core, trade, status)
    if step.new_hash or (status is TradeStatus.MINED and not trade.hashes):
        _new_hash(core, trade)
    trade.view = msgspec.structs.replace(trade.view, status=status, updated_ns=core.now_ns)
    core.emit(TradeStatusChanged(at_ns=core.now_ns, trade=trade.view))
    _schedule_next(core, trade)


def _apply_status(core: Core, trade: TradeRecord, status: TradeStatus) -> None:
    if status is TradeStatus.MINED:
        _mine(core, trade)
    elif status is TradeStatus.CONFIRMED:
        thaw(core, trade)
        _accrue(core, trade.view)
    elif trade.is_mined:
        _undo(core, trade)
    if status is TradeStatus.FAILED:
        count_in_flight(core, trade, -1)


def _is_covered(core: Core, trade: TradeRecord) -> bool:
    """True when every payer still has on chain what the trade takes."""
    needs: dict[tuple[str, str], int] = {}
    for posting in trade.postings:
        if posting.delta_e6 < 0:
            key = (posting.maker, posting.asset)
            needs[key] = needs.get(key, 0) - posting.delta_e6
    accounts = core.ledger.accounts
    return all(
        need_e6 <= min(accounts[maker].spendable_e6(asset), accounts[maker].allowance_of(asset))
        for (maker, asset), need_e6 in needs.items()
    )


def count_in_flight(core: Core, trade: TradeRecord, sign: int) -> None:
    """Count (or no longer count) the trade's money as leaving and coming."""
    for posting in trade.postings:
        account = core.ledger.accounts[posting.maker]
        if posting.delta_e6 < 0:
            bump(account.leaving, posting.asset, -sign * posting.delta_e6)
        else:
            bump(account.coming, posting.asset, sign * posting.delta_e6)


def _move_all(core: Core, trade: TradeRecord, sign: int) -> None:
    """Move the trade's money on chain, or back. It was found covered, or it is frozen."""
    for posting in trade.postings:
        core.ledger.move(posting.maker, posting.asset, sign * posting.delta_e6)
    market = core.markets[trade.view.market_id]
    market.pool_e6 += sign * trade.pairs_e6
    market.supply_e6 = [supply_e6 + sign * trade.pairs_e6 for supply_e6 in market.supply_e6]
    assert market.pool_e6 >= 0, "collateral backs every pair"


def _mine(core: Core, trade: TradeRecord) -> None:
    assert not trade.is_mined, "a trade is mined once before it is undone"
    count_in_flight(core, trade, -1)
    _move_all(core, trade, 1)
    trade.is_mined = True
    leaves_again = any(
        step.status in (TradeStatus.RETRYING, TradeStatus.FAILED)
        for step in trade.steps[trade.next_step :]
    )
    waits = core.config.settlement.usable_from is TradeStatus.CONFIRMED
    trade.is_frozen = leaves_again or waits
    if trade.is_frozen:
        _freeze(core, trade, 1)


def _freeze(core: Core, trade: TradeRecord, sign: int) -> None:
    for posting in trade.postings:
        if posting.delta_e6 > 0:
            bump(core.ledger.accounts[posting.maker].frozen, posting.asset, sign * posting.delta_e6)


def thaw(core: Core, trade: TradeRecord) -> None:
    """What a mined trade brought may be used from now on."""
    if trade.is_frozen:
        _freeze(core, trade, -1)
        trade.is_frozen = False


def _undo(core: Core, trade: TradeRecord) -> None:
    """The exact reverse of `_mine`."""
    thaw(core, trade)
    _move_all(core, trade, -1)
    trade.is_mined = False
    count_in_flight(core, trade, 1)


def _accrue(core: Core, view: TradeView) -> None:
    """Count a confirmed trade for the rebates of the day of its match. Oneself earns nothing."""
    fees = core.markets[view.market_id].terms.fees
    weights: dict[str, int] = {}
    for fill in view.makers:
        if fill.maker != view.maker:
            weight = fees.weight(fill.qty_e6, fill.price_e4)
            weights[fill.maker] = weights.get(fill.maker, 0) + weight
    key = (view.matched_ns // DAY_NS, view.market_id)
    core.rebates.accrue(key, fees, view.fee_e6, weights)
