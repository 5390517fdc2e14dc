"""The dead man's switch of an API key: a key that goes silent loses its open orders.

The first beat arms it; each beat names the id that the last one was answered with. There is no way
to disarm it; expiry removes the registration. Held orders are not touched, they cannot be.
"""

import msgspec

from polyvenue.exchange.cancels import cancel_ids
from polyvenue.exchange.events import HeartbeatExpired
from polyvenue.exchange.orders import Refusal
from polyvenue.exchange.records import Beat
from polyvenue.exchange.schedule import Duty
from polyvenue.exchange.state import Core


class HeartbeatReply(msgspec.Struct, frozen=True, kw_only=True):
    """The id to send next. With an `error_text` (status 400) the beat was not accepted."""

    heartbeat_id: str
    error_text: str | None = None


def beat(core: Core, api_key: str, heartbeat_id: str | None) -> HeartbeatReply | Refusal:
    """One heartbeat; `None` is the legacy call, which names no id."""
    if api_key not in core.ledger.owners:
        return Refusal(status=401, text="Unauthorized/Invalid api key")
    known = core.beats.get(api_key)
    expected = known.beat_id if known else ""
    if heartbeat_id is not None and heartbeat_id != expected:
        return HeartbeatReply(heartbeat_id=expected, error_text="Invalid Heartbeat ID")
    if known is None:
        core.beat_count += 1
        known = Beat(core.now_ns, core.now_ns, 0, "", core.beat_count)
        core.beats[api_key] = known
        _schedule(core, api_key, known)
    known.last_ns = core.now_ns
    known.count += 1
    known.beat_id = f"hb-{known.mark}-{known.count}"
    return HeartbeatReply(heartbeat_id=known.beat_id)


def _schedule(core: Core, api_key: str, known: Beat) -> None:
    """Look again when the present beat runs out, at the next check of the server."""
    due_ns = known.last_ns + core.config.heartbeat_expiry_ns
    check_ns = core.config.heartbeat_check_ns
    if check_ns:
        due_ns += -(due_ns - known.armed_ns) % check_ns
    core.schedule.add(due_ns, Duty.CHECK_HEARTBEAT, api_key, known.mark)


def check(core: Core, api_key: str, mark: int) -> None:
    """Expire a key whose last beat is too old; otherwise look again later."""
    known = core.beats.get(api_key)
    if known is None or known.mark != mark:
        return
    if core.now_ns - known.last_ns < core.config.heartbeat_expiry_ns:
        _schedule(core, api_key, known)
        return
    del core.beats[api_key]
    reply = cancel_ids(core, api_key, list(core.open_by_owner.get(api_key, ())))
    core.emit(HeartbeatExpired(at_ns=core.now_ns, owner=api_key, canceled=len(reply.canceled)))
