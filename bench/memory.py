"""One process: memory over a long stream. `python -m bench.memory TAPE`.

A tape of our own format, rolling through 15-minute markets that are listed, traded by SpreadMaker
and resolved, is read and replayed. What is kept per frame, order or market shows as growth.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from time import process_time

from bench.product import INFO, build, event_of, market_of, snapshot
from bench.synthetic import START_NS, Walk
from bench.timing import peak_mb, report, resident_mb
from polybawt.adapters.frames import LIFECYCLE, MARKET, Meter
from polybawt.adapters.tape.convert import convert
from polybawt.adapters.tape.reader import Tape
from polybawt.domain.events import Batch, Evidence, MarketListed, MarketResolved
from polybawt.domain.units import PPM, S_NS
from polybawt.ports import DataQuality

WINDOW_NS = 900 * S_NS
SAMPLE_FRAMES = 50_000
WARM_FRAMES = 1_000_000
TAPE_LEVEL = 3


class RollingSource:
    """Markets one after the other on one walking book, for a number of frames."""

    info = INFO

    def __init__(self, frames: int) -> None:
        self._frames = frames
        self.quality = DataQuality()

    def batches(self) -> Iterator[Batch]:
        """The stream, ending with the resolution of its last market."""
        self.quality = DataQuality()
        meter = Meter(self.quality)
        walk = Walk(seed=3)
        number, close_ns = 0, 0
        for row in islice(walk.rows(), self._frames):
            if row.ts_ns >= close_ns:
                if number:
                    yield _resolved(meter, number, row.ts_ns)
                number += 1
                open_ns = close_ns or START_NS
                close_ns = open_ns + WINDOW_NS
                market = market_of(number, open_ns, close_ns)
                yield meter.batch(row.ts_ns, LIFECYCLE, (MarketListed(market=market),))
                opening = snapshot(walk.levels, market.market_id, row.ts_ns)
                yield meter.batch(row.ts_ns, MARKET, (opening,))
            yield meter.batch(row.ts_ns, MARKET, (event_of(row, market.market_id),))
        yield _resolved(meter, number, close_ns + S_NS)


def _resolved(meter: Meter, number: int, now_ns: int) -> Batch:
    """Up and Down win in turn."""
    payouts = (PPM, 0) if number % 2 else (0, PPM)
    market_id = market_of(number, 0, S_NS).market_id
    event = MarketResolved(market_id=market_id, payouts_ppm=payouts, evidence=Evidence.OFFICIAL)
    return meter.batch(now_ns, LIFECYCLE, (event,))


class Watched:
    """A source that notes the process's memory as its frames pass."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self.seen_mb: list[tuple[int, float]] = []

    @property
    def info(self) -> object:
        """What the tape is."""
        return self._tape.info

    @property
    def quality(self) -> DataQuality:
        """Counters of the tape."""
        return self._tape.quality

    def batches(self) -> Iterator[Batch]:
        """The frames of the tape."""
        for batch in self._tape.batches():
            if not batch.frame_seq % SAMPLE_FRAMES:
                self.seen_mb.append((batch.frame_seq, resident_mb()))
            yield batch


def write_tape(path: Path, frames: int) -> None:
    """The rolling stream as a tape file."""
    convert(RollingSource(frames), path, TAPE_LEVEL)


def main(path: Path) -> None:
    """Replay the tape; print memory after the warm-up and its highest afterwards."""
    source = Watched(Tape(path))
    backtest, observer = build(source, "spread_maker")
    start = process_time()
    backtest.run()
    took_s = process_time() - start
    summary = observer.summary(source.quality.frames, 0)
    warm_mb = next(
        mb for frame, mb in source.seen_mb if frame >= min(WARM_FRAMES, source.seen_mb[-1][0])
    )
    report(
        {
            "events": source.quality.frames,
            "run_s": took_s,
            "warm_mb": warm_mb,
            "highest_mb": max(mb for frame, mb in source.seen_mb if frame >= WARM_FRAMES),
            "peak_mb": peak_mb(),
            "tape_mb": path.stat().st_size / 2**20,
            "markets": summary.markets,
            "orders": summary.orders,
            "fills": summary.fills,
        }
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
