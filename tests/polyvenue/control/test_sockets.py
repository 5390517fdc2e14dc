"""Every fault of the transport over real sockets: a naive client believes something untrue."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from tests.polyvenue.control.stage import FREE, PATIENCE_S, Stage, play

POST = {"service": "clob", "method": "POST", "path": "/order"}

# What happens to the first post. The naive client sends a second order and believes in that alone.
WRONG: dict[str, dict[str, Any]] = {
    "late before": {"when": "before", "action": "delay", "seconds": 0.4},
    "late after": {"action": "delay", "seconds": 0.4},
    "dropped after": {"action": "drop", "seconds": 0.4},
    "reset after": {"action": "reset"},
    "status after": {"action": "status", "status": 502},
    "not JSON": {"action": "body", "body": "<html>"},
    "no id": {"action": "body", "put": {"orderID": ""}},
    "cut short": {"action": "truncate", "bytes": 20},
    "broken gzip": {"action": "body", "body": "x", "headers": {"Content-Encoding": "gzip"}},
    # the second arrival is refused as Duplicated, so the client believes that nothing rests
    "duplicated": {"action": "duplicate"},
}


@pytest.mark.parametrize("name", WRONG)
def test_a_client_that_sends_again_has_two_orders(name: str) -> None:
    fault = WRONG[name]

    async def scenario(stage: Stage) -> None:
        market = await stage.ask("POST", "/markets", FREE)
        trader = await stage.trader()
        await stage.order(kind="http", match=POST, nth=1, **fault)
        assert await trader.buy(market["token_up"], 40) is not None
        await asyncio.sleep(max(0.0, 0.45 - PATIENCE_S) if "seconds" in fault else 0)
        assert len(await stage.orders()) == 2, "the client believes in one"
        (shown,) = (await stage.ask("GET", "/faults"))["faults"]
        assert (shown["hits"], shown["active"]) == (1, False)
        assert sum(row["served"] > 0 for row in await stage.posts()) == 2

    play(scenario)


@pytest.mark.parametrize(
    "fault",
    [
        {"action": "reset"},
        {"action": "drop", "seconds": 0.4},
        {"action": "status", "status": 425, "headers": {"Retry-After": "1"}},
        {"action": "body", "body": '{"success":true,"orderID":"0x01","status":"live"}'},
    ],
    ids=lambda it: str(it["action"]),
)
def test_before_the_venue_a_client_believes_in_orders_that_are_not(fault: Any) -> None:
    async def scenario(stage: Stage) -> None:
        market = await stage.ask("POST", "/markets", FREE)
        trader = await stage.trader()
        await stage.order(kind="http", match=POST, when="before", **fault)
        # Sent once, the naive client writes down what its budget is spent on: "sent, so it rests".
        found = await trader.buy(market["token_up"], 40, tries=1)
        assert found == ("0x01" if fault["action"] == "body" else None)
        assert await stage.orders() == []
        (row,) = await stage.posts()
        assert row["served"] == 0

    play(scenario)


def test_a_lost_request_is_known_while_it_waits_and_when_it_is_cut() -> None:
    async def scenario(stage: Stage) -> None:
        market = await stage.ask("POST", "/markets", FREE)
        trader = await stage.trader()
        await stage.order(kind="http", match=POST, when="before", action="drop", seconds=0.4)
        waiting = asyncio.create_task(trader.buy(market["token_up"], 40, tries=1))
        await asyncio.sleep(0.1)
        (row,) = await stage.posts()
        assert (row["status"], row["served"]) == (None, 0)
        assert await waiting is None
        await asyncio.sleep(0.4)
        (row,) = await stage.posts()
        assert row["status"] == 0
        assert len(row["body_sha256"]) == 64

    play(scenario)


# Sockets


async def subscribed(stage: Stage, token: str) -> aiohttp.ClientWebSocketResponse:
    socket = await stage.session.ws_connect(stage.at.ws_market)
    await socket.send_str(json.dumps({"type": "market", "assets_ids": [token]}))
    return socket


async def frames(socket: aiohttp.ClientWebSocketResponse, wait_s: float = 0.15) -> list[Any]:
    """What comes until it is silent for a while."""
    found: list[Any] = []
    while True:
        try:
            message = await socket.receive(wait_s)
        except TimeoutError:
            return found
        if message.type is not aiohttp.WSMsgType.TEXT:
            return [*found, message.type]
        found.append(message.data)


def best_bid(found: list[Any], token: str) -> str | None:
    """The naive client's best bid: the last that any frame told."""
    best = None
    for text in found:
        value = json.loads(text) if text != "PONG" else []
        for row in value if isinstance(value, list) else [value]:
            if row.get("event_type") == "book" and row["bids"]:
                best = row["bids"][-1]["price"]
            for change in row.get("price_changes", []):
                if change["asset_id"] == token:
                    best = change["best_bid"]
    return best


@pytest.mark.parametrize(
    ("fault", "believed"),
    [
        ({"action": "freeze_data"}, "0.4"),
        ({"action": "drop", "nth": 1, "contains": "price_change"}, "0.4"),
        ({"action": "delay", "seconds": 1.0}, "0.4"),
        ({"action": "reorder", "seconds": 5}, "0.4"),
        ({"action": "edit", "put": {"price_changes/0/best_bid": "0.99"}}, "0.99"),
        ({"action": "freeze_all"}, "0.4"),
    ],
    ids=lambda it: it["action"] if isinstance(it, dict) else it,
)
def test_a_client_that_trusts_an_open_socket_has_an_old_book(fault: Any, believed: str) -> None:
    async def scenario(stage: Stage) -> None:
        market = await stage.ask("POST", "/markets", FREE)
        trader, token = await stage.trader(), market["token_up"]
        assert await trader.buy(token, 40)
        socket = await subscribed(stage, token)
        found = await frames(socket)
        await stage.order(kind="ws", channel="market", **fault)
        assert await trader.buy(token, 45)
        await socket.send_str("PING")
        found += await frames(socket)
        assert best_bid(found, token) == believed
        assert ("PONG" in found) == (fault["action"] != "freeze_all")
        assert not socket.closed
        await socket.close()

    play(scenario)


@pytest.mark.parametrize(
    ("fault", "copies"),
    [
        ({"action": "dup", "copies": 3}, [4, 4, 4]),
        ({"action": "throttle", "rate": 0.5}, [1]),
        ({"action": "garbage", "text": "{"}, [0, 0, 0]),
    ],
    ids=lambda it: it["action"] if isinstance(it, dict) else "",
)
def test_a_client_that_counts_frames_counts_wrong(fault: Any, copies: list[int]) -> None:
    async def scenario(stage: Stage) -> None:
        market = await stage.ask("POST", "/markets", FREE)
        trader, token = await stage.trader(), market["token_up"]
        socket = await subscribed(stage, token)
        await frames(socket)
        await stage.order(kind="ws", channel="market", **fault)
        for cents in (40, 41, 42):
            assert await trader.buy(token, cents)
        found = await frames(socket)
        changes = [it for it in found if "price_change" in it]
        assert [changes.count(it) for it in dict.fromkeys(changes)] == [it for it in copies if it]
        assert len(found) == (3 if "text" in fault else sum(copies))
        await socket.close()

    play(scenario)


def test_a_step_of_the_clock_reaches_the_streams() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.ask("POST", "/clock", {"mode": "stepped"})
        market = await stage.ask("POST", "/markets", FREE | {"hold_ms": 1_000})
        trader, other = await stage.trader(), await stage.trader()
        assert await trader.buy(market["token_up"], 60)
        assert await other.buy(market["token_down"], 40)
        socket = await subscribed(stage, market["token_down"])
        assert not [it for it in await frames(socket) if '"event_type":"last_trade_price"' in it]
        await stage.ask("POST", "/clock", {"mode": "stepped", "advance_ms": 1_000})
        assert [it for it in await frames(socket) if '"event_type":"last_trade_price"' in it]
        await socket.close()

    play(scenario)


def test_a_subscription_without_a_snapshot_shows_an_empty_book() -> None:
    async def scenario(stage: Stage) -> None:
        market = await stage.ask("POST", "/markets", FREE)
        trader, token = await stage.trader(), market["token_up"]
        assert await trader.buy(token, 40)
        await stage.order(kind="ws", channel="market", action="no_snapshot", seconds=60)
        socket = await subscribed(stage, token)
        assert best_bid(await frames(socket), token) is None
        await stage.ask("DELETE", "/faults")
        again = await subscribed(stage, token)
        assert best_bid(await frames(again), token) == "0.4"
        await socket.close()
        await again.close()

    play(scenario)


@pytest.mark.parametrize(
    ("fault", "code"), [({"action": "close", "code": 4001}, 4001), ({"action": "reset"}, 1006)]
)
def test_a_client_that_does_not_reconnect_hears_nothing_more(fault: Any, code: int) -> None:
    async def scenario(stage: Stage) -> None:
        market = await stage.ask("POST", "/markets", FREE)
        socket = await subscribed(stage, market["token_up"])
        await frames(socket)
        await stage.order(kind="ws", channel="market", count=2, **fault)
        assert aiohttp.WSMsgType.TEXT not in [it for it in await frames(socket)]
        assert (socket.closed, socket.close_code) == (True, code)
        second = await subscribed(stage, market["token_up"])
        await frames(second)
        assert second.closed  # the storm goes on with new sockets, as often as was ordered
        third = await subscribed(stage, market["token_up"])
        assert best_bid(await frames(third), market["token_up"]) is None
        assert not third.closed
        await third.close()

    play(scenario)
