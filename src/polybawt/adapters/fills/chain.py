"""Split, merge and redeem at the simulated venue."""

from __future__ import annotations

from functools import partial

from polybawt.adapters.fills.config import FillConfig
from polybawt.adapters.fills.latency import Latency
from polybawt.adapters.fills.market import SimMarket
from polybawt.adapters.fills.outbox import Outbox
from polybawt.adapters.fills.record import Code, RecordKind, VenueRecord
from polybawt.adapters.fills.schedule import Rank, Schedule
from polybawt.domain.actions import ChainAction, MergePair, Redeem, SplitPair
from polybawt.domain.events import Event, JobFailed, PairMerged, PairSplit, Redeemed
from polybawt.domain.ids import MarketId, OrderId
from polybawt.domain.units import MS_NS


class Job:
    """One piece of chain work: sent, started at the venue, done `chain_ms` after the decision."""

    __slots__ = ("action", "decided_ns", "done_ns", "frame_seq", "started_ns")

    def __init__(
        self, action: ChainAction, *, decided_ns: int, started_ns: int, done_ns: int, frame_seq: int
    ) -> None:
        self.action = action
        self.decided_ns = decided_ns
        self.started_ns = started_ns
        self.done_ns = done_ns
        self.frame_seq = frame_seq


class ChainDesk:
    """Works chain actions on the holdings of each market.

    A merge reserves its pairs when it starts, and one beyond the free balance is refused: the
    domain has no event of a refused job, so it is an OrderRejected that carries the job's id. A
    redeem waits for the resolution and pays the payout of everything held; of a market that is
    forgotten (nothing held is worth anything) it pays 0.
    """

    __slots__ = ("_chain_ns", "_latency", "_markets", "_outbox", "_schedule", "_waiting")

    def __init__(
        self,
        config: FillConfig,
        latency: Latency,
        schedule: Schedule,
        outbox: Outbox,
        markets: dict[MarketId, SimMarket],
    ) -> None:
        self._chain_ns = config.chain_ms * MS_NS
        self._latency = latency
        self._schedule = schedule
        self._outbox = outbox
        self._markets = markets
        self._waiting: dict[MarketId, list[Job]] = {}

    def submit(self, action: ChainAction, decided_ns: int, frame_seq: int) -> None:
        """Send one job."""
        started_ns = decided_ns + self._latency.order_ns(decided_ns)
        job = Job(
            action,
            decided_ns=decided_ns,
            started_ns=started_ns,
            done_ns=max(started_ns, decided_ns + self._chain_ns),
            frame_seq=frame_seq,
        )
        self._schedule.add(started_ns, Rank.ARRIVAL, partial(self._start, job))

    def resolve(self, market_id: MarketId, now_ns: int) -> None:
        """Let the redeems that waited for this resolution go on."""
        for job in self._waiting.pop(market_id, []):
            due_ns = max(now_ns, job.done_ns)
            self._schedule.add(due_ns, Rank.ARRIVAL, partial(self._finish, job))

    def _start(self, job: Job, now_ns: int) -> None:
        action = job.action
        market = self._markets.get(action.market_id)
        if market is None and not isinstance(action, Redeem):
            self._refuse(job, Code.MARKET_CLOSED, now_ns)
            return
        if market is not None:
            if isinstance(action, MergePair):
                if action.qty_e6 > market.pairs_free_e6:
                    self._refuse(job, Code.NOT_ENOUGH_BALANCE, now_ns)
                    return
                market.holdings.merging_e6 += action.qty_e6
            market.holdings.jobs += 1
            if isinstance(action, Redeem) and market.payouts_ppm is None:
                self._waiting.setdefault(action.market_id, []).append(job)
                return
        self._schedule.add(job.done_ns, Rank.ARRIVAL, partial(self._finish, job))

    def _finish(self, job: Job, now_ns: int) -> None:
        action = job.action
        market = self._markets.get(action.market_id)
        if market is not None:
            market.holdings.jobs -= 1
        if isinstance(action, Redeem):
            self._redeem(job, market, now_ns)
        elif market is not None:
            self._convert(job, market, now_ns)
        if market is not None and market.is_done:
            del self._markets[action.market_id]

    def _convert(self, job: Job, market: SimMarket, now_ns: int) -> None:
        action, qty_e6 = job.action, job.action.qty_e6
        event: type[PairSplit | PairMerged]
        if isinstance(action, SplitPair):
            market.holdings.add_pairs(qty_e6)
            kind, event = RecordKind.SPLIT, PairSplit
        else:
            market.holdings.merging_e6 -= qty_e6
            market.holdings.add_pairs(-qty_e6)
            kind, event = RecordKind.MERGE, PairMerged
        done = event(
            job_id=action.job_id, market_id=action.market_id, qty_e6=qty_e6, venue_ns=now_ns
        )
        self._tell(job, kind, done, qty_e6=qty_e6, now_ns=now_ns)

    def _redeem(self, job: Job, market: SimMarket | None, now_ns: int) -> None:
        cash_e6 = 0
        if market is not None and market.payouts_ppm is not None:
            cash_e6 = market.holdings.worth_e6(market.payouts_ppm)
            market.holdings.balances_e6 = [0, 0]
        done = Redeemed(
            job_id=job.action.job_id,
            market_id=job.action.market_id,
            qty_e6=cash_e6,
            venue_ns=now_ns,
        )
        self._tell(job, RecordKind.REDEEM, done, qty_e6=cash_e6, now_ns=now_ns)

    def _refuse(self, job: Job, code: Code, now_ns: int) -> None:
        event = JobFailed(
            job_id=job.action.job_id,
            market_id=job.action.market_id,
            code=code.value,
            venue_ns=now_ns,
        )
        qty_e6 = job.action.qty_e6
        self._tell(job, RecordKind.REFUSED, event, qty_e6=qty_e6, now_ns=now_ns, reason=code.value)

    def _tell(
        self,
        job: Job,
        kind: RecordKind,
        event: Event,
        *,
        qty_e6: int,
        now_ns: int,
        reason: str = "",
    ) -> None:
        self._outbox.answer(event, now_ns)
        self._outbox.record(
            VenueRecord(
                kind=kind,
                ts_ns=now_ns,
                order_id=OrderId(job.action.job_id),
                strategy=job.action.strategy,
                market_id=job.action.market_id,
                decided_ns=job.decided_ns,
                arrived_ns=job.started_ns,
                frame_seq=job.frame_seq,
                qty_e6=qty_e6,
                reason=reason,
            )
        )
