"""A Binance market stream connection: control frames in, replies and events out.

Raw (`/ws/<stream>`) and combined (`/stream?streams=a/b`) sockets, live control, and the limits of
feeds.md 1.2. Only `trade` and `bookTicker` of our symbols have events; any other well-formed
stream name is accepted in silence, as the venue is said to do (UNVERIFIED).
"""

from collections import deque
from collections.abc import Mapping

from polyvenue.market_data.binance_tape import BinanceTape
from polyvenue.market_data.frames import (
    MAX_FRAME_BYTES,
    Close,
    Out,
    Ping,
    read_object,
    send,
    size_of,
    text_list,
)
from polyvenue.market_data.text import NS, NS_PER_MS, JsonObject

MESSAGES_PER_S = 5
STREAMS_MAX = 1024
PING_EVERY_NS = 20 * NS
PONG_WITHIN_NS = 60 * NS
LIFETIME_NS = 24 * 3_600 * NS
_TIME_KEYS = ("E", "T")


class BinanceConnection:
    """One client. `tapes` by asset code; `streams` from the URL; times in ms or microseconds."""

    def __init__(
        self,
        tapes: Mapping[str, BinanceTape],
        streams: tuple[str, ...],
        now_ns: int,
        *,
        combined: bool,
        microseconds: bool = False,
    ) -> None:
        self._by_stream = {stream: tape for tape in tapes.values() for stream in tape.streams}
        self._streams = dict.fromkeys(streams[:STREAMS_MAX])
        self._combined = combined
        self._microseconds = microseconds
        self._since_ns = now_ns
        self._opened_ns = now_ns
        self._messages: deque[int] = deque()
        self._next_ping_ns = now_ns + PING_EVERY_NS
        self._pending: dict[bytes, int] = {}
        self.closed = False

    def receive(self, data: bytes | str, now_ns: int) -> list[Out]:
        """Answer one control frame."""
        if self.closed:
            return []
        if self._is_too_fast(now_ns):
            return self._close(1008, "Too many requests")
        if size_of(data) > MAX_FRAME_BYTES:
            return self._close(1009, "Message too big")
        frame = read_object(data)
        if frame is None:
            return [send({"code": 3, "msg": "Invalid JSON: expected an object"})]
        number = frame.get("id")
        if not _is_id(number):
            return [_error(2, "id must be an integer, a string of up to 36 characters or null")]
        params = frame.get("params")
        match frame.get("method"):
            case "SUBSCRIBE" | "UNSUBSCRIBE" as method:
                names = text_list(params)
                if not names:
                    return [_error(2, "params must be a list of stream names", number)]
                return [self._change(method, names, number)]
            case "LIST_SUBSCRIPTIONS":
                return [send({"result": list(self._streams), "id": number})]
            case "GET_PROPERTY" | "SET_PROPERTY" as method:
                return [self._property(method, params, number)]
            case _:
                return [_error(2, "unknown method", number)]

    def publish(self, now_ns: int) -> list[Out]:
        """The events that reached this client since the last call, in time order."""
        if self.closed or now_ns <= self._since_ns:
            return []
        tapes = {
            tape.asset.code: tape
            for stream in self._streams
            if (tape := self._by_stream.get(stream)) is not None
        }
        events = [
            event
            for code in sorted(tapes)
            for event in tapes[code].events(self._since_ns, now_ns)
            if event.stream in self._streams
        ]
        self._since_ns = now_ns
        events.sort(key=lambda event: event.at_ns)  # stable: a quote stays before its print
        return [send(self._wrap(event.stream, event.payload)) for event in events]

    def tick(self, now_ns: int) -> list[Out]:
        """Pings every 20 s, the cut after 60 s without the right pong, the end after 24 h."""
        if self.closed:
            return []
        if now_ns - self._opened_ns >= LIFETIME_NS:
            return self._close(1001, "24 hours")
        if self._pending and now_ns - min(self._pending.values()) >= PONG_WITHIN_NS:
            return self._close(1008, "Pong timeout")
        if now_ns < self._next_ping_ns:
            return []
        self._next_ping_ns = now_ns + PING_EVERY_NS
        payload = str(now_ns // NS_PER_MS).encode()
        self._pending[payload] = now_ns
        return [Ping(payload)]

    def pong(self, payload: bytes, now_ns: int) -> list[Out]:
        """A pong counts as a message; only one that copies a ping's payload keeps the link."""
        if self._is_too_fast(now_ns):
            return self._close(1008, "Too many requests")
        if payload in self._pending:
            self._pending.clear()
        return []

    def shut_down(self, now_ns: int) -> list[Out]:
        """The notice that the server goes away; the close follows when the server decides."""
        notice: JsonObject = {"e": "serverShutdown", "E": now_ns // NS_PER_MS}
        return [] if self.closed else [send(self._wrap("!serverShutdown", notice))]

    def _is_too_fast(self, now_ns: int) -> bool:
        while self._messages and self._messages[0] <= now_ns - NS:
            self._messages.popleft()
        self._messages.append(now_ns)
        return len(self._messages) > MESSAGES_PER_S

    def _close(self, code: int, reason: str) -> list[Out]:
        if self.closed:
            return []
        self.closed = True
        return [Close(code, reason)]

    def _change(self, method: str, names: list[str], number: object) -> Out:
        if method == "UNSUBSCRIBE":
            for name in names:
                self._streams.pop(name, None)
        else:
            if not all(_is_stream(name) for name in names):
                return _error(2, "stream names are <symbol>@<stream>, lower case symbol", number)
            wanted = self._streams | dict.fromkeys(names)
            if len(wanted) > STREAMS_MAX:
                return _error(2, f"at most {STREAMS_MAX} streams", number)
            self._streams = wanted
        return send({"result": None, "id": number})

    def _property(self, method: str, params: object, number: object) -> Out:
        if not isinstance(params, list) or not params or params[0] != "combined":
            return _error(0, "Unknown property", number)
        if method == "GET_PROPERTY":
            return send({"result": self._combined, "id": number})
        if len(params) != 2 or not isinstance(params[1], bool):
            return _error(1, "Invalid value type: expected Boolean", number)
        self._combined = params[1]
        return send({"result": None, "id": number})

    def _wrap(self, stream: str, payload: JsonObject) -> JsonObject:
        if self._microseconds:
            payload = {
                key: value * 1_000 if key in _TIME_KEYS and isinstance(value, int) else value
                for key, value in payload.items()
            }
        return {"stream": stream, "data": payload} if self._combined else payload


def _is_id(value: object) -> bool:
    if value is None:
        return True
    if isinstance(value, str):
        return len(value) <= 36
    return type(value) is int and -(2**63) <= value < 2**63


def _is_stream(name: str) -> bool:
    symbol, at, kind = name.partition("@")
    return bool(symbol and at and kind) and symbol == symbol.lower() and name.isascii()


def _error(code: int, message: str, number: object = None) -> Out:
    return send({"code": code, "msg": f"Invalid request: {message}", "id": number})
