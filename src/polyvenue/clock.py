"""The venue's clock: real, scaled, or standing still until somebody steps it.

Venue time starts at the wall clock's time and never goes back. The only file of polyvenue that asks
the machine what time it is.
"""

import time

NS_PER_S = 1_000_000_000
SPEED_MAX = 1_000.0


class VenueClock:
    """Venue time in Unix nanoseconds, `speed` times as fast as real time; 0 stands still."""

    def __init__(self, speed: float = 1.0, start_ns: int | None = None) -> None:
        """A clock that starts now, or at `start_ns`. ValueError for a speed out of range."""
        self._speed = _checked(speed)
        self._base_ns = time.time_ns() if start_ns is None else start_ns
        self._anchor_ns = time.monotonic_ns()

    @property
    def speed(self) -> float:
        """Venue seconds per real second; 0 when stepped."""
        return self._speed

    def now_ns(self) -> int:
        """Venue time."""
        passed_ns = time.monotonic_ns() - self._anchor_ns
        if self._speed == 1.0:
            return self._base_ns + passed_ns
        return self._base_ns + int(passed_ns * self._speed)

    def wall_ns(self) -> int:
        """Real time, whatever the venue's: what an outside clock shows."""
        return time.time_ns()

    def real_ns(self) -> int:
        """Real time since some start, never going back: for timeouts of sockets."""
        return time.monotonic_ns()

    def seconds_until(self, venue_ns: int) -> float | None:
        """Real seconds until venue time `venue_ns`, at least 0; None when the clock stands."""
        if self._speed == 0.0:
            return 0.0 if venue_ns <= self._base_ns else None
        return max(0.0, (venue_ns - self.now_ns()) / NS_PER_S / self._speed)

    def set_speed(self, speed: float) -> None:
        """Go on from the present venue time at another speed. ValueError if it is out of range."""
        checked, self._base_ns = _checked(speed), self.now_ns()
        self._speed, self._anchor_ns = checked, time.monotonic_ns()

    def step(self, by_ns: int) -> int:
        """Move venue time forward at once; the new time. ValueError for a step back."""
        if by_ns < 0:
            raise ValueError(f"by_ns is {by_ns}: at least 0, time does not go back")
        self._base_ns, self._anchor_ns = self.now_ns() + by_ns, time.monotonic_ns()
        return self._base_ns


def _checked(speed: float) -> float:
    if not 0.0 <= speed <= SPEED_MAX:
        raise ValueError(f"speed is {speed}: allowed are 0 (stepped) to {SPEED_MAX:g}")
    return speed
