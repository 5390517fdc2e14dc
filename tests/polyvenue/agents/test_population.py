"""A population gives the same market again: in one process, in two, and whoever drives it."""

import os
import subprocess
import sys
import time

from polyvenue.agents import CALM, GHOSTED
from polyvenue.agents.simulated import Stage, make_scene
from polyvenue.exchange.orders import OrderRequest, OrderType, Placed, Side
from polyvenue.exchange.units import E6, S_NS

START_S = 1_795_366_800
PROGRAM = """
import hashlib
from polyvenue.agents import GHOSTED
from polyvenue.agents.simulated import Stage, make_scene

found = hashlib.sha256()
stage = Stage(GHOSTED, 11, make_scene(11, "btc", 60, 1_795_366_800), before_s=10)
while stage.step():
    for event in stage.exchange.take_events():
        found.update(repr(event).encode())
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


def orders_of(seed: int) -> list[tuple[int, int, int]]:
    stage = Stage(CALM, seed, make_scene(3, "btc", 60, START_S), before_s=5)
    while stage.step():
        stage.exchange.take_events()
    return [(it.created_ns, it.price_e4, it.qty_e6) for it in stage.exchange.truth().orders]


def test_another_seed_is_another_market() -> None:
    assert orders_of(1) == orders_of(1)
    assert orders_of(1) != orders_of(2)


def test_a_late_driver_goes_on_without_going_back() -> None:
    """Called every 700 ms only, everybody who is due acts, in order, and the laws hold."""
    scene = make_scene(3, "btc", 60, START_S)
    stage = Stage(GHOSTED, 3, scene, before_s=0)
    stage.exchange.open_market(scene.start_ns, scene.market_id)
    for tick in range(60):
        now_ns = scene.start_ns + tick * 700_000_000
        stage.exchange.advance(now_ns)
        stage.population.act(stage.exchange, now_ns)
        due_ns = stage.population.next_ns()
        assert due_ns is not None
        assert due_ns > now_ns
    assert stage.exchange.problems() == []
    assert stage.exchange.truth().fills


def test_a_client_trades_with_the_agents() -> None:
    scene = make_scene(3, "btc", 60, START_S)
    stage = Stage(CALM, 3, scene, before_s=5)
    exchange = stage.exchange
    while exchange.now_ns < scene.start_ns + 5 * S_NS:
        stage.step()
    exchange.create_account(exchange.now_ns, "client", collateral_e6=1_000 * E6)
    exchange.add_api_key(exchange.now_ns, "client", "key")
    request = OrderRequest(
        order_id="0x" + "7" * 64,
        owner="key",
        maker="client",
        token_id=scene.token_ids[0],
        side=Side.BUY,
        maker_amount_e6=99 * E6 // 10,
        taker_amount_e6=10 * E6,
        order_type=OrderType.GTC,
    )
    assert isinstance(exchange.place(exchange.now_ns, request, "key"), Placed)
    while stage.step():
        pass
    view = exchange.order(request.order_id)
    assert view is not None
    assert view.matched_e6 == 10 * E6


def test_memory_of_a_forgotten_market_is_free() -> None:
    """After `forget_market` only the lane's wallets are left, with all their money."""
    stage = Stage(CALM, 5, make_scene(5, "btc", 60, START_S), before_s=5)
    while stage.step():
        stage.exchange.take_events()
    exchange, scene = stage.exchange, stage.scene
    at_ns = scene.end_ns + 200 * S_NS
    exchange.resolve_market(at_ns, scene.market_id, (1_000_000, 0))
    exchange.remove_book(at_ns, scene.market_id)
    exchange.forget_market(at_ns, scene.market_id)
    assert not exchange.truth().orders
    assert not exchange.core.ledger.owners
    assert exchange.core.ledger.collateral_e6() == exchange.core.ledger.deposited_e6


def test_a_quarter_of_an_hour_takes_seconds() -> None:
    """Measured: 0.9 s; the bound is for a busy machine."""
    stage = Stage(CALM, 1, make_scene(1, "btc", 900, START_S), before_s=0)
    began = time.perf_counter()
    while stage.step():
        stage.exchange.take_events()
    assert time.perf_counter() - began < 20
    assert len(stage.exchange.truth().orders) > 1_000
