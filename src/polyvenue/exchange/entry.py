"""The way of an order: accepted, held if it would match at once, matched, resting, closed.

Reservations. An open BUY reserves its unmatched quantity at its limit, rounded up; while it is held
also the highest fee it can pay. A SELL reserves its unmatched shares. What was matched and is not
yet mined is counted by the settlement.
"""

from polyvenue.exchange import settlement
from polyvenue.exchange.accounts import Account, bump
from polyvenue.exchange.events import HoldEnded, OrderChanged, OrderChangeKind
from polyvenue.exchange.market import Market, Phase
from polyvenue.exchange.matching import Match, Plan, crosses, walk, within
from polyvenue.exchange.orders import (
    Order,
    OrderRequest,
    OrderStatus,
    OrderType,
    Placed,
    Refusal,
    ReplyStatus,
    Side,
)
from polyvenue.exchange.schedule import Duty
from polyvenue.exchange.state import Core
from polyvenue.exchange.ticks import refine_tick
from polyvenue.exchange.units import E4, S_NS, Rounding, cost_e6
from polyvenue.exchange.validate import (
    FAK_KILLED,
    FOK_KILLED,
    bad,
    check_balance,
    check_mode,
    check_order,
    check_price_of,
    needed_e6,
    takes_orders,
)

Touched = list[tuple[int, bool, int]]
"""Levels that an operation changed: (book, is_bid, price)."""


def place(core: Core, request: OrderRequest, api_key: str) -> Placed | Refusal:
    """Take an order or refuse it. A refusal changes nothing."""
    order = check_order(core, request, api_key)
    if isinstance(order, Refusal):
        return order
    market = core.markets[order.market_id]
    crossing = crosses(market, order)
    if crossing and market.hold_ns:
        order.status = OrderStatus.DELAYED
        _accept(core, market, order, needed_e6(market, order, is_taker=True))
        core.schedule.add(core.now_ns + market.hold_ns, Duty.RELEASE_HOLD, order.order_id)
        return Placed(order_id=order.order_id, status=ReplyStatus.DELAYED)
    plan = make_plan(core, market, order) if crossing else Plan((), False)
    if isinstance(plan, Refusal):
        return plan
    _accept(core, market, order, resting_reserve_e6(order))
    return _commit(core, market, order, plan, was_held=False)


def _accept(core: Core, market: Market, order: Order, reserve_e6: int) -> None:
    """Know the order from now on."""
    request = order.request
    core.orders[order.order_id] = order
    market.open_ids[order.order_id] = None
    core.open_by_owner.setdefault(request.owner, {})[order.order_id] = None
    reserve(core, order, reserve_e6)
    if dies_ns := death_ns(core, request):
        core.schedule.add(dies_ns, Duty.EXPIRE_ORDER, order.order_id)
    _tell(core, order, OrderChangeKind.PLACEMENT)


def death_ns(core: Core, request: OrderRequest) -> int:
    """When a GTD order dies, some time before its expiration; 0 for the others."""
    if request.order_type is not OrderType.GTD:
        return 0
    return max(1, (request.expiration_s - core.config.gtd_early_s) * S_NS)


def _tell(core: Core, order: Order, kind: OrderChangeKind, reason: str = "") -> None:
    core.emit(OrderChanged(at_ns=core.now_ns, kind=kind, order=order.view(), reason=reason))


def reserve(core: Core, order: Order, reserve_e6: int) -> None:
    """Make an order's reservation this large."""
    account = core.ledger.accounts[order.request.maker]
    bump(account.open, order.asset, reserve_e6 - order.reserved_e6)
    order.reserved_e6 = reserve_e6


def resting_reserve_e6(order: Order) -> int:
    """What the unmatched part of an order needs at its limit."""
    if order.request.side is Side.SELL:
        return order.remaining_e6
    return cost_e6(order.price_e4, order.remaining_e6, Rounding.CEIL)


def make_plan(core: Core, market: Market, order: Order) -> Plan | Refusal:
    """What the order will match now, or why its type or its wallet forbids that."""
    account = core.ledger.accounts[order.request.maker]
    matches = walk(market, order, core.config.fee_rounding)
    budget_e6 = core.usable_e6(account, order.asset) + order.reserved_e6
    order_type = order.request.order_type
    if order_type is OrderType.FOK and sum(it.qty_e6 for it in matches) < order.remaining_e6:
        return bad(FOK_KILLED)
    if order_type is OrderType.FAK and not matches:
        return bad(FAK_KILLED)
    plan = within(matches, order.request.side, budget_e6)
    if plan.is_short and (order_type is OrderType.FOK or not plan.matches):
        needed = needed_e6(market, order, is_taker=True)
        text = f"balance: {budget_e6}, order amount: {needed}"
        return bad(f"not enough balance / allowance: the balance is not enough -> {text}")
    return plan


def _commit(core: Core, market: Market, order: Order, plan: Plan, *, was_held: bool) -> Placed:
    """Carry a plan out; what is left rests or dies."""
    touched: Touched = []
    for match in plan.matches:
        _settle(core, market, order, match, touched)
    if order.remaining_e6 == 0:
        _finish(core, market, order)
    elif plan.is_short:
        close(core, order, OrderStatus.CANCELED_NOT_ENOUGH_BALANCE, touched=touched)
    elif not order.request.order_type.rests:
        close(core, order, OrderStatus.CANCELED, touched=touched)
    else:
        _rest(core, market, order, touched, tell=was_held or bool(plan.matches))
    core.publish_levels(market, touched)
    if plan.matches:
        core.publish_books(market)
        refine_tick(core, market)
    return _reply(order, plan, was_held=was_held)


def _settle(core: Core, market: Market, order: Order, match: Match, touched: Touched) -> None:
    """One match: both sides are filled, and a trade starts on its way to the chain."""
    trade_id = settlement.next_id(core)
    side = market.books[order.book].side(is_bid=not order.is_bid)
    for part in match.taken:
        maker = part.maker
        side.reduce(maker, part.qty_e6)
        _fill(core, maker, part.qty_e6, trade_id)
        if maker.remaining_e6 == 0:
            maker.is_resting = False
            _finish(core, market, maker)
        else:
            _tell(core, maker, OrderChangeKind.UPDATE)
    touched.append((order.book, not order.is_bid, match.book_price_e4))
    _fill(core, order, match.qty_e6, trade_id)
    market.last_e4[order.outcome] = match.price_e4
    if market.terms.cross_outcome_match:
        market.last_e4[1 - order.outcome] = E4 - match.price_e4
    settlement.record(core, market, order, match, trade_id)


def _fill(core: Core, order: Order, qty_e6: int, trade_id: str) -> None:
    order.remaining_e6 -= qty_e6
    order.trade_ids = (*order.trade_ids, trade_id)
    reserve(core, order, resting_reserve_e6(order))


def _finish(core: Core, market: Market, order: Order) -> None:
    """An order that is matched in full leaves the open ones."""
    order.status = OrderStatus.MATCHED
    _forget_open(core, market, order)
    _tell(core, order, OrderChangeKind.UPDATE)


def _forget_open(core: Core, market: Market, order: Order) -> None:
    del market.open_ids[order.order_id]
    owned = core.open_by_owner[order.request.owner]
    del owned[order.order_id]
    if not owned:
        del core.open_by_owner[order.request.owner]


def _rest(core: Core, market: Market, order: Order, touched: Touched, *, tell: bool) -> None:
    """Put what is left into the book."""
    reserve(core, order, resting_reserve_e6(order))
    order.status = OrderStatus.LIVE
    order.is_resting = True
    market.books[order.book].side(is_bid=order.is_bid).add(order)
    touched.append((order.book, order.is_bid, order.book_price_e4))
    if tell:
        _tell(core, order, OrderChangeKind.UPDATE)


def _reply(order: Order, plan: Plan, *, was_held: bool) -> Placed:
    if not plan.matches:
        status = ReplyStatus.UNMATCHED if was_held else ReplyStatus.LIVE
        return Placed(order_id=order.order_id, status=status)
    cash_e6, qty_e6 = sum(it.cash_e6 for it in plan.matches), plan.qty_e6
    is_buy = order.request.side is Side.BUY
    return Placed(
        order_id=order.order_id,
        status=ReplyStatus.MATCHED,
        making_e6=cash_e6 if is_buy else qty_e6,
        taking_e6=qty_e6 if is_buy else cash_e6,
        trade_ids=order.trade_ids,
    )


def close(
    core: Core,
    order: Order,
    status: OrderStatus,
    *,
    reason: str = "",
    touched: Touched | None = None,
) -> None:
    """Take an open order out for good. Levels go to `touched`, or are published at once."""
    market = core.markets[order.market_id]
    levels: Touched = [] if touched is None else touched
    if order.is_resting:
        market.books[order.book].side(is_bid=order.is_bid).remove(order)
        order.is_resting = False
        levels.append((order.book, order.is_bid, order.book_price_e4))
    reserve(core, order, 0)
    order.status = status
    _forget_open(core, market, order)
    _tell(core, order, OrderChangeKind.CANCELLATION, reason)
    if touched is None:
        core.publish_levels(market, levels)


def release(core: Core, order_id: str) -> None:
    """The hold of an order is over: it is checked again and meets the book of this moment."""
    order = core.orders[order_id]
    assert order.status is OrderStatus.DELAYED, "a held order cannot be closed before its release"
    market = core.markets[order.market_id]
    result = _recheck_held(core, market, order) or _match_held(core, market, order)
    owner = order.request.owner
    core.emit(HoldEnded(at_ns=core.now_ns, order_id=order_id, owner=owner, result=result))


def _match_held(core: Core, market: Market, order: Order) -> Placed | Refusal:
    plan = make_plan(core, market, order)
    if isinstance(plan, Plan):
        return _commit(core, market, order, plan, was_held=True)
    status = OrderStatus.CANCELED_NOT_ENOUGH_BALANCE
    if plan.text in (FOK_KILLED, FAK_KILLED):
        status = OrderStatus.UNMATCHED
    close(core, order, status, reason=plan.text)
    return plan


def _recheck_held(core: Core, market: Market, order: Order) -> Refusal | None:
    """Mode, market, tick, time and balance again; the order is closed if one says no."""
    refusal = check_mode(core, post_only=False)
    if refusal:
        close(core, order, OrderStatus.CANCELED, reason=refusal.text)
        return refusal
    found = _refuse_held(core, market, order)
    if found is None:
        return None
    status, refusal = found
    close(core, order, status, reason=refusal.text)
    return refusal


def _refuse_held(core: Core, market: Market, order: Order) -> tuple[OrderStatus, Refusal] | None:
    if market.phase in (Phase.RESOLVED, Phase.REMOVED):
        gone = Refusal(status=404, text="market not found")
        return OrderStatus.CANCELED_MARKET_RESOLVED, gone
    if not takes_orders(core, market):
        gone = Refusal(status=404, text="market not found")
        return OrderStatus.CANCELED_MARKET_NOT_FOUND, gone
    if refusal := check_price_of(market, order.request, order.price_e4):
        return OrderStatus.INVALID, refusal
    dies_ns = death_ns(core, order.request)
    if dies_ns and core.now_ns >= dies_ns:
        return OrderStatus.CANCELED_EXPIRED_ORDER, bad("invalid expiration")
    account = core.ledger.accounts[order.request.maker]
    if refusal := check_balance(core, account, order.asset, 0):
        return OrderStatus.CANCELED_NOT_ENOUGH_BALANCE, refusal
    return None


def expire(core: Core, order_id: str) -> None:
    """A GTD order dies, unless it is closed already or held, which cannot be cut short."""
    order = core.orders.get(order_id)
    if order is not None and order.status is OrderStatus.LIVE:
        close(core, order, OrderStatus.CANCELED_EXPIRED_ORDER, reason="order expired")


def recheck_resting(core: Core, account: Account) -> tuple[str, ...]:
    """Cancel resting orders, newest first, until the wallet covers the others; their ids."""
    closed: list[str] = []
    owned = [
        order
        for market in core.markets.values()
        for order_id in market.open_ids
        if (order := core.orders[order_id]).request.maker == account.maker and order.is_resting
    ]
    for order in reversed(owned):
        if core.usable_e6(account, order.asset) < 0:
            close(core, order, OrderStatus.CANCELED_NOT_ENOUGH_BALANCE)
            closed.append(order.order_id)
    return tuple(closed)
