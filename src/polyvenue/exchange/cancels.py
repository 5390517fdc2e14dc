"""Cancels. What is open and not held goes; everything else is answered with a reason."""

from collections.abc import Iterable

from polyvenue.exchange.entry import close
from polyvenue.exchange.orders import CancelReply, Order, OrderStatus, Refusal
from polyvenue.exchange.state import Core
from polyvenue.exchange.validate import bad, check_cancel, is_order_id

HELD = "order match delayed due to market conditions"
MATCHED = "order already matched"
CLOSED = "order already canceled or matched"
UNKNOWN = "order not found"


def check_key(core: Core, api_key: str) -> Refusal | None:
    """An unknown key cancels nothing, and the engine mode may forbid cancels."""
    if api_key not in core.ledger.owners:
        return Refusal(status=401, text="Unauthorized/Invalid api key")
    return check_cancel(core)


def cancel_one(core: Core, api_key: str, order_id: str) -> CancelReply | Refusal:
    """Cancel one order of this key; a malformed id is refused."""
    if refusal := check_key(core, api_key):
        return refusal
    if not is_order_id(order_id):
        return bad("Invalid orderID")
    return cancel_ids(core, api_key, [order_id])


def cancel_many(core: Core, api_key: str, order_ids: list[str]) -> CancelReply | Refusal:
    """Cancel several orders of this key."""
    if refusal := check_key(core, api_key):
        return refusal
    if len(order_ids) > core.config.cancel_max:
        return bad(f"Too many orders in payload, max allowed: {core.config.cancel_max}")
    if not all(is_order_id(order_id) for order_id in order_ids):
        return bad("Invalid orderID")
    return cancel_ids(core, api_key, order_ids)


def cancel_market(
    core: Core, api_key: str, market_id: str | None, token_id: str | None
) -> CancelReply | Refusal:
    """Cancel the key's orders of a market, of a token, or of both at once."""
    if refusal := check_key(core, api_key):
        return refusal
    if market_id is None and token_id is None:
        return bad("Invalid payload")
    owned = (core.orders[order_id] for order_id in core.open_by_owner.get(api_key, ()))
    chosen = [
        order.order_id
        for order in owned
        if market_id in (None, order.market_id) and token_id in (None, order.request.token_id)
    ]
    return cancel_ids(core, api_key, chosen)


def cancel_all(core: Core, api_key: str) -> CancelReply | Refusal:
    """Cancel every order of this key."""
    if refusal := check_key(core, api_key):
        return refusal
    return cancel_ids(core, api_key, list(core.open_by_owner.get(api_key, ())))


def cancel_ids(core: Core, api_key: str, order_ids: Iterable[str]) -> CancelReply:
    """Cancel what can be cancelled; each id once, whatever the engine mode."""
    canceled: list[str] = []
    refused: list[tuple[str, str]] = []
    for order_id in dict.fromkeys(order_ids):
        order = core.orders.get(order_id)
        if order is None or order.request.owner != api_key:
            refused.append((order_id, UNKNOWN))
        elif order.status is OrderStatus.LIVE:
            close(core, order, OrderStatus.CANCELED)
            canceled.append(order_id)
        else:
            refused.append((order_id, _reason(order)))
    return CancelReply(canceled=tuple(canceled), not_canceled=tuple(refused))


def _reason(order: Order) -> str:
    if order.status is OrderStatus.DELAYED:
        return HELD
    return MATCHED if order.status is OrderStatus.MATCHED else CLOSED
