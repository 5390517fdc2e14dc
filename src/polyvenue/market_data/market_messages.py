"""Messages of the market channel as JSON text, encoded once for all subscribers.

Shapes: polymarket.md 6.1 and the recorded payloads. Prices e4, amounts e6, times Unix ns.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from polyvenue.market_data.gamma_json import tags_of
from polyvenue.market_data.records import BookView, MarketRecord, book_json, last_text
from polyvenue.market_data.text import JsonObject, amount_text, dump, ms_text, price_text
from polyvenue.market_data.titles import description_of, question_of
from polyvenue.market_data.windows import OUTCOMES, Window


class Side(StrEnum):
    """BUY is the bid side of a book, or a taker that bought."""

    BUY = "BUY"
    SELL = "SELL"


@dataclass(frozen=True, slots=True)
class Message:
    """One object to send to who asked for it.

    It goes to connections that subscribed to any of `token_ids`; with `custom` only to those with
    `custom_feature_enabled`; with `everyone` to all of these, whatever they subscribed to.
    """

    text: str
    token_ids: tuple[str, ...]
    custom: bool = False
    everyone: bool = False


@dataclass(frozen=True, slots=True)
class LevelChange:
    """The new absolute amount at one price of one token; 0 removes the level.

    `hash` is the book's after the change, the best prices too; None where a side is empty.
    """

    token_id: str
    side: Side
    price_e4: int
    amount_e6: int
    hash: str
    best_bid_e4: int | None
    best_ask_e4: int | None


def book_object(book: BookView, *, after_print: bool = False) -> JsonObject:
    """A token's whole book. The one sent after prints lacks tick and last price, as recorded."""
    out = book_json(book) | {"event_type": "book"}
    if after_print:
        return out
    return out | {
        "tick_size": price_text(book.tick_e4),
        "last_trade_price": last_text(book.last_e4),
    }


def book_message(book: BookView) -> Message:
    """The full book again, as sent after prints."""
    return Message(dump(book_object(book, after_print=True)), (book.token_id,))


def price_change(condition_id: str, changes: Sequence[LevelChange], time_ns: int) -> Message:
    """One message for all changes of a moment, of both tokens."""
    rows = ",".join(
        f'{{"asset_id":"{change.token_id}","price":"{price_text(change.price_e4)}",'
        f'"size":"{amount_text(change.amount_e6)}","side":"{change.side.value}",'
        f'"hash":"{change.hash}","best_bid":"{_best_bid(change.best_bid_e4)}",'
        f'"best_ask":"{_best_ask(change.best_ask_e4)}"}}'
        for change in changes
    )
    # By hand, four times faster: most frames are these, and ids and numbers need no escapes.
    text = (
        f'{{"market":"{condition_id}","price_changes":[{rows}],'
        f'"timestamp":"{ms_text(time_ns)}","event_type":"price_change"}}'
    )
    return Message(text, tuple(dict.fromkeys(change.token_id for change in changes)))


def _best_bid(price_e4: int | None) -> str:
    """An empty side reads 0 or 1 (UNVERIFIED); so the two tokens' mirrors still agree."""
    return price_text(0 if price_e4 is None else price_e4)


def _best_ask(price_e4: int | None) -> str:
    return price_text(10_000 if price_e4 is None else price_e4)


@dataclass(frozen=True, slots=True)
class PublicPrint:
    """A match on the public tape: the taker's token, side, price and amount."""

    condition_id: str
    token_id: str
    side: Side
    price_e4: int
    amount_e6: int
    time_ns: int
    transaction_hash: str = ""


def last_trade_price(done: PublicPrint) -> Message:
    """The public tape. `fee_rate_bps` is always "0" and means nothing."""
    body: JsonObject = {
        "market": done.condition_id,
        "asset_id": done.token_id,
        "price": price_text(done.price_e4),
        "size": amount_text(done.amount_e6),
        "fee_rate_bps": "0",
        "side": done.side.value,
        "timestamp": ms_text(done.time_ns),
        "event_type": "last_trade_price",
        "transaction_hash": done.transaction_hash,
    }
    return Message(dump(body), (done.token_id,))


def tick_size_change(window: Window, old_e4: int, new_e4: int, time_ns: int) -> list[Message]:
    """The change of a market's tick: once per token, and all of it twice, as observed."""
    once = [
        Message(
            dump(
                {
                    "market": window.condition_id,
                    "asset_id": token,
                    "old_tick_size": price_text(old_e4),
                    "new_tick_size": price_text(new_e4),
                    "timestamp": ms_text(time_ns),
                    "event_type": "tick_size_change",
                }
            ),
            (token,),
        )
        for token in window.token_ids
    ]
    return once * 2


def best_bid_ask(book: BookView) -> Message:
    """The best prices of a token (custom feature)."""
    bid, ask = book.best_bid_e4, book.best_ask_e4
    spread_e4 = (10_000 if ask is None else ask) - (bid or 0)
    body: JsonObject = {
        "market": book.condition_id,
        "asset_id": book.token_id,
        "best_bid": _best_bid(bid),
        "best_ask": _best_ask(ask),
        "spread": price_text(spread_e4),
        "timestamp": ms_text(book.time_ns),
        "event_type": "best_bid_ask",
    }
    return Message(dump(body), (book.token_id,), custom=True)


def _event_message(window: Window) -> JsonObject:
    return {
        "id": window.event_id,
        "ticker": window.slug,
        "slug": window.slug,
        "title": question_of(window),
        "description": description_of(window),
    }


def new_market(record: MarketRecord, time_ns: int) -> Message:
    """A market was listed (custom feature; every such connection hears of every market)."""
    window, terms = record.window, record.terms
    tokens = list(window.token_ids)
    body: JsonObject = {
        "id": window.market_id,
        "question": question_of(window),
        "market": window.condition_id,
        "slug": window.slug,
        "description": description_of(window),
        "assets_ids": tokens,
        "outcomes": list(OUTCOMES),
        "event_message": _event_message(window),
        "timestamp": ms_text(time_ns),
        "event_type": "new_market",
        "tags": [slug for _, _, slug in tags_of(window.series)],
        "condition_id": window.condition_id,
        "active": time_ns >= window.accepting_ns,
        "clob_token_ids": tokens,
        "order_price_min_tick_size": price_text(terms.tick_e4),
        "group_item_title": "",
        "taker_base_fee": "1000",
        "fees_enabled": terms.fee.rate_ppm > 0,
        "fee_schedule": {
            "exponent": str(terms.fee.exponent),
            "rate": amount_text(terms.fee.rate_ppm),
            "taker_only": True,
            "rebate_rate": amount_text(terms.fee.rebate_ppm),
        },
    }
    return Message(dump(body), window.token_ids, custom=True, everyone=True)


def market_resolved(window: Window, winner: int, time_ns: int) -> Message:
    """A market has its outcome (custom feature; the venue sometimes never sends it)."""
    body: JsonObject = {
        "id": window.market_id,
        "market": window.condition_id,
        "assets_ids": list(window.token_ids),
        "winning_asset_id": window.token_ids[winner],
        "winning_outcome": OUTCOMES[winner],
        "event_message": _event_message(window),
        "timestamp": ms_text(time_ns),
        "event_type": "market_resolved",
        "tags": [slug for _, _, slug in tags_of(window.series)],
    }
    return Message(dump(body), window.token_ids, custom=True)
