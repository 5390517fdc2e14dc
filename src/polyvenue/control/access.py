"""Who may use the control API, and how a refusal looks: one line of JSON."""

import hmac

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

TOKEN_CHARS_MIN = 43
"""256 bits in base64url."""
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def check_token(token: str) -> str:
    """The token. ValueError for one that is too short to be secret."""
    if len(token) < TOKEN_CHARS_MIN or not token.isascii() or not token.isprintable():
        raise ValueError(f"control token: at least {TOKEN_CHARS_MIN} printable characters")
    return token


def json_reply(value: object, status: int = 200) -> web.Response:
    """A JSON reply."""
    body = msgspec.json.encode(value)
    return web.Response(status=status, body=body, content_type="application/json")


def refuse(status: int, text: str) -> web.Response:
    """An error object; its text is one line."""
    return json_reply({"error": " ".join(text.split())[:500]}, status)


def is_loopback(host: str) -> bool:
    """True for a Host header that names this machine: no page of the web can send one."""
    name, _, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
    if not name:
        name, port = host, ""
    return name.lower() in LOOPBACK and (not port or port.isdigit())


def knows(token: str, header: str) -> bool:
    """True for the right bearer token. The time it takes tells nothing about the token."""
    scheme, _, given = header.partition(" ")
    same = hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())
    return scheme.lower() == "bearer" and same


def guard(token: str) -> Middleware:
    """Lets in who comes from this machine with the token, and turns errors into one line."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not is_loopback(request.headers.get("Host", "")):
            return refuse(403, "Host is not loopback: use 127.0.0.1 or localhost")
        if "Origin" in request.headers:
            return refuse(403, "Origin is set: the control API is not for web pages")
        if not knows(token, request.headers.get("Authorization", "")):
            refused = refuse(401, "bearer token missing or wrong: send Authorization: Bearer TOKEN")
            refused.headers["WWW-Authenticate"] = "Bearer"
            return refused
        try:
            return await handler(request)
        except web.HTTPException as wrong:
            return refuse(wrong.status, f"{request.method} {request.path}: {wrong.reason}")
        except ValueError as wrong:
            return refuse(400, str(wrong))

    return check
