"""A venue with its control API in the test's own loop, and a client that trusts what it sees."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from polyvenue.control.app import controlling
from polyvenue.faults.gate import FaultGate
from polyvenue.server.app import Addresses, VenueServer, serving
from polyvenue.server.config import VenueConfig
from polyvenue.signing.accounts import Account, OrderSigner, account_of, sign_login
from polyvenue.signing.l2 import ApiKey, Request, sign_request
from polyvenue.signing.orders import Side, write_post
from polyvenue.signing.wallets import WalletKind

TOKEN = "t" * 43
E6 = 1_000_000
PATIENCE_S = 0.25
FREE = {"asset": "btc", "window_s": 900, "hold_ms": 0, "fail_rate": 0.0}


class Stage:
    """The running venue: `ask` calls its control API."""

    def __init__(
        self,
        server: VenueServer,
        gate: FaultGate,
        at: Addresses,
        control: str,
        session: aiohttp.ClientSession,
    ) -> None:
        self.server, self.gate, self.at = server, gate, at
        self.control, self.session = control, session

    async def send(
        self, method: str, path: str, data: bytes | None = None, **headers: str
    ) -> tuple[int, Any]:
        """Status and JSON of a call of the control API, with the token unless given otherwise."""
        given = {"Authorization": f"Bearer {TOKEN}"} | {k.title(): v for k, v in headers.items()}
        url = self.control + path
        async with self.session.request(method, url, data=data, headers=given) as reply:
            return reply.status, json.loads(await reply.read())

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer to a call that must succeed."""
        data = None if body is None else json.dumps(body).encode()
        status, value = await self.send(method, path, data)
        assert status == 200, value
        return value

    async def order(self, **fault: Any) -> Any:
        """Order a fault."""
        return await self.ask("POST", "/faults", fault)

    async def orders(self) -> list[Any]:
        """The orders in the truth."""
        return list((await self.ask("GET", "/truth?parts=orders"))["orders"])

    async def posts(self) -> list[Any]:
        """The order posts in the truth."""
        rows = (await self.ask("GET", "/truth?parts=requests"))["requests"]
        return [row for row in rows if (row["method"], row["path"]) == ("POST", "/order")]

    async def trader(self, kind: str = "eoa") -> "Trader":
        """A client of a new account with 1,000 pUSD."""
        made = await self.ask("POST", "/accounts", {"type": kind, "collateral_e6": 1_000 * E6})
        trader = Trader(self, account_of(made["private_key"], WalletKind(kind)))
        await trader.login()
        return trader


@asynccontextmanager
async def staged(**changes: Any) -> AsyncIterator[Stage]:
    """A venue of one series, real clock, with its control API and a session for its clients."""
    given: dict[str, Any] = {"assets": ("btc",), "windows_s": (900,)} | changes
    async with (
        serving(VenueConfig(**given)) as (server, at),
        controlling(server, TOKEN) as (control, gate),
        aiohttp.ClientSession() as session,
    ):
        yield Stage(server, gate, at, control, session)
        assert server.venue.exchange.problems() == []


def play(scenario: Callable[[Stage], Awaitable[None]], **changes: Any) -> None:
    """Run a scenario on a stage of its own."""

    async def run() -> None:
        async with staged(**changes) as stage:
            await scenario(stage)

    asyncio.run(run())


class Trader:
    """A naive client: no answer means no order, an error means no order, so it sends again."""

    def __init__(self, stage: Stage, account: Account) -> None:
        self.stage, self.account = stage, account
        self.signer = OrderSigner(account)
        self.salts = itertools.count(1)
        self.key: ApiKey | None = None

    async def login(self) -> None:
        """Make API credentials."""
        now_s = self.stage.server.venue.clock.wall_ns() // 10**9
        headers = sign_login(self.account, now_s)
        url = self.stage.at.clob + "/auth/api-key"
        async with self.stage.session.post(url, headers=headers) as reply:
            made = await reply.json()
        self.key = ApiKey(
            address=self.account.address,
            nonce=0,
            key=made["apiKey"],
            secret=made["secret"],
            passphrase=made["passphrase"],
        )

    def body(self, token: str, cents: int, shares: int, side: Side = Side.BUY) -> bytes:
        """A freshly signed limit order."""
        cash, lot = cents * shares * 10_000, shares * E6
        signed = self.signer.sign(
            token_id=int(token),
            side=side,
            maker_amount_e6=cash if side is Side.BUY else lot,
            taker_amount_e6=lot if side is Side.BUY else cash,
            salt=next(self.salts),
            timestamp_ms=self.stage.server.venue.clock.wall_ns() // 10**6,
        )
        assert self.key is not None
        return write_post(signed, owner=self.key.key)

    async def post(self, body: bytes) -> tuple[int, bytes]:
        """Status and body of `POST /order`."""
        return await self.call("POST", "/order", body)

    async def call(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """A private call."""
        assert self.key is not None
        now_s = self.stage.server.venue.clock.wall_ns() // 10**9
        headers = sign_request(self.key, now_s, Request(method=method, path=path, body=body))
        patience = aiohttp.ClientTimeout(total=PATIENCE_S)
        async with self.stage.session.request(
            method, self.stage.at.clob + path, data=body, headers=headers, timeout=patience
        ) as reply:
            return reply.status, await reply.read()

    async def buy(self, token: str, cents: int, shares: int = 10, tries: int = 2) -> str | None:
        """What the naive client believes is its order; every try is a new order."""
        for _ in range(tries):
            try:
                status, body = await self.post(self.body(token, cents, shares))
                found = json.loads(body)
            except (aiohttp.ClientError, TimeoutError, ValueError):
                continue
            if status == 200 and found.get("orderID"):
                return str(found["orderID"])
        return None
