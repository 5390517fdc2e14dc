"""Everybody in one market, as one actor."""

import heapq
from typing import Protocol

from polyvenue.agents.config import PopulationConfig
from polyvenue.agents.desk import Desk
from polyvenue.agents.ghost import Ghost
from polyvenue.agents.maker import END_MARGIN_NS, Collector, Maker
from polyvenue.agents.scene import Scene
from polyvenue.agents.taker import Informed, Noise
from polyvenue.exchange import Exchange


class Agent(Protocol):
    """One participant. `act` at a time before `next_ns` is never needed."""

    desk: Desk

    def next_ns(self) -> int:
        """When it wants to act; a time in the past means at once."""

    def act(self, exchange: Exchange, now_ns: int) -> None:
        """Do what it does at `now_ns`, and move `next_ns` beyond it."""


class Population:
    """The agents of one market, in order of time; ties in the order of the configuration.

    `enter` once the market takes orders, `act` when `next_ns` is due, `leave` after its end or to
    empty it before. Then it is over: a market gets a new population, or none.
    """

    def __init__(self, config: PopulationConfig, seed: int, scene: Scene) -> None:
        self.scene = scene
        self.agents: tuple[Agent, ...] = (
            *(Maker(scene, it, seed, f"maker:{n}") for n, it in enumerate(config.makers)),
            *(
                Collector(scene, it, seed, f"collector:{n}")
                for n, it in enumerate(config.collectors)
            ),
            *(Noise(scene, it, seed, f"noise:{n}") for n, it in enumerate(config.noise)),
            *(Informed(scene, it, seed, f"informed:{n}") for n, it in enumerate(config.informed)),
            *(Ghost(scene, it, seed, f"ghost:{n}") for n, it in enumerate(config.ghosts)),
        )
        self._due: list[tuple[int, int]] = []
        self._has_left = False

    @property
    def wallets(self) -> tuple[str, ...]:
        """The addresses of all agents."""
        return tuple(agent.desk.wallet for agent in self.agents)

    def enter(self, exchange: Exchange, now_ns: int) -> None:
        """Make or fill the wallets. From now on `next_ns` tells a time."""
        for number, agent in enumerate(self.agents):
            agent.desk.enter(exchange, now_ns)
            self._push(max(now_ns, agent.next_ns()), number)

    def next_ns(self) -> int | None:
        """When somebody wants to act; None when nobody will."""
        return self._due[0][0] if self._due else None

    def act(self, exchange: Exchange, now_ns: int) -> None:
        """Let everybody act who is due by `now_ns`, each at its own time.

        One that is overdue acts at the exchange's present time, for that never goes back. What is
        due in the exchange before an agent's turn is done before it.
        """
        while self._due and self._due[0][0] <= now_ns:
            due_ns, number = heapq.heappop(self._due)
            agent, at_ns = self.agents[number], max(due_ns, exchange.now_ns)
            exchange.advance(at_ns)
            if at_ns < self.scene.end_ns - END_MARGIN_NS:
                agent.act(exchange, at_ns)
                self._push(max(at_ns + 1, agent.next_ns()), number)

    def leave(self, exchange: Exchange, now_ns: int) -> None:
        """Withdraw all orders and forget the keys; nobody acts any more. Twice is once."""
        self._due.clear()
        if not self._has_left:
            self._has_left = True
            for agent in self.agents:
                agent.desk.leave(exchange, now_ns)

    def _push(self, at_ns: int, number: int) -> None:
        if at_ns < self.scene.end_ns - END_MARGIN_NS:
            heapq.heappush(self._due, (at_ns, number))
