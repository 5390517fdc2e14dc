"""Private reads of the CLOB: orders, trades, balances, and small answers about the caller."""

import base64
from collections.abc import Callable, Sequence

from polyvenue.exchange.accounts import Account
from polyvenue.exchange.events import MakerFill, TradeView
from polyvenue.exchange.orders import PUSD, OrderStatus, OrderView
from polyvenue.exchange.units import DAY_NS
from polyvenue.market_data.access import tier_json
from polyvenue.market_data.text import (
    NS,
    JsonObject,
    amount_text,
    date_text,
    parse_iso,
    price_text,
    seconds_text,
)
from polyvenue.market_data.windows import OUTCOMES
from polyvenue.server import http
from polyvenue.server.gate import Call, Reply
from polyvenue.server.venue import Venue
from polyvenue.signing.addresses import Address, read_address
from polyvenue.signing.l2 import ApiKey
from polyvenue.signing.orders import NEG_RISK_EXCHANGE, STANDARD_EXCHANGE

PAGE_SIZE = 100
CURSOR_END = "LTE="
IDS_MAX = 500


def _account(venue: Venue, key: ApiKey) -> Account:
    return venue.exchange.account(venue.wallet_of(key.address))


def page(call: Call, rows: Sequence[JsonObject]) -> Reply:
    """One page of `rows`; the cursor is the base64 of an offset, -1 at the end."""
    cursor = http.first(call, "next_cursor")
    try:
        offset = int(base64.b64decode(cursor, validate=True)) if cursor else 0
    except ValueError:
        offset = -2
    if offset < -1:
        return http.error(400, "Invalid payload")
    part = rows[offset : offset + PAGE_SIZE] if offset >= 0 else []
    ended = offset < 0 or offset + PAGE_SIZE >= len(rows)
    after = CURSOR_END if ended else base64.b64encode(str(offset + PAGE_SIZE).encode()).decode()
    body = {"data": list(part), "next_cursor": after, "limit": PAGE_SIZE, "count": len(part)}
    return http.json_reply(body)


def order_json(order: OrderView, prefix: str) -> JsonObject:
    """An order as private reads show it."""
    return {
        "id": order.order_id,
        "status": prefix + order.status.value,
        "owner": order.owner,
        "maker_address": order.maker,
        "market": order.market_id,
        "asset_id": order.token_id,
        "side": order.side.value,
        "original_size": amount_text(order.qty_e6),
        "size_matched": amount_text(order.matched_e6),
        "price": price_text(order.price_e4),
        "outcome": OUTCOMES[order.outcome],
        "associate_trades": list(order.trade_ids),
        "created_at": order.created_ns // NS,
        "expiration": str(order.expiration_s),
        "order_type": order.order_type.value,
    }


def _fits(call: Call, **values: str) -> bool:
    return all(http.first(call, name) in ("", value) for name, value in values.items())


def orders(venue: Venue, call: Call, key: ApiKey) -> Reply:
    """`GET /data/orders`: open orders of the key, oldest first."""
    prefix = venue.config.order_prefix
    rows = [
        order_json(order, prefix)
        for order in venue.exchange.open_orders(key.key)
        if _fits(call, id=order.order_id, market=order.market_id, asset_id=order.token_id)
    ]
    return page(call, rows)


def order(venue: Venue, call: Call, key: ApiKey) -> Reply:
    """`GET /data/order/{id}`: an order of the key, open or not."""
    found = venue.exchange.order(call.path.removeprefix("/data/order/"))
    if found is None or found.owner != key.key:
        return http.error(404, "order not found")
    return http.json_reply(order_json(found, venue.config.order_prefix))


def _maker_json(part: MakerFill) -> JsonObject:
    return {
        "order_id": part.order_id,
        "owner": part.owner,
        "maker_address": part.maker,
        "matched_amount": amount_text(part.qty_e6),
        "price": price_text(part.price_e4),
        "fee_rate_bps": "0",
        "asset_id": part.token_id,
        "outcome": OUTCOMES[part.outcome],
        "side": part.side.value,
    }


def trade_json(trade: TradeView, wallet: str, prefix: str) -> JsonObject:
    """A trade as a wallet on either side reads it; the top level is the taker's."""
    is_taker = trade.maker == wallet
    own = next((part.owner for part in trade.makers if part.maker == wallet), trade.owner)
    failed = trade.status.value == "FAILED"
    return {
        "id": trade.trade_id,
        "taker_order_id": trade.taker_order_id,
        "market": trade.market_id,
        "asset_id": trade.token_id,
        "side": trade.side.value,
        "size": amount_text(trade.qty_e6),
        "price": price_text(trade.price_e4),
        "fee_rate_bps": "0",
        "status": prefix + trade.status.value,
        "match_time": seconds_text(trade.matched_ns),
        "match_time_nano": str(trade.matched_ns),
        "last_update": seconds_text(trade.updated_ns),
        "outcome": OUTCOMES[trade.outcome],
        "bucket_index": 0,
        "owner": trade.owner if is_taker else own,
        "maker_address": wallet,
        "trader_side": "TAKER" if is_taker else "MAKER",
        "transaction_hash": trade.tx_hash,
        "err_msg": "execution reverted" if failed else None,
        "maker_orders": [_maker_json(part) for part in trade.makers],
    }


def trades(venue: Venue, call: Call, key: ApiKey) -> Reply:
    """`GET /data/trades`: trades of the wallet on either side, newest first."""
    bounds = [http.first(call, name) for name in ("after", "before")]
    if not all(it == "" or (it.isascii() and it.isdigit() and len(it) <= 12) for it in bounds):
        return http.error(400, "Invalid payload")
    after_s, before_s = (int(it) if it else None for it in bounds)
    wallet = venue.wallet_of(key.address)
    asked = http.first(call, "maker_address")
    if asked and read_address(asked) != wallet:
        return page(call, [])
    rows = [
        trade_json(trade, wallet, venue.config.trade_prefix)
        for trade in reversed(venue.exchange.trades(wallet))
        if _fits(call, id=trade.trade_id, market=trade.market_id, asset_id=trade.token_id)
        and (after_s is None or trade.matched_ns // NS >= after_s)
        and (before_s is None or trade.matched_ns // NS <= before_s)
    ]
    return page(call, rows)


def balance(venue: Venue, call: Call, key: ApiKey) -> Reply:
    """`GET /balance-allowance`: what the wallet holds on chain and lets the exchange move."""
    kind, token = http.first(call, "asset_type"), http.first(call, "token_id")
    if kind == "COLLATERAL":
        asset = PUSD
    elif kind == "CONDITIONAL" and venue.markets.market_of(token):
        asset = token
    else:
        return http.error(400, "Invalid asset type" if not token else "Invalid token id")
    account = _account(venue, key)
    allowance = str(account.allowance_of(asset))
    contracts = (STANDARD_EXCHANGE.address, NEG_RISK_EXCHANGE.address)
    body = {
        "balance": str(account.held.get(asset, 0)),
        "allowances": {str(contract): allowance for contract in contracts},
    }
    return http.json_reply(body)


def update_balance(venue: Venue, call: Call, key: ApiKey) -> Reply:
    """`GET /balance-allowance/update`: look at the chain again; the reply is empty text.

    Ours is never stale, so what the look does is to cancel orders that are not covered any more.
    """
    venue.exchange.recheck_balance(venue.exchange.now_ns, venue.wallet_of(key.address))
    venue.publish()
    return http.json_reply("")


def closed_only(venue: Venue, call: Call, key: ApiKey) -> Reply:
    """`GET /auth/ban-status/closed-only`."""
    return http.json_reply({"closed_only": _account(venue, key).closed_only})


def _scores(venue: Venue, order_id: str, key: ApiKey) -> bool:
    found = venue.exchange.order(order_id)
    return found is not None and found.owner == key.key and found.status is OrderStatus.LIVE


def scoring(venue: Venue, call: Call, key: ApiKey) -> Reply:
    """`GET /order-scoring`: a resting order of the key scores (a guess; rewards are not kept)."""
    return http.json_reply({"scoring": _scores(venue, http.first(call, "order_id"), key)})


def scoring_many(venue: Venue, call: Call, key: ApiKey) -> Reply:
    """`POST /orders-scoring`: the same for a list of ids."""
    try:
        ids = http.read_json(call.body)
    except ValueError:
        ids = None
    if isinstance(ids, dict):
        ids = ids.get("orderIds")
    if not isinstance(ids, list) or not all(isinstance(it, str) for it in ids):
        return http.error(400, "Invalid payload")
    if len(ids) > IDS_MAX:
        return http.error(400, "Payload exceeds the limit")
    return http.json_reply({it: _scores(venue, it, key) for it in ids})


def tier(venue: Venue, call: Call, key: ApiKey) -> Reply:
    """`GET /v1/user/rate-limit-tier`."""
    return http.json_reply(tier_json(venue.limits.tier(key.address).name))


def notifications(venue: Venue, call: Call, key: ApiKey) -> Reply:
    """`GET /notifications`: there are none."""
    return http.json_reply([])


def drop_notifications(venue: Venue, call: Call, key: ApiKey) -> Reply:
    """`DELETE /notifications`: whatever is named is gone."""
    return http.json_reply("OK")


def rebates(venue: Venue, call: Call) -> Reply:
    """`GET /rebates/current`: what a maker has earned on a day, not yet paid."""
    maker: Address | None = read_address(http.first(call, "maker_address"))
    date = http.first(call, "date") or date_text(venue.exchange.now_ns)
    day_ns = parse_iso(date)
    if maker is None or day_ns is None:
        return http.error(400, "Invalid payload")
    due = venue.exchange.core.rebates.due(maker, day_ns // DAY_NS)
    return http.json_reply(
        [
            {
                "date": date,
                "condition_id": market_id,
                "asset_address": str(PUSD_ADDRESS),
                "maker_address": maker,
                "rebated_fees_usdc": amount_text(amount_e6),
            }
            for market_id, amount_e6 in due.items()
        ]
    )


PUSD_ADDRESS = Address("0xC011a7E12a19f7B1f670d46F03B03f3342E82DFB")

ROUTES: dict[tuple[str, str], Callable[[Venue, Call, ApiKey], Reply]] = {
    ("GET", "/data/orders"): orders,
    ("GET", "/data/trades"): trades,
    ("GET", "/balance-allowance"): balance,
    ("GET", "/balance-allowance/update"): update_balance,
    ("GET", "/auth/ban-status/closed-only"): closed_only,
    ("GET", "/order-scoring"): scoring,
    ("POST", "/orders-scoring"): scoring_many,
    ("GET", "/v1/user/rate-limit-tier"): tier,
    ("GET", "/notifications"): notifications,
    ("DELETE", "/notifications"): drop_notifications,
}
