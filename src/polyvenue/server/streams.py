"""The four streams: which state machine answers a client, and how it gets its data."""

from typing import Protocol
from urllib.parse import parse_qs, unquote

from polyvenue.market_data.binance import BinanceConnection
from polyvenue.market_data.frames import Close, Out
from polyvenue.market_data.market_channel import MarketConnection
from polyvenue.market_data.polybolt import Auth, PolyBoltConnection
from polyvenue.market_data.user_channel import UserConnection
from polyvenue.server.gate import Gate
from polyvenue.server.sockets import SLOW, Client
from polyvenue.server.venue import Venue

STREAMS = ("/ws/market", "/ws/user", "/polybolt", "/binance")


class Server(Protocol):
    """What a stream needs of the server."""

    venue: Venue
    gate: Gate


def open_stream(server: Server, stream: str, number: int, rest: str, query: str) -> Client:
    """A client of a stream; `rest` and `query` follow the stream's path in the URL."""
    slow = Close(4002, "slow consumer") if stream == "/polybolt" else SLOW
    service = stream.removeprefix("/ws").strip("/")
    client = Client(service, number, server.gate, server.venue.config.queue_max, slow)
    match service:
        case "market":
            _market(server.venue, client)
        case "user":
            _user(server.venue, client)
        case "polybolt":
            _polybolt(server.venue, client)
        case _:
            _binance(server.venue, client, rest, query)
    return client


def _market(venue: Venue, client: Client) -> None:
    connection = MarketConnection(venue.markets.book)
    venue.channels.add_market(client, connection)

    def receive(data: str | bytes) -> list[Out]:
        venue.catch_up()
        out = connection.receive(data)
        venue.channels.recount(client)
        return out

    client.on_frame = receive


def _user(venue: Venue, client: Client) -> None:
    def is_known(key: str, secret: str, passphrase: str) -> bool:
        return venue.keys.authenticate(key, secret, passphrase) is not None

    connection = UserConnection(is_known, silent=venue.config.user_auth_silent)
    venue.channels.add_user(client, connection)

    def receive(data: str | bytes) -> list[Out]:
        venue.catch_up()
        return connection.receive(data)

    client.on_frame = receive


def _polybolt(venue: Venue, client: Client) -> None:
    def check(key: str, secret: str, passphrase: str) -> Auth:
        known = venue.keys.authenticate(key, secret, passphrase)
        return Auth.INVALID if known is None else Auth.OK

    # Pings go by real time: a client answers them in real time however fast the venue runs.
    connection = PolyBoltConnection(venue.oracles, check, venue.clock.real_ns(), venue.rules)

    def receive(data: str | bytes) -> list[Out]:
        return connection.receive(data, venue.catch_up())

    def publish(now_ns: int, room: int) -> list[Out]:
        return connection.publish(now_ns, room - 1) + connection.tick(venue.clock.real_ns())

    def pong(payload: bytes) -> list[Out]:
        connection.pong()
        return []

    client.on_frame, client.on_pong = receive, pong
    venue.channels.add_prices(client, publish)


def _binance(venue: Venue, client: Client, rest: str, query: str) -> None:
    names, combined = stream_names(rest, query)
    values = parse_qs(query)
    connection = BinanceConnection(
        venue.tapes,
        names,
        venue.catch_up(),
        combined=combined,
        microseconds=values.get("timeUnit", [""])[0].upper() == "MICROSECOND",
    )

    def publish(now_ns: int, room: int) -> list[Out]:
        return connection.publish(now_ns) + connection.tick(now_ns)

    client.on_frame = lambda data: connection.receive(data, venue.catch_up())
    client.on_pong = lambda payload: connection.pong(payload, venue.catch_up())
    venue.channels.add_prices(client, publish)


def stream_names(rest: str, query: str) -> tuple[tuple[str, ...], bool]:
    """The streams of a URL and whether it is a combined one: `/ws/a/b` or `/stream?streams=a/b`."""
    if rest.startswith("/stream"):
        listed = parse_qs(query).get("streams", [""])[0]
        return tuple(filter(None, listed.split("/"))), True
    return tuple(filter(None, unquote(rest.removeprefix("/ws")).split("/"))), False
