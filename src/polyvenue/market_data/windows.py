"""The life of every window: when it is listed, opened, ended, resolved, and forgotten.

A series is an asset and a length; its windows follow each other on multiples of the length. Ids
are hashes of the slug, so the same slug is the same market in every run.
"""

import heapq
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from polyvenue.market_data.assets import ASSETS, Asset
from polyvenue.market_data.oracle import TwapRule, twap_rule
from polyvenue.market_data.prices import uniform
from polyvenue.market_data.text import NS

OUTCOMES = ("Up", "Down")
DURATIONS = {60: "1m", 300: "5m", 900: "15m"}


def _digest(label: str, slug: str) -> int:
    return int.from_bytes(sha256(f"polyvenue:{label}:{slug}".encode()).digest(), "big")


def slug_of(asset: str, window_s: int, start_s: int) -> str:
    """The market slug; windows of 60 s ("1m") are our demo, the venue has none."""
    return f"{asset}-updown-{DURATIONS[window_s]}-{start_s}"


def condition_id_of(slug: str) -> str:
    """32 bytes as hex."""
    return f"0x{_digest('condition', slug):064x}"


def question_id_of(slug: str) -> str:
    """32 bytes as hex."""
    return f"0x{_digest('question', slug):064x}"


def token_id_of(slug: str, outcome: int) -> str:
    """A decimal of 77 digits below 2^256."""
    return str(10**76 + _digest(f"token{outcome}", slug) % (9 * 10**76))


def number_id_of(label: str, slug: str) -> str:
    """Gamma's numeric ids (market, event, series), as text of nine digits."""
    return str(10**8 + _digest(label, slug) % (9 * 10**8))


@dataclass(frozen=True, slots=True)
class Series:
    """Windows of one asset and one length. `ahead` says how many future windows are listed.

    The venue lists about 24 hours ahead (96 windows of 15 minutes); the default is scaled down.
    """

    asset: Asset
    window_s: int
    rule: TwapRule
    ahead: int = 4

    @property
    def slug(self) -> str:
        """The series slug: "btc-up-or-down-15m"."""
        return f"{self.asset.code}-up-or-down-{DURATIONS[self.window_s]}"

    @property
    def scale(self) -> float:
        """Factor on every delay: 1 from five minutes on, less for the demo."""
        return min(1.0, self.window_s / 300)


def series_of(asset: str, window_s: int, *, ahead: int = 4) -> Series:
    """A series by asset code and window length in seconds (60, 300 or 900)."""
    if asset not in ASSETS or window_s not in DURATIONS or ahead < 1:
        raise ValueError(
            f"series {asset!r} of {window_s} s, {ahead} ahead: "
            f"asset one of {', '.join(ASSETS)}; length 60, 300 or 900; at least 1 ahead"
        )
    return Series(ASSETS[asset], window_s, twap_rule(window_s), ahead)


@dataclass(frozen=True, slots=True)
class Window:
    """One market and every instant of its life (Unix ns), fixed when it is made."""

    series: Series
    slug: str
    condition_id: str
    question_id: str
    token_ids: tuple[str, str]
    market_id: str
    event_id: str
    listed_ns: int
    accepting_ns: int
    start_ns: int
    end_ns: int
    resolved_ns: int
    payout_ns: int
    clob_closed_ns: int
    gamma_closed_ns: int
    book_removed_ns: int
    retired_ns: int

    def outcome_of(self, token_id: str) -> int:
        """0 for the Up token, 1 for the Down token; ValueError for any other."""
        return self.token_ids.index(token_id)


class Phase(StrEnum):
    """What happens to a window, in the order of a normal life.

    BOOK_REMOVED, CLOB_CLOSED, PAID_OUT and GAMMA_CLOSED follow RESOLVED in any order.
    """

    LISTED = "listed"
    ACCEPTING = "accepting"
    OPENED = "opened"
    ENDED = "ended"
    RESOLVED = "resolved"
    CLOB_CLOSED = "clob_closed"
    PAID_OUT = "paid_out"
    BOOK_REMOVED = "book_removed"
    GAMMA_CLOSED = "gamma_closed"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Transition:
    """A window reached a phase at `at_ns`."""

    at_ns: int
    phase: Phase
    window: Window


def make_window(seed: int, series: Series, start_s: int) -> Window:
    """The window of a series that starts at `start_s` (Unix seconds, a multiple of the length).

    Resolution 20-90 s after the end, payout 54-87 s and not before it, the CLOB agrees within
    10 s, the book goes 30-60 s and Gamma agrees 10-60 s after resolution; all scaled for the demo.
    """
    slug = slug_of(series.asset.code, series.window_s, start_s)

    def delay(label: str, low_s: float, high_s: float) -> int:
        chance = uniform(f"{seed}:{slug}:{label}")
        return int((low_s + (high_s - low_s) * chance) * series.scale * NS)

    start_ns = start_s * NS
    end_ns = start_ns + series.window_s * NS
    resolved_ns = end_ns + delay("resolved", 20, 90)
    payout_ns = max(resolved_ns, end_ns + delay("payout", 54, 87))
    listed_ns = start_ns - series.ahead * series.window_s * NS + delay("listed", 0, 20)
    gamma_closed_ns = resolved_ns + delay("gamma", 10, 60)
    book_removed_ns = resolved_ns + delay("book", 30, 60)
    return Window(
        series=series,
        slug=slug,
        condition_id=condition_id_of(slug),
        question_id=question_id_of(slug),
        token_ids=(token_id_of(slug, 0), token_id_of(slug, 1)),
        market_id=number_id_of("market", slug),
        event_id=number_id_of("event", slug),
        listed_ns=listed_ns,
        accepting_ns=listed_ns + delay("accepting", 1, 10),
        start_ns=start_ns,
        end_ns=end_ns,
        resolved_ns=resolved_ns,
        payout_ns=payout_ns,
        clob_closed_ns=resolved_ns + delay("clob", 0, 10),
        gamma_closed_ns=gamma_closed_ns,
        book_removed_ns=book_removed_ns,
        retired_ns=max(payout_ns, gamma_closed_ns, book_removed_ns) + 2 * series.window_s * NS,
    )


class Schedule:
    """All series from `start_ns` on: the running window of each, then one after the other.

    It holds only windows that live: memory does not grow with time.
    """

    def __init__(self, seed: int, series: list[Series], start_ns: int) -> None:
        if not series:
            raise ValueError("series: none given; name at least one asset and length")
        self._seed = seed
        # (time, order of the phase, slug, transition): ties never compare transitions
        self._heap: list[tuple[int, int, str, Transition]] = []
        self._lone: set[str] = set()
        for one in series:
            start_s = start_ns // NS
            self._list_window(one, start_s - start_s % one.window_s)

    def add(self, window: Window) -> None:
        """One more window, outside of the series; no other follows it."""
        self._lone.add(window.slug)
        self._push(Transition(window.listed_ns, Phase.LISTED, window))

    def next_ns(self) -> int:
        """When the next transition is due; it may lie in the past right after the start."""
        return self._heap[0][0]

    def advance(self, now_ns: int) -> list[Transition]:
        """Every transition due at or before `now_ns`, in order of time, phase, slug."""
        due = []
        while self._heap and self._heap[0][0] <= now_ns:
            transition = heapq.heappop(self._heap)[3]
            due.append(transition)
            window = transition.window
            if transition.phase is Phase.LISTED:
                self._plan(window)
                if window.slug in self._lone:
                    self._lone.discard(window.slug)
                else:
                    self._list_window(window.series, window.end_ns // NS)
        return due

    def _list_window(self, series: Series, start_s: int) -> None:
        window = make_window(self._seed, series, start_s)
        self._push(Transition(window.listed_ns, Phase.LISTED, window))

    def _plan(self, window: Window) -> None:
        for at_ns, phase in (
            (window.accepting_ns, Phase.ACCEPTING),
            (window.start_ns, Phase.OPENED),
            (window.end_ns, Phase.ENDED),
            (window.resolved_ns, Phase.RESOLVED),
            (window.clob_closed_ns, Phase.CLOB_CLOSED),
            (window.payout_ns, Phase.PAID_OUT),
            (window.book_removed_ns, Phase.BOOK_REMOVED),
            (window.gamma_closed_ns, Phase.GAMMA_CLOSED),
            (window.retired_ns, Phase.RETIRED),
        ):
            self._push(Transition(at_ns, phase, window))

    def _push(self, transition: Transition) -> None:
        order = _ORDER[transition.phase]
        key = (transition.at_ns, order, transition.window.slug, transition)
        heapq.heappush(self._heap, key)


_ORDER = {phase: index for index, phase in enumerate(Phase)}
