"""Gamma's routes as pure functions: path, parameters, table and time in, status and object out.

The table keeps what Gamma shows behind what it was told: quotes change on a cache boundary only,
closing follows `Window.gamma_closed_ns`. Texts of errors other than the 404 and 422 statuses
themselves are guessed (UNVERIFIED).
"""

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from polyvenue.market_data.gamma_json import (
    GammaEntry,
    event_json,
    market_json,
    series_id_of,
    tags_of,
)
from polyvenue.market_data.oracle import Settlement
from polyvenue.market_data.records import MarketRecord, Quote
from polyvenue.market_data.text import NS, JsonObject, parse_iso
from polyvenue.market_data.windows import Series, make_window

Answer = tuple[int, object]
Params = Mapping[str, Sequence[str]]

LIMIT_DEFAULT = 20
LIMIT_MAX = 500
KEYSET_LIMIT_MAX = 100
_ZOMBIE_START_S = 1_735_689_600  # 2025-01-01


class BadParam(ValueError):
    """A query parameter that Gamma refuses with 422."""


@dataclass(slots=True)
class _Row:
    entry: GammaEntry
    told: Quote
    bucket: int


class GammaTable:
    """Everything Gamma knows, with a cache of `cache_ns` before the quotes."""

    def __init__(self, cache_ns: int = 60 * NS) -> None:
        self._cache_ns = cache_ns
        self._rows: dict[str, _Row] = {}

    def add(self, record: MarketRecord, now_ns: int) -> None:
        """List a market, or replace its terms (a new tick)."""
        row = self._rows.get(record.window.slug)
        if row is None:
            row = _Row(GammaEntry(record), Quote(), now_ns // self._cache_ns)
            self._rows[record.window.slug] = row
        row.entry = replace(row.entry, record=record)

    def add_zombies(self, seed: int, series: Series, count: int) -> None:
        """Markets of the past that stay `closed=false` for ever."""
        for index in range(count):
            start_s = _ZOMBIE_START_S + index * series.window_s
            record = MarketRecord(make_window(seed, series, start_s))
            entry = GammaEntry(record, zombie=True)
            self._rows[record.window.slug] = _Row(entry, Quote(), 0)

    def note_quote(self, slug: str, quote: Quote, now_ns: int) -> None:
        """The book changed; clients see it after the next cache boundary."""
        if row := self._rows.get(slug):
            self._turn(row, now_ns)
            row.told = quote

    def note_settlement(self, slug: str, settlement: Settlement) -> None:
        """The outcome is known; it shows from the times of the window on."""
        if row := self._rows.get(slug):
            row.entry = replace(row.entry, settlement=settlement)

    def drop(self, slug: str) -> None:
        """Forget a market."""
        self._rows.pop(slug, None)

    def entries(self, now_ns: int) -> Iterator[GammaEntry]:
        """What is listed by now, in the order of listing."""
        for row in self._rows.values():
            if row.entry.record.window.listed_ns <= now_ns:
                self._turn(row, now_ns)
                yield row.entry

    def _turn(self, row: _Row, now_ns: int) -> None:
        bucket = now_ns // self._cache_ns
        if bucket != row.bucket:
            row.bucket = bucket
            row.entry = replace(row.entry, quote=row.told)


def answer(path: str, params: Params, table: GammaTable, now_ns: int) -> Answer:
    """Answer GET `path` (without prefix): /events, /markets, their /keyset, /slug/x and /{id}."""
    kind, _, rest = path.strip("/").partition("/")
    render = {"events": _render_event, "markets": _render_market}.get(kind)
    if render is None:
        return _not_found("route")
    try:
        if rest == "":
            return 200, [render(entry, now_ns) for entry in _page(kind, params, table, now_ns)]
        if rest == "keyset":
            return 200, _keyset(kind, params, table, now_ns)
    except BadParam as error:
        return 422, {"type": "validation error", "error": str(error)}
    if rest.startswith("slug/"):
        slug = rest.removeprefix("slug/")
        return _one(render, table, now_ns, "slug", lambda entry: entry.record.window.slug == slug)
    return _one(render, table, now_ns, "id", lambda entry: _id_of(kind, entry) == rest)


Render = Callable[[GammaEntry, int], JsonObject]


def _render_event(entry: GammaEntry, now_ns: int) -> JsonObject:
    return event_json(entry, now_ns, with_markets=True)


def _render_market(entry: GammaEntry, now_ns: int) -> JsonObject:
    return market_json(entry, now_ns, with_event=True)


def _one(
    render: Render,
    table: GammaTable,
    now_ns: int,
    what: str,
    matches: Callable[[GammaEntry], bool],
) -> Answer:
    for entry in table.entries(now_ns):
        if matches(entry):
            return 200, render(entry, now_ns)
    return _not_found(what)


def _not_found(what: str) -> Answer:
    return 404, {"type": "not found error", "error": f"{what} not found"}


def _id_of(kind: str, entry: GammaEntry) -> str:
    window = entry.record.window
    return window.event_id if kind == "events" else window.market_id


def _page(kind: str, params: Params, table: GammaTable, now_ns: int) -> list[GammaEntry]:
    """One page by limit and offset."""
    found = _sorted(kind, params, _filtered(kind, params, table, now_ns))
    limit = _integer(params, "limit", LIMIT_DEFAULT, LIMIT_MAX)
    offset = _integer(params, "offset", 0, 10**9)
    return found[offset : offset + limit]


def _keyset(kind: str, params: Params, table: GammaTable, now_ns: int) -> JsonObject:
    """One page by cursor; the last page has no `next_cursor`."""
    if "offset" in params:
        raise BadParam("offset is not supported; use after_cursor")
    limit = _integer(params, "limit", LIMIT_DEFAULT, KEYSET_LIMIT_MAX)
    found = _sorted(kind, params, _filtered(kind, params, table, now_ns))
    start = 0
    if cursor := _first(params, "after_cursor"):
        last = _open_cursor(cursor)
        ids = [_id_of(kind, entry) for entry in found]
        if last not in ids:
            raise BadParam("invalid cursor")
        start = ids.index(last) + 1
    page = found[start : start + limit]
    render = _render_event if kind == "events" else _render_market
    out: JsonObject = {kind: [render(entry, now_ns) for entry in page]}
    if page and start + limit < len(found):
        out["next_cursor"] = base64.urlsafe_b64encode(_id_of(kind, page[-1]).encode()).decode()
    return out


def _open_cursor(cursor: str) -> str:
    try:
        return base64.urlsafe_b64decode(cursor.encode()).decode("ascii")
    except ValueError as error:
        raise BadParam("invalid cursor") from error


def _filtered(kind: str, params: Params, table: GammaTable, now_ns: int) -> list[GammaEntry]:
    """The entries that pass every filter. /markets shows open ones unless `closed` is given."""
    closed = _boolean(params, "closed")
    if closed is None and kind == "markets":
        closed = False
    if _boolean(params, "active") is False or _boolean(params, "archived") is True:
        return []
    ranges = [
        (_time(params, "end_date_min"), _time(params, "end_date_max"), "end_ns"),
        (_time(params, "start_date_min"), _time(params, "start_date_max"), "accepting_ns"),
    ]
    wanted: list[tuple[Sequence[str], Callable[[GammaEntry], set[str]]]] = [
        (params.get("slug", ()), lambda entry: {entry.record.window.slug}),
        (params.get("id", ()), lambda entry: {_id_of(kind, entry)}),
        (params.get("condition_ids", ()), lambda entry: {entry.record.window.condition_id}),
        (params.get("clob_token_ids", ()), lambda entry: set(entry.record.window.token_ids)),
        (params.get("series_id", ()), lambda entry: {series_id_of(entry.record.window.series)}),
        (params.get("tag_id", ()), lambda entry: {tag[0] for tag in _tags(entry)}),
        (params.get("tag_slug", ()), lambda entry: {tag[2] for tag in _tags(entry)}),
    ]
    return [
        entry
        for entry in table.entries(now_ns)
        if (closed is None or entry.is_closed(now_ns) is closed)
        and all(
            _within(getattr(entry.record.window, name), low, high) for low, high, name in ranges
        )
        and all(not names or not of(entry).isdisjoint(names) for names, of in wanted)
    ]


def _tags(entry: GammaEntry) -> list[tuple[str, str, str]]:
    return tags_of(entry.record.window.series)


def _within(value: int, low: int | None, high: int | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


_ORDERS: dict[str, Callable[[GammaEntry], int]] = {
    "id": lambda entry: int(entry.record.window.market_id),
    "startDate": lambda entry: entry.record.window.accepting_ns,
    "endDate": lambda entry: entry.record.window.end_ns,
    "createdAt": lambda entry: entry.record.window.listed_ns,
    "volume": lambda entry: entry.quote.volume_e6,
    "volume24hr": lambda entry: entry.quote.volume_e6,
    "liquidity": lambda entry: entry.quote.liquidity_e6,
}


def _sorted(kind: str, params: Params, entries: list[GammaEntry]) -> list[GammaEntry]:
    """By `order` (listing order without it), then id; descending unless `ascending=true`."""
    name = _first(params, "order")
    if not name:
        return entries
    key = _ORDERS.get(name)
    if key is None:
        raise BadParam(f"order fields are not valid: {name}")
    ascending = _boolean(params, "ascending") or False
    return sorted(entries, key=lambda e: (key(e), int(_id_of(kind, e))), reverse=not ascending)


def _first(params: Params, name: str) -> str:
    values = params.get(name) or ("",)
    return values[0]


def _integer(params: Params, name: str, default: int, maximum: int) -> int:
    text = _first(params, name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit()) or len(text) > 10 or int(text) > maximum:
        raise BadParam(f"invalid {name}: an integer from 0 to {maximum}")
    return int(text)


def _boolean(params: Params, name: str) -> bool | None:
    text = _first(params, name).lower()
    if not text:
        return None
    if text not in ("true", "false"):
        raise BadParam(f"invalid {name}: true or false")
    return text == "true"


def _time(params: Params, name: str) -> int | None:
    text = _first(params, name)
    if not text:
        return None
    value = parse_iso(text)
    if value is None:
        raise BadParam(f"invalid {name}: an ISO 8601 date or time")
    return value
