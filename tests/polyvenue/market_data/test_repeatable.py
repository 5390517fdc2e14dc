"""Two processes with other hash seeds give the same bytes."""

import os
import subprocess
import sys

PROGRAM = """
import hashlib
from polyvenue.market_data.assets import ASSETS
from polyvenue.market_data.binance import BinanceConnection
from polyvenue.market_data.binance_tape import BinanceTape
from polyvenue.market_data.gamma import GammaTable, answer
from polyvenue.market_data.oracle import Kind, Oracle, twap_rule
from polyvenue.market_data.prices import PricePath
from polyvenue.market_data.records import MarketRecord
from polyvenue.market_data.text import NS, dump
from polyvenue.market_data.windows import Phase, Schedule, series_of

START_NS = 1_795_366_800 * NS
found = hashlib.sha256()
table = GammaTable()
series = [series_of(asset, window_s) for asset in ("btc", "eth") for window_s in (60, 900)]
for one in Schedule(7, series, START_NS).advance(START_NS + 300 * NS):
    found.update(f"{one.at_ns} {one.phase} {one.window}".encode())
    if one.phase is Phase.LISTED:
        table.add(MarketRecord(one.window), one.at_ns)
for path in ("/events", "/markets"):
    params = {"tag_slug": ["btc", "bitcoin", "ethereum"], "limit": ["500"]}
    found.update(dump(answer(path, params, table, START_NS + 300 * NS)).encode())
tapes = {code: BinanceTape(7, PricePath(7, ASSETS[code])) for code in ("btc", "eth")}
streams = tuple(name for tape in tapes.values() for name in tape.streams)
socket = BinanceConnection(tapes, streams, START_NS, combined=True)
for out in socket.publish(START_NS + 10 * NS):
    found.update(str(out).encode())
oracle = Oracle(7, PricePath(7, ASSETS["sol"]))
for point in oracle.published(Kind.TWAP, START_NS, START_NS + 60 * NS, twap_rule(60)):
    found.update(str(point).encode())
print(found.hexdigest())
"""


def digest(hash_seed: str) -> str:
    environment = os.environ | {
        "PYTHONHASHSEED": hash_seed,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


def test_two_processes_agree() -> None:
    first = digest("1")
    assert len(first) == 64
    assert first == digest("2")
