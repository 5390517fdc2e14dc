"""Replies and request parts shared by all routes: JSON, errors, query parameters."""

from collections.abc import Mapping
from urllib.parse import parse_qs

import msgspec

from polyvenue.exchange import orders
from polyvenue.server.gate import Call, Reply
from polyvenue.signing import refusal as signing

AnyRefusal = orders.Refusal | signing.Refusal


def json_reply(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A JSON reply."""
    return Reply(status=status, body=msgspec.json.encode(value), headers=headers or {})


def refuse(
    refusal: AnyRefusal, headers: Mapping[str, str] | None = None, *, key: str = "error"
) -> Reply:
    """The venue's error object, with what a restricted engine adds to it."""
    body: dict[str, object] = {key: refusal.text}
    out = dict(headers or {})
    if isinstance(refusal, orders.Refusal):
        if refusal.code is not None:
            body["code"] = refusal.code
            if refusal.retry_after_s is not None:
                body["retry_after_seconds"] = refusal.retry_after_s
        if refusal.retry_after_s is not None:
            out["Retry-After"] = str(refusal.retry_after_s)
    return json_reply(body, refusal.status, out)


def error(status: int, text: str) -> Reply:
    """An error object."""
    return json_reply({"error": text}, status)


def read_query(text: str) -> dict[str, list[str]]:
    """The parameters of a query string; broken escapes become replacement marks."""
    try:
        return parse_qs(text, keep_blank_values=True, max_num_fields=10_000)
    except ValueError:  # more fields than any client sends
        return {}


def first(call: Call, name: str) -> str:
    """The first value of a parameter, empty without one."""
    values = call.query.get(name)
    return values[0] if values else ""


def read_json(body: bytes) -> object:
    """The JSON value of a body. ValueError for anything else, deep nesting included."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as broken:
        raise ValueError("the body is not JSON") from broken
