"""A venue that runs in the test's own loop, and the official client pointed at it."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from polyvenue.market_data.records import MarketRecord
from polyvenue.server.app import Addresses, VenueServer, serving
from polyvenue.server.config import VenueConfig
from polyvenue.signing.accounts import Account
from polyvenue.signing.wallets import WalletKind

REASON = "official SDK not installed"
polymarket: Any = pytest.importorskip("polymarket", reason=REASON)
environment: Any = pytest.importorskip("polymarket._internal.environment", reason=REASON)

FAST = 20.0
E6 = 1_000_000


def loopback(at: Addresses) -> Any:
    """The environment of the SDK, only the addresses replaced (and its polling hurried)."""
    config = dataclasses.replace(
        environment.PRODUCTION_CONFIG,
        clob_url=at.clob,
        gamma_url=at.gamma,
        data_url=at.data,
        relayer_url=at.relayer,
        rpc_url=at.rpc,
        clob_market_ws_url=at.ws_market,
        clob_user_ws_url=at.ws_user,
        realtime_ws_url=at.polybolt,
        relayer_poll_frequency_ms=50,
    )
    return environment.create_environment(name="loopback", config=config)


class Running:
    """A server under test with its clients."""

    def __init__(self, server: VenueServer, at: Addresses) -> None:
        self.server = server
        self.venue = server.venue
        self.at = at
        self.environment = loopback(at)
        self.clients: list[Any] = []

    async def client(self, kind: WalletKind, collateral_e6: int = 1_000 * E6) -> Any:
        """An authenticated SDK client of a new account."""
        return await self.client_of(self.venue.new_account(kind, collateral_e6))

    async def client_of(self, account: Account) -> Any:
        """An authenticated SDK client of an account."""
        made = await polymarket.AsyncSecureClient.create(
            private_key=account.private_key,
            wallet=account.wallet,
            environment=self.environment,
            api_key=polymarket.RelayerApiKey(key="relayer-key", address=account.address),
        )
        self.clients.append(made)
        return made

    def market(self, window_s: int = 900, asset: str = "btc") -> MarketRecord:
        """The earliest market of a series that takes orders, not the running one."""
        now_ns = self.venue.catch_up()
        found = [
            record
            for record in self.venue.markets.markets()
            if record.window.series.window_s == window_s
            and record.window.series.asset.code == asset
            and record.is_accepting(now_ns)
            and record.window.start_ns > now_ns
        ]
        return min(found, key=lambda record: record.window.start_ns)

    def give_pairs(self, client: Any, record: MarketRecord, qty_e6: int) -> None:
        """Let the wallet of a client hold pairs of a market at once."""
        now_ns = self.venue.catch_up()
        wallet = str(client._ctx.wallet)
        self.venue.exchange.split_now(now_ns, wallet, record.window.condition_id, qty_e6)

    def advance(self, by_s: float) -> None:
        """Step the clock, so far as nothing else moves it."""
        self.venue.clock.step(int(by_s * 1e9))
        self.venue.catch_up()
        self.server.wake()


@asynccontextmanager
async def running(**changes: Any) -> AsyncIterator[Running]:
    """A venue with btc windows of 60 s and 900 s, twenty times as fast as real."""
    given: dict[str, Any] = {"assets": ("btc",), "speed": FAST} | changes
    async with serving(VenueConfig(**given)) as (server, at):
        made = Running(server, at)
        try:
            yield made
            assert made.venue.exchange.problems() == []
        finally:
            for client in made.clients:
                await client.close()


async def until(ask: Callable[[], Awaitable[Any]], within_s: float = 10.0) -> Any:
    """The first answer that is true, asked again and again."""
    async with asyncio.timeout(within_s):
        while True:
            if found := await ask():
                return found
            await asyncio.sleep(0.02)


async def collect(
    handle: Any, is_last: Callable[[list[Any]], bool], within_s: float = 10.0
) -> list[Any]:
    """Events of a subscription until they suffice."""
    found: list[Any] = []
    async with asyncio.timeout(within_s):
        async for event in handle:
            found.append(event)
            if is_last(found):
                return found
    raise AssertionError("the subscription ended")
