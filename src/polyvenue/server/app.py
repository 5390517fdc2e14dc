"""The server: one loopback port, all services below their prefixes, one gate before them all."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_address

import msgspec
from aiohttp import web

from polyvenue.clock import NS_PER_S, VenueClock
from polyvenue.server import http
from polyvenue.server.config import VenueConfig
from polyvenue.server.gate import Call, Cut, Gate, Reply, Serve
from polyvenue.server.services import services_of
from polyvenue.server.sockets import Client
from polyvenue.server.streams import STREAMS, open_stream
from polyvenue.server.venue import STREAM_STEP_NS, Venue

STILL_S = 3_600.0
"""How long the driver sleeps when the clock stands, unless it is woken."""


class Addresses(msgspec.Struct, frozen=True, kw_only=True):
    """Where everything is: what `polyvenue serve` prints. `control` is filled by who serves it."""

    clob: str
    gamma: str
    data: str
    relayer: str
    rpc: str
    geoblock: str
    ws_market: str
    ws_user: str
    polybolt: str
    binance: str
    control: str = ""
    control_token: str = ""
    seed: int = 0


def addresses(host: str, port: int, seed: int) -> Addresses:
    """The base URLs of a server on this port."""
    base, sockets = f"http://{host}:{port}", f"ws://{host}:{port}"
    return Addresses(
        clob=base + "/clob",
        gamma=base + "/gamma",
        data=base + "/data",
        relayer=base + "/relayer",
        rpc=base + "/rpc",
        geoblock=base + "/geoblock",
        ws_market=sockets + "/ws/market",
        ws_user=sockets + "/ws/user",
        polybolt=sockets + "/polybolt",
        binance=sockets + "/binance",
        seed=seed,
    )


class VenueServer:
    """Carries bytes between clients and a venue. `gate` may be replaced while it runs."""

    def __init__(self, venue: Venue, gate: Gate | None = None) -> None:
        self.venue = venue
        self.gate = gate or Gate()
        self.services: dict[str, Serve] = services_of(venue)
        self.observers: list[Callable[[Call, Reply | Cut], None]] = []
        """Called after every HTTP request with what was answered."""
        self.clients: dict[Client, None] = {}
        self._sockets = 0
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Let the driver look again: the clock, or what is due, was changed from outside."""
        self._woken.set()

    async def drive(self) -> None:
        """Keep the venue at its clock's time. Runs until cancelled."""
        venue = self.venue
        while True:
            now_ns = venue.catch_up()
            venue.channels.prices(now_ns)
            wait_s = venue.clock.seconds_until(venue.next_ns())
            if venue.channels.has_prices:
                wait_s = min(STREAM_STEP_NS / NS_PER_S, STILL_S if wait_s is None else wait_s)
            self._woken.clear()
            try:
                async with asyncio.timeout(STILL_S if wait_s is None else wait_s):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """One HTTP request or WebSocket handshake."""
        path, _, query = request.raw_path.partition("?")
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._upgrade(request, path, query)
        service, _, rest = path.lstrip("/").partition("/")
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return self._response(http.error(400, "Payload exceeds the limit"))
        call = Call(
            service=service,
            method=request.method,
            path="/" + rest,
            query=http.read_query(query),
            headers=request.headers,
            body=body,
            remote=request.remote or "",
        )
        reply = await self.gate.http(call, self.serve)
        for observe in self.observers:
            observe(call, reply)
        return await self._send(request, reply)

    async def serve(self, call: Call) -> Reply:
        """Do what a request asks for, at the venue's present time."""
        self.venue.catch_up()
        service = self.services.get(call.service)
        if service is None:
            return http.error(404, "not found")
        reply = await service(call)
        self.venue.publish()
        self.wake()
        return reply

    def _response(self, reply: Reply) -> web.Response:
        headers = {"Content-Type": reply.content_type, **reply.headers}
        return web.Response(status=reply.status, body=reply.body, headers=headers)

    async def _send(self, request: web.BaseRequest, reply: Reply | Cut) -> web.StreamResponse:
        if isinstance(reply, Cut):
            _abort(request)
            return web.Response(status=500)
        if reply.sent_bytes is None:
            return self._response(reply)
        headers = {"Content-Type": reply.content_type, **reply.headers}
        started = web.StreamResponse(status=reply.status, headers=headers)
        started.content_length = len(reply.body)
        await started.prepare(request)
        await started.write(reply.body[: reply.sent_bytes])
        _abort(request)
        return started

    async def _upgrade(self, request: web.BaseRequest, path: str, query: str) -> web.StreamResponse:
        stream = next((it for it in STREAMS if path == it or path.startswith(it + "/")), None)
        if stream is None:
            return self._response(http.error(404, "not found"))
        self._sockets += 1
        client = open_stream(self, stream, self._sockets, path.removeprefix(stream), query)
        self.clients[client] = None
        self.gate.opened(client)
        try:
            return await client.run(request)
        finally:
            del self.clients[client]
            self.venue.channels.remove(client)
            self.gate.closed(client)


def _abort(request: web.BaseRequest) -> None:
    """Reset the connection under a request."""
    if request.transport is not None:
        request.transport.abort()


@asynccontextmanager
async def serving(
    config: VenueConfig, *, host: str = "127.0.0.1", port: int = 0, clock: VenueClock | None = None
) -> AsyncIterator[tuple[VenueServer, Addresses]]:
    """A venue that runs and listens inside the block; port 0 takes a free one.

    ValueError for a host that is not loopback; OSError when the port is in use.
    """
    if not ip_address(host).is_loopback:
        raise ValueError(f"host {host} is not loopback: polyvenue listens on 127.0.0.1 only")
    venue = Venue(config, clock or VenueClock(config.speed))
    server = VenueServer(venue)
    runner = web.ServerRunner(
        web.Server(server.handle, access_log=None),
        handle_signals=False,
        shutdown_timeout=1.0,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        bound = runner.addresses[0][1]
        driver = asyncio.create_task(server.drive())
        try:
            yield server, addresses(host, bound, config.seed)
        finally:
            driver.cancel()
            await asyncio.gather(driver, return_exceptions=True)
            for client in list(server.clients):
                client.close(1001, "going away")
    finally:
        await runner.cleanup()
