"""CLOB metadata: shapes, errors, pages, and when the outcome shows."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvenue.market_data.access import Geo, geoblock, tier_json
from polyvenue.market_data.clob_meta import MetaConfig, Request, answer
from polyvenue.market_data.records import BookView, MarketRecord, MarketTerms
from polyvenue.market_data.text import NS
from polyvenue.market_data.windows import make_window
from tests.polyvenue.market_data.samples import (
    DOWN,
    RECORD,
    SEED,
    SERIES,
    START_NS,
    START_S,
    UP,
    WINDOW,
    down_book,
    up_book,
)

INSIDE_NS = START_NS + 300 * NS
NO_BOOK = "No orderbook exists for the requested token id"


class FewMarkets:
    """A venue of a fixed list of markets, of which the first has books."""

    def __init__(
        self, records: Sequence[MarketRecord] = (RECORD,), books: Sequence[BookView] = ()
    ) -> None:
        self._records = list(records)
        self._books = {book.token_id: book for book in books or (up_book(), down_book())}

    def market(self, condition_id: str) -> MarketRecord | None:
        return next((r for r in self._records if r.window.condition_id == condition_id), None)

    def market_of(self, token_id: str) -> MarketRecord | None:
        return next((r for r in self._records if token_id in r.window.token_ids), None)

    def markets(self) -> Sequence[MarketRecord]:
        return self._records

    def book(self, token_id: str) -> BookView | None:
        return self._books.get(token_id)

    def history(self, token_id: str) -> Sequence[tuple[int, int]]:
        return [(START_S + 20 * index, 5_000 + index) for index in range(10)]


def ask(
    path: str,
    method: str = "GET",
    body: object = None,
    *,
    venue: FewMarkets | None = None,
    now_ns: int = INSIDE_NS,
    params: dict[str, str] | None = None,
    **named: str,
) -> tuple[int, object]:
    raw = b"" if body is None else json.dumps(body).encode()
    request = Request(method, path, {k: [v] for k, v in (named | (params or {})).items()}, raw)
    found = answer(request, venue or FewMarkets(), now_ns, MetaConfig())
    assert found is not None
    return found


BATCH = [{"token_id": UP}, {"token_id": DOWN}, {"token_id": "5"}]

GOLDEN = [
    ("/", {}, "OK"),
    ("/ok", {}, "OK"),
    ("/time", {}, START_S + 300),
    ("/version", {}, {"version": 2}),
    ("/tick-size", {"token_id": UP}, {"minimum_tick_size": 0.01}),
    ("/neg-risk", {"token_id": UP}, {"neg_risk": False}),
    ("/fee-rate", {"token_id": UP}, {"base_fee": 1000}),
    ("/midpoint", {"token_id": UP}, {"mid": "0.505"}),
    ("/spread", {"token_id": UP}, {"spread": "0.01"}),
    ("/last-trade-price", {"token_id": UP}, {"price": "0.5", "side": "BUY"}),
    ("/price", {"token_id": UP, "side": "BUY"}, {"price": "0.5"}),
    ("/price", {"token_id": UP, "side": "sell"}, {"price": "0.51"}),
    (
        f"/markets-by-token/{DOWN}",
        {},
        {
            "condition_id": WINDOW.condition_id,
            "primary_token_id": UP,
            "secondary_token_id": DOWN,
        },
    ),
]


@pytest.mark.parametrize(("path", "params", "expected"), GOLDEN)
def test_golden_replies(path: str, params: dict[str, str], expected: object) -> None:
    assert ask(path, params=params) == (200, expected)


def test_a_book_has_its_best_levels_last() -> None:
    status, body = ask("/book", token_id=UP)
    assert status == 200
    assert isinstance(body, dict)
    assert body.pop("hash") == up_hash()
    assert body == {
        "market": WINDOW.condition_id,
        "asset_id": UP,
        "timestamp": f"{START_S}123",
        "bids": [{"price": "0.49", "size": "120"}, {"price": "0.5", "size": "30"}],
        "asks": [{"price": "0.53", "size": "50"}, {"price": "0.51", "size": "44.2"}],
        "min_order_size": "5",
        "tick_size": "0.01",
        "neg_risk": False,
        "last_trade_price": "0.5",
    }


def up_hash() -> str:
    body = ask("/books", "POST", BATCH)[1]
    assert isinstance(body, list)
    first = str(body[0]["hash"])
    assert len(first) == 40
    assert first != body[1]["hash"]
    return first


def test_batches_leave_unknown_tokens_out() -> None:
    books = ask("/books", "POST", BATCH)[1]
    assert isinstance(books, list)
    assert [book["asset_id"] for book in books] == [UP, DOWN]
    assert ask("/midpoints", "POST", BATCH)[1] == {UP: "0.505", DOWN: "0.495"}
    assert ask("/spreads", "POST", BATCH)[1] == {UP: "0.01", DOWN: "0.01"}
    assert ask("/last-trades-prices", "POST", BATCH)[1] == [
        {"token_id": UP, "price": "0.5", "side": "BUY"},
        {"token_id": DOWN, "price": "0.5", "side": ""},
    ]
    sides = [{"token_id": UP, "side": "BUY"}, {"token_id": UP, "side": "SELL"}]
    assert ask("/prices", "POST", sides)[1] == {UP: {"BUY": "0.5", "SELL": "0.51"}}


@pytest.mark.parametrize("body", [{}, [1], [{"token_id": 5}], [{"token_id": "x"}], "x"])
def test_a_malformed_batch_is_refused(body: object) -> None:
    assert ask("/books", "POST", body) == (400, {"error": "Invalid payload"})


def test_a_batch_holds_at_most_500() -> None:
    assert ask("/books", "POST", [{"token_id": "1"}] * 500) == (200, [])
    refused = ask("/books", "POST", [{"token_id": "1"}] * 501)
    assert refused == (400, {"error": "Payload exceeds the limit"})


@pytest.mark.parametrize("path", ["/book", "/midpoint", "/spread", "/last-trade-price"])
def test_a_token_without_a_book(path: str) -> None:
    assert ask(path, token_id="5") == (404, {"error": NO_BOOK})
    assert ask(path, token_id="five") == (400, {"error": "Invalid token id"})
    assert ask(path) == (400, {"error": "Invalid token id"})


@pytest.mark.parametrize("path", ["/tick-size", "/neg-risk", "/fee-rate"])
def test_a_token_without_a_market(path: str) -> None:
    assert ask(path, token_id="5") == (404, {"error": "market not found"})


def test_a_wrong_side_is_refused() -> None:
    assert ask("/price", token_id=UP, side="HOLD") == (400, {"error": "Invalid side"})


def test_the_compact_market() -> None:
    status, body = ask(f"/clob-markets/{WINDOW.condition_id}")
    assert status == 200
    assert isinstance(body, dict)
    expected = {
        "c": WINDOW.condition_id,
        "t": [{"t": UP, "o": "Up"}, {"t": DOWN, "o": "Down"}],
        "mts": 0.01,
        "mos": 5,
        "nr": False,
        "ao": True,
        "fd": {"r": 0.07, "e": 1, "to": True},
        "itode": True,
        "sd": 0,
    }
    assert {name: body[name] for name in expected} == expected


@pytest.mark.parametrize(
    "path",
    [f"/clob-markets/{WINDOW.condition_id}", f"/markets/{WINDOW.condition_id}"],
)
def test_the_clob_knows_a_market_later_than_gamma(path: str) -> None:
    assert WINDOW.listed_ns < WINDOW.accepting_ns
    missing = (404, {"error": "market not found"})
    assert ask(path, now_ns=WINDOW.accepting_ns - 1) == missing
    assert ask(path, now_ns=WINDOW.accepting_ns)[0] == 200
    assert ask("/markets/0xabc") == missing


def tokens(record: MarketRecord, now_ns: int) -> list[tuple[object, object]]:
    venue = FewMarkets([record])
    body = ask(f"/markets/{WINDOW.condition_id}", venue=venue, now_ns=now_ns)[1]
    assert isinstance(body, dict)
    assert body["closed"] is (now_ns >= WINDOW.clob_closed_ns)
    return [(token["price"], token["winner"]) for token in body["tokens"]]


@pytest.mark.parametrize("winner", [0, 1])
def test_the_winner_shows_when_the_clob_agrees(winner: int) -> None:
    record = MarketRecord(WINDOW, winner=winner)
    before = tokens(record, WINDOW.clob_closed_ns - 1)
    assert before == [(0.505, False), (0.495, False)]
    expected: list[tuple[object, object]] = [(0, False), (0, False)]
    expected[winner] = (1, True)
    assert tokens(record, WINDOW.clob_closed_ns) == expected


def test_orders_are_taken_until_the_end_or_a_little_longer() -> None:
    def accepting(record: MarketRecord, now_ns: int) -> object:
        venue = FewMarkets([record])
        body = ask(f"/clob-markets/{WINDOW.condition_id}", venue=venue, now_ns=now_ns)[1]
        assert isinstance(body, dict)
        return body["ao"]

    assert accepting(RECORD, WINDOW.end_ns - 1) is True
    assert accepting(RECORD, WINDOW.end_ns) is False
    longer = MarketRecord(WINDOW, accepts_until_ns=WINDOW.end_ns + 3 * NS)
    assert accepting(longer, WINDOW.end_ns) is True


def many(count: int) -> FewMarkets:
    windows = [make_window(SEED, SERIES, START_S - 900 * index) for index in range(count)]
    return FewMarkets([MarketRecord(w, MarketTerms(), winner=0) for w in windows])


def test_pages_of_markets_hide_what_is_closed() -> None:
    venue = many(1_100)
    assert len(page(venue, "/markets")) < 5
    rows = page(venue, "/markets", closed="true")
    assert len(rows) == len({str(row["condition_id"]) for row in rows}) == 1_100
    assert [row["condition_id"] for row in page(venue, "/sampling-markets")] == [
        WINDOW.condition_id
    ]
    simple = page(venue, "/sampling-simplified-markets")[0]
    assert {"condition_id", "tokens", "accepting_orders"} < set(simple)


def page(venue: FewMarkets, path: str, **params: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    cursor = "MA=="
    while cursor != "LTE=":
        body = ask(path, venue=venue, next_cursor=cursor, params=params)[1]
        assert isinstance(body, dict)
        assert body["count"] == len(body["data"]) <= body["limit"]
        rows += body["data"]
        cursor = body["next_cursor"]
    return rows


@pytest.mark.parametrize("cursor", ["?", "eHg=", "LTI="])
def test_a_wrong_cursor_is_refused(cursor: str) -> None:
    assert ask("/markets", next_cursor=cursor) == (400, {"error": "Invalid payload"})


def test_the_end_cursor_is_an_empty_page() -> None:
    body = ask("/markets", next_cursor="LTE=")[1]
    assert body == {"data": [], "next_cursor": "LTE=", "limit": 500, "count": 0}


@pytest.mark.parametrize(
    ("params", "seconds"),
    [
        ({}, [40, 100, 160, 180]),
        ({"startTs": str(START_S + 60), "endTs": str(START_S + 119)}, [100]),
        ({"fidelity": "2"}, [100, 180]),
        ({"interval": "1h"}, [40, 100, 160, 180]),
        ({"interval": "max", "fidelity": "600"}, [180]),
    ],
)
def test_prices_history(params: dict[str, str], seconds: list[int]) -> None:
    body = ask("/prices-history", market=UP, params=params)[1]
    assert isinstance(body, dict)
    assert [row["t"] - START_S for row in body["history"]] == seconds
    assert body["history"][0]["p"] == 0.5 + seconds[0] / 20 / 10_000


@pytest.mark.parametrize("params", [{"interval": "2h"}, {"startTs": "x"}, {"endTs": "9" * 13}])
def test_a_wrong_history_is_refused(params: dict[str, str]) -> None:
    assert ask("/prices-history", market=UP, params=params)[0] == 400


def test_other_paths_are_not_ours() -> None:
    for method, path in (("POST", "/order"), ("GET", "/data/orders"), ("DELETE", "/book")):
        request = Request(method, path, {})
        assert answer(request, FewMarkets(), INSIDE_NS, MetaConfig()) is None


def test_an_empty_side_counts_as_nought_or_one() -> None:
    one_sided = BookView(WINDOW.condition_id, UP, START_NS, ((4_000, 1),), ())
    venue = FewMarkets(books=[one_sided])
    assert ask("/midpoint", venue=venue, token_id=UP)[1] == {"mid": "0.7"}
    assert ask("/spread", venue=venue, token_id=UP)[1] == {"spread": "0.6"}


def test_the_tier() -> None:
    assert tier_json("gold") == {"tier": "gold"}


@pytest.mark.parametrize(
    ("mode", "status", "start"),
    [
        (Geo.OPEN, 200, '{"blocked":false,"ip":"203.0.113.42","country":"IE"'),
        (Geo.BLOCKED, 200, '{"blocked":true,"ip":"203.0.113.42","country":"US","region":"NY"}'),
        (Geo.ERROR, 500, '{"error":'),
        (Geo.HTML, 403, "<!DOCTYPE html>"),
    ],
)
def test_the_geoblock_has_four_moods(mode: Geo, status: int, start: str) -> None:
    page = geoblock(mode)
    assert page.status == status
    assert page.text.startswith(start)
    assert ("html" in page.content_type) is (mode is Geo.HTML)


PATHS = st.sampled_from(
    [
        *("/book", "/books", "/midpoint", "/prices", "/prices-history", "/markets", "/markets/x"),
        *("/clob-markets/", "/price", "/markets-by-token/x", "/sampling-markets", "/tick-size"),
    ]
)
NAMES = st.sampled_from(
    ["token_id", "market", "side", "next_cursor", "startTs", "endTs", "interval", "fidelity"]
)


@given(
    st.sampled_from(["GET", "POST"]),
    PATHS,
    st.dictionaries(NAMES, st.lists(st.text(max_size=14) | st.just(UP), max_size=2), max_size=4),
    st.binary(max_size=40),
)
def test_any_request_has_an_answer(
    method: str, path: str, params: dict[str, list[str]], body: bytes
) -> None:
    found = answer(Request(method, path, params, body), FewMarkets(), INSIDE_NS, MetaConfig())
    if found is not None:
        assert found[0] in (200, 400, 404)
        json.dumps(found[1], allow_nan=False)
