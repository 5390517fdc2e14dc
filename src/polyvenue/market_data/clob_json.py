"""The CLOB's market objects as JSON of one moment (polymarket.md 2.2 and recorded payloads).

The CLOB agrees with the outcome at `Window.clob_closed_ns`, in its own time, not Gamma's.
"""

from polyvenue.market_data.gamma_json import tags_of
from polyvenue.market_data.records import BookView, MarketRecord, book_json, last_text
from polyvenue.market_data.text import (
    JsonObject,
    amount_number,
    amount_text,
    iso_text,
    price_number,
    price_text,
)
from polyvenue.market_data.titles import description_of, question_of
from polyvenue.market_data.windows import OUTCOMES

_SIMPLIFIED = (
    *("condition_id", "rewards", "tokens"),
    *("active", "closed", "archived", "accepting_orders"),
)


def is_closed(record: MarketRecord, now_ns: int) -> bool:
    """True once the CLOB has the outcome."""
    return record.winner is not None and now_ns >= record.window.clob_closed_ns


def rest_book_json(book: BookView) -> JsonObject:
    """A book as `GET /book` shows it: without `event_type`, with the market's terms."""
    return book_json(book) | {
        "min_order_size": amount_text(book.min_size_e6),
        "tick_size": price_text(book.tick_e4),
        "neg_risk": book.neg_risk,
        "last_trade_price": last_text(book.last_e4),
    }


def compact_json(record: MarketRecord, now_ns: int) -> JsonObject:
    """`GET /clob-markets/{condition_id}`: the trading parameters under short keys."""
    window, terms = record.window, record.terms
    return {
        "c": window.condition_id,
        "t": [
            {"t": token, "o": outcome}
            for token, outcome in zip(window.token_ids, OUTCOMES, strict=True)
        ],
        "mts": price_number(terms.tick_e4),
        "mos": amount_number(terms.min_size_e6),
        "nr": terms.neg_risk,
        "ao": record.is_accepting(now_ns),
        "aot": iso_text(window.accepting_ns),
        "r": {"rates": None, "min_size": 50, "max_spread": 4.5},
        "fd": {
            "r": amount_number(terms.fee.rate_ppm),
            "e": terms.fee.exponent,
            "to": True,
        },
        "mbf": 1000,
        "tbf": 1000,
        "itode": terms.hold,
        "sd": 0,
        "oas": 3.5,
        "gst": None,
        "cbos": False,
        "ibce": False,
        "rfqe": False,
    }


def market_json(record: MarketRecord, now_ns: int, up_e4: int | None) -> JsonObject:
    """`GET /markets/{condition_id}`; `up_e4` is the Up token's price while it trades."""
    window, terms = record.window, record.terms
    image = window.series.asset.image
    return {
        "enable_order_book": now_ns < window.book_removed_ns,
        "active": True,
        "closed": is_closed(record, now_ns),
        "archived": False,
        "accepting_orders": record.is_accepting(now_ns),
        "accepting_order_timestamp": iso_text(window.accepting_ns),
        "minimum_order_size": amount_number(terms.min_size_e6),
        "minimum_tick_size": price_number(terms.tick_e4),
        "condition_id": window.condition_id,
        "question_id": window.question_id,
        "question": question_of(window),
        "description": description_of(window),
        "market_slug": window.slug,
        # The venue shows midnight of the day here, not the end of the window.
        "end_date_iso": iso_text(window.end_ns)[:10] + "T00:00:00Z",
        "game_start_time": None,
        "seconds_delay": 0,
        "fpmm": "",
        "maker_base_fee": 1000,
        "taker_base_fee": 1000,
        "notifications_enabled": True,
        "neg_risk": terms.neg_risk,
        "neg_risk_market_id": "",
        "neg_risk_request_id": "",
        "icon": image,
        "image": image,
        "rewards": {"rates": None, "min_size": 0, "max_spread": 0},
        "is_50_50_outcome": False,
        "tokens": _tokens(record, now_ns, up_e4),
        "tags": [label for _, label, _ in tags_of(window.series)],
    }


def _tokens(record: MarketRecord, now_ns: int, up_e4: int | None) -> list[JsonObject]:
    closed = is_closed(record, now_ns)
    tokens: list[JsonObject] = []
    for index, (token, outcome) in enumerate(zip(record.window.token_ids, OUTCOMES, strict=True)):
        won = closed and record.winner == index
        price_e4 = 5_000 if up_e4 is None else up_e4
        shown_e4 = price_e4 if index == 0 else 10_000 - price_e4
        tokens.append(
            {
                "token_id": token,
                "outcome": outcome,
                "price": int(won) if closed else price_number(shown_e4),
                "winner": won,
            }
        )
    return tokens


def simplified_json(record: MarketRecord, now_ns: int, up_e4: int | None) -> JsonObject:
    """A row of `/simplified-markets`."""
    whole = market_json(record, now_ns, up_e4)
    return {key: whole[key] for key in _SIMPLIFIED}
