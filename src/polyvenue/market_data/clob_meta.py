"""The CLOB's public routes as pure functions: path, parameters, body, venue and time in.

Error texts: polymarket.md 4.5 and 4.8. What no source shows is a field of `MetaConfig` or named
UNVERIFIED here: a one-sided book's middle takes 0 for a missing bid and 1 for a missing ask.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from polyvenue.market_data.clob_json import (
    compact_json,
    is_closed,
    market_json,
    rest_book_json,
    simplified_json,
)
from polyvenue.market_data.records import BookView, MarketRecord
from polyvenue.market_data.text import NS, JsonObject, decimal_text, price_number, price_text

Answer = tuple[int, object]
Params = Mapping[str, Sequence[str]]

BATCH_MAX = 500
PAGE_SIZE = 500
CURSOR_START = "MA=="
CURSOR_END = "LTE="
_NO_BOOK = "No orderbook exists for the requested token id"
_INTERVALS_S = {"1m": 2_592_000, "1w": 604_800, "1d": 86_400, "6h": 21_600, "1h": 3_600}


class Venue(Protocol):
    """What these routes read. The exchange answers; None where it knows nothing."""

    def market(self, condition_id: str) -> MarketRecord | None:
        """A market by condition id."""

    def market_of(self, token_id: str) -> MarketRecord | None:
        """The market of a token."""

    def markets(self) -> Sequence[MarketRecord]:
        """Every market, in the order of listing."""

    def book(self, token_id: str) -> BookView | None:
        """The book of a token; None before it opens and after it is removed."""

    def history(self, token_id: str) -> Sequence[tuple[int, int]]:
        """Past prices of a token, oldest first: (Unix seconds, price_e4)."""


@dataclass(frozen=True, slots=True)
class MetaConfig:
    """What the sources leave open."""

    price_buy_is_bid: bool = True
    base_fee: int = 1000


@dataclass(frozen=True, slots=True)
class Request:
    """A request without its transport. `body` is the raw body, empty for GET."""

    method: str
    path: str
    params: Params
    body: bytes = b""


class Refused(Exception):
    """A request the venue answers with an error object."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error


def answer(request: Request, venue: Venue, now_ns: int, config: MetaConfig) -> Answer | None:
    """Answer a public CLOB route; None for a path that is not one of them."""
    path = request.path.rstrip("/") or "/"
    try:
        if fixed := _FIXED.get((request.method, path)):
            return 200, fixed(request, venue, now_ns, config)
        head, _, name = path.removeprefix("/").partition("/")
        if request.method == "GET" and name and "/" not in name and head in _NAMED:
            return 200, _NAMED[head](name, venue, now_ns)
    except Refused as refused:
        return refused.status, {"error": refused.error}
    return None


def _token(params: Params, name: str = "token_id") -> str:
    value = (params.get(name) or ("",))[0]
    if not _is_token(value):
        raise Refused(400, "Invalid token id")
    return value


def _is_token(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 78


def _book(venue: Venue, token_id: str) -> BookView:
    book = venue.book(token_id)
    if book is None:
        raise Refused(404, _NO_BOOK)
    return book


def _market_of(venue: Venue, token_id: str, now_ns: int) -> MarketRecord:
    record = venue.market_of(token_id)
    if record is None or now_ns < record.window.accepting_ns:
        raise Refused(404, "market not found")
    return record


def _batch(request: Request) -> list[JsonObject]:
    """The rows of a batch body, each with a `token_id`."""
    try:
        rows = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "Invalid payload") from error
    if not isinstance(rows, list) or not all(
        isinstance(row, dict) and _is_token(row.get("token_id")) for row in rows
    ):
        raise Refused(400, "Invalid payload")
    if len(rows) > BATCH_MAX:
        raise Refused(400, "Payload exceeds the limit")
    return rows


def _batch_books(request: Request, venue: Venue) -> list[BookView]:
    """The books asked for; unknown tokens are left out."""
    found = [venue.book(str(row["token_id"])) for row in _batch(request)]
    return [book for book in found if book is not None]


def middle_text(book: BookView) -> str:
    """Half the way between the best prices, exact."""
    bid, ask = book.best_bid_e4 or 0, book.best_ask_e4
    return decimal_text((bid + (10_000 if ask is None else ask)) * 5, 5)


def spread_text(book: BookView) -> str:
    """Best ask less best bid."""
    ask = book.best_ask_e4
    return price_text((10_000 if ask is None else ask) - (book.best_bid_e4 or 0))


def _last(book: BookView) -> JsonObject:
    """The last print; 0.5 without a side before the first (UNVERIFIED)."""
    price_e4 = 5_000 if book.last_e4 is None else book.last_e4
    return {"price": price_text(price_e4), "side": book.last_side}


def _side_price(book: BookView, side: object, config: MetaConfig) -> str:
    if side not in ("BUY", "SELL"):
        raise Refused(400, "Invalid side")
    is_bid = (side == "BUY") == config.price_buy_is_bid
    price_e4 = book.best_bid_e4 if is_bid else book.best_ask_e4
    return price_text(price_e4 or 0)


def _prices(request: Request, venue: Venue, config: MetaConfig) -> JsonObject:
    out: dict[str, JsonObject] = {}
    for row in _batch(request):
        book = venue.book(str(row["token_id"]))
        side = row.get("side")
        if book is not None:
            price = _side_price(book, side, config)
            out.setdefault(book.token_id, {})[str(side)] = price
    return dict(out)


def _history(params: Params, venue: Venue, now_ns: int) -> JsonObject:
    """Points between two times, thinned to one per `fidelity` minutes (the last of each)."""
    token = _token(params, "market")
    values = {name: (params.get(name) or ("",))[0] for name in ("startTs", "endTs", "fidelity")}
    if not all(text == "" or (text.isascii() and text.isdigit()) for text in values.values()):
        raise Refused(400, "Invalid payload")
    if any(len(text) > 12 for text in values.values()):
        raise Refused(400, "Invalid payload")
    interval = (params.get("interval") or ("",))[0]
    if interval not in ("", "max", "all", *_INTERVALS_S):
        raise Refused(400, "Invalid payload")
    now_s = now_ns // NS
    start = int(values["startTs"] or 0)
    if interval in _INTERVALS_S:
        start = now_s - _INTERVALS_S[interval]
    end = int(values["endTs"] or now_s)
    step = 60 * max(1, int(values["fidelity"] or 1))
    last: dict[int, JsonObject] = {}
    for at_s, price_e4 in venue.history(token):
        if start <= at_s <= end:
            last[at_s // step] = {"t": at_s, "p": price_number(price_e4)}
    return {"history": list(last.values())}


def _up_e4(record: MarketRecord, venue: Venue) -> int | None:
    book = venue.book(record.window.token_ids[0])
    if book is None or book.best_bid_e4 is None or book.best_ask_e4 is None:
        return None if book is None else book.last_e4
    return (book.best_bid_e4 + book.best_ask_e4) // 2


def _page(
    request: Request,
    venue: Venue,
    now_ns: int,
    render: Callable[[MarketRecord, int, int | None], JsonObject],
    keep: Callable[[MarketRecord], bool],
) -> JsonObject:
    """One page of markets. The cursor is the base64 of an offset, -1 at the end."""
    cursor = (request.params.get("next_cursor") or (CURSOR_START,))[0] or CURSOR_START
    try:
        offset = int(base64.b64decode(cursor.encode(), validate=True))
    except ValueError as error:
        raise Refused(400, "Invalid payload") from error
    if offset < -1:
        raise Refused(400, "Invalid payload")
    rows = [record for record in venue.markets() if keep(record)]
    part = [] if offset < 0 else rows[offset : offset + PAGE_SIZE]
    done = offset < 0 or offset + PAGE_SIZE >= len(rows)
    after = CURSOR_END if done else base64.b64encode(str(offset + PAGE_SIZE).encode()).decode()
    return {
        "data": [render(record, now_ns, _up_e4(record, venue)) for record in part],
        "next_cursor": after,
        "limit": PAGE_SIZE,
        "count": len(part),
    }


def _open_page(
    request: Request,
    venue: Venue,
    now_ns: int,
    render: Callable[[MarketRecord, int, int | None], JsonObject],
) -> JsonObject:
    """Closed markets are hidden unless `closed=true` (polymarket.md 1.3)."""
    closed = (request.params.get("closed") or ("",))[0] == "true"
    keep = _listed(now_ns)
    return _page(
        request, venue, now_ns, render, lambda r: keep(r) and (closed or not is_closed(r, now_ns))
    )


def _listed(now_ns: int) -> Callable[[MarketRecord], bool]:
    return lambda record: now_ns >= record.window.accepting_ns


def _by_condition(condition_id: str, venue: Venue, now_ns: int) -> MarketRecord:
    """For the first moments of its life the CLOB does not know a market that Gamma has."""
    record = venue.market(condition_id)
    if record is None or now_ns < record.window.accepting_ns:
        raise Refused(404, "market not found")
    return record


def _base_fee(request: Request, venue: Venue, now_ns: int, config: MetaConfig) -> JsonObject:
    """A legacy number that is not the fee; the token must exist all the same."""
    _market_of(venue, _token(request.params), now_ns)
    return {"base_fee": config.base_fee}


def _by_token(token_id: str, venue: Venue, now_ns: int) -> JsonObject:
    if not _is_token(token_id):
        raise Refused(400, "Invalid token id")
    window = _market_of(venue, token_id, now_ns).window
    first, second = window.token_ids
    return {
        "condition_id": window.condition_id,
        "primary_token_id": first,
        "secondary_token_id": second,
    }


def _full_market(condition_id: str, venue: Venue, now_ns: int) -> JsonObject:
    record = _by_condition(condition_id, venue, now_ns)
    return market_json(record, now_ns, _up_e4(record, venue))


_NAMED: dict[str, Callable[[str, Venue, int], object]] = {
    "clob-markets": lambda name, v, now: compact_json(_by_condition(name, v, now), now),
    "markets-by-token": _by_token,
    "markets": _full_market,
}

_Fixed = Callable[[Request, Venue, int, MetaConfig], object]
_FIXED: dict[tuple[str, str], _Fixed] = {
    ("GET", "/"): lambda r, v, now, c: "OK",
    ("GET", "/ok"): lambda r, v, now, c: "OK",
    ("GET", "/time"): lambda r, v, now, c: now // NS,
    ("GET", "/version"): lambda r, v, now, c: {"version": 2},
    ("GET", "/book"): lambda r, v, now, c: rest_book_json(_book(v, _token(r.params))),
    ("POST", "/books"): lambda r, v, now, c: [rest_book_json(b) for b in _batch_books(r, v)],
    ("GET", "/midpoint"): lambda r, v, now, c: {"mid": middle_text(_book(v, _token(r.params)))},
    ("POST", "/midpoints"): lambda r, v, now, c: {
        book.token_id: middle_text(book) for book in _batch_books(r, v)
    },
    ("GET", "/spread"): lambda r, v, now, c: {"spread": spread_text(_book(v, _token(r.params)))},
    ("POST", "/spreads"): lambda r, v, now, c: {
        book.token_id: spread_text(book) for book in _batch_books(r, v)
    },
    ("GET", "/last-trade-price"): lambda r, v, now, c: _last(_book(v, _token(r.params))),
    ("POST", "/last-trades-prices"): lambda r, v, now, c: [
        {"token_id": book.token_id} | _last(book) for book in _batch_books(r, v)
    ],
    ("GET", "/price"): lambda r, v, now, c: {
        "price": _side_price(
            _book(v, _token(r.params)), (r.params.get("side") or ("",))[0].upper(), c
        )
    },
    ("POST", "/prices"): lambda r, v, now, c: _prices(r, v, c),
    ("GET", "/tick-size"): lambda r, v, now, c: {
        "minimum_tick_size": price_number(_market_of(v, _token(r.params), now).terms.tick_e4)
    },
    ("GET", "/neg-risk"): lambda r, v, now, c: {
        "neg_risk": _market_of(v, _token(r.params), now).terms.neg_risk
    },
    ("GET", "/fee-rate"): _base_fee,
    ("GET", "/prices-history"): lambda r, v, now, c: _history(r.params, v, now),
    ("GET", "/markets"): lambda r, v, now, c: _open_page(r, v, now, market_json),
    ("GET", "/simplified-markets"): lambda r, v, now, c: _open_page(r, v, now, simplified_json),
    ("GET", "/sampling-markets"): lambda r, v, now, c: _page(
        r, v, now, market_json, lambda record: record.is_accepting(now)
    ),
    ("GET", "/sampling-simplified-markets"): lambda r, v, now, c: _page(
        r, v, now, simplified_json, lambda record: record.is_accepting(now)
    ),
}
