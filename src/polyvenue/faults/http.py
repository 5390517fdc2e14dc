"""What a fault does to one request: before the venue sees it, and to the reply afterwards."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from polyvenue.faults.edits import edit_json
from polyvenue.faults.transport import HttpAction, HttpFault, When
from polyvenue.server.gate import Call, Cut, Reply, Serve

DROP_S = 60.0
"""How long a request without a reply keeps its connection."""

Sleep = Callable[[float], Awaitable[None]]
ENDS = (HttpAction.DROP, HttpAction.RESET, HttpAction.STATUS, HttpAction.BODY)
"""Before the venue sees it, these keep a request from it."""


def ends_request(fault: HttpFault) -> bool:
    """True for a fault after which nothing else happens to the request."""
    return fault.when is When.BEFORE and fault.action in ENDS


async def answer(
    faults: Sequence[HttpFault], call: Call, serve: Serve, sleep: Sleep
) -> Reply | Cut:
    """Answer a request that these faults struck, those before the venue first."""
    for fault in faults:
        if fault.when is When.BEFORE and (ended := await _before(fault, sleep)) is not None:
            return ended
    reply: Reply | Cut = await serve(call)
    for fault in faults:
        if fault.when is When.AFTER and isinstance(reply, Reply):
            if fault.action is HttpAction.DUPLICATE:
                reply = await serve(call)
            else:
                reply = await _after(fault, reply, sleep)
    return reply


async def _before(fault: HttpFault, sleep: Sleep) -> Reply | Cut | None:
    """What is answered in the venue's place; None to go on."""
    if fault.action is HttpAction.DELAY:
        await sleep(fault.seconds or 0.0)
        return None
    return await _after(fault, Reply(), sleep)


async def _after(fault: HttpFault, reply: Reply, sleep: Sleep) -> Reply | Cut:
    match fault.action:
        case HttpAction.DELAY:
            await sleep(fault.seconds or 0.0)
            return reply
        case HttpAction.DROP:
            await sleep(DROP_S if fault.seconds is None else fault.seconds)
            return Cut()
        case HttpAction.RESET:
            return Cut()
        case HttpAction.STATUS:
            return _status(fault)
        case HttpAction.BODY:
            return _body(fault, reply)
        case HttpAction.TRUNCATE:
            return msgspec.structs.replace(reply, sent_bytes=fault.bytes)
        case HttpAction.DUPLICATE:
            return reply


def _status(fault: HttpFault) -> Reply:
    text = '{"error":"ordered fault"}' if fault.body is None else fault.body
    body = text.encode("utf-8", "surrogatepass")
    reply = Reply(status=fault.status or 500, body=body, content_type=_type_of(text))
    return _with_headers(reply, fault.headers or {})


def _body(fault: HttpFault, reply: Reply) -> Reply:
    if fault.body is not None:
        body = fault.body.encode("utf-8", "surrogatepass")
    else:
        text = reply.body.decode("utf-8", "replace")
        body = edit_json(text, fault.put or {}, fault.remove or ()).encode("utf-8", "surrogatepass")
    return _with_headers(msgspec.structs.replace(reply, body=body), fault.headers or {})


def _with_headers(reply: Reply, headers: Mapping[str, str]) -> Reply:
    """The reply with more headers; a content type is a field of its own."""
    types = [value for name, value in headers.items() if name.lower() == "content-type"]
    others = {name: value for name, value in headers.items() if name.lower() != "content-type"}
    return msgspec.structs.replace(
        reply,
        headers={**reply.headers, **others},
        content_type=types[-1] if types else reply.content_type,
    )


def _type_of(text: str) -> str:
    """An edge answers HTML, the venue JSON."""
    return "text/html" if text.lstrip().startswith("<") else "application/json"
