"""What every request and every frame passes: here faults are put in.

The gate of a healthy venue lets everything through. A fault layer sets `VenueServer.gate` to one of
its own; both methods of this class are all that it has to answer.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import msgspec


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request. `path` is below the service's prefix, as sent and without the query."""

    service: str
    method: str
    path: str
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    """Looked up without regard to letter case."""
    body: bytes
    remote: str = "127.0.0.1"


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP reply. `sent_bytes`: cut the connection after so many bytes of the body."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = {}
    content_type: str = "application/json"
    sent_bytes: int | None = None


class Cut(msgspec.Struct, frozen=True):
    """No reply at all: the connection is reset."""


Serve = Callable[[Call], Awaitable[Reply]]
"""Does what the request asks for; called twice it does it twice."""


class Channel(Protocol):
    """A WebSocket as the gate sees it."""

    @property
    def service(self) -> str:
        """ "market", "user", "polybolt" or "binance"."""

    @property
    def number(self) -> int:
        """Counts the sockets of this server, from 1."""

    def push(self, text: str) -> None:
        """Send a frame now, past the gate."""

    def receive(self, data: str | bytes) -> None:
        """Take a client's frame now, past the gate."""

    def close(self, code: int, reason: str = "") -> None:
        """Close with a code, after what is queued."""

    def cut(self) -> None:
        """Reset the connection without a close frame."""


class Gate:
    """Lets everything pass."""

    async def http(self, call: Call, serve: Serve) -> Reply | Cut:
        """Answer a request: `serve` it, before, after or instead of what a fault wants."""
        return await serve(call)

    def frame_in(self, channel: Channel, data: str | bytes) -> Sequence[str | bytes]:
        """The frames to take from the client now; for later ones use `channel.receive`."""
        return (data,)

    def frame_out(self, channel: Channel, text: str) -> Sequence[str]:
        """The frames to send to the client now; for later ones use `channel.push`."""
        return (text,)

    def opened(self, channel: Channel) -> None:
        """A client connected."""

    def closed(self, channel: Channel) -> None:
        """A client is gone."""
