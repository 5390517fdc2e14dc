"""A connection of the user channel: credentials and markets in, own messages out, no replay.

Rules: polymarket.md 6.2. There is no acknowledgement. Bad credentials close 1008 or, with
`silent`, leave the socket open without data; both have been seen.
"""

from collections.abc import Callable

from polyvenue.market_data.frames import (
    CLOB_FRAME_BYTES,
    Close,
    Out,
    Send,
    read_object,
    read_text,
    size_of,
    text_list,
)
from polyvenue.market_data.market_channel import (
    BAD_SUBSCRIPTION,
    INVALID,
    PONG,
    SUBSCRIPTIONS_MAX,
    TOO_BIG,
    TOO_MANY,
)
from polyvenue.market_data.text import JsonObject
from polyvenue.market_data.user_messages import UserMessage

BAD_CREDENTIALS = Close(1008, "invalid auth")

# (api key, secret, passphrase) -> valid
CheckKey = Callable[[str, str, str], bool]


class UserConnection:
    """One client."""

    def __init__(self, check_key: CheckKey, *, silent: bool = False) -> None:
        self._check_key = check_key
        self._silent = silent
        self._subscribed = False
        self._markets: dict[str, None] | None = None  # None: all of them
        self.api_key: str | None = None
        self.closed = False

    def receive(self, data: bytes | str) -> list[Out]:
        """Answer one client frame."""
        if self.closed:
            return []
        if size_of(data) > CLOB_FRAME_BYTES:
            return self._close(TOO_BIG)
        text = read_text(data)
        if not self._subscribed:
            return self._first(None if text is None else read_object(text))
        if text == "PING":
            return [PONG]
        frame = None if text is None else read_object(text)
        if frame is None:
            return [INVALID]
        if "operation" not in frame:
            return [] if _is_first(frame) else [INVALID]
        return self._operate(frame)

    def deliver(self, message: UserMessage) -> Send | None:
        """What this client gets of a message."""
        if self.closed or self.api_key is None or message.api_key != self.api_key:
            return None
        if self._markets is not None and message.condition_id not in self._markets:
            return None
        return Send(message.text)

    def _first(self, frame: JsonObject | None) -> list[Out]:
        if frame is None or not _is_first(frame):
            return self._close(BAD_SUBSCRIPTION)
        markets = text_list(frame.get("markets") or [])
        auth = frame.get("auth")
        if markets is None or not isinstance(auth, dict):
            return self._close(BAD_SUBSCRIPTION)
        words = [auth.get(name) for name in ("apiKey", "secret", "passphrase")]
        texts = [word for word in words if isinstance(word, str)]
        if len(texts) != 3 or not self._check_key(*texts):
            if not self._silent:
                return self._close(BAD_CREDENTIALS)
        else:
            self.api_key = texts[0]
        self._subscribed = True
        self._markets = dict.fromkeys(markets) if markets else None
        return []

    def _operate(self, frame: JsonObject) -> list[Out]:
        markets = text_list(frame.get("markets"))
        operation = frame["operation"]
        if markets is None or operation not in ("subscribe", "unsubscribe"):
            return [INVALID]
        if self._markets is None:
            return []  # who has all markets keeps them
        if operation == "subscribe":
            self._markets |= dict.fromkeys(markets)
            return self._close(TOO_MANY) if len(self._markets) > SUBSCRIPTIONS_MAX else []
        for market in markets:
            self._markets.pop(market, None)
        return []

    def _close(self, close: Close) -> list[Out]:
        self.closed = True
        return [close]


def _is_first(frame: JsonObject) -> bool:
    kind = frame.get("type")
    return isinstance(kind, str) and kind.lower() == "user"
