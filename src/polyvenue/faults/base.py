"""What every fault has: when it strikes. And the checks of its fields.

Times of transport faults are real seconds, as clients count; times of trades, jobs and the engine
are venue time. `nth` counts from 1 among what matches; without `count` such a fault strikes once.
"""

from enum import StrEnum

import msgspec

SECONDS_MAX = 3_600.0
DAY_MS = 86_400_000
COUNT_MAX = 1_000_000
TEXT_MAX = 8_192
AMOUNT_E6_MAX = 10**18
SEED_MAX = 2**63 - 1


class Fault(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True
):
    """What every fault has: when it strikes.

    `probability` is drawn once per match from `seed`, so that the same matches are struck in every
    run. `count`: at most so many strikes. `for_s`: it ends by itself after so long.
    """

    seed: int = 1
    nth: int | None = None
    probability: float | None = None
    count: int | None = None
    for_s: float | None = None

    def __post_init__(self) -> None:
        """ValueError for a figure out of range."""
        ranged("seed", self.seed, 0, SEED_MAX)
        ranged("nth", self.nth, 1, COUNT_MAX)
        ranged("probability", self.probability, 0.0, 1.0)
        ranged("count", self.count, 1, COUNT_MAX)
        ranged("for_s", self.for_s, 0.001, SECONDS_MAX)

    @property
    def strikes_max(self) -> int | None:
        """How often it strikes at most; None for no bound."""
        if self.count is None and self.nth is not None and not self.lasts:
            return 1
        return self.count

    @property
    def lasts(self) -> bool:
        """True when `nth` is where it begins and not the only match that it strikes."""
        return False


def ranged(name: str, value: float | None, low: float, high: float) -> None:
    """ValueError unless `low <= value <= high`; None passes, infinity and NaN do not."""
    if value is not None and not low <= value <= high:
        raise ValueError(f"{name} is {value}: allowed are {low:g} to {high:g}")


def only_uses(
    fault: msgspec.Struct, action: StrEnum, used: tuple[str, ...], names: tuple[str, ...]
) -> None:
    """ValueError when a field is given that the action has no use for."""
    for name in names:
        if name not in used and getattr(fault, name) is not None:
            raise ValueError(f"action {action} has no use for {name}: leave it out")


def needs(fault: msgspec.Struct, action: StrEnum, name: str | None) -> None:
    """ValueError when a field is missing without which the action makes no sense."""
    if name is not None and getattr(fault, name) is None:
        raise ValueError(f"action {action} needs {name}")


def check_text(name: str, text: str | None) -> None:
    """ValueError for a text too long."""
    if text is not None and len(text) > TEXT_MAX:
        raise ValueError(f"{name} has {len(text)} characters: at most {TEXT_MAX}")


def check_headers(headers: dict[str, str]) -> None:
    """ValueError for what cannot stand in a header, and for those that frame a reply."""
    for name, value in headers.items():
        token = name.replace("-", "")
        if not token.isascii() or not token.isalnum() or len(name) > 64:
            raise ValueError(f"header name {name!r:.70}: letters, digits and - only")
        if not value.isascii() or not value.isprintable() or len(value) > 256:
            raise ValueError(f"header {name}: printable ASCII, at most 256 characters")
        if name.lower() in ("content-length", "transfer-encoding", "connection"):
            raise ValueError(f"header {name}: the server sets it; use truncate or reset")
