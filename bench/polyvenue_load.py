"""Load on a polyvenue in a process of its own: orders a second with their ack, frames a second.

    python -m bench.polyvenue_load [orders a second] [frames a second] [seconds]

The result is the last line, as JSON. Clients run in this process, the venue in another.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing as mp
import sys
import time
from multiprocessing.queues import Queue
from typing import Any

import aiohttp

from polyvenue.exchange.orders import OrderRequest
from polyvenue.exchange.orders import Side as BookSide
from polyvenue.server.app import serving
from polyvenue.server.config import VenueConfig
from polyvenue.server.venue import Venue
from polyvenue.signing.accounts import Account, OrderSigner, account_of, sign_login
from polyvenue.signing.l2 import ApiKey, Request, sign_request
from polyvenue.signing.limits import LimitMode
from polyvenue.signing.orders import Side, write_post
from polyvenue.signing.wallets import WalletKind

SUBSCRIBERS = 4
BATCH = 15
COLLATERAL_E6 = 10**14
SILENCE_S = 2.0
DEFAULTS = (800.0, 5_000.0, 4.0)


def serve(ready: Queue[Any], frames_per_s: float, seconds: float) -> None:
    """The venue's process: orders come over the wire; with a frame rate it makes them itself."""

    async def run() -> None:
        config = VenueConfig(assets=("btc",), limit_mode=LimitMode.OFF)
        async with serving(config) as (server, at):
            venue = server.venue
            account = venue.new_account(WalletKind.EOA, COLLATERAL_E6)
            now_ns = venue.catch_up()
            tokens = next(
                record.window.token_ids
                for record in venue.markets.markets()
                if record.window.series.window_s == 900 and record.window.start_ns > now_ns
            )
            venue.clock.step(10 * 10**9)  # it takes orders by then
            venue.catch_up()
            ready.put((at.clob, at.ws_market, account.private_key, tokens))
            if frames_per_s:
                await asyncio.sleep(1.5)
                await churn(venue, account, tokens[0], frames_per_s, seconds)
            await asyncio.sleep(4 * seconds + 10)

    asyncio.run(run())


async def churn(venue: Venue, account: Account, token: str, per_s: float, seconds: float) -> None:
    """Place and cancel at the exchange itself, one frame each, evenly."""
    venue.exchange.add_api_key(venue.catch_up(), account.wallet, "churn")
    started, sent, number = time.perf_counter(), 0, 0
    while (passed := time.perf_counter() - started) < seconds:
        while sent < passed * per_s:
            number += 1
            order = OrderRequest(
                order_id=f"0x{number:064x}",
                owner="churn",
                maker=account.wallet,
                token_id=token,
                side=BookSide.BUY,
                maker_amount_e6=(10 + number % 40) * 100_000,
                taker_amount_e6=10_000_000,
            )
            venue.exchange.place(venue.clock.now_ns(), order, "churn")
            venue.publish()
            if number > 40:
                old = f"0x{number - 40:064x}"
                venue.exchange.cancel(venue.clock.now_ns(), "churn", old)
                venue.publish()
                sent += 1
            sent += 1
        await asyncio.sleep(0.0005)


def percentiles(values: list[float]) -> dict[str, float]:
    """p50, p99 and the largest, in ms."""
    values.sort()
    at = {"p50_ms": 0.5, "p99_ms": 0.99, "max_ms": 1.0}
    return {name: round(values[int((len(values) - 1) * part)], 2) for name, part in at.items()}


class Orders:
    """Signed orders of one account, sent evenly over some connections."""

    def __init__(
        self, http: aiohttp.ClientSession, clob: str, account: Account, token: str
    ) -> None:
        self._http, self._clob, self._account, self._token = http, clob, account, token
        self._signer = OrderSigner(account)
        self._salt = 0
        self._key: ApiKey | None = None

    async def log_in(self) -> None:
        """Make the API key."""
        headers = sign_login(self._account, int(time.time()))
        async with self._http.post(self._clob + "/auth/api-key", headers=headers) as reply:
            made = await reply.json()
        words = {"key": made["apiKey"], "secret": made["secret"], "passphrase": made["passphrase"]}
        self._key = ApiKey(address=self._account.address, nonce=0, **words)

    def body(self, *, wrong: bool = False) -> bytes:
        """A resting BUY; a wrong one is signed over another amount."""
        assert self._key is not None
        self._salt += 1
        signed = self._signer.sign(
            token_id=int(self._token),
            side=Side.BUY,
            maker_amount_e6=(10 + self._salt % 30) * 100_000,
            taker_amount_e6=10_000_000,
            salt=self._salt,
            timestamp_ms=1,
        )
        made = write_post(signed, owner=self._key.key)
        return made.replace(b'"10000000"', b'"11000000"') if wrong else made

    async def load(self, path: str, bodies: list[bytes], per_s: float) -> dict[str, Any]:
        """Send them evenly; latency counts from when each was due."""
        assert self._key is not None
        now_s = int(time.time())
        sent = [
            (body, sign_request(self._key, now_s, Request(method="POST", path=path, body=body)))
            for body in bodies
        ]
        took: list[float] = []
        refused = 0

        async def one(body: bytes, headers: dict[str, str], due: float) -> None:
            nonlocal refused
            async with self._http.post(self._clob + path, data=body, headers=headers) as reply:
                await reply.read()
                refused += reply.status != 200
            took.append((time.perf_counter() - due) * 1e3)

        started = time.perf_counter()
        tasks = []
        for number, (body, headers) in enumerate(sent):
            due = started + number / per_s
            if (wait_s := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait_s)
            tasks.append(asyncio.create_task(one(body, headers, due)))
        await asyncio.gather(*tasks)
        rate = round(len(sent) / (time.perf_counter() - started))
        return {"requests_per_s": rate, "refused": refused} | percentiles(took)


async def orders(at: tuple[Any, ...], per_s: float, seconds: float) -> dict[str, Any]:
    """Single orders with one wrong signature in their middle, then batches of the same rate."""
    clob, _, private_key, tokens = at
    account = account_of(private_key, WalletKind.EOA)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64)) as http:
        sender = Orders(http, clob, account, tokens[0])
        await sender.log_in()
        count = int(per_s * seconds)
        singles = [sender.body(wrong=number == count // 2) for number in range(count)]
        single = await sender.load("/order", singles, per_s)
        batches = [
            b"[" + b",".join(sender.body() for _ in range(BATCH)) + b"]"
            for _ in range(count // BATCH)
        ]
        return {"single": single, "batch_15": await sender.load("/orders", batches, per_s / BATCH)}


async def subscribe(url: str, tokens: list[str]) -> list[float]:
    """Ages of frames in ms when they arrive; the venue's clock is this machine's plus 10 s."""
    ages: list[float] = []
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as socket:
        await socket.send_json({"type": "market", "assets_ids": tokens})
        await socket.receive()
        while True:
            try:
                message = await socket.receive(timeout=SILENCE_S)
            except TimeoutError:
                return ages
            at = message.data.index('"timestamp":"') + 13
            ages.append(time.time() * 1e3 - int(message.data[at : at + 13]) + 10_000)


async def frames(at: tuple[Any, ...], seconds: float) -> dict[str, Any]:
    """What each subscriber got, the slowest of them."""
    _, url, _, tokens = at
    got = await asyncio.gather(*(subscribe(url, list(tokens)) for _ in range(SUBSCRIBERS)))
    slowest = max((percentiles(ages) for ages in got), key=lambda it: it["p99_ms"])
    rate = round(min(map(len, got)) / seconds)
    return {"frames_per_s": rate, "subscribers": SUBSCRIBERS} | slowest


def run(frames_per_s: float, seconds: float, work: Any) -> dict[str, Any]:
    """One measurement against a fresh venue."""
    ready: Queue[Any] = mp.Queue()
    child = mp.Process(target=serve, args=(ready, frames_per_s, seconds))
    child.start()
    try:
        result: dict[str, Any] = asyncio.run(work(ready.get(timeout=30)))
        return result
    finally:
        child.terminate()
        child.join()


def main() -> None:
    """Both measurements."""
    given = [float(text) for text in sys.argv[1:]]
    orders_per_s, frames_per_s, seconds = [*given, *DEFAULTS[len(given) :]]
    result = {
        "orders": run(0.0, seconds, lambda at: orders(at, orders_per_s, seconds)),
        "frames": run(frames_per_s, seconds, lambda at: frames(at, seconds)),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
