"""When a fault strikes: the n-th match, by chance, so often, so long. And how often it did."""

from fnmatch import translate
from re import Pattern, compile

from polyvenue.faults.base import Fault
from polyvenue.faults.timer import seconds_ns
from polyvenue.faults.transport import Match
from polyvenue.market_data.prices import uniform
from polyvenue.server.gate import Call


class Trigger:
    """Counts what matches a fault and decides which of it is struck.

    The decision about the n-th match is a function of the fault alone.
    """

    def __init__(self, fault: Fault, started_ns: int) -> None:
        self.fault = fault
        self.seen = 0
        self.hits = 0
        lasts_s = fault.for_s
        if fault.lasts:
            lasts_s = getattr(fault, "seconds", None) or lasts_s
        self._until_ns = None if lasts_s is None else started_ns + seconds_ns(lasts_s)

    def is_active(self, now_ns: int) -> bool:
        """True while it can still strike."""
        most = self.fault.strikes_max
        spent = most is not None and self.hits >= most
        over = self._until_ns is not None and now_ns >= self._until_ns
        return not (spent or over)

    def strikes(self, now_ns: int) -> bool:
        """Count one match; True when it is struck."""
        if not self.is_active(now_ns):
            return False
        self.seen += 1
        fault = self.fault
        if fault.nth is not None and self.seen < fault.nth:
            return False
        if fault.probability is not None and self.draw("strike") >= fault.probability:
            return False
        self.hits += 1
        return True

    def draw(self, label: str) -> float:
        """A number in [0, 1) for the latest match."""
        return uniform(f"{self.fault.seed}:{label}:{self.seen}")


class CallMatch:
    """Which requests a `Match` means."""

    def __init__(self, match: Match) -> None:
        self._match = match
        self._path: Pattern[str] | None = compile(translate(match.path)) if match.path else None
        self._contains = match.contains.encode("utf-8", "surrogatepass")

    def fits(self, call: Call) -> bool:
        """True for a request that is meant."""
        match = self._match
        if match.service and match.service != call.service:
            return False
        if match.method and match.method != call.method:
            return False
        if self._path is not None and not self._path.match(call.path):
            return False
        return self._contains in call.body
