"""Golden frames of the market channel, made up in the shapes of the venue, and their events.

`market_channel.txt` has one line per frame: name, events, counts of what carries no event.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from polybawt.adapters.polymarket.codec import MarketDecoder
from tests.recordings import MARKET

HERE = Path(__file__).parent
GOLDEN = [line.split(" ", 1) for line in (HERE / "market_channel.txt").read_text().splitlines()]


@pytest.mark.parametrize(("name", "expected"), GOLDEN, ids=[name for name, _ in GOLDEN])
def test_frame(name: str, expected: str) -> None:
    decoder = MarketDecoder()
    decoder.list_market(MARKET)
    events = decoder.decode((HERE / "market_channel" / f"{name}.json").read_bytes())
    assert f"{msgspec.json.encode(events).decode()} {json.dumps(decoder.ignored)}" == expected


def test_every_frame_has_its_line() -> None:
    frames = sorted(path.stem for path in (HERE / "market_channel").glob("*.json"))
    assert frames == [name for name, _ in GOLDEN]
