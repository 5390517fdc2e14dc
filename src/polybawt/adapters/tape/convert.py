"""Any frame source to a tape."""

from __future__ import annotations

from pathlib import Path

import msgspec

from polybawt import __version__
from polybawt.adapters.frames import MARKET
from polybawt.adapters.polymarket.encode import encode_market
from polybawt.adapters.tape.format import RecordingHeader
from polybawt.adapters.tape.writer import TapeWriter
from polybawt.domain.events import Batch, MarketListed
from polybawt.domain.ids import MarketId
from polybawt.domain.market import Market
from polybawt.ports import FrameSource

_encode_events = msgspec.json.Encoder().encode


def convert(source: FrameSource, path: Path, level: int = 19) -> int:
    """Write every frame of `source` to a tape at `path`; returns the number of frames.

    Replaying the tape gives the same batches. The same source gives the same bytes.
    """
    markets: dict[MarketId, Market] = {}
    header = RecordingHeader(created_by=f"polybawt {__version__}", info=source.info)
    with TapeWriter(path, header, level) as tape:
        for batch in source.batches():
            tape.write(batch.now_ns, batch.now_ns, batch.source, _payload(batch, markets))
        tape.seal(source.quality)
    return source.quality.frames


def _payload(batch: Batch, markets: dict[MarketId, Market]) -> bytes:
    if batch.source == MARKET:
        return encode_market(batch.events, markets)
    for event in batch.events:
        if isinstance(event, MarketListed):
            markets[event.market.market_id] = event.market
    return _encode_events(batch.events)
