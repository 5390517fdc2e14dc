"""The PolyBolt price service, one connection at a time: frames in, frames or a close out.

Protocol: feeds.md 4.3, polymarket.md 6.4. Guessed, because no source shows it: a bad credential is
answered with `auth_invalid` and then closed 4001; a frame that is no JSON object gets `bad_op`; an
oversized frame and too many auth frames close 4008.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from polyvenue.market_data.frames import (
    MAX_FRAME_BYTES,
    Close,
    Out,
    Ping,
    read_object,
    send,
    size_of,
)
from polyvenue.market_data.oracle import TWAP_60, Kind, Oracle, OraclePoint, TwapRule
from polyvenue.market_data.text import NS, NS_PER_MS, JsonObject, decimal_text

SPOT = "price.crypto"
TWAP = "price.crypto.twap"
SUBSCRIPTIONS_MAX = 64
SUBSCRIBE_FRAMES_PER_S = 20
AUTH_FRAMES_MAX = 8
PING_EVERY_NS = 25 * NS
SNAPSHOT_NS = 120 * NS
# The venue serves no spot for these two, only the average.
_TWAP_ONLY = {"hype", "zec"}
_SOURCE = "chainlink"


class Auth(StrEnum):
    """What the credential check says; the values are the error codes, OK excepted."""

    OK = "ok"
    INVALID = "auth_invalid"
    EXPIRED = "auth_expired"
    UNAVAILABLE = "auth_unavailable"


# (api key, secret, passphrase) -> verdict
CheckKey = Callable[[str, str, str], Auth]


@dataclass(frozen=True, slots=True)
class _Topic:
    """One (channel, filter) pair. `provider` is "" when the client pinned none."""

    channel: str
    asset: str
    window_s: int
    provider: str


class PolyBoltConnection:
    """One client. Feed it frames and time; it answers what the server would send.

    `oracles` by asset code; `rules` are the averages served by `window_seconds`: 60, and scaled
    ones for demo windows, whose frames carry `"scaled": true`.
    """

    def __init__(
        self,
        oracles: Mapping[str, Oracle],
        check_key: CheckKey,
        now_ns: int,
        rules: Mapping[int, TwapRule] | None = None,
    ) -> None:
        self._oracles = oracles
        self._check_key = check_key
        self._rules = rules or {60: TWAP_60}
        self._authed = False
        self._auth_frames = 0
        self._frame_times: deque[int] = deque()
        self._topics: dict[_Topic, int] = {}  # published up to (Unix ns)
        self._seq: dict[str, int] = {}
        self._dropped: dict[str, int] = {}
        self._next_ping_ns = now_ns + PING_EVERY_NS
        self._pongs_missed = 0
        self.closed = False

    def receive(self, data: bytes | str, now_ns: int) -> list[Out]:
        """Answer one client frame."""
        if self.closed:
            return []
        if size_of(data) > MAX_FRAME_BYTES:
            return self._close(4008, "frame too large")
        frame = read_object(data)
        if frame is None:
            return [_error("bad_op", None, "not a JSON object")]
        rid = frame.get("rid")
        rid = rid if isinstance(rid, str) else None
        match frame.get("op"):
            case "ping":
                return [send({"op": "pong"} | _rid(rid))]
            case "auth":
                return self._auth(frame, rid)
            case "subscribe":
                return self._change(frame, rid, now_ns, self._subscribe)
            case "unsubscribe":
                return self._change(frame, rid, now_ns, self._unsubscribe)
            case _:
                return [_error("bad_op", rid, "unknown op")]

    def publish(self, now_ns: int, capacity: int | None = None) -> list[Out]:
        """The updates first visible since the last call, by publication time.

        `capacity` frames at most; the rest is lost as for a slow client: `seq` goes on counting and
        the next frame of the channel says how many are gone in `dropped`.
        """
        if self.closed:
            return []
        due: list[tuple[int, int, _Topic, OraclePoint]] = []
        for order, (topic, since_ns) in enumerate(self._topics.items()):
            points = self._points(topic, since_ns, now_ns)
            due += [(point.published_ns, order, topic, point) for point in points]
        self._topics = {topic: max(at, now_ns) for topic, at in self._topics.items()}
        due.sort(key=lambda item: item[:2])
        kept = due if capacity is None else due[: max(0, capacity)]
        out: list[Out] = [self._update(topic, point) for _, _, topic, point in kept]
        for _, _, topic, _ in due[len(kept) :]:
            self._seq[topic.channel] = self._seq.get(topic.channel, 0) + 1
            self._dropped[topic.channel] = self._dropped.get(topic.channel, 0) + 1
        return out

    def tick(self, now_ns: int) -> list[Out]:
        """Protocol pings every 25 s; two without a pong close 4002."""
        if self.closed or now_ns < self._next_ping_ns:
            return []
        if self._pongs_missed >= 2:
            return self._close(4002, "pong timeout")
        self._pongs_missed += 1
        self._next_ping_ns = now_ns + PING_EVERY_NS
        return [Ping(b"polybolt")]

    def pong(self) -> None:
        """The client answered a protocol ping."""
        self._pongs_missed = 0

    def drain(self) -> list[Out]:
        """The server restarts: 4003, clients come back after up to 10 s."""
        return self._close(4003, "draining")

    def overflow(self) -> list[Out]:
        """The client reads too slowly: 4002."""
        return self._close(4002, "slow consumer")

    def expire(self) -> list[Out]:
        """The key was revoked or expired while connected: `auth_expired`, then 4001."""
        if self.closed:
            return []
        return [_error("auth_expired", None, "credentials expired"), *self._close(4001, "auth")]

    def _close(self, code: int, reason: str) -> list[Out]:
        if self.closed:
            return []
        self.closed = True
        return [Close(code, reason)]

    def _auth(self, frame: JsonObject, rid: str | None) -> list[Out]:
        self._auth_frames += 1
        if self._auth_frames > AUTH_FRAMES_MAX:
            error = _error("auth_attempts", rid, "too many auth frames")
            return [error, *self._close(4008, "auth attempts")]
        given = frame.get("auth")
        keys = given if isinstance(given, dict) else {}
        words = [keys.get(name) for name in ("apiKey", "secret", "passphrase")]
        texts = [word for word in words if isinstance(word, str)]
        verdict = self._check_key(*texts) if len(texts) == 3 else Auth.INVALID
        if verdict is Auth.OK:
            self._authed = True
            return [send({"op": "authed"} | _rid(rid))]
        error = _error(verdict.value, rid, "credentials not accepted")
        if verdict is Auth.UNAVAILABLE:
            return [error]
        return [error, *self._close(4001, verdict.value)]

    def _change(
        self,
        frame: JsonObject,
        rid: str | None,
        now_ns: int,
        apply: Callable[[_Topic, str | None, int], list[Out]],
    ) -> list[Out]:
        """Check a (un)subscribe frame and apply it item by item; acks first, snapshots after."""
        if self._is_too_fast(now_ns):
            return [_error("rate_limited", rid, "at most 20 subscription frames per second")]
        items = frame.get("subscriptions")
        if not isinstance(items, list) or not items:
            return [_error("bad_op", rid, "subscriptions: a list of at least one item")]
        acks: list[Out] = []
        rest: list[Out] = []
        for item in items:
            channel = item.get("channel") if isinstance(item, dict) else None
            channel = channel if isinstance(channel, str) else None
            if not self._authed:
                acks.append(_error("auth_required", rid, "authenticate first", channel))
                continue
            topic = self._topic(channel, item.get("filter")) if isinstance(item, dict) else None
            if isinstance(topic, _Topic):
                first, *others = apply(topic, rid, now_ns)
                acks.append(first)
                rest += others
            else:
                acks.append(_error(topic or "bad_channel", rid, "refused", channel))
        return acks + rest

    def _is_too_fast(self, now_ns: int) -> bool:
        while self._frame_times and self._frame_times[0] <= now_ns - NS:
            self._frame_times.popleft()
        if len(self._frame_times) >= SUBSCRIBE_FRAMES_PER_S:
            return True
        self._frame_times.append(now_ns)
        return False

    def _topic(self, channel: str | None, wanted: object) -> _Topic | str:
        """The pair asked for, or the error code."""
        if channel not in (SPOT, TWAP):
            return "bad_channel"
        if not isinstance(wanted, dict):
            return "bad_filter"
        symbol = wanted.get("symbol")
        symbol = symbol.lower() if isinstance(symbol, str) else ""
        provider = wanted.get("provider", "")
        asset = symbol.removesuffix("usd")
        oracle = self._oracles.get(asset)
        if oracle is None or symbol != oracle.asset.oracle_symbol:
            return "bad_filter"
        if channel == SPOT:
            if asset in _TWAP_ONLY or provider not in ("", "chainlink", "pyth"):
                return "bad_filter"
            return _Topic(channel, asset, 0, provider)
        window_s = wanted.get("window_seconds")
        if type(window_s) is not int or window_s not in self._rules:
            return "bad_filter"
        if provider not in ("", "chainlink"):
            return "bad_filter"
        return _Topic(channel, asset, window_s, provider)

    def _subscribe(self, topic: _Topic, rid: str | None, now_ns: int) -> list[Out]:
        known = topic in self._topics
        if not known and len(self._topics) >= SUBSCRIPTIONS_MAX:
            return [_error("sub_limit", rid, "at most 64 subscriptions", topic.channel)]
        ack: JsonObject = {"op": "subscribed", "channel": topic.channel} | _rid(rid)
        if topic.provider:
            ack["provider"] = _SOURCE  # the one we serve, whichever was pinned
        if known:
            return [send(ack)]
        self._topics[topic] = now_ns
        return [send(ack), self._snapshot(topic, now_ns)]

    def _unsubscribe(self, topic: _Topic, rid: str | None, _now_ns: int) -> list[Out]:
        self._topics.pop(topic, None)
        return [send({"op": "unsubscribed", "channel": topic.channel} | _rid(rid))]

    def _points(self, topic: _Topic, after_ns: int, until_ns: int) -> list[OraclePoint]:
        oracle = self._oracles[topic.asset]
        if topic.channel == SPOT:
            return oracle.published(Kind.SPOT, after_ns, until_ns)
        return oracle.published(Kind.TWAP, after_ns, until_ns, self._rules[topic.window_s])

    def _snapshot(self, topic: _Topic, now_ns: int) -> Out:
        points = [
            point
            for point in self._points(topic, now_ns - SNAPSHOT_NS - 5 * NS, now_ns)
            if point.observed_ns > now_ns - SNAPSHOT_NS
        ]
        payload = self._payload(topic) | {"data": [_value(point) for point in points]}
        return self._frame(topic, now_ns, payload, snapshot=True)

    def _update(self, topic: _Topic, point: OraclePoint) -> Out:
        payload = self._payload(topic) | _value(point) | {"is_carried_forward": point.carried}
        return self._frame(topic, point.published_ns, payload, snapshot=False)

    def _payload(self, topic: _Topic) -> JsonObject:
        asset = self._oracles[topic.asset].asset
        payload: JsonObject = {"symbol": asset.oracle_symbol, "source": _SOURCE}
        if topic.channel == TWAP:
            payload["window_seconds"] = topic.window_s
            if self._rules[topic.window_s].scaled:
                payload["scaled"] = True
        return payload

    def _frame(self, topic: _Topic, at_ns: int, payload: JsonObject, *, snapshot: bool) -> Out:
        seq = self._seq.get(topic.channel, 0) + 1
        self._seq[topic.channel] = seq
        frame: JsonObject = {"v": 1, "channel": topic.channel, "seq": seq}
        frame["ts"] = at_ns // NS_PER_MS
        if dropped := self._dropped.pop(topic.channel, 0):
            frame["dropped"] = dropped
        if snapshot:
            frame["snapshot"] = True
        return send(frame | {"payload": payload})


def _rid(rid: str | None) -> JsonObject:
    return {} if rid is None else {"rid": rid}


def _error(code: str, rid: str | None, message: str, channel: str | None = None) -> Out:
    frame: JsonObject = {"op": "error", "code": code, "message": message}
    if channel is not None:
        frame["channel"] = channel
    return send(frame | _rid(rid))


def _value(point: OraclePoint) -> JsonObject:
    return {
        "timestamp": point.observed_ns // NS_PER_MS,
        "value": round(point.price_e18 / 1e18, 8),
        "full_accuracy_value": decimal_text(point.price_e18, 18),
    }
