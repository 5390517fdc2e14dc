"""A connection of the market channel: subscriptions in, books and messages out, no replay.

Rules: polymarket.md 6.1. A first frame that is no subscription, an early PING included, closes
1008 `invalid subscription payload`; later nonsense is answered `INVALID OPERATION` (UNVERIFIED).
"""

from collections.abc import Callable

from polyvenue.market_data.frames import (
    CLOB_FRAME_BYTES,
    Close,
    Out,
    Send,
    read_object,
    read_text,
    send,
    size_of,
    text_list,
)
from polyvenue.market_data.market_messages import Message, book_object
from polyvenue.market_data.records import BookView
from polyvenue.market_data.text import JsonObject

BAD_SUBSCRIPTION = Close(1008, "invalid subscription payload")
TOO_BIG = Close(1009, "message too big")
# The venue documents no maximum; ours keeps a client from growing without bound.
SUBSCRIPTIONS_MAX = 10_000
TOO_MANY = Close(1008, "too many subscriptions")
INVALID = Send("INVALID OPERATION")
PONG = Send("PONG")

ReadBook = Callable[[str], BookView | None]


class MarketConnection:
    """One client. `read_book` gives a token's book now, None where there is none."""

    def __init__(self, read_book: ReadBook) -> None:
        self._read_book = read_book
        self._tokens: dict[str, None] = {}
        self._subscribed = False
        self._custom = False
        self.closed = False

    @property
    def token_ids(self) -> tuple[str, ...]:
        """What the client subscribed to, in that order."""
        return tuple(self._tokens)

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
            # A second frame of the first kind was ignored when it was tried.
            return [] if _is_first(frame) else [INVALID]
        return self._operate(frame)

    def deliver(self, message: Message) -> Send | None:
        """What this client gets of a message: the same text for all, or nothing."""
        if self.closed or not self._subscribed or (message.custom and not self._custom):
            return None
        if message.everyone or any(token in self._tokens for token in message.token_ids):
            return Send(message.text)
        return None

    def _first(self, frame: JsonObject | None) -> list[Out]:
        if frame is None or not _is_first(frame):
            return self._close(BAD_SUBSCRIPTION)
        tokens = text_list(frame.get("assets_ids"))
        if tokens is None:
            return self._close(BAD_SUBSCRIPTION)
        if len(tokens) > SUBSCRIPTIONS_MAX:
            return self._close(TOO_MANY)
        self._subscribed = True
        self._custom = frame.get("custom_feature_enabled") is True
        self._tokens = dict.fromkeys(tokens)
        return self._dump(frame, list(self._tokens))

    def _operate(self, frame: JsonObject) -> list[Out]:
        tokens = text_list(frame.get("assets_ids"))
        operation = frame["operation"]
        if tokens is None or operation not in ("subscribe", "unsubscribe"):
            return [INVALID]
        if operation == "unsubscribe":
            for token in tokens:
                self._tokens.pop(token, None)
            return []
        # The switch is applied even where every named token is already subscribed.
        custom = frame.get("custom_feature_enabled")
        if isinstance(custom, bool):
            self._custom = custom
        added = [token for token in dict.fromkeys(tokens) if token not in self._tokens]
        if len(self._tokens) + len(added) > SUBSCRIPTIONS_MAX:
            return self._close(TOO_MANY)
        self._tokens |= dict.fromkeys(added)
        return self._dump(frame, added) if added else []

    def _dump(self, frame: JsonObject, tokens: list[str]) -> list[Out]:
        """The initial books as one array, which may be empty."""
        if frame.get("initial_dump") is False:
            return []
        books = [self._read_book(token) for token in tokens]
        return [send([book_object(book) for book in books if book is not None])]

    def _close(self, close: Close) -> list[Out]:
        self.closed = True
        return [close]


def _is_first(frame: JsonObject) -> bool:
    kind = frame.get("type")
    return isinstance(kind, str) and kind.lower() == "market"
