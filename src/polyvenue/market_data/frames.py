"""What a stream connection may do in answer to a frame or to time passing."""

import json
from dataclasses import dataclass

from polyvenue.market_data.text import JsonObject, dump

# PolyBolt's documented limit, taken for Binance too; the CLOB channels document none.
MAX_FRAME_BYTES = 65_536
CLOB_FRAME_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Send:
    """Send this text frame."""

    text: str


@dataclass(frozen=True, slots=True)
class Ping:
    """Send a protocol ping with this payload; the pong must copy it."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """Close the socket with this code. Nothing follows."""

    code: int
    reason: str


Out = Send | Ping | Close


def send(value: object) -> Send:
    """Send a value as one JSON frame."""
    return Send(dump(value))


def read_text(data: bytes | str) -> str | None:
    """The text of a frame; None for bytes that are not UTF-8."""
    if isinstance(data, str):
        return data
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def size_of(data: bytes | str) -> int:
    """Bytes of a frame on the wire (a lone surrogate counts as it would be escaped)."""
    return len(data) if isinstance(data, bytes) else len(data.encode("utf-8", "backslashreplace"))


def read_object(data: bytes | str) -> JsonObject | None:
    """The JSON object in a frame; None for anything else, however malformed.

    Nesting deep enough to exhaust the parser's stack is "anything else" too.
    """
    text = read_text(data)
    if text is None:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def text_list(value: object) -> list[str] | None:
    """A JSON array of strings, else None."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    return None
