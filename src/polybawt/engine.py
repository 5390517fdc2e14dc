"""The bot's one loop: a frame goes in, decisions and actions come out. No IO, no clock, no await.

    frame -> state.apply -> for every touched market, every strategy: view -> intent
          -> intents in review order: quote diff -> risk.review -> plan -> state.note -> actions

All strategies decide on the same state, after the last change of the frame. Intents are reviewed
one by one, and what one approval sends is counted before the next is judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from polybawt.domain.actions import Action
from polybawt.domain.events import Batch
from polybawt.domain.ids import MarketId
from polybawt.domain.intents import Convert, Decision, Intent, Quote, Take
from polybawt.domain.units import MS_NS, PPM
from polybawt.execution.lifecycle import wind_down
from polybawt.execution.plan import plan
from polybawt.execution.quotes import QuoteDiff, diff
from polybawt.invariants import check_account
from polybawt.risk.limits import Limits
from polybawt.risk.review import review
from polybawt.state import State
from polybawt.strategies.base import Strategy, StrategyConfig

ACTION_LIFE_NS = 1_000 * MS_NS
"""An action that the edge has not sent by then is dropped, not sent late."""


class Step(msgspec.Struct, frozen=True, gc=False):
    """What one frame led to."""

    decisions: tuple[Decision, ...] = ()
    actions: tuple[Action, ...] = ()


NOTHING = Step()


class Engine:
    """Runs strategies over a state. Live, paper, replay and backtest drive this same object."""

    def __init__(
        self, state: State, strategies: Sequence[Strategy[StrategyConfig]], limits: Limits
    ) -> None:
        self.state = state
        self.strategies = [s for s in strategies if s.config.enabled]
        self.limits = limits

    def step(self, batch: Batch) -> Step:
        """Apply a frame, then decide once on everything it touched."""
        state = self.state
        state.apply(batch)
        if state.account_changed:
            check_account(state.account)
        if not state.touched:
            return NOTHING
        touched = [market_id for market_id in state.touched if market_id in state.account.markets]
        decisions: list[Decision] = []
        actions: list[Action] = []
        intents = self._intents(touched)
        if len(intents) > 1:
            intents.sort(key=self._review_order)
        for intent in intents:
            self._act(intent, decisions, actions)
        for market_id in touched:
            self._wind_down(market_id, actions)
        if not (decisions or actions):
            return NOTHING
        return Step(tuple(decisions), tuple(actions))

    def _intents(self, touched: Iterable[MarketId]) -> list[Intent]:
        """Every strategy's wishes, on one and the same state."""
        wanted: list[Intent] = []
        for market_id in touched:
            for strategy in self.strategies:
                if strategy.name not in self.state.account.quarantined:
                    wanted.extend(self._decide(strategy, market_id))
        return wanted

    def _decide(self, strategy: Strategy[StrategyConfig], market_id: MarketId) -> list[Intent]:
        try:
            wanted = strategy.decide(self.state.view(market_id, strategy.name))
            self._check_known(wanted)
            return wanted
        except Exception as error:  # the one quarantine: a strategy's bug must not stop the others
            reason = f"{type(error).__name__}: {error}"
            self.state.account.quarantined[strategy.name] = reason
            return []

    def _check_known(self, wanted: Iterable[Intent]) -> None:
        """A strategy may name only what is live: anything else is its bug, not ours."""
        account = self.state.account
        for intent in wanted:
            if intent.market_id not in account.markets:
                raise ValueError(f"intent for unknown market {intent.market_id}")
            if isinstance(intent, (Quote, Take)):
                for leg in intent.legs:
                    if account.instruments.find(leg.instrument) not in account.markets:
                        raise ValueError(f"leg on unknown instrument {leg.instrument}")

    def _act(self, intent: Intent, decisions: list[Decision], actions: list[Action]) -> None:
        """Judge one intent, then count and collect what it sends."""
        change = self._change(intent)
        if isinstance(intent, Quote) and intent.legs and not (change.place or change.cancel):
            return
        decision = review(intent, change.place, self.state, self.limits)
        decisions.append(decision)
        until_ns = self.state.now_ns + ACTION_LIFE_NS
        self._note(plan(decision, change.cancel, self.state.account, until_ns), actions)

    def _change(self, intent: Intent) -> QuoteDiff:
        """What an intent would newly send: for a quote, the difference to the living orders."""
        account = self.state.account
        match intent:
            case Quote():
                live = account.open_orders(intent.market_id, intent.strategy)
                tick_e4 = account.markets[intent.market_id].tick_e4
                return diff(intent.legs, live, intent.upkeep, tick_e4, self.state.now_ns)
            case Take():
                return QuoteDiff(cancel=(), place=intent.legs)
            case _:
                return QuoteDiff(cancel=(), place=())

    def _wind_down(self, market_id: MarketId, actions: list[Action]) -> None:
        """What the end of the window, a halt or a quarantine demands, whatever strategies want."""
        state, account = self.state, self.state.account
        live = account.markets[market_id]
        phase = live.market.phase(state.now_ns, state.cutoff_ns)
        self._note(wind_down(account, live, phase, state.now_ns), actions)
        if account.is_finished(live):
            state.drop(market_id)

    def _note(self, planned: Iterable[Action], actions: list[Action]) -> None:
        for action in planned:
            self.state.note(action)
            actions.append(action)

    def _review_order(self, intent: Intent) -> tuple[int, int, int, str]:
        """Pulls and merges first, then by edge per worst-case pUSD, instrument, strategy name."""
        lowers_risk = isinstance(intent, Convert) or (isinstance(intent, Quote) and not intent.legs)
        edge_ppm = intent.edge_e4 * PPM // max(1, intent.worst_loss_e6)
        market = self.state.account.markets[intent.market_id]
        return (0 if lowers_risk else 1, -edge_ppm, market.up, intent.strategy)
