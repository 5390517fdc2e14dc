"""Faults of requests and of sockets, as frozen values."""

from enum import StrEnum

import msgspec

from polyvenue.faults.base import (
    COUNT_MAX,
    SECONDS_MAX,
    Fault,
    check_headers,
    check_text,
    needs,
    only_uses,
    ranged,
)

# Requests


class HttpAction(StrEnum):
    """What happens to a request or to its reply."""

    DELAY = "delay"
    DROP = "drop"
    RESET = "reset"
    STATUS = "status"
    BODY = "body"
    TRUNCATE = "truncate"
    DUPLICATE = "duplicate"


class When(StrEnum):
    """Before the venue sees the request, or after it did what was asked."""

    BEFORE = "before"
    AFTER = "after"


class Match(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which requests: service and method exactly, path as a pattern with `*`, a part of the body.

    `path` is below the service's prefix and without the query. What is empty matches all.
    """

    service: str = ""
    method: str = ""
    path: str = ""
    contains: str = ""


A = HttpAction
HTTP_USES: dict[HttpAction, tuple[str, ...]] = {
    A.DELAY: ("seconds",),
    A.DROP: ("seconds",),
    A.RESET: (),
    A.STATUS: ("status", "body", "headers"),
    A.BODY: ("body", "headers", "put", "remove"),
    A.TRUNCATE: ("bytes",),
    A.DUPLICATE: (),
}
"""The fields that belong to an action."""
HTTP_NEEDS: dict[HttpAction, str] = {A.DELAY: "seconds", A.STATUS: "status", A.TRUNCATE: "bytes"}


class HttpFault(Fault, frozen=True, kw_only=True, tag="http"):
    """A fault of requests. `when` decides whether the venue has done what was asked.

    delay: wait `seconds`. drop: no reply, the connection stays open for `seconds` (60). reset: no
    reply, the connection is reset. status: this status with `body` (an error object without one).
    body: reply `body` with 200, or after: in place of the body, or edit its JSON (`put`, `remove`:
    paths like "0/orderID"). truncate: break off after so many `bytes` of the body. duplicate: the
    request arrives twice and the second reply is sent.
    """

    action: HttpAction
    match: Match = Match()
    when: When = When.AFTER
    seconds: float | None = None
    status: int | None = None
    body: str | None = None
    headers: dict[str, str] | None = None
    put: dict[str, object] | None = None
    remove: tuple[str, ...] | None = None
    bytes: int | None = None

    def __post_init__(self) -> None:
        """ValueError for a figure out of range or a field that the action has no use for."""
        super().__post_init__()
        only_uses(self, self.action, HTTP_USES[self.action], HTTP_FIELDS)
        needs(self, self.action, HTTP_NEEDS.get(self.action))
        ranged("seconds", self.seconds, 0.0, SECONDS_MAX)
        ranged("status", self.status, 200, 599)
        ranged("bytes", self.bytes, 0, COUNT_MAX)
        check_headers(self.headers or {})
        check_text("body", self.body)
        if self.when is When.BEFORE and self.action in (A.TRUNCATE, A.DUPLICATE):
            raise ValueError(f'when is before: {self.action} needs a reply, use "after"')
        if self.action is A.BODY:
            self._check_body()

    def _check_body(self) -> None:
        edits = self.put is not None or self.remove is not None
        if edits == (self.body is not None):
            raise ValueError("action body needs either body or edits of it (put, remove)")
        if edits and self.when is When.BEFORE:
            raise ValueError('when is before: an edit needs a reply, use "after"')


HTTP_FIELDS = ("seconds", "status", "body", "headers", "put", "remove", "bytes")


# Frames


class WsAction(StrEnum):
    """What happens to the frames of a socket, or to the socket."""

    FREEZE_DATA = "freeze_data"
    FREEZE_ALL = "freeze_all"
    CLOSE = "close"
    RESET = "reset"
    DROP = "drop"
    DUP = "dup"
    REORDER = "reorder"
    DELAY = "delay"
    THROTTLE = "throttle"
    GARBAGE = "garbage"
    NO_SNAPSHOT = "no_snapshot"
    EDIT = "edit"


W = WsAction
WS_USES: dict[WsAction, tuple[str, ...]] = {
    W.FREEZE_DATA: ("seconds", "contains"),
    W.FREEZE_ALL: ("seconds",),
    W.CLOSE: ("seconds", "contains", "code"),
    W.RESET: ("seconds", "contains"),
    W.DROP: ("contains",),
    W.DUP: ("contains", "copies"),
    W.REORDER: ("contains", "seconds", "depth"),
    W.DELAY: ("contains", "seconds"),
    W.THROTTLE: ("contains", "rate"),
    W.GARBAGE: ("contains", "text"),
    W.NO_SNAPSHOT: ("seconds", "contains"),
    W.EDIT: ("contains", "put", "remove"),
}
"""The fields that belong to an action."""
WS_NEEDS: dict[WsAction, str] = {W.DELAY: "seconds", W.THROTTLE: "rate"}
WS_FIELDS = (
    "seconds",
    "contains",
    "code",
    "copies",
    "depth",
    "rate",
    "text",
    "put",
    "remove",
)
LASTING = (W.FREEZE_DATA, W.FREEZE_ALL, W.NO_SNAPSHOT, W.THROTTLE)


class WsChannel(StrEnum):
    """Which sockets."""

    MARKET = "market"
    USER = "user"
    POLYBOLT = "polybolt"
    BINANCE = "binance"
    ALL = "*"


class WsFault(Fault, frozen=True, kw_only=True, tag="ws"):
    """A fault of data frames to clients of a channel; PONG passes all but freeze_all.

    `contains`: only frames with this text. freeze_data, freeze_all, no_snapshot: lose frames (all
    in both directions; snapshots only) for `seconds`. close (with `code`), reset: at a frame when
    `nth`, `probability` or `contains` is given, else every socket, open or new, `count` times,
    each after `seconds`. drop: lose it. dup: send it `copies` times more. reorder: collect `depth`
    frames and send them in another order, at the latest after `seconds`. delay: send it after
    `seconds`. throttle: at most `rate` frames a second. garbage: `text` in its place, or some
    malformed frame. edit: change its JSON (`put`, `remove`).
    """

    action: WsAction
    channel: WsChannel = WsChannel.ALL
    contains: str | None = None
    seconds: float | None = None
    code: int | None = None
    copies: int | None = None
    depth: int | None = None
    rate: float | None = None
    text: str | None = None
    put: dict[str, object] | None = None
    remove: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """ValueError for a figure out of range or a field that the action has no use for."""
        super().__post_init__()
        only_uses(self, self.action, WS_USES[self.action], WS_FIELDS)
        needs(self, self.action, WS_NEEDS.get(self.action))
        ranged("seconds", self.seconds, 0.0, SECONDS_MAX)
        ranged("copies", self.copies, 1, 100)
        ranged("depth", self.depth, 2, 1_000)
        ranged("rate", self.rate, 0.01, 100_000.0)
        check_text("text", self.text)
        if self.code is not None and not (1000 <= self.code <= 1014 or 3000 <= self.code <= 4999):
            raise ValueError(f"code is {self.code}: allowed are 1000 to 1014 and 3000 to 4999")
        if self.code in (1004, 1005, 1006):
            raise ValueError(f"code is {self.code}: it is never sent; for 1006 use action reset")
        if self.action is W.EDIT and self.put is None and self.remove is None:
            raise ValueError("action edit needs put or remove")
        snapshots = (WsChannel.MARKET, WsChannel.POLYBOLT, WsChannel.ALL)
        if self.action is W.NO_SNAPSHOT and self.channel not in snapshots:
            raise ValueError(f"channel is {self.channel}: it has no snapshots")

    @property
    def lasts(self) -> bool:
        """True for what goes on once it has begun."""
        return self.action in LASTING

    @property
    def at_frame(self) -> bool:
        """True when a close or reset waits for a certain frame."""
        return any(it is not None for it in (self.nth, self.probability, self.contains))
