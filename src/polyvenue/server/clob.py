"""The CLOB's REST routes: keys, orders, cancels, private reads; public reads go to `clob_meta`."""

import asyncio
from collections.abc import Awaitable, Callable

from polyvenue.exchange.orders import (
    BatchEntry,
    CancelReply,
    OrderRequest,
    OrderType,
    Placed,
    Refusal,
    ReplyStatus,
    Side,
    batch_entry,
)
from polyvenue.market_data import clob_meta
from polyvenue.market_data.text import amount_text
from polyvenue.server import clob_reads, http
from polyvenue.server.gate import Call, Reply
from polyvenue.server.venue import Venue
from polyvenue.signing import l1, l2
from polyvenue.signing import refusal as signing
from polyvenue.signing.l2 import ApiKey
from polyvenue.signing.limits import Verdict, cost_of
from polyvenue.signing.orders import STANDARD_EXCHANGE, decode_order
from polyvenue.signing.signatures import authorize

INVALID_ORDER = Refusal(status=400, text="Invalid order payload")
INVALID = Refusal(status=400, text="Invalid payload")


class Clob:
    """Answers every request below the CLOB's prefix."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    async def answer(self, call: Call) -> Reply:
        """One request."""
        if handler := _OPEN.get((call.method, call.path)):
            return handler(self._venue, call)
        private = self._private(call)
        if private is None:
            return self._public(call)
        key = authenticate(self._venue, call)
        if isinstance(key, signing.Refusal):
            return http.refuse(key)
        return await private(self._venue, call, key)

    def _private(self, call: Call) -> "_Private | None":
        found = _PRIVATE.get((call.method, call.path))
        if found is None and call.method == "GET" and call.path.startswith("/data/order/"):
            return _read(clob_reads.order)
        return found

    def _public(self, call: Call) -> Reply:
        request = clob_meta.Request(call.method, call.path, call.query, call.body)
        venue = self._venue
        now_ns = venue.exchange.now_ns
        found = clob_meta.answer(request, venue.markets, now_ns, venue.config.meta)
        if found is None:
            return http.error(404, "not found")
        status, body = found
        return http.json_reply(body, status)


def authenticate(venue: Venue, call: Call) -> ApiKey | signing.Refusal:
    """Who makes a private call. Both the wall clock and the venue's count as now.

    A client that keeps its clock by `GET /time` signs venue time when that is scaled.
    """
    request = l2.Request(method=call.method, path=call.path, body=call.body)
    window = venue.config.auth_window
    key = venue.keys.verify(call.headers, request, venue.clock.wall_ns(), window)
    if isinstance(key, signing.Refusal):
        return venue.keys.verify(call.headers, request, venue.exchange.now_ns, window)
    return key


# API keys


def _login(venue: Venue, call: Call) -> l1.Login | signing.Refusal:
    window = venue.config.auth_window
    found = l1.verify_login(call.headers, venue.clock.wall_ns(), window)
    if isinstance(found, signing.Refusal):
        return l1.verify_login(call.headers, venue.exchange.now_ns, window)
    return found


def _create_key(venue: Venue, call: Call) -> Reply:
    login = _login(venue, call)
    made = login if isinstance(login, signing.Refusal) else venue.keys.create(login)
    if isinstance(made, signing.Refusal):
        return http.refuse(made)
    venue.admit_key(made)
    return http.json_reply(made.describe())


def _derive_key(venue: Venue, call: Call) -> Reply:
    login = _login(venue, call)
    found = login if isinstance(login, signing.Refusal) else venue.keys.derive(login)
    if isinstance(found, signing.Refusal):
        return http.refuse(found)
    return http.json_reply(found.describe())


def _list_keys(venue: Venue, call: Call, key: ApiKey) -> Reply:
    return http.json_reply({"apiKeys": [it.key for it in venue.keys.owned(key.address)]})


def _delete_key(venue: Venue, call: Call, key: ApiKey) -> Reply:
    venue.keys.delete(key)
    venue.exchange.remove_api_key(venue.exchange.now_ns, key.key)
    return http.json_reply("OK")


# Orders


def read_order(venue: Venue, raw: object, key: ApiKey) -> OrderRequest | Refusal | signing.Refusal:
    """The order of a posted object, its signature verified, or why it is refused."""
    if not isinstance(raw, dict):
        return INVALID_ORDER
    owner, order_type = raw.get("owner"), raw.get("orderType")
    post_only, deferred = raw.get("postOnly", False), raw.get("deferExec", False)
    if not isinstance(owner, str) or not isinstance(order_type, str):
        return INVALID_ORDER
    if order_type not in OrderType.__members__:
        return INVALID_ORDER
    if not isinstance(post_only, bool) or not isinstance(deferred, bool):
        return INVALID_ORDER
    signed = decode_order(raw.get("order"))
    if isinstance(signed, signing.Refusal):
        return signed
    verified = authorize(signed, STANDARD_EXCHANGE, owner, key)
    if isinstance(verified, signing.Refusal):
        return verified
    order = signed.order
    return OrderRequest(
        order_id=verified.order_id,
        owner=owner,
        maker=order.maker,
        token_id=str(order.token_id),
        side=Side(order.side.name),
        maker_amount_e6=order.maker_amount_e6,
        taker_amount_e6=order.taker_amount_e6,
        order_type=OrderType(order_type),
        post_only=post_only,
        expiration_s=signed.expiration_s,
        signature_type=int(order.signature_type),
    )


async def _post_order(venue: Venue, call: Call, key: ApiKey) -> Reply:
    verdict = _charge(venue, call, key)
    if verdict.refusal:
        return http.refuse(verdict.refusal, verdict.headers)
    request = _decoded(venue, call, key)
    if not isinstance(request, OrderRequest):
        return http.refuse(request, verdict.headers)
    result = venue.exchange.place(venue.exchange.now_ns, request, key.key)
    if isinstance(result, Placed) and _is_held(result) and venue.config.reply_waits_for_hold:
        result = await _released(venue, result)
    venue.publish()
    if isinstance(result, Refusal):
        return http.refuse(result, verdict.headers)
    return http.json_reply(placed_json(result), headers=verdict.headers)


def _decoded(venue: Venue, call: Call, key: ApiKey) -> OrderRequest | Refusal | signing.Refusal:
    try:
        raw = http.read_json(call.body)
    except ValueError:
        return INVALID_ORDER
    return read_order(venue, raw, key)


def _is_held(result: Placed) -> bool:
    return result.status is ReplyStatus.DELAYED


async def _released(venue: Venue, placed: Placed) -> Placed | Refusal:
    """The outcome of a held order, when the hold is over."""
    outcome: asyncio.Future[Placed | Refusal] = asyncio.get_running_loop().create_future()

    def tell(result: Placed | Refusal) -> None:
        if not outcome.done():  # the client may have gone meanwhile
            outcome.set_result(result)

    venue.when_released(placed.order_id, tell)
    venue.publish()
    return await outcome


async def _post_orders(venue: Venue, call: Call, key: ApiKey) -> Reply:
    try:
        rows = http.read_json(call.body)
    except ValueError:
        rows = None
    if not isinstance(rows, list) or not rows:
        return http.refuse(INVALID_ORDER)
    most = venue.config.exchange.batch_max
    if len(rows) > most:
        text = f"Too many orders in payload: {len(rows)}, max allowed: {most}"
        return http.refuse(Refusal(status=400, text=text))
    verdict = _charge(venue, call, key, len(rows))
    if verdict.refusal:
        return http.refuse(verdict.refusal, verdict.headers)
    read = [read_order(venue, raw, key) for raw in rows]
    good = [it for it in read if isinstance(it, OrderRequest)]
    placed = venue.exchange.place_many(venue.exchange.now_ns, good, key.key) if good else ()
    venue.publish()
    if isinstance(placed, Refusal):
        return http.refuse(placed, verdict.headers)
    entries = iter(placed)
    out = [
        entry_json(next(entries) if isinstance(it, OrderRequest) else _refused(it.text))
        for it in read
    ]
    return http.json_reply(out, headers=verdict.headers)


def _refused(text: str) -> BatchEntry:
    return batch_entry(Refusal(status=400, text=text))


def placed_json(placed: Placed) -> dict[str, object]:
    """The reply to an accepted order; amounts are empty text when nothing matched."""
    making, taking = placed.making_e6, placed.taking_e6
    return {
        "success": True,
        "errorMsg": "",
        "orderID": placed.order_id,
        "status": placed.status.value,
        "makingAmount": amount_text(making) if making else "",
        "takingAmount": amount_text(taking) if taking else "",
        "tradeIDs": list(placed.trade_ids),
        "transactionsHashes": [],
    }


def entry_json(entry: BatchEntry) -> dict[str, object]:
    """One entry of the reply to a batch."""
    if entry.placed is not None:
        return placed_json(entry.placed)
    return {
        "success": entry.success,
        "errorMsg": entry.error_text,
        "orderID": "",
        "status": "",
        "makingAmount": "",
        "takingAmount": "",
        "tradeIDs": [],
        "transactionsHashes": [],
    }


# Cancels


async def _cancel_order(venue: Venue, call: Call, key: ApiKey) -> Reply:
    raw = _object(call)
    order_id = raw.get("orderID") if raw else None
    if not isinstance(order_id, str):
        return http.refuse(INVALID)
    return _cancel(venue, call, key, lambda now: venue.exchange.cancel(now, key.key, order_id), 1)


async def _cancel_orders(venue: Venue, call: Call, key: ApiKey) -> Reply:
    try:
        ids = http.read_json(call.body)
    except ValueError:
        ids = None
    if not isinstance(ids, list) or not all(isinstance(it, str) for it in ids):
        return http.refuse(INVALID)
    return _cancel(
        venue, call, key, lambda now: venue.exchange.cancel_many(now, key.key, ids), len(ids)
    )


async def _cancel_market(venue: Venue, call: Call, key: ApiKey) -> Reply:
    raw = _object(call)
    market, token = (raw.get("market", ""), raw.get("asset_id", "")) if raw else ("", "")
    if not isinstance(market, str) or not isinstance(token, str):
        return http.refuse(INVALID)
    return _cancel(
        venue,
        call,
        key,
        lambda now: venue.exchange.cancel_market(now, key.key, market or None, token or None),
        None,
    )


async def _cancel_all(venue: Venue, call: Call, key: ApiKey) -> Reply:
    return _cancel(venue, call, key, lambda now: venue.exchange.cancel_all(now, key.key), None)


def _cancel(
    venue: Venue,
    call: Call,
    key: ApiKey,
    run: Callable[[int], CancelReply | Refusal],
    entries: int | None,
) -> Reply:
    """Charge, cancel, answer; without a count of entries the cancelled ones are paid after."""
    verdict = _charge(venue, call, key, 1 if entries is None else entries)
    if verdict.refusal:
        return http.refuse(verdict.refusal, verdict.headers)
    result = run(venue.exchange.now_ns)
    venue.publish()
    if isinstance(result, Refusal):
        return http.refuse(result, verdict.headers)
    headers = verdict.headers
    if entries is None:
        wall_ns = venue.clock.wall_ns()
        headers = venue.limits.settle(key.address, len(result.canceled), wall_ns) or headers
    body = {"canceled": list(result.canceled), "not_canceled": dict(result.not_canceled)}
    return http.json_reply(body, headers=headers)


def _object(call: Call) -> dict[str, object] | None:
    try:
        raw = http.read_json(call.body)
    except ValueError:
        return None
    return raw if isinstance(raw, dict) else None


def _charge(venue: Venue, call: Call, key: ApiKey, entries: int = 1) -> Verdict:
    cost = cost_of(call.method, call.path, entries)
    assert cost is not None, "only orders and cancels are charged"
    return venue.limits.charge(key.address, *cost, venue.clock.wall_ns())


# Heartbeats


async def _heartbeat(venue: Venue, call: Call, key: ApiKey) -> Reply:
    raw = _object(call)
    beat_id = raw.get("heartbeat_id", "") if raw is not None else None
    if beat_id is None and raw is not None:
        beat_id = ""
    if not isinstance(beat_id, str):
        return http.refuse(INVALID)
    result = venue.exchange.heartbeat(venue.exchange.now_ns, key.key, beat_id)
    if isinstance(result, Refusal):
        return http.refuse(result)
    if result.error_text is not None:
        body = {"error_msg": result.error_text, "heartbeat_id": result.heartbeat_id}
        return http.json_reply(body, 400)
    return http.json_reply({"heartbeat_id": result.heartbeat_id})


async def _legacy_heartbeat(venue: Venue, call: Call, key: ApiKey) -> Reply:
    result = venue.exchange.heartbeat(venue.exchange.now_ns, key.key, None)
    return http.refuse(result) if isinstance(result, Refusal) else http.json_reply({"status": "ok"})


_Private = Callable[[Venue, Call, ApiKey], Awaitable[Reply]]


def _read(handler: Callable[[Venue, Call, ApiKey], Reply]) -> _Private:
    """A private read as a handler that may wait."""

    async def answer(venue: Venue, call: Call, key: ApiKey) -> Reply:
        return handler(venue, call, key)

    return answer


_OPEN: dict[tuple[str, str], Callable[[Venue, Call], Reply]] = {
    ("POST", "/auth/api-key"): _create_key,
    ("GET", "/auth/derive-api-key"): _derive_key,
    ("GET", "/rebates/current"): clob_reads.rebates,
}
_PRIVATE: dict[tuple[str, str], _Private] = {
    ("GET", "/auth/api-keys"): _read(_list_keys),
    ("DELETE", "/auth/api-key"): _read(_delete_key),
    ("POST", "/order"): _post_order,
    ("POST", "/orders"): _post_orders,
    ("DELETE", "/order"): _cancel_order,
    ("DELETE", "/orders"): _cancel_orders,
    ("DELETE", "/cancel-market-orders"): _cancel_market,
    ("DELETE", "/cancel-all"): _cancel_all,
    ("POST", "/v1/heartbeats"): _heartbeat,
    ("POST", "/heartbeats"): _legacy_heartbeat,
} | {route: _read(handler) for route, handler in clob_reads.ROUTES.items()}
