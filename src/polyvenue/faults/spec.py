"""What a fault is: frozen values read from JSON. Every field is checked before it is armed.

Times of transport faults are real seconds, as clients count; times of trades, jobs and the engine
are venue time. `nth` counts from 1 among what matches; without `count` such a fault strikes once.
"""

from enum import StrEnum

import msgspec

from polyvenue.exchange.events import JobState
from polyvenue.exchange.orders import TradeStatus
from polyvenue.exchange.state import EngineMode

SECONDS_MAX = 3_600.0
DAY_MS = 86_400_000
COUNT_MAX = 1_000_000
TEXT_MAX = 8_192
AMOUNT_E6_MAX = 10**18
SEED_MAX = 2**63 - 1


class Fault(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True
):
    """What every fault has: when it strikes.

    `probability` is drawn once per match from `seed`, so that the same matches are struck in every
    run. `count`: at most so many strikes. `for_s`: it ends by itself after so long.
    """

    seed: int = 1
    nth: int | None = None
    probability: float | None = None
    count: int | None = None
    for_s: float | None = None

    def __post_init__(self) -> None:
        """ValueError for a figure out of range."""
        ranged("seed", self.seed, 0, SEED_MAX)
        ranged("nth", self.nth, 1, COUNT_MAX)
        ranged("probability", self.probability, 0.0, 1.0)
        ranged("count", self.count, 1, COUNT_MAX)
        ranged("for_s", self.for_s, 0.001, SECONDS_MAX)

    @property
    def strikes_max(self) -> int | None:
        """How often it strikes at most; None for no bound."""
        if self.count is None and self.nth is not None and not self.lasts:
            return 1
        return self.count

    @property
    def lasts(self) -> bool:
        """True when `nth` is where it begins and not the only match that it strikes."""
        return False


def ranged(name: str, value: float | None, low: float, high: float) -> None:
    """ValueError unless `low <= value <= high`; None passes, infinity and NaN do not."""
    if value is not None and not low <= value <= high:
        raise ValueError(f"{name} is {value}: allowed are {low:g} to {high:g}")


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


# Trades and jobs


class TradeMove(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The next status of a trade, `after_ms` later (venue time), maybe with a new hash."""

    status: TradeStatus
    after_ms: int = 0
    new_hash: bool = False


class TradeFault(Fault, frozen=True, kw_only=True, tag="trade"):
    """The path of the next trades: of a market, of an order (on either side), or of any.

    A path that ends before CONFIRMED or FAILED hangs for ever.
    """

    steps: tuple[TradeMove, ...]
    start: TradeStatus = TradeStatus.MATCHED
    market_id: str | None = None
    order_id: str | None = None


class JobMove(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The next state of a chain job, `after_ms` later (venue time)."""

    state: JobState
    after_ms: int = 0


class JobFault(Fault, frozen=True, kw_only=True, tag="job"):
    """The path of the next chain jobs (split, merge, redeem), of a wallet or of any."""

    steps: tuple[JobMove, ...]
    wallet: str | None = None


# What is done at once


class EngineAction(StrEnum):
    """What is ordered of the engine or of a market."""

    MODE = "mode"
    RESTART = "restart"
    TICK = "tick"
    HOLD = "hold"
    END = "end"
    RESOLVE = "resolve"


class Winner(StrEnum):
    """The payout of a forced resolution; `oracle` asks the oracle as usual."""

    UP = "up"
    DOWN = "down"
    SPLIT = "split"
    ORACLE = "oracle"


E = EngineAction
ENGINE_USES: dict[EngineAction, tuple[str, ...]] = {
    E.MODE: ("mode", "after_ms"),
    E.RESTART: ("after_ms",),
    E.TICK: ("market_id", "tick_e4"),
    E.HOLD: ("market_id", "hold_ms"),
    E.END: ("market_id",),
    E.RESOLVE: ("market_id", "winner"),
}
ENGINE_FIELDS = ("mode", "after_ms", "market_id", "tick_e4", "hold_ms", "winner")


class EngineFault(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="kind",
    tag="engine",
    forbid_unknown_fields=True,
):
    """Done once, when it is posted. mode: until changed, or for `after_ms`; restart: down for that.

    hold: another matching delay. end: close the market early. resolve: report the payout.
    """

    action: EngineAction
    seed: int = 1
    mode: EngineMode | None = None
    after_ms: int | None = None
    market_id: str | None = None
    tick_e4: int | None = None
    hold_ms: int | None = None
    winner: Winner | None = None

    def __post_init__(self) -> None:
        """ValueError for a figure out of range, a field missing or without use."""
        only_uses(self, self.action, ENGINE_USES[self.action], ENGINE_FIELDS)
        for name in ENGINE_USES[self.action]:
            if name != "after_ms":
                needs(self, self.action, name)
        ranged("seed", self.seed, 0, SEED_MAX)
        ranged("after_ms", self.after_ms, 0, DAY_MS)
        ranged("hold_ms", self.hold_ms, 0, DAY_MS)


class BalanceAction(StrEnum):
    """What happens to a wallet."""

    WITHDRAW = "withdraw"
    DEPOSIT = "deposit"
    ALLOWANCE = "allowance"
    TOKENS_APPROVED = "tokens_approved"
    BANNED = "banned"
    CLOSED_ONLY = "closed_only"


B = BalanceAction
AMOUNTS = (B.WITHDRAW, B.DEPOSIT, B.ALLOWANCE)


class BalanceFault(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="kind",
    tag="balance",
    forbid_unknown_fields=True,
):
    """Done once, when it is posted: move collateral, set an allowance, set a flag (`on`)."""

    action: BalanceAction
    wallet: str
    seed: int = 1
    amount_e6: int | None = None
    on: bool | None = None

    def __post_init__(self) -> None:
        """ValueError for an amount out of range, a field missing or without use."""
        used = "amount_e6" if self.action in AMOUNTS else "on"
        only_uses(self, self.action, (used,), ("amount_e6", "on"))
        needs(self, self.action, used)
        ranged("seed", self.seed, 0, SEED_MAX)
        ranged("amount_e6", self.amount_e6, 0, AMOUNT_E6_MAX)


AnyFault = HttpFault | WsFault | TradeFault | JobFault | EngineFault | BalanceFault


def only_uses(
    fault: msgspec.Struct, action: StrEnum, used: tuple[str, ...], names: tuple[str, ...]
) -> None:
    """ValueError when a field is given that the action has no use for."""
    for name in names:
        if name not in used and getattr(fault, name) is not None:
            raise ValueError(f"action {action} has no use for {name}: leave it out")


def needs(fault: msgspec.Struct, action: StrEnum, name: str | None) -> None:
    """ValueError when a field is missing without which the action makes no sense."""
    if name is not None and getattr(fault, name) is None:
        raise ValueError(f"action {action} needs {name}")


def check_text(name: str, text: str | None) -> None:
    """ValueError for a text too long."""
    if text is not None and len(text) > TEXT_MAX:
        raise ValueError(f"{name} has {len(text)} characters: at most {TEXT_MAX}")


def check_headers(headers: dict[str, str]) -> None:
    """ValueError for what cannot stand in a header, and for those that frame a reply."""
    for name, value in headers.items():
        token = name.replace("-", "")
        if not token.isascii() or not token.isalnum() or len(name) > 64:
            raise ValueError(f"header name {name!r:.70}: letters, digits and - only")
        if not value.isascii() or not value.isprintable() or len(value) > 256:
            raise ValueError(f"header {name}: printable ASCII, at most 256 characters")
        if name.lower() in ("content-length", "transfer-encoding", "connection"):
            raise ValueError(f"header {name}: the server sets it; use truncate or reset")


def decode_fault(data: bytes) -> AnyFault:
    """A fault of its JSON. ValueError with one line that says what is wrong and where."""
    try:
        return _DECODER.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as broken:
        raise ValueError(f"fault: {broken}") from broken


def fault_line(fault: AnyFault) -> str:
    """One line that orders the same fault again."""
    return "POST /faults " + msgspec.json.encode(shown(fault)).decode()


def shown(fault: AnyFault) -> dict[str, object]:
    """A fault as JSON, without what was left out."""
    built: dict[str, object] = msgspec.to_builtins(fault)
    return {key: value for key, value in built.items() if value is not None and value != {}}


_DECODER: msgspec.json.Decoder[AnyFault] = msgspec.json.Decoder(AnyFault)
