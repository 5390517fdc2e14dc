"""The same frames give the same decisions and actions in any process, whatever its hash seed."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from pathlib import Path

import msgspec

from polybawt.domain import events as ev
from polybawt.domain.ids import Outcome, Side
from polybawt.domain.intents import Intent
from polybawt.domain.units import S_NS
from polybawt.state import View
from tests.world import (
    ALPHA,
    BETA,
    M1,
    M2,
    M3,
    OPEN_NS,
    World,
    make_market,
    placed,
    quote,
    strategy,
)


def digest() -> str:
    """Digest of a run of two strategies in three markets, with answers and fills."""
    chance = random.Random(7)

    def decide(view: View) -> list[Intent]:
        touch = view.touch
        assert touch is not None
        market_id = view.market.market_id
        bid, ask = touch.bid_e4 - 100, 10_000 - touch.ask_e4 - 100
        legs = [
            world.leg(Side.BUY, outcome, limit_e4, market_id=market_id)
            for outcome, limit_e4 in ((Outcome.UP, bid), (Outcome.DOWN, ask))
        ]
        return [quote(*legs, name=view.strategy, market_id=market_id)]

    world = World(strategy(decide), strategy(decide, BETA))
    later = OPEN_NS + 900 * S_NS
    world.ready(make_market(M1), make_market(M2, asset="ETH"), make_market(M3, open_ns=later))
    result = hashlib.sha256()
    for _ in range(120):
        bid = 100 * chance.randrange(20, 70)
        books = world.books(chance.choice((M1, M2, M3)), bid, bid + 100 * chance.randrange(1, 9))
        steps = [world.send(*books, after_ms=chance.randrange(900))]
        for place in placed(steps[0]):
            steps.append(world.send(world.accepted(place.order_id)))
            if chance.random() < 0.5:
                steps.append(world.send(world.filled(place.order_id, place.leg.qty_e6)))
        for step in [*steps, world.send(ev.TimerFired())]:
            result.update(msgspec.json.encode((step.decisions, step.actions)))
    assert world.account.ledger.strategies(M1) == (ALPHA, BETA), "both have traded"
    return result.hexdigest()


def test_no_decision_depends_on_the_hash_seed() -> None:
    code = "from tests.unit.test_hash_order import digest; print(digest())"
    root = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join([root, str(Path(root) / "src"), *sys.path])
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": paths, "PYTHONHASHSEED": seed},
            cwd=root,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for seed in ("0", "1", "2")
    }
    assert found == {digest()}
