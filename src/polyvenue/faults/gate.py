"""The gate with faults in it: armed, counted, shown and removed."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from polyvenue.exchange.records import JobScript, TradeScript
from polyvenue.faults import http, orders
from polyvenue.faults.match import CallMatch, Trigger
from polyvenue.faults.requests import RequestLog, status_of
from polyvenue.faults.spec import AnyFault, fault_line, shown
from polyvenue.faults.timer import Timer
from polyvenue.faults.transport import HttpFault, When, WsFault
from polyvenue.faults.within import BalanceFault, EngineFault, JobFault, TradeFault
from polyvenue.faults.ws import WsArm
from polyvenue.server.gate import Call, Channel, Cut, Gate, Reply, Serve
from polyvenue.server.venue import Venue

FAULTS_MAX = 1_000


class ArmedFault(msgspec.Struct, frozen=True, kw_only=True):
    """A fault as `GET /faults` shows it. `seen`: matches; `hits`: of these struck."""

    id: int
    active: bool
    seen: int
    hits: int
    fault: dict[str, object]
    line: str
    """Posting this again orders the same fault."""


@dataclass
class _Armed:
    fault: AnyFault
    trigger: Trigger | None = None
    """None for what was done at once."""
    calls: CallMatch | None = None
    frames: WsArm | None = None
    script: TradeScript | JobScript | None = None


class FaultGate(Gate):
    """Puts armed faults, oldest first, before every request and every frame.

    What a fault of frames holds back passes no later fault.
    """

    def __init__(self, venue: Venue, timer: Timer) -> None:
        self.requests = RequestLog()
        self._venue = venue
        self._timer = timer
        self._armed: dict[int, _Armed] = {}
        self._count = 0
        self._channels: dict[Channel, None] = {}
        self._http: list[_Armed] = []
        self._ws: list[WsArm] = []

    # Faults

    def add(self, fault: AnyFault) -> ArmedFault:
        """Arm a fault, or do it at once. ValueError when that is not possible."""
        if len(self._armed) >= FAULTS_MAX:
            raise ValueError(f"there are {FAULTS_MAX} faults: DELETE /faults first")
        armed = self._arm(fault)
        self._count += 1
        self._armed[self._count] = armed
        self._sort()
        if armed.frames is not None:
            for channel in list(self._channels):
                armed.frames.opened(channel)
        return self._show(self._count)

    def _arm(self, fault: AnyFault) -> _Armed:
        if isinstance(fault, EngineFault):
            orders.do_engine(self._venue, fault)
            return _Armed(fault)
        if isinstance(fault, BalanceFault):
            orders.do_balance(self._venue, fault)
            return _Armed(fault)
        trigger = Trigger(fault, self._timer.now_ns())
        armed = _Armed(fault, trigger)
        if isinstance(fault, HttpFault):
            armed.calls = CallMatch(fault.match)
        elif isinstance(fault, WsFault):
            armed.frames = WsArm(fault, trigger, self._timer)
        else:
            armed.script = self._script(fault, trigger)
        return armed

    def _script(self, fault: TradeFault | JobFault, trigger: Trigger) -> TradeScript | JobScript:
        """A path for trades or jobs, which the trigger hands out."""

        def wants() -> bool:
            return trigger.strikes(self._timer.now_ns())

        return orders.script(self._venue.exchange, fault, wants)

    def faults(self) -> tuple[ArmedFault, ...]:
        """Every fault that was ordered and not removed, oldest first."""
        return tuple(self._show(number) for number in self._armed)

    def remove(self, number: int) -> None:
        """End a fault; KeyError for an unknown id. A mode of the engine becomes normal again."""
        armed = self._armed.pop(number)
        if armed.script is not None:
            self._venue.exchange.unscript(armed.script)
        if isinstance(armed.fault, EngineFault):
            orders.undo_engine(self._venue, armed.fault)
        self._sort()

    def clear(self) -> int:
        """End every fault; how many there were."""
        count = len(self._armed)
        for number in list(self._armed):
            self.remove(number)
        return count

    def _sort(self) -> None:
        """Requests meet the faults before the venue first."""
        armed = list(self._armed.values())
        self._http = [it for it in armed if it.calls is not None]
        self._http.sort(key=lambda it: getattr(it.fault, "when", None) is When.AFTER)
        self._ws = [it.frames for it in armed if it.frames is not None]

    def _show(self, number: int) -> ArmedFault:
        armed = self._armed[number]
        trigger, fault = armed.trigger, armed.fault
        return ArmedFault(
            id=number,
            active=trigger is not None and trigger.is_active(self._timer.now_ns()),
            seen=1 if trigger is None else trigger.seen,
            hits=1 if trigger is None else trigger.hits,
            fault=shown(fault),
            line=fault_line(fault),
        )

    # Requests

    async def http(self, call: Call, serve: Serve) -> Reply | Cut:
        """Answer a request as the faults that it meets want it."""
        row = self.requests.arrived(call, self._venue.clock.now_ns())

        async def counted(call: Call) -> Reply:
            row.served += 1
            return await serve(call)

        outcome = await http.answer(self._struck(call), call, counted, self._timer.sleep)
        row.status = status_of(outcome)
        return outcome

    def _struck(self, call: Call) -> list[HttpFault]:
        """The faults that strike this request; none after one that ends it."""
        struck: list[HttpFault] = []
        for armed in self._http:
            fault, calls, trigger = armed.fault, armed.calls, armed.trigger
            if not isinstance(fault, HttpFault) or calls is None or trigger is None:
                continue
            if calls.fits(call) and trigger.strikes(self._timer.now_ns()):
                struck.append(fault)
                if http.ends_request(fault):
                    break
        return struck

    # Frames

    def frame_in(self, channel: Channel, data: str | bytes) -> Sequence[str | bytes]:
        """The client's frame, unless a fault loses it."""
        return (data,) if all(arm.lets_in(channel) for arm in self._ws) else ()

    def frame_out(self, channel: Channel, text: str) -> Sequence[str]:
        """What the faults make of a frame, one after the other."""
        frames: Sequence[str] = (text,)
        for arm in self._ws:
            frames = [made for frame in frames for made in arm.out(channel, frame)]
        return frames

    def opened(self, channel: Channel) -> None:
        """A client connected."""
        self._channels[channel] = None
        for arm in self._ws:
            arm.opened(channel)

    def closed(self, channel: Channel) -> None:
        """A client is gone."""
        self._channels.pop(channel, None)
        for arm in self._ws:
            arm.closed(channel)
