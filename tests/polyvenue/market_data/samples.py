"""One market of every test: a BTC window of 15 minutes, its books, and keys that are valid."""

import json

from polyvenue.market_data.assets import ASSETS
from polyvenue.market_data.frames import Out, Send
from polyvenue.market_data.oracle import Oracle
from polyvenue.market_data.prices import PricePath
from polyvenue.market_data.records import BookView, MarketRecord
from polyvenue.market_data.text import NS
from polyvenue.market_data.windows import Window, make_window, series_of

SEED = 7
START_S = 1_795_366_800  # 2026-11-22 17:00:00 UTC, noon in New York
START_NS = START_S * NS
SERIES = series_of("btc", 900)
WINDOW: Window = make_window(SEED, SERIES, START_S)
RECORD = MarketRecord(WINDOW)
UP, DOWN = WINDOW.token_ids
KEYS = ("key-1", "secret-1", "phrase-1")


def oracle(asset: str = "btc", seed: int = SEED) -> Oracle:
    """A fresh oracle, nothing cached."""
    return Oracle(seed, PricePath(seed, ASSETS[asset]))


def up_book(last_e4: int | None = 5_000) -> BookView:
    """A small book of the Up token, levels in no order."""
    return BookView(
        condition_id=WINDOW.condition_id,
        token_id=UP,
        time_ns=START_NS + 123_000_000,
        bids=((5_000, 30_000_000), (4_900, 120_000_000)),
        asks=((5_100, 44_200_000), (5_300, 50_000_000)),
        last_e4=last_e4,
        last_side="BUY",
    )


def down_book() -> BookView:
    """The mirror of `up_book`."""
    return BookView(
        condition_id=WINDOW.condition_id,
        token_id=DOWN,
        time_ns=START_NS + 123_000_000,
        bids=((4_900, 44_200_000), (4_700, 50_000_000)),
        asks=((5_000, 30_000_000), (5_100, 120_000_000)),
    )


def sent(out: list[Out]) -> list[dict[str, object]]:
    """The objects of the frames sent; fails when a frame is none."""
    frames = [json.loads(item.text) for item in out if isinstance(item, Send)]
    assert all(isinstance(frame, dict) for frame in frames)
    return frames
