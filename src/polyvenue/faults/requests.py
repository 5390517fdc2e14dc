"""Every request as it arrived, whatever a fault then did to it."""

from collections import deque
from dataclasses import dataclass
from hashlib import sha256

from polyvenue.server.gate import Call, Cut, Reply

KEPT_MAX = 1_000_000


@dataclass(slots=True)
class Request:
    """One request. `status`: what the client was answered, 0 when the connection was cut, None
    while it waits. `served`: how often the venue did what it asks for."""

    at_ns: int
    """Venue time of its arrival."""
    service: str
    method: str
    path: str
    body_sha256: str
    status: int | None = None
    served: int = 0


class RequestLog:
    """The latest requests, oldest first; how many older ones are gone is counted."""

    def __init__(self, kept_max: int = KEPT_MAX) -> None:
        self._rows: deque[Request] = deque(maxlen=kept_max)
        self.dropped = 0

    @property
    def rows(self) -> tuple[Request, ...]:
        """What is kept."""
        return tuple(self._rows)

    def arrived(self, call: Call, now_ns: int) -> Request:
        """Note a request."""
        if len(self._rows) == self._rows.maxlen:
            self.dropped += 1
        digest = sha256(call.body).hexdigest()
        row = Request(now_ns, call.service, call.method, call.path, digest)
        self._rows.append(row)
        return row


def status_of(outcome: Reply | Cut) -> int:
    """What the client saw."""
    return outcome.status if isinstance(outcome, Reply) else 0
