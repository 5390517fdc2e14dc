"""The wire without an SDK: what is wrong gets the documented text and changes nothing."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import msgspec
import pytest

from polyvenue.clock import VenueClock
from polyvenue.exchange.state import EngineMode
from polyvenue.server.app import Addresses, VenueServer, serving
from polyvenue.server.config import VenueConfig
from polyvenue.server.gate import Call, Channel, Cut, Gate, Reply, Serve
from polyvenue.signing.accounts import Account, OrderSigner, sign_login
from polyvenue.signing.l2 import ApiKey, Request, sign_request
from polyvenue.signing.limits import LimitMode
from polyvenue.signing.orders import Side, write_post
from polyvenue.signing.wallets import WalletKind

Answer = tuple[int, Any, Any]


class Wire:
    """One account that signs by hand, and a session."""

    def __init__(self, server: VenueServer, at: Addresses, http: aiohttp.ClientSession) -> None:
        self.server, self.at, self.http = server, at, http
        self.venue = server.venue
        self.use(WalletKind.EOA)
        self.key: ApiKey | None = None
        self.salt = 0

    def use(self, kind: WalletKind) -> None:
        """Go on with a new account of this kind."""
        self.account: Account = self.venue.new_account(kind, 1_000_000_000)
        self.signer = OrderSigner(self.account)

    async def log_in(self) -> ApiKey:
        """Make an API key over the wire."""
        headers = sign_login(self.account, self.venue.clock.wall_ns() // 10**9)
        async with self.http.post(self.at.clob + "/auth/api-key", headers=headers) as reply:
            made = await reply.json()
        self.key = self.venue.keys.find(made["apiKey"])
        assert self.key is not None
        return self.key

    @property
    def token_id(self) -> str:
        """The Up token of a market that takes orders."""
        now_ns = self.venue.catch_up()
        return next(
            record.window.token_ids[0]
            for record in self.venue.markets.markets()
            if record.is_accepting(now_ns) and record.window.start_ns > now_ns
        )

    def order(self, *, maker_e6: int = 4_000_000, taker_e6: int = 10_000_000) -> bytes:
        """The body of a signed BUY."""
        assert self.key is not None
        self.salt += 1
        signed = self.signer.sign(
            token_id=int(self.token_id),
            side=Side.BUY,
            maker_amount_e6=maker_e6,
            taker_amount_e6=taker_e6,
            salt=self.salt,
            timestamp_ms=1,
        )
        return write_post(signed, owner=self.key.key)

    async def send(
        self, method: str, path: str, body: bytes = b"", *, headers: dict[str, str] | None = None
    ) -> Answer:
        """A private call, signed unless headers are given: status, JSON, headers."""
        if headers is None:
            headers = self.signed(method, path, body)
        url = self.at.clob + path
        async with self.http.request(method, url, data=body, headers=headers) as reply:
            text = await reply.text()
            return reply.status, json.loads(text) if text else None, reply.headers

    def signed(self, method: str, path: str, body: bytes = b"") -> dict[str, str]:
        """The headers of a private call."""
        assert self.key is not None
        request = Request(method=method, path=path.partition("?")[0], body=body)
        return sign_request(self.key, self.venue.clock.wall_ns() // 10**9, request)

    def state(self) -> bytes:
        """Everything that a refused request must not change."""
        truth = self.venue.exchange.truth()
        return msgspec.json.encode((truth.orders, truth.fills, truth.balances, truth.jobs))


def on_wire(scenario: Callable[[Wire], Coroutine[Any, Any, None]], **changes: Any) -> None:
    """Run a scenario against a venue whose clock stands still."""

    async def run() -> None:
        given: dict[str, Any] = {"assets": ("btc",), "speed": 0.0} | changes
        config = VenueConfig(**given)
        async with serving(config) as (server, at), aiohttp.ClientSession() as http:
            wire = Wire(server, at, http)
            await wire.log_in()
            await scenario(wire)

    asyncio.run(run())


def test_an_order_is_accepted_once() -> None:
    async def scenario(wire: Wire) -> None:
        body = wire.order()
        status, reply, headers = await wire.send("POST", "/order", body)
        assert (status, reply["status"], reply["makingAmount"]) == (200, "live", "")
        assert headers["Poly-RateLimit-Tier"] == "standard"
        assert int(headers["Poly-RateLimit-Remaining"]) == 59
        status, reply, _ = await wire.send("POST", "/order", body)
        assert status == 400
        assert reply["error"].endswith("is invalid. Duplicated.")

    on_wire(scenario)


@pytest.mark.parametrize("kind", list(WalletKind))
def test_orders_of_every_wallet_type_are_verified(kind: WalletKind) -> None:
    async def scenario(wire: Wire) -> None:
        wire.use(kind)
        await wire.log_in()
        status, reply, _ = await wire.send("POST", "/order", wire.order())
        assert (status, reply["status"]) == (200, "live")
        (order,) = wire.venue.exchange.truth().orders
        assert order.maker == wire.account.wallet

    on_wire(scenario)


def test_a_deleted_key_is_worth_nothing() -> None:
    async def scenario(wire: Wire) -> None:
        await wire.send("POST", "/order", wire.order())
        assert (await wire.send("DELETE", "/auth/api-key"))[:2] == (200, "OK")
        before = wire.state()
        for method, path in (
            ("POST", "/order"),
            ("DELETE", "/cancel-all"),
            ("GET", "/data/orders"),
        ):
            body = wire.order() if method == "POST" else b""
            assert (await wire.send(method, path, body))[0] == 401
        assert wire.state() == before

    on_wire(scenario)


def test_one_wrong_byte_anywhere_is_refused_and_changes_nothing() -> None:
    async def scenario(wire: Wire) -> None:
        body = wire.order()
        before = wire.state()
        good = wire.signed("POST", "/order", body)
        raw = json.loads(body)
        assert wire.key is not None
        late = sign_request(
            wire.key,
            wire.venue.clock.wall_ns() // 10**9 - 3_600,
            Request(method="POST", path="/order", body=body),
        )
        cases: list[tuple[str, bytes, dict[str, str], int]] = [
            (
                "POLY_SIGNATURE",
                body,
                good | {"POLY_SIGNATURE": flipped(good["POLY_SIGNATURE"])},
                401,
            ),
            (
                "timestamp",
                body,
                good | {"POLY_TIMESTAMP": str(int(good["POLY_TIMESTAMP"]) - 1)},
                401,
            ),
            ("late", body, late, 401),
            ("passphrase", body, good | {"POLY_PASSPHRASE": "0" * 64}, 401),
            ("path with prefix", body, wire.signed("POST", "/clob/order", body), 401),
            ("body", body.replace(b'"BUY"', b'"SEL"'), good, 401),
            ("none", body, {}, 401),
        ]
        for field, value in (
            ("signature", flipped(raw["order"]["signature"], 20)),
            ("tokenId", str(int(raw["order"]["tokenId"]) + 1)),
            ("makerAmount", "4100000"),
            ("salt", 77),
            ("timestamp", "2"),
        ):
            changed = json.dumps(raw | {"order": raw["order"] | {field: value}}).encode()
            cases.append((field, changed, wire.signed("POST", "/order", changed), 400))
        for name, sent, headers, expected in cases:
            status, reply, _ = await wire.send("POST", "/order", sent, headers=headers)
            assert (name, status) == (name, expected)
            text = "Unauthorized/Invalid api key" if expected == 401 else "invalid signature"
            assert (name, reply) == (name, {"error": text})
            assert wire.state() == before

    on_wire(scenario)


def flipped(text: str, at: int = 0) -> str:
    """The text with another digit at one place."""
    return text[:at] + ("1" if text[at] == "0" else "0") + text[at + 1 :]


MALFORMED: list[tuple[str, str, bytes]] = [
    ("POST", "/order", b""),
    ("POST", "/order", b"[]"),
    ("POST", "/order", b"{"),
    ("POST", "/order", b"\xff\xfe"),
    ("POST", "/order", b"[" * 20_000),
    ("POST", "/order", b'{"order":null,"owner":1,"orderType":"GTC"}'),
    ("POST", "/order", b'{"order":{},"owner":"x","orderType":"IOC"}'),
    ("POST", "/orders", b"{}"),
    ("POST", "/orders", b"[]"),
    ("POST", "/orders", b"[1,2]"),
    ("DELETE", "/order", b'{"orderID":7}'),
    ("DELETE", "/order", b'{"orderID":"0x12"}'),
    ("DELETE", "/orders", b'{"a":1}'),
    ("DELETE", "/orders", b'["x"]'),
    ("DELETE", "/cancel-market-orders", b"{}"),
    ("DELETE", "/cancel-market-orders", b'{"market":1}'),
    ("POST", "/v1/heartbeats", b'{"heartbeat_id":7}'),
    ("POST", "/v1/heartbeats", b"nope"),
    ("POST", "/orders-scoring", b'"x"'),
    ("GET", "/balance-allowance?asset_type=NOPE", b""),
    ("GET", "/balance-allowance?asset_type=CONDITIONAL&token_id=%00", b""),
    ("GET", "/data/orders?next_cursor=%ff", b""),
    ("GET", "/data/orders?next_cursor=LTk5", b""),
    ("GET", "/data/trades?after=x", b""),
    ("GET", "/data/order/nope", b""),
    ("GET", "/rebates/current?maker_address=x", b""),
    ("GET", "/rebates/current?date=99999-01-01", b""),
    ("GET", "/nowhere", b""),
    ("PATCH", "/order", b""),
]


def test_malformed_requests_get_an_error_and_change_nothing() -> None:
    async def scenario(wire: Wire) -> None:
        before = wire.state()
        for method, path, body in MALFORMED:
            status, reply, _ = await wire.send(method, path, body)
            if (method, path) != ("POST", "/orders") or body != b"[1,2]":
                assert 400 <= status < 500, (method, path, body, reply)
                assert "error" in reply
            else:
                assert [it["orderID"] for it in reply] == ["", ""]
            assert wire.state() == before

    on_wire(scenario)


def test_no_random_request_makes_an_error_of_the_server() -> None:
    async def scenario(wire: Wire) -> None:
        rng = Random(5)
        before = wire.state()
        body = wire.order()
        paths = sorted({path.partition("?")[0] for _, path, _ in MALFORMED})
        roots = {"clob": paths, "gamma": ["/events", "/markets/keyset", "/markets/slug/x"]}
        roots |= {"data": ["/v2/positions", "/v2/activity"], "relayer": ["/submit", "/deployed"]}
        roots |= {"rpc": [""], "geoblock": [""], "nothing": ["/"]}
        values = ["", "-1", "%00", "x" * 300, "9" * 30, "true", "%F0%9F%92%A9", wire.token_id]
        names = ["limit", "offset", "user", "address", "token_id", "next_cursor", "closed", "id"]
        scraps = [
            b"null",
            b"{}",
            b'{"type":"WALLET"}',
            b'{"id":1,"method":"eth_call","params":[{}]}',
        ]
        scraps += [
            b'{"method":"eth_sendRawTransaction","params":["0xf8ff"],"id":[]}',
            b'[{"a":[]}]',
        ]
        for _ in range(400):
            service = rng.choice(sorted(roots))
            path = rng.choice(roots[service])
            query = (
                f"{rng.choice(names)}={rng.choice(values)}&{rng.choice(names)}={rng.choice(values)}"
            )
            sent = bytearray(rng.choice([body, *scraps]))
            if rng.random() < 0.7:
                sent[rng.randrange(len(sent))] = rng.randrange(256)
            method = rng.choice(["GET", "POST", "DELETE", "PUT"])
            headers = wire.signed(method, path, bytes(sent)) | {"RELAYER_API_KEY": "k"}
            url = f"{wire.at.clob.removesuffix('/clob')}/{service}{path}?{query}"
            async with wire.http.request(method, url, data=bytes(sent), headers=headers) as reply:
                assert reply.status < 500, (method, url, bytes(sent))
        known = {order.order_id for order in wire.venue.exchange.truth().orders}
        assert len(known) <= 1  # the body may have been sent unchanged
        assert known or wire.state() == before
        assert wire.venue.exchange.problems() == []

    on_wire(scenario)


def test_modes_of_the_engine_answer_as_documented() -> None:
    async def scenario(wire: Wire) -> None:
        exchange = wire.venue.exchange
        exchange.restart(exchange.now_ns)
        status, reply, headers = await wire.send("POST", "/order", wire.order())
        assert (status, headers["Retry-After"]) == (425, "1")
        wire.venue.clock.step(91 * 10**9)
        status, reply, headers = await wire.send("POST", "/order", wire.order())
        assert (status, reply["code"]) == (503, "post_only_mode")
        assert reply["retry_after_seconds"] == int(headers["Retry-After"]) == 119
        batch = b"[" + wire.order() + b"]"
        status, reply, _ = await wire.send("POST", "/orders", batch)
        assert (status, reply[0]["success"], reply[0]["orderID"]) == (200, True, "")
        assert reply[0]["errorMsg"].startswith("post-only mode")
        exchange.set_mode(exchange.now_ns, EngineMode.CANCEL_ONLY)
        status, reply, _ = await wire.send("POST", "/order", wire.order())
        assert (status, reply["error"][:33]) == (503, "Trading is currently cancel-only.")
        assert (await wire.send("DELETE", "/cancel-all"))[0] == 200

    on_wire(scenario)


def test_an_enforced_limit_answers_429_and_takes_no_order() -> None:
    async def scenario(wire: Wire) -> None:
        statuses = [(await wire.send("POST", "/order", wire.order()))[0] for _ in range(80)]
        assert statuses.count(429) > 0
        assert len(wire.venue.exchange.truth().orders) == statuses.count(200)

    on_wire(scenario, limit_mode=LimitMode.ENFORCE)


def test_a_held_order_may_be_answered_at_its_release() -> None:
    async def scenario(wire: Wire) -> None:
        now_ns = wire.venue.catch_up()
        market_id = wire.venue.markets.market_of(wire.token_id)
        assert market_id is not None
        down = market_id.window.token_ids[1]
        first = (wire.account, wire.signer, wire.key)
        wire.use(WalletKind.EOA)
        await wire.log_in()
        signed = wire.signer.sign(
            token_id=int(down),
            side=Side.BUY,
            maker_amount_e6=6_000_000,
            taker_amount_e6=10_000_000,
            salt=1,
            timestamp_ms=1,
        )
        assert wire.key is not None
        await wire.send("POST", "/order", write_post(signed, owner=wire.key.key))
        wire.account, wire.signer, wire.key = first
        task = asyncio.create_task(wire.send("POST", "/order", wire.order()))
        await asyncio.sleep(0.1)
        assert not task.done()
        wire.venue.clock.step(150_000_000)
        wire.server.wake()
        status, reply, _ = await task
        assert (status, reply["status"], reply["takingAmount"]) == (200, "matched", "10")
        assert wire.venue.exchange.now_ns >= now_ns + 150_000_000

    on_wire(scenario, reply_waits_for_hold=True)


@pytest.mark.parametrize("stream", ["ws_market", "ws_user"])
def test_a_ping_before_the_subscription_closes_1008(stream: str) -> None:
    async def scenario(wire: Wire) -> None:
        async with wire.http.ws_connect(getattr(wire.at, stream)) as socket:
            await socket.send_str("PING")
            message = await socket.receive(timeout=5)
            assert message.type is aiohttp.WSMsgType.CLOSE
            assert (message.data, message.extra) == (1008, "invalid subscription payload")

    on_wire(scenario)


def test_market_stream_starts_with_an_array_of_books_and_answers_ping() -> None:
    async def scenario(wire: Wire) -> None:
        await wire.send("POST", "/order", wire.order())
        async with wire.http.ws_connect(wire.at.ws_market) as socket:
            await socket.send_json({"type": "market", "assets_ids": [wire.token_id]})
            (book,) = await socket.receive_json(timeout=5)
            assert book["event_type"] == "book"
            assert book["bids"] == [{"price": "0.4", "size": "10"}]
            status, shown, _ = await wire.send("GET", f"/book?token_id={wire.token_id}")
            assert (status, shown["hash"]) == (200, book["hash"])
            await socket.send_str("PING")
            assert await socket.receive_str(timeout=5) == "PONG"
            await wire.send("DELETE", "/cancel-all")
            change = await socket.receive_json(timeout=5)
            assert change["event_type"] == "price_change"
            assert {it["size"] for it in change["price_changes"]} == {"0"}
            assert len(change["price_changes"]) == 2  # both outcomes in one message

    on_wire(scenario)


@pytest.mark.parametrize("path", ["/ws/btcusdt@trade", "/stream?streams=btcusdt@trade"])
def test_binance_streams_prints_on_both_kinds_of_path(path: str) -> None:
    async def scenario(wire: Wire) -> None:
        async with wire.http.ws_connect(wire.at.binance + path) as socket:
            wire.venue.clock.step(10**9)
            wire.server.wake()
            event = await socket.receive_json(timeout=5)
            event = event["data"] if path.startswith("/stream") else event
            assert (event["e"], event["s"]) == ("trade", "BTCUSDT")

    on_wire(scenario)


def test_polybolt_refuses_a_wrong_key_and_closes_4001() -> None:
    async def scenario(wire: Wire) -> None:
        async with wire.http.ws_connect(wire.at.polybolt) as socket:
            auth = {"apiKey": "x", "secret": "y", "passphrase": "z"}
            await socket.send_json({"op": "auth", "rid": "1", "auth": auth})
            assert (await socket.receive_json(timeout=5))["code"] == "auth_invalid"
            assert (await socket.receive(timeout=5)).data == 4001

    on_wire(scenario)


def test_a_client_that_does_not_read_is_closed_and_the_venue_goes_on() -> None:
    async def scenario(wire: Wire) -> None:
        async with wire.http.ws_connect(wire.at.ws_market) as socket:
            await socket.send_json({"type": "market", "assets_ids": [wire.token_id]})
            await socket.receive_json(timeout=5)
            (client,) = wire.server.clients
            for number in range(10):  # in one go, so that the writer cannot keep up
                client.push(f'"{number}"')
            message = await socket.receive(timeout=5)
            assert message.type is aiohttp.WSMsgType.CLOSE
            assert (message.data, message.extra) == (1008, "slow consumer")
        assert (await wire.send("GET", "/time"))[0] == 200

    on_wire(scenario, queue_max=4)


def test_a_client_that_never_reads_is_cut_in_the_end() -> None:
    async def scenario(wire: Wire) -> None:
        port = int(wire.at.clob.rpartition(":")[2].partition("/")[0])
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_024)
        writer.write(
            b"GET /ws/market HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        assert (await reader.readline()).startswith(b"HTTP/1.1 101")
        (client,) = wire.server.clients
        async with asyncio.timeout(10):
            while wire.server.clients:
                client.push('"' + "x" * 100_000 + '"')
                await asyncio.sleep(0.001)
        writer.close()
        assert (await wire.send("GET", "/time"))[0] == 200

    on_wire(scenario, queue_max=64)


class Faulty(Gate):
    """Cuts one request, doubles another, cuts a body short, drops the frames out."""

    async def http(self, call: Call, serve: Serve) -> Reply | Cut:
        """By the path."""
        if call.path == "/ok":
            return Cut()
        if call.path == "/version":
            return msgspec.structs.replace(await serve(call), sent_bytes=5)
        if call.path == "/order":
            await serve(call)
        return await serve(call)

    def frame_out(self, channel: Channel, text: str) -> tuple[str, ...]:
        """Twice, or a PONG not at all."""
        return () if text == "PONG" else (text, text)


def test_everything_passes_the_gate() -> None:
    async def scenario(wire: Wire) -> None:
        wire.server.gate = Faulty()
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await wire.send("GET", "/ok")
        with pytest.raises(aiohttp.ClientPayloadError):
            await wire.send("GET", "/version")
        status, reply, _ = await wire.send("POST", "/order", wire.order())
        assert (status, reply["error"][-11:]) == (400, "Duplicated.")
        async with wire.http.ws_connect(wire.at.ws_market) as socket:
            await socket.send_json({"type": "market", "assets_ids": [wire.token_id]})
            assert await socket.receive_json(timeout=5) == await socket.receive_json(timeout=5)
            await socket.send_str("PING")
            with pytest.raises(TimeoutError):
                await socket.receive(timeout=0.2)

    on_wire(scenario)


async def trace() -> bytes:
    """What is true after a few orders, steps and a cancel."""
    clock = VenueClock(0.0, start_ns=1_800_000_000 * 10**9)
    config = VenueConfig(assets=("btc",), speed=0.0)
    async with serving(config, clock=clock) as (server, at), aiohttp.ClientSession() as http:
        wire = Wire(server, at, http)
        await wire.log_in()
        for _ in range(3):
            await wire.send("POST", "/order", wire.order())
            clock.step(7 * 10**9)
        await wire.send("DELETE", "/cancel-all")
        return msgspec.json.encode(server.venue.exchange.truth())


def test_same_seed_and_same_requests_give_the_same_trace_in_two_processes(repo_dir: Path) -> None:
    program = (
        "import asyncio, sys; from tests.polyvenue.server.test_wire import trace; "
        "sys.stdout.buffer.write(asyncio.run(trace()))"
    )
    traces = [
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=repo_dir,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": f"{repo_dir / 'src'}:."},
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert traces[0] == traces[1]
    assert traces[0].count(b'"CANCELED"') == 3
