"""The Data API, as much as a trading client reads: positions, activity, approvals of a wallet.

Costs and profits are of the fills that the exchange still remembers; the real service's own
accounting is not documented. `VenueConfig.data_lag_ns` is how far activity is behind.
"""

from polyvenue.exchange.accounts import Account
from polyvenue.exchange.events import JobKind, JobState
from polyvenue.exchange.market import Market
from polyvenue.exchange.orders import Side, TradeStatus
from polyvenue.exchange.truth import FillTruth, fills_of
from polyvenue.exchange.units import E4, PPM
from polyvenue.market_data.records import MarketRecord
from polyvenue.market_data.text import NS, JsonObject, amount_number, date_text, price_number
from polyvenue.market_data.titles import question_of
from polyvenue.market_data.windows import OUTCOMES
from polyvenue.server import abi, http
from polyvenue.server.chain import Chain
from polyvenue.server.gate import Call, Reply
from polyvenue.server.venue import Venue
from polyvenue.signing.addresses import Address, read_address
from polyvenue.signing.eip712 import CHAIN_ID

LIMIT_MAX = 1000
LIMIT_DEFAULT = 100
_KINDS = {JobKind.SPLIT: "SPLIT", JobKind.MERGE: "MERGE", JobKind.REDEEM: "REDEEM"}
_MINED = (TradeStatus.MINED, TradeStatus.CONFIRMED)
# What the SDK looks for before it sends approvals (polymarket.md 7): (token, spenders).
_ERC20_SPENDERS = (
    "0xE111180000d2663C0091e4f400237545B87B996B",
    "0xe2222d279d744050d28e00520010520000310F59",
    "0xAdA100Db00Ca00073811820692005400218FcE1f",
    "0xadA2005600Dec949baf300f4C6120000bDB6eAab",
    "0x12121212006e4CD160D18e3f00711DA5c3372600",
    "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa",
    "0xDCa4af75705dbB50f62437045afF9921947917d2",
)
_CTF_OPERATORS = (
    *_ERC20_SPENDERS[:4],
    "0xa1200000d0002264C9a1698e001292D00E1b00af",
    "0x1000008dD9001B968442c1000017eaE6E0dA00Ba",
    "0x200000900045e3B6259600682756002200028933",
)
_POSITION_MANAGER = "0x006F54F7f9A22e0000CC2AB60031000000ae9fEF"
_POSITION_OPERATORS = (*_ERC20_SPENDERS[4:6], _CTF_OPERATORS[4])


class Data:
    """Answers every request below the Data API's prefix."""

    def __init__(self, venue: Venue, chain: Chain) -> None:
        self._venue = venue
        self._chain = chain

    async def answer(self, call: Call) -> Reply:
        """One request."""
        found = {
            "/v2/positions": self._positions,
            "/v2/activity": self._activity,
            "/v2/approvals": self._approvals,
        }.get(call.path)
        if call.method != "GET" or found is None:
            return http.error(404, "not found")
        wallet = read_address(http.first(call, "user"))
        if wallet is None:
            return http.error(400, "required query param 'user' not provided or invalid")
        return found(call, wallet)

    def _account(self, wallet: Address) -> Account | None:
        return self._venue.exchange.core.ledger.accounts.get(wallet)

    def _positions(self, call: Call, wallet: Address) -> Reply:
        account = self._account(wallet)
        wanted = call.query.get("condition_id", ())
        rows: list[JsonObject] = []
        if account is not None:
            fills = [
                fill
                for trade in self._venue.exchange.trades(wallet)
                for fill in fills_of(trade)
                if fill.maker == wallet and fill.status in _MINED
            ]
            for record in self._venue.markets.markets():
                if not wanted or record.window.condition_id in wanted:
                    rows += self._rows(record, account, fills)
        return _page(call, rows)

    def _rows(
        self, record: MarketRecord, account: Account, fills: list[FillTruth]
    ) -> list[JsonObject]:
        market = self._venue.exchange.market(record.window.condition_id)
        return [
            position_json(record, market, outcome, account, fills)
            for outcome, token_id in enumerate(record.window.token_ids)
            if account.held.get(token_id, 0)
        ]

    def _activity(self, call: Call, wallet: Address) -> Reply:
        """Mined fills and chain jobs, newest first."""
        core, markets = self._venue.exchange.core, self._venue.markets
        until_ns = self._venue.exchange.now_ns - self._venue.config.data_lag_ns
        found: list[tuple[int, JsonObject]] = []
        for trade in self._venue.exchange.trades(wallet):
            record = markets.market(trade.market_id)
            if record is not None and trade.status in _MINED:
                for fill in fills_of(trade):
                    if fill.maker == wallet:
                        row = _fill_json(record, fill, trade.tx_hash)
                        found.append((fill.matched_ns, row))
        for job in core.jobs.values():
            record = markets.market(job.view.market_id)
            done = job.view.state in (JobState.MINED, JobState.CONFIRMED)
            if record is not None and done and job.view.maker == wallet:
                row = _event_json(record, wallet, job.view.updated_ns, job.view.tx_hash) | {
                    "type": _KINDS[job.view.kind],
                    "usdc_size": amount_number(abs(job.view.cash_e6)),
                }
                found.append((job.view.updated_ns, row))
        found.sort(key=lambda item: item[0], reverse=True)
        return _page(call, [row for at_ns, row in found if at_ns <= until_ns])

    def _approvals(self, call: Call, wallet: Address) -> Reply:
        groups = (
            ("ERC20", abi.PUSD_ADDRESS, _ERC20_SPENDERS),
            ("ERC1155", abi.CONDITIONAL_TOKENS, _CTF_OPERATORS),
            ("ERC1155", Address(_POSITION_MANAGER), _POSITION_OPERATORS),
        )
        rows = []
        for standard, token, spenders in groups:
            for spender in spenders:
                amount = self._chain.allowance(wallet, token, Address(spender))
                row: JsonObject = {"token": token, "spender": spender, "standard": standard}
                row["approved"] = amount > 0
                if standard == "ERC20":
                    row["amount"] = str(amount)
                rows.append(row)
        body = {"address": wallet, "chain_id": CHAIN_ID, "contracts": rows}
        return http.json_reply({"data": body})


def _page(call: Call, rows: list[JsonObject]) -> Reply:
    """One page; the cursor is the number of rows before it."""
    limit, cursor = http.first(call, "limit"), http.first(call, "cursor")
    for text in (limit, cursor):
        if text and not (text.isascii() and text.isdigit() and len(text) < 10):
            return http.error(400, "invalid limit or cursor")
    start, count = int(cursor or 0), min(int(limit or LIMIT_DEFAULT), LIMIT_MAX)
    end = start + count
    more = 0 < end < len(rows)
    pages = {"has_more": more, "next_cursor": str(end) if more else None, "limit": count}
    return http.json_reply({"data": rows[start:end], "pagination": pages})


def position_json(
    record: MarketRecord,
    market: Market,
    outcome: int,
    account: Account,
    fills: list[FillTruth],
) -> JsonObject:
    """What a wallet holds of one token. Shares of a split cost nothing here."""
    window = record.window
    token_id, other_id = window.token_ids[outcome], window.token_ids[1 - outcome]
    own = [fill for fill in fills if fill.token_id == token_id]
    bought = [fill for fill in own if fill.side is Side.BUY]
    sold_e6 = sum(fill.cash_e6 for fill in own if fill.side is Side.SELL)
    bought_e6, cost_e6 = sum(it.qty_e6 for it in bought), sum(it.cash_e6 for it in bought)
    held_e6 = account.held.get(token_id, 0)
    price_e4 = _price_e4(market, outcome)
    value_e6 = held_e6 * price_e4 // E4
    resolved = market.payouts_ppm is not None
    return {
        "proxy_wallet": account.maker,
        "token_id": token_id,
        "condition_id": window.condition_id,
        "current_size": amount_number(held_e6),
        "avg_price": round(cost_e6 / bought_e6, 6) if bought_e6 else 0,
        "entry_cost_usdc": amount_number(cost_e6),
        "entry_fees_usdc": amount_number(sum(it.fee_e6 for it in bought)),
        "total_cost_usdc": amount_number(cost_e6 + sum(it.fee_e6 for it in bought)),
        "current_price": price_number(price_e4),
        "current_value": amount_number(value_e6),
        "total_size": amount_number(bought_e6),
        "realized_pnl": amount_number(sold_e6),
        "unrealized_pnl": amount_number(value_e6 - cost_e6),
        "total_pnl": amount_number(value_e6 - cost_e6 + sold_e6),
        "percent_pnl": 0,
        "percent_realized_pnl": 0,
        "status": "REDEEMABLE" if resolved else "OPEN",
        "redeemable": resolved,
        "mergeable": account.held.get(other_id, 0) > 0,
        "negative_risk": record.terms.neg_risk,
        "archived": False,
        "verified": True,
        "title": question_of(window),
        "slug": window.slug,
        "event_slug": window.slug,
        "event_id": window.event_id,
        "outcome": OUTCOMES[outcome],
        "outcome_index": outcome,
        "opposite_outcome": OUTCOMES[1 - outcome],
        "opposite_token_id": other_id,
        "end_date": date_text(window.end_ns),
    }


def _price_e4(market: Market, outcome: int) -> int:
    """The payout, else the middle, else the last print, else one half."""
    if market.payouts_ppm is not None:
        return market.payouts_ppm[outcome] * E4 // PPM
    bid_e4, ask_e4 = market.best(outcome)
    if bid_e4 is not None and ask_e4 is not None:
        return (bid_e4 + ask_e4) // 2
    last_e4 = market.last_e4[outcome]
    return E4 // 2 if last_e4 is None else last_e4


def _event_json(record: MarketRecord, wallet: str, at_ns: int, tx_hash: str) -> JsonObject:
    return {
        "proxy_wallet": wallet,
        "timestamp": at_ns // NS,
        "transaction_hash": tx_hash,
        "condition_id": record.window.condition_id,
        "title": question_of(record.window),
        "slug": record.window.slug,
        "event_slug": record.window.slug,
        "is_combo": False,
    }


def _fill_json(record: MarketRecord, fill: FillTruth, tx_hash: str) -> JsonObject:
    outcome = record.window.outcome_of(fill.token_id)
    return _event_json(record, fill.maker, fill.matched_ns, tx_hash) | {
        "type": "TRADE",
        "token_id": fill.token_id,
        "side": fill.side.value,
        "size": amount_number(fill.qty_e6),
        "usdc_size": amount_number(fill.cash_e6),
        "price": price_number(fill.price_e4),
        "outcome": OUTCOMES[outcome],
        "outcome_index": outcome,
    }
