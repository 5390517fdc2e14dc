"""What a fault does to the frames of sockets, and to the sockets."""

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from polyvenue.faults.edits import edit_json
from polyvenue.faults.garbage import garbage
from polyvenue.faults.match import Trigger
from polyvenue.faults.timer import Timer, seconds_ns
from polyvenue.faults.transport import WsAction, WsChannel, WsFault
from polyvenue.market_data.prices import uniform
from polyvenue.server.gate import Channel

HELD_MAX = 10_000
"""Frames that a fault may hold back of one socket; what comes on top is lost."""
REORDER_S = 1.0
ENDINGS = (WsAction.CLOSE, WsAction.RESET)
_SNAPSHOT = re.compile(r'"snapshot":\s*true|"event_type":\s*"book"')
_REPLIES = ('{"op"', '{"result"', '{"error"')


def is_data(text: str) -> bool:
    """True for market or account data: no PONG, no answer to a subscription."""
    return text[:1] in ("{", "[") and not text.startswith(_REPLIES)


def is_snapshot(text: str) -> bool:
    """True for a whole book, or the first frame of a price subscription."""
    return _SNAPSHOT.search(text) is not None


@dataclass
class Held:
    """What a fault holds back of one socket."""

    frames: deque[str] = field(default_factory=deque)
    free_ns: int = 0
    round: int = 0


class WsArm:
    """One armed fault of sockets."""

    def __init__(self, fault: WsFault, trigger: Trigger, timer: Timer) -> None:
        self.fault = fault
        self.trigger = trigger
        self._timer = timer
        self._held: dict[Channel, Held] = {}

    def means(self, channel: Channel) -> bool:
        """True for a socket of its channel."""
        return self.fault.channel in (WsChannel.ALL, channel.service)

    # Sockets

    def opened(self, channel: Channel) -> None:
        """A socket that is open, now or from now on."""
        fault = self.fault
        if fault.action not in ENDINGS or fault.at_frame or not self.means(channel):
            return
        if self.trigger.strikes(self._timer.now_ns()):
            self._end(channel)

    def closed(self, channel: Channel) -> None:
        """A socket is gone, with what was held back of it."""
        self._held.pop(channel, None)

    def _end(self, channel: Channel) -> None:
        fault = self.fault

        def end() -> None:
            if fault.action is WsAction.RESET:
                channel.cut()
            else:
                channel.close(fault.code or 1001, "ordered fault")

        self._timer.later(fault.seconds or 0.0, end)

    # Frames

    def lets_in(self, channel: Channel) -> bool:
        """False when a client's frame is lost."""
        if self.fault.action is not WsAction.FREEZE_ALL or not self.means(channel):
            return True
        return not self.trigger.strikes(self._timer.now_ns())

    def out(self, channel: Channel, text: str) -> Sequence[str]:
        """The frames to send now in place of this one."""
        if not self.means(channel) or not self._fits(text):
            return (text,)
        held = self._held.get(channel)
        waits = self.fault.action is WsAction.THROTTLE and held is not None and held.frames
        if self.trigger.strikes(self._timer.now_ns()):
            return self._strike(channel, text)
        if waits:  # what a throttle holds is not overtaken when it ends
            return self._throttle(channel, text)
        return (text,)

    def _fits(self, text: str) -> bool:
        fault = self.fault
        if fault.action is WsAction.FREEZE_ALL:
            return True
        if fault.action in ENDINGS and not fault.at_frame:
            return False
        if not is_data(text) or (fault.contains is not None and fault.contains not in text):
            return False
        return fault.action is not WsAction.NO_SNAPSHOT or is_snapshot(text)

    def _strike(self, channel: Channel, text: str) -> Sequence[str]:
        fault = self.fault
        match fault.action:
            case WsAction.FREEZE_DATA | WsAction.FREEZE_ALL | WsAction.NO_SNAPSHOT | WsAction.DROP:
                return ()
            case WsAction.CLOSE | WsAction.RESET:
                self._end(channel)
                return (text,)
            case WsAction.DUP:
                return (text,) * (1 + (fault.copies or 1))
            case WsAction.GARBAGE:
                made = garbage(self.trigger.draw("garbage"), text)
                return (made if fault.text is None else fault.text,)
            case WsAction.EDIT:
                return (edit_json(text, fault.put or {}, fault.remove or ()),)
            case WsAction.DELAY:
                self._push_later(channel, text, fault.seconds or 0.0)
                return ()
            case WsAction.REORDER:
                return self._reorder(channel, text)
            case WsAction.THROTTLE:
                return self._throttle(channel, text)

    # Held back

    def _hold(self, channel: Channel, text: str) -> Held | None:
        """Keep a frame of a socket; None when it owes too many, and this one is lost."""
        held = self._held.setdefault(channel, Held())
        if len(held.frames) >= HELD_MAX:
            return None
        held.frames.append(text)
        return held

    def _push_later(self, channel: Channel, text: str, seconds: float) -> None:
        """Send after a while, in the order of arrival."""
        if self._hold(channel, text) is not None:
            self._timer.later(seconds, lambda: self._release(channel))

    def _release(self, channel: Channel) -> None:
        held = self._held.get(channel)
        if held is not None and held.frames:
            channel.push(held.frames.popleft())

    def _throttle(self, channel: Channel, text: str) -> Sequence[str]:
        now_ns = self._timer.now_ns()
        held = self._held.setdefault(channel, Held())
        due_ns = max(now_ns, held.free_ns)
        if due_ns > now_ns and len(held.frames) >= HELD_MAX:
            return ()
        held.free_ns = due_ns + seconds_ns(1.0 / (self.fault.rate or 1.0))
        if due_ns == now_ns and not held.frames:
            return (text,)
        self._push_later(channel, text, (due_ns - now_ns) / seconds_ns(1.0))
        return ()

    def _reorder(self, channel: Channel, text: str) -> Sequence[str]:
        held = self._hold(channel, text)
        if held is None:
            return ()
        if len(held.frames) >= (self.fault.depth or 2):
            return self._shuffled(held)
        if len(held.frames) == 1:
            round_ = held.round
            wait_s = REORDER_S if self.fault.seconds is None else self.fault.seconds
            self._timer.later(wait_s, lambda: self._flush(channel, round_))
        return ()

    def _flush(self, channel: Channel, round_: int) -> None:
        """Send what waited too long for others to change places with."""
        held = self._held.get(channel)
        if held is not None and held.round == round_:
            for text in self._shuffled(held):
                channel.push(text)

    def _shuffled(self, held: Held) -> list[str]:
        """Every held frame, in an order that is not that of arrival."""
        frames = list(held.frames)
        held.frames.clear()
        held.round += 1
        key = f"{self.fault.seed}:order:{self.trigger.seen}"
        order = sorted(range(len(frames)), key=lambda index: uniform(f"{key}:{index}"))
        if order == list(range(len(frames))):
            order = order[1:] + order[:1]
        return [frames[index] for index in order]
