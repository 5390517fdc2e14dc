"""Each of our replies beside the recorded payload of the same route."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from polyvenue.market_data import market_messages as messages
from polyvenue.market_data.assets import ASSETS
from polyvenue.market_data.binance import BinanceConnection
from polyvenue.market_data.binance_tape import BinanceTape
from polyvenue.market_data.clob_json import market_json, rest_book_json
from polyvenue.market_data.frames import Send
from polyvenue.market_data.gamma import GammaTable, answer
from polyvenue.market_data.market_channel import MarketConnection
from polyvenue.market_data.market_messages import LevelChange, PublicPrint, Side
from polyvenue.market_data.oracle import TWAP_60, settle
from polyvenue.market_data.prices import PricePath
from polyvenue.market_data.records import MarketRecord, Quote, book_hash
from polyvenue.market_data.text import NS
from polyvenue.market_data.user_messages import OrderChange, OrderStatus, UserOrder, trade_messages
from polyvenue.market_data.user_messages import order_message as order_text
from tests.polyvenue.market_data.samples import (
    DOWN,
    KEYS,
    SEED,
    START_NS,
    UP,
    WINDOW,
    down_book,
    oracle,
    up_book,
)
from tests.polyvenue.market_data.test_clob_meta import ask
from tests.polyvenue.market_data.test_user_channel import ORDER, TRADE

AT_NS = START_NS + 300 * NS
CLOSED_NS = WINDOW.gamma_closed_ns


@dataclass(frozen=True)
class Route:
    """A recorded file, our reply, and the differences meant, each with its reason."""

    file: str
    ours: Callable[[], object]
    intended: dict[str, str]


def gamma(path: str, now_ns: int, quote: Quote, **params: str) -> object:
    """A reply of a Gamma that knows one market."""
    table = GammaTable()
    table.add(MarketRecord(WINDOW), WINDOW.listed_ns)
    table.note_quote(WINDOW.slug, quote, WINDOW.listed_ns)
    table.note_settlement(WINDOW.slug, settle(oracle(), WINDOW.start_ns, WINDOW.end_ns, TWAP_60))
    status, body = answer(path, {k: [v] for k, v in params.items()}, table, now_ns)
    assert status == 200
    return body


def first_frame(last_e4: int | None = 5_000) -> object:
    """The initial dump of the market channel."""
    books = {UP: up_book(last_e4), DOWN: down_book()}
    connection = MarketConnection(books.get)
    (dump,) = connection.receive(json.dumps({"type": "market", "assets_ids": [UP, DOWN]}))
    assert isinstance(dump, Send)
    return json.loads(dump.text)


def first_book() -> object:
    """The first book of the initial dump."""
    books = first_frame()
    assert isinstance(books, list)
    return books[0]


def price_change() -> object:
    """A change of both mirrored levels."""
    changes = [
        LevelChange(UP, Side.BUY, 3_700, 2_525_000_000, book_hash(up_book()), 4_900, 5_000),
        LevelChange(DOWN, Side.SELL, 6_300, 2_525_000_000, book_hash(up_book()), 5_000, 5_100),
    ]
    return json.loads(messages.price_change(WINDOW.condition_id, changes, AT_NS).text)


def binance_print() -> object:
    """The first print of a combined stream."""
    tapes = {"btc": BinanceTape(SEED, PricePath(SEED, ASSETS["btc"]))}
    connection = BinanceConnection(tapes, ("btcusdt@trade",), START_NS, combined=True)
    frame = connection.publish(AT_NS)[0]
    assert isinstance(frame, Send)
    return json.loads(frame.text)


def order(change: OrderChange, status: OrderStatus) -> object:
    """An order of a real-looking wallet."""
    shown: UserOrder = replace(
        ORDER,
        order_id="0x" + "ab" * 32,
        api_key="00000000-0000-0000-0000-000000000001",
        maker_address="0x" + "ab" * 20,
        status=status,
    )
    return json.loads(order_text(shown, change, AT_NS).text)


def trade() -> object:
    """A trade as its taker sees it."""
    wallet = "0x" + "ab" * 20
    makers = tuple(replace(part, maker_address=wallet) for part in TRADE.makers)
    order_id = "0x" + "ab" * 32
    shown = replace(TRADE, taker_order_id=order_id, maker_address=wallet, makers=makers)
    assert KEYS[0] == shown.api_key
    return json.loads(trade_messages(shown, AT_NS)[0].text)


def resolved_market() -> object:
    """A CLOB market after its resolution."""
    return market_json(MarketRecord(WINDOW, winner=1), WINDOW.retired_ns, None)


def printed() -> object:
    """A public print."""
    done = PublicPrint(WINDOW.condition_id, UP, Side.BUY, 5_100, 25_000_000, AT_NS)
    return json.loads(messages.last_trade_price(done).text)


QUIET = Quote(4_900, 5_100, None, 0, 1_654_530_000)
BUSY = Quote(5_000, 5_100, 5_100, 79_945_980_055, 20_328_374_700)
ONE_SIDED = Quote(None, 100, 100, 79_945_980_055, 0)


def open_market(quote: Quote) -> object:
    """A Gamma market in the middle of its window."""
    return gamma(f"/markets/slug/{WINDOW.slug}", AT_NS, quote)


def closed_market(quote: Quote) -> object:
    """A Gamma market when Gamma has the outcome."""
    return gamma(f"/markets/slug/{WINDOW.slug}", CLOSED_NS, quote)


def text_of(message: messages.Message) -> object:
    """A message as a client reads it."""
    return json.loads(message.text)


# Reasons for what differs on purpose.
NEWER = "the recording is older than this field (spec of November 2026)"
CUT = "the publisher cut the market out of its event"
SLOW = "a statistic we do not keep"
SPORT = "the recording is a sports market"
NO_TYPE = "the recording is without its event type, which the venue documents"
DUMMY = "the recording holds an invented id"
OTHER = "the venue's newer text, as documented, and what its SDK reads"

NEW_FIELDS = (
    "clobRewards",
    "cryptoMarketConfig",
    "cryptoMarketConfigId",
    "secondsDelay",
    "version",
)


def only(whose: str, reason: str, *paths: str) -> dict[str, str]:
    """Keys that only one side has, all for one reason."""
    return {f"{path}: only {whose}": reason for path in paths}


def newer(prefix: str) -> dict[str, str]:
    """The market fields that came after the recordings."""
    return only("ours", NEWER, *(f"{prefix}.{name}" for name in NEW_FIELDS))


PM = "polymarket/"
UNCONFIRMED = "polymarket/not_confirmed_recorded/nautilus_"
WHOLE_MARKET = newer("") | only("ours", CUT, ".events")
ROUTES = [
    Route(PM + "clob_market_asset_id_timestamp.json", lambda: rest_book_json(up_book(None)), {}),
    Route(PM + "hugompt_clob_book.json", lambda: rest_book_json(up_book(None)), {}),
    Route(
        PM + "hugompt_clob_prices_history.json", lambda: ask("/prices-history", market=UP)[1], {}
    ),
    Route(PM + "clob_market_btc15m_resolved.json", resolved_market, {}),
    Route(
        PM + "hugompt_gamma_event_crypto_updown.json",
        lambda: gamma("/events", AT_NS, QUIET, slug=WINDOW.slug),
        newer("[].markets[]"),
    ),
    Route(PM + "hugompt_gamma_market_updown.json", lambda: open_market(QUIET), WHOLE_MARKET),
    Route(
        PM + "gamma_market_btc5m_resolved_up.json",
        lambda: closed_market(BUSY),
        WHOLE_MARKET | only("recorded", SLOW, ".oneHourPriceChange"),
    ),
    Route(
        PM + "gamma_market_btc5m_resolved_down.json",
        lambda: closed_market(ONE_SIDED),
        WHOLE_MARKET | only("recorded", SLOW, ".oneHourPriceChange"),
    ),
    Route(
        UNCONFIRMED + "gamma_market.json",
        lambda: open_market(BUSY),
        newer("")
        | only("ours", NEWER, ".comboStatus", ".feeSchedule")
        | only("recorded", SLOW, ".events[].series[].featured", ".events[].series[].restricted"),
    ),
    Route(PM + "clob_list_book.json", lambda: first_frame(None), {}),
    Route(PM + "ws_book_initial_dump.json", first_book, {}),
    Route(PM + "ws_book_update.json", lambda: text_of(messages.book_message(up_book())), {}),
    Route(PM + "clob_price_change.json", price_change, {}),
    Route(
        PM + "clob_new_market.json",
        lambda: text_of(messages.new_market(MarketRecord(WINDOW), AT_NS)),
        only("recorded", SPORT, ".game_start_time", ".line", ".sports_market_type")
        | {".group_item_title: empty text, recorded text": SPORT}
        | {".tags: one of the lists is empty": SPORT},
    ),
    Route("feeds/binance_btcusdt_trade.json", binance_print, {}),
    Route(
        UNCONFIRMED + "ws_market_best_bid_ask_msg.json",
        lambda: text_of(messages.best_bid_ask(up_book())),
        {},
    ),
    Route(
        UNCONFIRMED + "ws_market_last_trade_msg.json",
        printed,
        only("ours", NEWER, ".transaction_hash"),
    ),
    Route(
        UNCONFIRMED + "ws_tick_size_change.json",
        lambda: text_of(messages.tick_size_change(WINDOW, 100, 10, AT_NS)[0]),
        only("ours", NO_TYPE, ".event_type"),
    ),
    Route(
        UNCONFIRMED + "ws_market_resolved_msg.json",
        lambda: text_of(messages.market_resolved(WINDOW, 0, AT_NS)),
        only("ours", NEWER, ".event_message"),
    ),
    Route(
        UNCONFIRMED + "ws_user_order_placement.json",
        lambda: order(OrderChange.PLACEMENT, OrderStatus.LIVE),
        only("ours", NO_TYPE, ".event_type")
        | {".created_at: seconds text, recorded milliseconds text": OTHER}
        | {".expiration: decimal text, recorded null": OTHER}
        | {".id: 32 bytes, recorded text": DUMMY},
    ),
    Route(
        UNCONFIRMED + "ws_user_order_venue_cancel.json",
        lambda: order(OrderChange.CANCELLATION, OrderStatus.INVALID),
        only("ours", NO_TYPE, ".event_type")
        | {".created_at: seconds text, recorded milliseconds text": OTHER}
        | {".associate_trades: null, recorded list": "null elsewhere in the same set"}
        | {f".{name}: 32 bytes, recorded text": DUMMY for name in ("id", "market")},
    ),
    Route(
        UNCONFIRMED + "ws_user_trade.json",
        trade,
        only("ours", NO_TYPE, ".event_type")
        | only("ours", NEWER, ".transaction_hash", ".matchtime")
        | only("ours", NEWER, ".maker_orders[].outcome_index", ".maker_orders[].side")
        | only("recorded", OTHER, ".match_time")
        | {".bucket_index: decimal text, recorded number": OTHER}
        | {".last_update: seconds text, recorded ISO time, seconds": OTHER}
        | {".taker_order_id: 32 bytes, recorded text": DUMMY},
    ),
    Route(
        UNCONFIRMED + "clob_fee_rate_response_nonzero.json",
        lambda: ask("/fee-rate", token_id=UP)[1],
        {".base_fee: number, recorded decimal text": "a number in the venue's documents"},
    ),
]
