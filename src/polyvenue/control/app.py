"""The routes of the control API, and its server."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_address

import msgspec
from aiohttp import web

from polyvenue import __version__
from polyvenue.control.access import check_token, guard, json_reply, refuse
from polyvenue.control.markets import make_market, show_market, show_markets
from polyvenue.control.orders import AccountOrder, ClockMode, ClockOrder, MarketOrder, decode
from polyvenue.exchange.orders import PUSD
from polyvenue.exchange.units import MS_NS
from polyvenue.faults.gate import FaultGate
from polyvenue.faults.spec import decode_fault
from polyvenue.faults.timer import LoopTimer
from polyvenue.market_data.windows import Window
from polyvenue.server.app import VenueServer
from polyvenue.signing.wallets import WalletKind

SCHEMA = 1
"""Of the shapes in docs/polyvenue-control.md; it grows when one changes its meaning."""
BODY_BYTES_MAX = 65_536
PARTS = (
    "orders",
    "fills",
    "balances",
    "jobs",
    "requests",
    "self_trades",
)

Populate = Callable[[Window], None]
"""Lets agents trade in a market."""


class Control:
    """What the control API does to a server and its faults."""

    def __init__(
        self, server: VenueServer, gate: FaultGate, populate: Populate | None = None
    ) -> None:
        self._server = server
        self._venue = server.venue
        self._gate = gate
        self._populate = populate

    def routes(self) -> list[web.RouteDef]:
        """Every route."""
        return [
            web.get("/version", self.version),
            web.post("/accounts", self.new_account),
            web.get("/accounts", self.accounts),
            web.post("/markets", self.new_market),
            web.get("/markets", self.markets),
            web.get("/truth", self.truth),
            web.get("/self-trades", self.self_trades),
            web.post("/clock", self.set_clock),
            web.get("/clock", self.clock),
            web.post("/faults", self.new_fault),
            web.get("/faults", self.faults),
            web.delete("/faults", self.clear_faults),
            web.delete("/faults/{id}", self.remove_fault),
        ]

    async def version(self, request: web.Request) -> web.Response:
        """The schema of these shapes."""
        return json_reply({"control": SCHEMA, "polyvenue": __version__})

    # Accounts and markets

    async def new_account(self, request: web.Request) -> web.Response:
        """A funded, approved throw-away account."""
        order = decode(await request.read(), AccountOrder)
        account = self._venue.new_account(WalletKind(order.type.value), order.collateral_e6)
        self._server.wake()
        return json_reply(account.describe())

    async def accounts(self, request: web.Request) -> web.Response:
        """The accounts that were made here, without their keys."""
        self._venue.catch_up()
        exchange = self._venue.exchange
        rows = [
            {
                "type": account.kind.value,
                "address": account.address,
                "wallet": wallet,
                "signature_type": int(account.signature_type),
                "collateral_e6": exchange.account(wallet).held.get(PUSD, 0),
            }
            for wallet, account in self._venue.accounts.items()
        ]
        return json_reply({"accounts": rows})

    async def new_market(self, request: web.Request) -> web.Response:
        """A market of its own, outside of the series."""
        order = decode(await request.read(), MarketOrder)
        populate = self._populate
        if order.agents and populate is None:
            return refuse(400, "agents: this venue runs without agents, leave it out or false")
        window = make_market(self._venue, order)
        if order.agents and populate is not None:
            populate(window)
        self._server.wake()
        return json_reply(show_market(self._venue, window))

    async def markets(self, request: web.Request) -> web.Response:
        """Every listed market."""
        self._venue.catch_up()
        return json_reply({"markets": show_markets(self._venue)})

    # Truth

    async def truth(self, request: web.Request) -> web.Response:
        """What really happened; `?parts=orders,fills` leaves out the other lists."""
        wanted = _parts(request.query.get("parts"))
        self._venue.catch_up()
        truth = msgspec.structs.asdict(self._venue.exchange.truth())
        truth["requests"] = self._gate.requests.rows
        truth["requests_dropped"] = self._gate.requests.dropped
        return json_reply({key: truth[key] for key in truth if key not in PARTS or key in wanted})

    async def self_trades(self, request: web.Request) -> web.Response:
        """Matches with one wallet on both sides."""
        self._venue.catch_up()
        return json_reply({"self_trades": self._venue.exchange.truth().self_trades})

    # Clock

    async def set_clock(self, request: web.Request) -> web.Response:
        """Another speed, or a step."""
        order = decode(await request.read(), ClockOrder)
        clock = self._venue.clock
        speeds = {ClockMode.REAL: 1.0, ClockMode.STEPPED: 0.0}
        clock.set_speed(speeds.get(order.mode, order.speed or 1.0))
        if order.advance_ms is not None:
            clock.step(order.advance_ms * MS_NS)
        self._venue.catch_up()
        self._server.wake()
        return await self.clock(request)

    async def clock(self, request: web.Request) -> web.Response:
        """Venue time and how it goes on."""
        clock = self._venue.clock
        modes = {0.0: ClockMode.STEPPED, 1.0: ClockMode.REAL}
        mode = modes.get(clock.speed, ClockMode.SCALED)
        return json_reply({"mode": mode, "speed": clock.speed, "now_ns": clock.now_ns()})

    # Faults

    async def new_fault(self, request: web.Request) -> web.Response:
        """Order a fault."""
        shown = self._gate.add(decode_fault(await request.read()))
        self._server.wake()
        return json_reply(shown)

    async def faults(self, request: web.Request) -> web.Response:
        """Every fault with its counts and the line that orders it again."""
        return json_reply({"faults": self._gate.faults()})

    async def clear_faults(self, request: web.Request) -> web.Response:
        """End them all."""
        removed = self._gate.clear()
        self._server.wake()
        return json_reply({"removed": removed})

    async def remove_fault(self, request: web.Request) -> web.Response:
        """End one."""
        text = request.match_info["id"]
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
        try:
            self._gate.remove(number)
        except KeyError:
            return refuse(404, f"fault {text!r:.40} is not there: GET /faults lists them")
        self._server.wake()
        return json_reply({"removed": 1})


def _parts(text: str | None) -> tuple[str, ...]:
    """The lists that a client wants. ValueError for an unknown one."""
    if text is None:
        return PARTS
    wanted = tuple(text.split(","))
    for part in wanted:
        if part not in PARTS:
            raise ValueError(f"parts: {part!r:.40} is unknown, one of {', '.join(PARTS)}")
    return wanted


def control_app(control: Control, token: str) -> web.Application:
    """The application. ValueError for a token that is too short."""
    app = web.Application(middlewares=[guard(check_token(token))], client_max_size=BODY_BYTES_MAX)
    app.add_routes(control.routes())
    return app


@asynccontextmanager
async def controlling(
    server: VenueServer,
    token: str,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    populate: Populate | None = None,
) -> AsyncIterator[tuple[str, FaultGate]]:
    """Puts a gate of faults into the server and serves its control API inside the block.

    Yields the base URL and the gate. Enter it before clients connect: a socket keeps the gate that
    it was opened with. ValueError for a host that is not loopback or a token too short; OSError
    when the port is in use.
    """
    if not ip_address(host).is_loopback:
        raise ValueError(f"control host {host} is not loopback: use 127.0.0.1")
    gate = FaultGate(server.venue, LoopTimer(server.venue.clock))
    app = control_app(Control(server, gate, populate), token)
    runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        server.gate = gate
        name = f"[{host}]" if ":" in host else host
        yield f"http://{name}:{runner.addresses[0][1]}", gate
    finally:
        await runner.cleanup()
