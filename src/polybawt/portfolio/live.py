"""What the ledger keeps about a market that is not finished, and about one fill or chain job."""

from __future__ import annotations

import msgspec

from polybawt.domain.events import Evidence
from polybawt.domain.fill import Fill, FillState
from polybawt.domain.ids import FillId, JobId, MarketId, StrategyName
from polybawt.portfolio.holding import Holding, Payouts
from polybawt.portfolio.ops import Op, OpKind
from polybawt.portfolio.pnl import StrategyTotals
from polybawt.portfolio.positions import Position, payout_e6

EVIDENCE_RANK = {Evidence.INFERRED: 0, Evidence.OFFICIAL: 1, Evidence.CHAIN: 2}


class Booked:
    """A fill that the ledger has seen, and how far it is."""

    __slots__ = ("fill", "final_ns", "holding", "op", "state")

    def __init__(self, fill: Fill, op: Op, holding: Holding) -> None:
        self.fill = fill
        self.op = op
        self.holding = holding
        self.state = FillState.PROVISIONAL
        self.final_ns = 0

    def is_same(self, fill: Fill, market_id: MarketId) -> bool:
        """Whether another report of this fill says the same; state and venue time may differ."""
        mine = self.fill
        return self.holding.market_id == market_id and (
            (mine.order_id, mine.strategy, mine.instrument, mine.side)
            == (fill.order_id, fill.strategy, fill.instrument, fill.side)
            and (mine.price_e4, mine.qty_e6, mine.fee_e6)
            == (fill.price_e4, fill.qty_e6, fill.fee_e6)
        )


class JobFact(msgspec.Struct, frozen=True, gc=False):
    """What makes two reports of one chain job the same."""

    kind: OpKind
    strategy: StrategyName
    market_id: MarketId
    amount_e6: int
    alloc_ppm: int = 0


class LiveMarket:
    """A market's holdings, evidence and redeems, and the identifiers of its facts."""

    __slots__ = (
        "evidence",
        "fill_ids",
        "holdings",
        "job_ids",
        "payouts",
        "redeemed_e6",
        "redeems",
        "settled_ns",
    )

    def __init__(self) -> None:
        self.holdings: dict[StrategyName, Holding] = {}
        self.payouts: Payouts | None = None
        self.evidence: Evidence | None = None
        self.settled_ns = 0
        self.redeems: list[Op] = []
        self.redeemed_e6 = 0
        self.fill_ids: list[FillId] = []
        self.job_ids: list[JobId] = []

    @property
    def due_e6(self) -> int:
        """What the resolution pays on everything booked here."""
        return sum(holding.due_e6(self.payouts) for holding in self.holdings.values())

    @property
    def unfinished(self) -> str:
        """Why this market cannot be compacted yet; empty if it can."""
        holdings = self.holdings.values()
        if self.payouts is None:
            return "no evidence of the payout"
        if any(holding.provisional for holding in holdings):
            return "provisional fills"
        if any(holding.parked for holding in holdings):
            return "unfunded ops"
        # The chain floors once for the account, we floor per strategy: a redeem may bring more.
        up_e6 = sum(holding.fold.up.qty_e6 for holding in holdings)
        down_e6 = sum(holding.fold.down.qty_e6 for holding in holdings)
        if not self.due_e6 <= self.redeemed_e6 <= payout_e6(up_e6, down_e6, self.payouts):
            return f"claim {self.due_e6} e-6, redeemed {self.redeemed_e6} e-6"
        return ""

    def position(self, strategy: StrategyName) -> Position:
        """A strategy's position here, built once per change."""
        holding = self.holdings[strategy]
        if holding.cached is None:
            redeemed_e6 = self._redeemed_of_e6(strategy) if self.redeemed_e6 else 0
            holding.cached = holding.position(self.payouts, redeemed_e6)
        return holding.cached

    def _redeemed_of_e6(self, strategy: StrategyName) -> int:
        """A strategy's part of the redeemed cash: claims are served in order of name."""
        before_e6 = sum(
            holding.due_e6(self.payouts)
            for name, holding in self.holdings.items()
            if name < strategy
        )
        own_e6 = self.holdings[strategy].due_e6(self.payouts)
        return min(own_e6, max(0, self.redeemed_e6 - before_e6))

    def forget_positions(self) -> None:
        """One holding's claim changed, and with it every strategy's part of the redeemed cash."""
        for holding in self.holdings.values():
            holding.cached = None

    def add_to(self, total: StrategyTotals) -> StrategyTotals:
        """A strategy's totals with what it has here, if it has anything."""
        holding = self.holdings.get(total.strategy)
        if holding is None:
            return total
        here = self.position(total.strategy)
        confirmed_e18 = holding.realized_confirmed_e18(self.payouts)
        return StrategyTotals(
            strategy=total.strategy,
            realized_e18=total.realized_e18 + here.realized_e18,
            realized_confirmed_e18=total.realized_confirmed_e18 + confirmed_e18,
            cost_e18=total.cost_e18 + here.cost_e18,
            fees_e18=total.fees_e18 + here.fees_e18,
            cash_e6=total.cash_e6 + here.cash_e6,
            receivable_e6=total.receivable_e6 + here.receivable_e6,
            fills=total.fills + holding.fills,
        )
