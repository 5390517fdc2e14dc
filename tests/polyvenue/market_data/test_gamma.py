"""Gamma: filters, pages, JSON in strings, the cache, zombies, and what is hidden when."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvenue.market_data.gamma import GammaTable, answer
from polyvenue.market_data.oracle import TWAP_60, settle
from polyvenue.market_data.records import MarketRecord, MarketTerms, Quote
from polyvenue.market_data.text import NS, iso_text
from polyvenue.market_data.windows import make_window, series_of
from tests.polyvenue.market_data.samples import (
    DOWN,
    SEED,
    SERIES,
    START_NS,
    START_S,
    UP,
    WINDOW,
    oracle,
)

QUOTE = Quote(5_000, 5_100, 5_000, 79_945_980_055, 1_654_530_000)
INSIDE_NS = START_NS + 300 * NS


def table(*, zombies: int = 0) -> GammaTable:
    """Three BTC windows of 15 minutes (one finished, one running, one ahead) and one demo."""
    filled = GammaTable()
    for start_s in (START_S - 900, START_S, START_S + 900):
        record = MarketRecord(make_window(SEED, SERIES, start_s))
        filled.add(record, record.window.listed_ns)
    demo = MarketRecord(make_window(SEED, series_of("eth", 60), START_S))
    filled.add(demo, demo.window.listed_ns)
    filled.add_zombies(SEED, SERIES, zombies)
    for window in (make_window(SEED, SERIES, START_S - 900), WINDOW):
        filled.note_settlement(
            window.slug, settle(oracle(), window.start_ns, window.end_ns, TWAP_60)
        )
    return filled


def get(path: str, now_ns: int = INSIDE_NS, at: GammaTable | None = None, **params: str) -> object:
    status, body = answer(path, {k: [v] for k, v in params.items()}, at or table(), now_ns)
    assert status == 200, body
    return body


def rows(path: str, now_ns: int = INSIDE_NS, **params: str) -> list[dict[str, object]]:
    body = get(path, now_ns, table(zombies=3), **params)
    assert isinstance(body, list)
    return body


def market(now_ns: int, at: GammaTable | None = None) -> dict[str, object]:
    body = get(f"/markets/slug/{WINDOW.slug}", now_ns, at)
    assert isinstance(body, dict)
    return body


def event(now_ns: int) -> dict[str, object]:
    body = get(f"/events/slug/{WINDOW.slug}", now_ns)
    assert isinstance(body, dict)
    return body


def test_a_market_has_lists_inside_strings() -> None:
    body = market(INSIDE_NS)
    assert body["outcomes"] == '["Up", "Down"]'
    assert json.loads(str(body["clobTokenIds"])) == [UP, DOWN]
    assert json.loads(str(body["outcomePrices"])) == ["0.5", "0.5"]


def test_a_market_names_its_window_and_its_rule() -> None:
    body = market(INSIDE_NS)
    expected = {
        "slug": WINDOW.slug,
        "conditionId": WINDOW.condition_id,
        "eventStartTime": "2026-11-22T17:00:00Z",
        "endDate": "2026-11-22T17:15:00Z",
        "resolutionSource": "https://data.chain.link/streams/btc-usd-twap-60s-streams",
        "cryptoMarketConfigId": "btc-15m-twap-60",
        "cryptoMarketConfig": {
            "id": "btc-15m-twap-60",
            "asset": "btc",
            "duration": "15m",
            "twapEnabled": True,
            "twapLookbackSeconds": 60,
        },
        "feeSchedule": {"exponent": 1, "rate": 0.07, "takerOnly": True, "rebateRate": 0.2},
        "orderPriceMinTickSize": 0.01,
        "orderMinSize": 5,
        "negRisk": False,
        "acceptingOrders": True,
        "closed": False,
    }
    assert not {"umaResolutionStatus", "closedTime"} & body.keys()
    assert {name: body[name] for name in expected} == expected


def test_the_demo_is_labelled_scaled() -> None:
    body = get(f"/markets/slug/eth-updown-1m-{START_S}", START_NS)
    assert isinstance(body, dict)
    assert body["cryptoMarketConfigId"] == "eth-1m-twap-4-scaled"
    assert body["cryptoMarketConfig"]["scaled"] is True
    assert body["resolutionSource"].endswith("/eth-usd-twap-4s-streams")


def test_quotes_change_on_cache_boundaries_only() -> None:
    filled = table()
    filled.note_quote(WINDOW.slug, QUOTE, INSIDE_NS + NS)
    assert "bestBid" not in market(INSIDE_NS + 59 * NS, filled)
    shown = market(INSIDE_NS + 61 * NS, filled)
    assert (shown["bestBid"], shown["bestAsk"], shown["spread"]) == (0.5, 0.51, 0.01)
    assert shown["outcomePrices"] == '["0.505", "0.495"]'
    assert (shown["volume"], shown["volumeNum"]) == ("79945.980055", 79945.980055)
    filled.note_quote(WINDOW.slug, Quote(), INSIDE_NS + 62 * NS)
    assert market(INSIDE_NS + 63 * NS, filled)["bestBid"] == 0.5


def test_the_outcome_shows_when_gamma_agrees() -> None:
    assert market(WINDOW.gamma_closed_ns - 1)["closed"] is False
    body = market(WINDOW.gamma_closed_ns)
    winner = settle(oracle(), WINDOW.start_ns, WINDOW.end_ns, TWAP_60).winner
    assert body["closed"] is True
    assert body["umaResolutionStatus"] == "resolved"
    assert body["outcomePrices"] == ('["1", "0"]' if winner == 0 else '["0", "1"]')
    assert str(body["closedTime"]).endswith("+00")
    assert body["acceptingOrders"] is False


def test_the_price_to_beat_is_hidden_during_the_window() -> None:
    assert "eventMetadata" not in event(WINDOW.start_ns)
    assert "eventMetadata" not in event(WINDOW.end_ns)
    settlement = settle(oracle(), WINDOW.start_ns, WINDOW.end_ns, TWAP_60)
    start, end = settlement.start_e18 / 1e18, settlement.end_e18 / 1e18
    assert event(WINDOW.resolved_ns)["eventMetadata"] == {"priceToBeat": start}
    assert event(WINDOW.gamma_closed_ns)["eventMetadata"] == {
        "priceToBeat": start,
        "finalPrice": end,
    }


def test_a_market_is_unknown_before_it_is_listed() -> None:
    status, body = answer(f"/markets/slug/{WINDOW.slug}", {}, table(), WINDOW.listed_ns - 1)
    assert (status, body) == (404, {"type": "not found error", "error": "slug not found"})
    assert market(WINDOW.listed_ns)["acceptingOrders"] is False
    assert market(WINDOW.accepting_ns)["acceptingOrders"] is True


@pytest.mark.parametrize("kind", ["markets", "events"])
def test_one_object_by_slug_or_id(kind: str) -> None:
    by_slug = get(f"/{kind}/slug/{WINDOW.slug}")
    assert isinstance(by_slug, dict)
    assert get(f"/{kind}/{by_slug['id']}") == by_slug
    assert rows(f"/{kind}", slug=WINDOW.slug) == [by_slug]
    assert answer(f"/{kind}/1", {}, table(), INSIDE_NS)[0] == 404
    assert answer("/comments", {}, table(), INSIDE_NS)[0] == 404


def test_markets_hide_what_is_closed_unless_asked() -> None:
    later_ns = WINDOW.gamma_closed_ns + 10_000 * NS
    assert WINDOW.slug not in [row["slug"] for row in rows("/markets", later_ns)]
    assert WINDOW.slug in [row["slug"] for row in rows("/markets", later_ns, closed="true")]
    assert WINDOW.slug in [row["slug"] for row in rows("/events", later_ns)]


def test_zombies_stay_open_for_ever() -> None:
    zombies = [
        row
        for row in rows("/events", tag_slug="up-or-down", closed="false", limit="500")
        if str(row["endDate"]) < "2026"
    ]
    assert len(zombies) == 3
    for row in zombies:
        markets = row["markets"]
        assert isinstance(markets, list)
        inner = markets[0]
        assert (inner["closed"], inner["enableOrderBook"], inner["acceptingOrders"]) == (
            False,
            False,
            False,
        )
    recent = rows("/events", tag_slug="up-or-down", end_date_min="2026-11-01T00:00:00Z")
    assert all(str(row["endDate"]) > "2026-11" for row in recent)
    assert recent


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"condition_ids": WINDOW.condition_id}, [WINDOW.slug]),
        ({"clob_token_ids": DOWN}, [WINDOW.slug]),
        ({"end_date_min": iso_text(WINDOW.end_ns), "end_date_max": iso_text(WINDOW.end_ns)}, None),
        ({"tag_slug": "ethereum"}, [f"eth-updown-1m-{START_S}"]),
        ({"series_id": "10192", "end_date_min": "2026-11-22T17:20:00Z"}, None),
        ({"tag_slug": "politics"}, []),
        ({"active": "false"}, []),
        ({"archived": "true"}, []),
    ],
)
def test_filters(params: dict[str, str], expected: list[str] | None) -> None:
    found = [row["slug"] for row in rows("/markets", START_NS, **params)]
    if expected is None:
        start_s = START_S if "end_date_max" in params else START_S + 900
        expected = [f"btc-updown-15m-{start_s}"]
    assert found == expected


def test_pages_by_offset_and_by_cursor_hold_the_same() -> None:
    whole = [row["slug"] for row in rows("/events", order="endDate", ascending="true")]
    assert len(whole) == 7
    by_offset = [
        row["slug"]
        for offset in range(0, 8, 2)
        for row in rows("/events", order="endDate", ascending="true", limit="2", offset=str(offset))
    ]
    by_cursor: list[object] = []
    params = {"order": "endDate", "ascending": "true", "limit": "2"}
    while True:
        body = get("/events/keyset", INSIDE_NS, table(zombies=3), **params)
        assert isinstance(body, dict)
        by_cursor += [row["slug"] for row in body["events"]]
        if "next_cursor" not in body:
            break
        params["after_cursor"] = body["next_cursor"]
    assert by_offset == by_cursor == whole
    backwards = [row["slug"] for row in rows("/events", order="endDate", ascending="false")]
    assert backwards == whole[::-1]


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/events/keyset", {"offset": "1"}),
        ("/events/keyset", {"limit": "101"}),
        ("/events/keyset", {"after_cursor": "!!"}),
        ("/events/keyset", {"after_cursor": "MTIz"}),
        ("/events/keyset", {"after_cursor": "\udcff"}),
        ("/events", {"limit": "-1"}),
        ("/events", {"limit": "501"}),
        ("/events", {"offset": "x"}),
        ("/events", {"closed": "maybe"}),
        ("/events", {"end_date_min": "yesterday"}),
        ("/markets", {"order": "beauty"}),
    ],
)
def test_a_wrong_parameter_is_422(path: str, params: dict[str, str]) -> None:
    status, body = answer(path, {k: [v] for k, v in params.items()}, table(), INSIDE_NS)
    assert status == 422
    assert isinstance(body, dict)
    assert list(body) == ["type", "error"]


def test_a_new_tick_shows() -> None:
    filled = table()
    filled.add(MarketRecord(WINDOW, MarketTerms(tick_e4=10)), INSIDE_NS)
    assert market(INSIDE_NS, filled)["orderPriceMinTickSize"] == 0.001


def test_a_dropped_market_is_unknown() -> None:
    filled = table()
    filled.drop(WINDOW.slug)
    assert answer(f"/markets/slug/{WINDOW.slug}", {}, filled, INSIDE_NS)[0] == 404


NAMES = st.sampled_from(
    [
        *("slug", "limit", "offset", "order", "closed", "tag_slug", "series_id", "end_date_min"),
        *("after_cursor", "id"),
    ]
)


@given(
    st.sampled_from(["/events", "/markets", "/events/keyset", "/markets/slug/x", "/", "//", ""]),
    st.dictionaries(NAMES, st.lists(st.text(max_size=12), max_size=2), max_size=4),
)
def test_any_request_has_an_answer(path: str, params: dict[str, list[str]]) -> None:
    status, body = answer(path, params, table(zombies=1), INSIDE_NS)
    assert status in (200, 404, 422)
    json.dumps(body, allow_nan=False)
