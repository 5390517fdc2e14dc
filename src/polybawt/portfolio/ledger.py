"""The account's ledger: cash, shares, cost, claims, fees; the one owner of these facts.

Double entry over facts keyed by their identifiers. The state depends only on the set of facts: a
duplicate changes nothing, order does not matter, a failed fill is taken back exactly once. Cash and
shares are 10^-6, cost and realised profit 10^-18 pUSD, and the identity

    realised - cost of what is held = cash + receivable - opening - transfers

holds exactly after every fact. Provisional fills are booked when first seen; what counts only
confirmed ones says so in its name. A market becomes a claim only by evidence of its payout.
"""

from __future__ import annotations

from collections.abc import Iterator

from polybawt.domain.errors import InvariantError
from polybawt.domain.events import Evidence, TransferKind
from polybawt.domain.fill import Fill, FillState
from polybawt.domain.ids import FillId, JobId, MarketId, StrategyName
from polybawt.domain.units import E4, E12, PPM, Rounding, div
from polybawt.portfolio import audit
from polybawt.portfolio.entries import Entry
from polybawt.portfolio.holding import Figures, Holding, Payouts
from polybawt.portfolio.live import EVIDENCE_RANK, Booked, JobFact, LiveMarket
from polybawt.portfolio.lots import Method
from polybawt.portfolio.ops import Op, OpKind, merge, of_fill, redeem, split
from polybawt.portfolio.pnl import StrategyTotals
from polybawt.portfolio.positions import EMPTY, Position
from polybawt.portfolio.recent import Recent

FACTS_KEPT = 16_384
"""Identifiers kept of finished markets and of transfers, so that late duplicates are recognised."""
MARKETS_KEPT = 4_096
"""Finished markets kept with their payout."""


class Ledger:
    """See the module. Methods that book return whether anything changed."""

    def __init__(self, opening_e6: int, method: Method) -> None:
        if opening_e6 < 0:
            raise InvariantError(f"opening cash {opening_e6} e-6: must not be negative")
        self.opening_e6 = opening_e6
        self.method = method
        self.cash_e6 = opening_e6
        self.receivable_e6 = 0
        self.transfers_e6 = 0
        self.rebates_e6 = 0
        self.cost_e18 = 0
        self.realized_e18 = 0
        self.fees_e18 = 0
        self.unfunded = 0
        self._unfunded_cash_e6 = 0
        self._fact_cash_e6 = opening_e6
        self.rounding_e6 = 0
        self.live: dict[MarketId, LiveMarket] = {}
        self.closed: dict[StrategyName, StrategyTotals] = {}
        self._fills: dict[FillId, Booked] = {}
        self._jobs: dict[JobId, JobFact] = {}
        self._early: Recent[FillId, tuple[FillState, int]] = Recent(FACTS_KEPT)
        self._transfers: Recent[str, tuple[TransferKind, int]] = Recent(FACTS_KEPT)
        self._closed_fills: Recent[FillId, FillState] = Recent(FACTS_KEPT)
        self._closed_jobs: Recent[JobId, JobFact] = Recent(FACTS_KEPT)
        self._closed_markets: Recent[MarketId, Payouts] = Recent(MARKETS_KEPT)
        self._unchecked: dict[tuple[MarketId, StrategyName], Holding] = {}

    # --- facts -----------------------------------------------------------------------------------

    def fill(self, fill: Fill, market_id: MarketId) -> bool:
        """Book a fill, once per `fill_id`; a state beyond PROVISIONAL confirms or voids it as well.

        InvariantError when the id is known with other contents, or its market is finished.
        """
        if fill.qty_e6 <= 0 or fill.fee_e6 < 0 or not 0 <= fill.price_e4 <= E4:
            raise InvariantError(f"impossible fill {fill}")
        if fill.fill_id in self._closed_fills:
            return self._advance(fill.fill_id, fill.state, fill.venue_ns)
        booked = self._fills.get(fill.fill_id)
        if booked is None:
            self._book_fill(fill, market_id)
            early = self._early.pop(fill.fill_id, None)
            if early is not None:
                self._advance(fill.fill_id, *early)
            self._advance(fill.fill_id, fill.state, fill.venue_ns)
            return True
        if not booked.is_same(fill, market_id):
            raise InvariantError(f"fill {fill.fill_id} reported twice with other contents")
        return self._advance(fill.fill_id, fill.state, fill.venue_ns)

    def confirm(self, fill_id: FillId, venue_ns: int) -> bool:
        """A fill is final. May come before the fill itself. InvariantError if it has failed."""
        return self._advance(fill_id, FillState.CONFIRMED, venue_ns)

    def void(self, fill_id: FillId) -> bool:
        """A fill failed: it is taken back exactly once. InvariantError if it was confirmed."""
        return self._advance(fill_id, FillState.FAILED, 0)

    def split(
        self,
        job_id: JobId,
        strategy: StrategyName,
        market_id: MarketId,
        qty_e6: int,
        venue_ns: int,
        alloc_ppm: int = PPM // 2,
    ) -> bool:
        """pUSD became pairs; `alloc_ppm` of the cost is Up's (the mid, when it is known)."""
        fact = JobFact(OpKind.SPLIT, strategy, market_id, qty_e6, alloc_ppm)
        op = split(qty_e6, alloc_ppm, key=job_id, venue_ns=venue_ns)
        return self._book_job(job_id, fact, op)

    def merge(
        self,
        job_id: JobId,
        strategy: StrategyName,
        market_id: MarketId,
        qty_e6: int,
        venue_ns: int,
    ) -> bool:
        """Pairs became pUSD."""
        fact = JobFact(OpKind.MERGE, strategy, market_id, qty_e6)
        return self._book_job(job_id, fact, merge(qty_e6, key=job_id, venue_ns=venue_ns))

    def redeem(self, job_id: JobId, market_id: MarketId, cash_e6: int, venue_ns: int) -> bool:
        """A claim became cash. Before the evidence is known the receivable is negative."""
        if cash_e6 < 0:
            raise InvariantError(f"redeem {job_id} of {cash_e6} e-6: must not be negative")
        fact = JobFact(OpKind.REDEEM, audit.ACCOUNT, market_id, cash_e6)
        if self._is_known_job(job_id, fact):
            return False
        market = self._open(market_id)
        self._jobs[job_id] = fact
        market.job_ids.append(job_id)
        market.redeems.append(redeem(cash_e6, key=job_id, venue_ns=venue_ns))
        market.redeemed_e6 += cash_e6
        market.forget_positions()
        self.cash_e6 += cash_e6
        self.receivable_e6 -= cash_e6
        self._fact_cash_e6 += cash_e6
        return True

    def settle(
        self,
        market_id: MarketId,
        payouts_ppm: Payouts,
        venue_ns: int,
        evidence: Evidence = Evidence.OFFICIAL,
    ) -> bool:
        """Turn a market into claims at its payout, on evidence. False when it is known already.

        InvariantError for another payout than before, or one that does not sum to one.
        """
        if min(payouts_ppm) < 0 or sum(payouts_ppm) != PPM:
            raise InvariantError(f"payout {payouts_ppm} of {market_id}: must sum to {PPM} ppm")
        known = self._payouts(market_id)
        if known is not None and known != payouts_ppm:
            raise InvariantError(f"{market_id} paid {known}, now reported as {payouts_ppm}")
        if known is not None:
            market = self.live.get(market_id)
            if market is not None and market.evidence is not None:
                market.evidence = max(market.evidence, evidence, key=EVIDENCE_RANK.__getitem__)
            return False
        market = self._open(market_id)
        before = [holding.figures(None) for holding in market.holdings.values()]
        market.payouts, market.evidence, market.settled_ns = payouts_ppm, evidence, venue_ns
        for holding, old in zip(market.holdings.values(), before, strict=True):
            self._changed(market, holding, old)
        return True

    def transfer(self, transfer_id: str, kind: TransferKind, cash_e6: int) -> bool:
        """A deposit, withdrawal or paid rebate, once per id; `cash_e6` is its size, unsigned."""
        if cash_e6 < 0:
            raise InvariantError(f"{kind} {transfer_id} of {cash_e6} e-6: must not be negative")
        known = self._transfers.get(transfer_id)
        if known is not None:
            if known != (kind, cash_e6):
                raise InvariantError(f"transfer {transfer_id} was {known}, now {(kind, cash_e6)}")
            return False
        self._transfers.put(transfer_id, (kind, cash_e6))
        signed_e6 = -cash_e6 if kind is TransferKind.WITHDRAWAL else cash_e6
        if kind is TransferKind.REBATE:
            self.rebates_e6 += cash_e6
            self.realized_e18 += cash_e6 * E12
        else:
            self.transfers_e6 += signed_e6
        self.cash_e6 += signed_e6
        self._fact_cash_e6 += signed_e6
        return True

    def drop(self, market_id: MarketId) -> None:
        """Compact a market into totals. InvariantError unless `is_finished`."""
        market = self.live.get(market_id)
        if market is None or market.payouts is None or market.unfinished:
            why = "not live" if market is None else market.unfinished
            raise InvariantError(f"{market_id} cannot be dropped: {why}")
        for name, holding in market.holdings.items():
            holding.check()
            self.closed[name] = market.add_to(self._closed_totals(name))
            self._unchecked.pop((market_id, name), None)
        # What the chain floors once and we floored per strategy is ours, but no strategy's.
        surplus_e6 = market.redeemed_e6 - market.due_e6
        self.rounding_e6 += surplus_e6
        self.realized_e18 += surplus_e6 * E12
        self.receivable_e6 += surplus_e6
        for fill_id in market.fill_ids:
            self._closed_fills.put(fill_id, self._fills.pop(fill_id).state)
        for job_id in market.job_ids:
            self._closed_jobs.put(job_id, self._jobs.pop(job_id))
        self._closed_markets.put(market_id, market.payouts)
        del self.live[market_id]

    # --- reads -----------------------------------------------------------------------------------

    @property
    def fees_e6(self) -> int:
        """Fees paid, all strategies."""
        return div(self.fees_e18, E12, Rounding.CEIL)

    def position(self, strategy: StrategyName, market_id: MarketId) -> Position:
        """Position of a strategy in a live market; empty if it has none."""
        market = self.live.get(market_id)
        if market is None or strategy not in market.holdings:
            return EMPTY
        return market.position(strategy)

    def strategies(self, market_id: MarketId) -> tuple[StrategyName, ...]:
        """Strategies with facts in a live market, sorted."""
        market = self.live.get(market_id)
        return () if market is None else tuple(sorted(market.holdings))

    def markets(self) -> tuple[MarketId, ...]:
        """Live markets: those with facts and not dropped, in the order in which they came."""
        return tuple(self.live)

    def is_settled(self, market_id: MarketId) -> bool:
        """Whether there is evidence of the payout; without it the capital stays bound."""
        return self._payouts(market_id) is not None

    def evidence(self, market_id: MarketId) -> Evidence | None:
        """The strongest evidence of a live market's payout."""
        market = self.live.get(market_id)
        return None if market is None else market.evidence

    def is_finished(self, market_id: MarketId) -> bool:
        """Whether a market may be dropped: settled, redeemed, nothing provisional or unfunded."""
        market = self.live.get(market_id)
        return market is not None and not market.unfinished

    def provisional(self, market_id: MarketId) -> tuple[Fill, ...]:
        """Fills of a live market that are neither confirmed nor failed, in order of arrival."""
        market = self.live.get(market_id)
        if market is None:
            return ()
        booked = (self._fills[fill_id] for fill_id in market.fill_ids)
        return tuple(one.fill for one in booked if one.state is FillState.PROVISIONAL)

    @property
    def verdicts_waiting(self) -> int:
        """Verdicts on fills that are not known yet."""
        return len(self._early)

    def fill_state(self, fill_id: FillId) -> FillState | None:
        """What is known of a booked fill, None if it is not booked or long finished."""
        booked = self._fills.get(fill_id)
        return self._closed_fills.get(fill_id) if booked is None else booked.state

    def totals(self, strategy: StrategyName) -> StrategyTotals:
        """Totals of a strategy over finished and live markets."""
        total = self._closed_totals(strategy)
        for market in self.live.values():
            total = market.add_to(total)
        return total

    @property
    def realized_confirmed_e18(self) -> int:
        """Realised profit of confirmed ops and rebates. Folds windows with provisional fills."""
        result = self.realized_e18
        for market in self.live.values():
            for holding in market.holdings.values():
                if holding.provisional:
                    result -= holding.figures(market.payouts).realized_e18
                    result += holding.realized_confirmed_e18(market.payouts)
        return result

    # --- checks ----------------------------------------------------------------------------------

    def check(self) -> None:
        """I4, I5 and the identity on everything touched since the last check. InvariantError."""
        for holding in self._unchecked.values():
            holding.check()
        self._unchecked.clear()
        if self.cash_e6 + self._unfunded_cash_e6 != self._fact_cash_e6:
            raise InvariantError(
                f"I5: cash {self.cash_e6} and unfunded {self._unfunded_cash_e6}, "
                f"facts say {self._fact_cash_e6}"
            )
        own_e6 = self.cash_e6 + self.receivable_e6 - self.opening_e6 - self.transfers_e6
        if self.realized_e18 - self.cost_e18 != own_e6 * E12:
            raise InvariantError(
                f"identity: realised {self.realized_e18} less cost {self.cost_e18} e-18 "
                f"is not {own_e6} e-6"
            )

    def entries(self) -> Iterator[Entry]:
        """Everything as balanced entries: what is compacted first, then each live market's ops."""
        return audit.entries(self)

    def audit(self) -> None:
        """Fold everything again from the facts and compare. InvariantError. For tests: O(ops)."""
        audit.audit(self)

    def final_ns(self, op: Op) -> int:
        """When an op became final, 0 while it is provisional; chain work is final when reported."""
        booked = self._fills.get(FillId(op.key))
        return op.venue_ns if booked is None else booked.final_ns

    # --- within ----------------------------------------------------------------------------------

    def _open(self, market_id: MarketId) -> LiveMarket:
        """The live market, new at its first fact."""
        market = self.live.get(market_id)
        if market is None:
            if market_id in self._closed_markets:
                raise InvariantError(f"new fact for finished market {market_id}")
            market = self.live[market_id] = LiveMarket()
        return market

    def _payouts(self, market_id: MarketId) -> Payouts | None:
        market = self.live.get(market_id)
        return self._closed_markets.get(market_id) if market is None else market.payouts

    def _closed_totals(self, strategy: StrategyName) -> StrategyTotals:
        return self.closed.get(strategy) or StrategyTotals(strategy=strategy)

    def _holding(self, market_id: MarketId, strategy: StrategyName) -> Holding:
        market = self._open(market_id)
        holding = market.holdings.get(strategy)
        if holding is None:
            holding = market.holdings[strategy] = Holding(strategy, market_id, self.method)
        return holding

    def _book_fill(self, fill: Fill, market_id: MarketId) -> None:
        holding = self._holding(market_id, fill.strategy)
        market = self.live[market_id]
        op = of_fill(fill)
        before = holding.figures(market.payouts)
        holding.add(op, provisional=True)
        self._fills[fill.fill_id] = Booked(fill, op, holding)
        market.fill_ids.append(fill.fill_id)
        self._fact_cash_e6 += op.cash_e6
        self._changed(market, holding, before)

    def _is_known_job(self, job_id: JobId, fact: JobFact) -> bool:
        known = self._jobs.get(job_id) or self._closed_jobs.get(job_id)
        if known is not None and known != fact:
            raise InvariantError(f"job {job_id} was {known}, now reported as {fact}")
        return known is not None

    def _book_job(self, job_id: JobId, fact: JobFact, op: Op) -> bool:
        if self._is_known_job(job_id, fact):
            return False
        holding = self._holding(fact.market_id, fact.strategy)
        market = self.live[fact.market_id]
        before = holding.figures(market.payouts)
        holding.add(op, provisional=False)
        self._jobs[job_id] = fact
        market.job_ids.append(job_id)
        self._fact_cash_e6 += op.cash_e6
        self._changed(market, holding, before)
        return True

    def _advance(self, fill_id: FillId, state: FillState, final_ns: int) -> bool:
        """Make a fill final, or remember the verdict until the fill is known."""
        if state is FillState.PROVISIONAL:
            return False
        booked = self._fills.get(fill_id)
        known = booked.state if booked is not None else self._closed_fills.get(fill_id)
        if known is None and fill_id in self._early:
            known = self._early[fill_id][0]
        if known is state:
            return False
        if known is not None and known is not FillState.PROVISIONAL:
            raise InvariantError(f"fill {fill_id} was {known}, now reported as {state}")
        if booked is None:
            self._early.put(fill_id, (state, final_ns))
            return True
        booked.state, booked.final_ns = state, final_ns
        holding = booked.holding
        if state is FillState.CONFIRMED:
            holding.confirm(booked.op)
            return True
        market = self.live[holding.market_id]
        before = holding.figures(market.payouts)
        holding.remove(booked.op)
        self._fact_cash_e6 -= booked.op.cash_e6
        self._changed(market, holding, before)
        return True

    def _changed(self, market: LiveMarket, holding: Holding, before: Figures) -> None:
        """Carry a holding's change into the account totals."""
        after = holding.figures(market.payouts)
        self.cash_e6 += after.cash_e6 - before.cash_e6
        self.receivable_e6 += after.due_e6 - before.due_e6
        self.cost_e18 += after.cost_e18 - before.cost_e18
        self.realized_e18 += after.realized_e18 - before.realized_e18
        self.fees_e18 += after.fees_e18 - before.fees_e18
        self.unfunded += after.parked - before.parked
        self._unfunded_cash_e6 += after.parked_cash_e6 - before.parked_cash_e6
        self._unchecked[holding.market_id, holding.strategy] = holding
        if market.payouts is not None:
            market.forget_positions()
