"""Replays of recorded batches in this process, with everything that was decided kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from polybawt.adapters.fills.venue import SimVenue
from polybawt.adapters.tape.reader import Tape
from polybawt.app import build_engine
from polybawt.config import load
from polybawt.domain import events as ev
from polybawt.domain.actions import Action, Cancel, ChainAction, Place
from polybawt.domain.ids import Instrument, OrderId
from polybawt.domain.order import Leg
from polybawt.engine import Step
from polybawt.observe.trace import ActionDigest
from polybawt.portfolio.account import AccountState
from polybawt.ports import DataQuality, SourceInfo
from polybawt.runtime.backtest import Backtest

SAMPLE = Path("src", "polybawt", "data", "sample", "btc-15m.tape")
INFO = SourceInfo(
    name="part of the sample",
    kind="test",
    origin="tests",
    licence="CC BY 4.0",
    attribution="Resolved Markets",
    claims=(),
    limits=(),
    official_outcomes=True,
)


class Recorded:
    """A source of batches that are at hand; it numbers them, as every source does."""

    def __init__(self, batches: Sequence[ev.Batch]) -> None:
        self.info = INFO
        self.quality = DataQuality()
        self._batches = batches

    def batches(self) -> Iterator[ev.Batch]:
        """All of them in order."""
        for number, batch in enumerate(self._batches, 1):
            self.quality.frames = number
            yield ev.Batch(number, batch.now_ns, batch.source, batch.events)


def sample(repo_dir: Path, frames: int) -> list[ev.Batch]:
    """The first frames of the shipped sample."""
    return list(islice(Tape(repo_dir / SAMPLE).batches(), frames))


@dataclass
class Played:
    """What a replay decided, what the venue answered, and the account that it left."""

    account: AccountState
    actions: list[tuple[int, Action]] = field(default_factory=list)
    legs: dict[OrderId, Leg] = field(default_factory=dict)
    answers: list[tuple[int, ev.Event]] = field(default_factory=list)

    def before(self, batch: ev.Batch) -> None:
        """What came from the venue."""
        if batch.source == "venue":
            self.answers.extend((batch.now_ns, event) for event in batch.events)

    def after(self, batch: ev.Batch, step: Step) -> None:
        """What was decided on it."""
        for action in step.actions:
            self.actions.append((batch.now_ns, action))
            if isinstance(action, Place):
                self.legs[action.order_id] = action.leg

    def until(self, now_ns: int) -> list[tuple[int, Action]]:
        """Actions up to and including an instant."""
        return [one for one in self.actions if one[0] <= now_ns]

    @property
    def fills(self) -> list[tuple[int, ev.Event]]:
        """All matches, with the time at which the bot learned of each."""
        return [one for one in self.answers if isinstance(one[1], ev.Filled)]

    @property
    def digest(self) -> str:
        """The digest of all actions."""
        digest = ActionDigest()
        for now_ns, action in self.actions:
            digest.add(now_ns, (action,))
        return digest.hexdigest()

    @property
    def books(self) -> tuple[int, ...]:
        """Cash, claims, cost, realised result and fees: the ledger in five numbers."""
        ledger = self.account.ledger
        return (
            ledger.cash_e6,
            ledger.receivable_e6,
            ledger.cost_e18,
            ledger.realized_e18,
            ledger.fees_e6,
        )


def play(batches: Sequence[ev.Batch], queue: str = "pessimistic") -> Played:
    """Run the default profile over them."""
    config = load(environ={}, options={("fills", "queue"): queue}).config
    engine = build_engine(config)
    played = Played(engine.state.account)
    venue = SimVenue(config.fills)
    timer_ms = config.engine.timer_ms
    Backtest(Recorded(batches), engine, venue, played, timer_ms=timer_ms).run()
    return played


# --- exchanging Up and Down ----------------------------------------------------------------------


def exchanged(batches: Sequence[ev.Batch]) -> list[ev.Batch]:
    """The same recording of a world in which Up is called Down and Down is called Up."""
    return [
        ev.Batch(
            batch.frame_seq,
            batch.now_ns,
            batch.source,
            tuple(_exchanged(event) for event in batch.events),
        )
        for batch in batches
    ]


def _exchanged(event: ev.Event) -> ev.Event:
    match event:
        case ev.BookReplaced():
            return ev.BookReplaced(
                market_id=event.market_id,
                outcome=event.outcome.other,
                bids=event.bids,
                asks=event.asks,
                venue_ns=event.venue_ns,
            )
        case ev.MarketResolved():
            up, down = event.payouts_ppm
            return ev.MarketResolved(
                market_id=event.market_id, payouts_ppm=(down, up), evidence=event.evidence
            )
        case ev.MarketListed() | ev.TickChanged():
            return event
        case _:
            raise AssertionError(f"the sample has no {type(event).__name__}")


def deeds(played: Played, flip: int = 0) -> Counter[tuple[object, ...]]:
    """Actions and fills without order ids, as a set per instant; `flip` 1 renames the tokens."""
    found: Counter[tuple[object, ...]] = Counter()
    for now_ns, action in played.actions:
        match action:
            case Place():
                found["place", now_ns, *_leg(action.leg, flip), action.reason] += 1
            case Cancel():
                leg = played.legs[action.order_id]
                found["cancel", now_ns, *_leg(leg, flip), action.reason] += 1
            case ChainAction():
                kind = type(action).__name__
                found[kind, now_ns, action.market_id, action.qty_e6, action.reason] += 1
            case _:
                raise AssertionError(f"unknown action {action!r}")
    for now_ns, event in played.answers:
        if isinstance(event, ev.Filled):
            leg = played.legs[event.order_id]
            match_ = (event.price_e4, event.qty_e6, event.fee_e6, event.liquidity, event.venue_ns)
            found["fill", now_ns, *_leg(leg, flip), *match_] += 1
    return found


def _leg(leg: Leg, flip: int) -> tuple[object, ...]:
    token = Instrument(leg.instrument ^ flip)
    return (token, leg.side, leg.limit_e4, leg.qty_e6, leg.tif, leg.post_only, leg.expires_ns)
