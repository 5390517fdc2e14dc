"""A gate of faults without sockets: time that only a test moves, channels that only remember."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from heapq import heappop, heappush
from typing import Any

from polyvenue.clock import VenueClock
from polyvenue.faults.gate import ArmedFault, FaultGate
from polyvenue.faults.spec import decode_fault
from polyvenue.server.config import VenueConfig
from polyvenue.server.gate import Call, Cut, Reply
from polyvenue.server.venue import Venue

START_NS = 1_795_366_830 * 10**9
S = 10**9


@dataclass
class HandTimer:
    """Real time as a test moves it."""

    at_ns: int = 0
    due: list[tuple[int, int, Callable[[], None]]] = field(default_factory=list)
    count: int = 0
    slept_s: float = 0.0

    def now_ns(self) -> int:
        return self.at_ns

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        self.count += 1
        heappush(self.due, (self.at_ns + int(seconds * S), self.count, do))

    async def sleep(self, seconds: float) -> None:
        self.slept_s += seconds
        self.move(seconds)

    def move(self, seconds: float) -> None:
        """Let time pass; what is due happens in its order."""
        until_ns = self.at_ns + int(seconds * S)
        while self.due and self.due[0][0] <= until_ns:
            due_ns, _, do = heappop(self.due)
            self.at_ns = max(self.at_ns, due_ns)
            do()
        self.at_ns = until_ns


@dataclass(eq=False)
class Wire:
    """A channel that remembers what it was told."""

    service: str = "market"
    number: int = 1
    sent: list[str] = field(default_factory=list)
    taken: list[str | bytes] = field(default_factory=list)
    ended: int | None = None

    def push(self, text: str) -> None:
        self.sent.append(text)

    def receive(self, data: str | bytes) -> None:
        self.taken.append(data)

    def close(self, code: int, reason: str = "") -> None:
        self.ended = code

    def cut(self) -> None:
        self.ended = 1006


def make_venue() -> Venue:
    """A venue whose clock stands 30 s into a minute; one series."""
    config = VenueConfig(assets=("btc",), windows_s=(60,))
    return Venue(config, VenueClock(0.0, START_NS))


@cache
def shared_venue() -> Venue:
    """One for all tests that only pass requests and frames by it."""
    return make_venue()


class World:
    """A gate, its timer, and a fake venue that counts what it was asked to do."""

    def __init__(self, venue: Venue | None = None) -> None:
        self.timer = HandTimer()
        self.venue = venue or shared_venue()
        self.gate = FaultGate(self.venue, self.timer)
        self.served: list[bytes] = []

    def order(self, kind: str, **fields: Any) -> ArmedFault:
        """Order a fault as JSON."""
        return self.gate.add(decode_fault(json.dumps({"kind": kind} | fields).encode()))

    async def serve(self, call: Call) -> Reply:
        """A venue that takes each body once."""
        if call.body in self.served:
            self.served.append(call.body)
            return Reply(status=400, body=b'{"error":"Duplicated"}')
        self.served.append(call.body)
        return Reply(body=b'{"orderID":"0x1","rows":[{"size":"5"},{"size":"7"}]}')

    async def post(self, body: bytes = b"a", path: str = "/order", **call: Any) -> Reply | Cut:
        """What a client is answered."""
        given: dict[str, Any] = {
            "service": "clob",
            "method": "POST",
            "query": {},
            "headers": {},
        } | call
        return await self.gate.http(Call(path=path, body=body, **given), self.serve)

    def emit(self, wire: Wire, *texts: str) -> list[str]:
        """Send frames; everything that the client has got by now."""
        for text in texts:
            for made in self.gate.frame_out(wire, text):
                wire.push(made)
        return wire.sent
