"""The ghost-filler: its orders match, its money is gone when the match shall settle."""

from polyvenue.agents.config import GhostConfig
from polyvenue.agents.desk import Desk
from polyvenue.agents.scene import Scene
from polyvenue.exchange import Exchange
from polyvenue.exchange.orders import PUSD
from polyvenue.exchange.units import E4, E6, MS_NS, S_NS


class Ghost:
    """Rests at a best price; once matched it empties its wallet until the match has failed."""

    def __init__(self, scene: Scene, config: GhostConfig, seed: int, role: str) -> None:
        self.desk = Desk(scene, seed, role, collateral=2 * config.qty)
        self._config = config
        self._next_ns = scene.start_ns
        self._is_drained = False

    def next_ns(self) -> int:
        """When it looks again; first when the window opens."""
        return self._next_ns

    def act(self, exchange: Exchange, now_ns: int) -> None:
        """Drain after a match, come back after its failure, else stay at the best price."""
        self._next_ns = now_ns + self._config.every_ms * MS_NS
        if self._is_unsettled(exchange):
            if not self._is_drained:
                self._drain(exchange, now_ns)
        elif self._is_drained:
            self._is_drained = False
            self.desk.fill_up(exchange, now_ns)
            self._next_ns = now_ns + self._config.rest_s * S_NS
        else:
            self._follow(exchange, now_ns)

    def _is_unsettled(self, exchange: Exchange) -> bool:
        core = exchange.core
        trades = core.trades_of.get(self.desk.wallet, ())
        return any(not core.trades[it].view.status.is_final for it in trades)

    def _drain(self, exchange: Exchange, now_ns: int) -> None:
        exchange.cancel_all(now_ns, self.desk.api_key)
        account = exchange.account(self.desk.wallet)
        exchange.withdraw(now_ns, self.desk.wallet, account.spendable_e6(PUSD))
        self._is_drained = True

    def _follow(self, exchange: Exchange, now_ns: int) -> None:
        """Rest at the best bid of the outcome it has chosen; choose when it has none."""
        desk, market = self.desk, exchange.market(self.desk.scene.market_id)
        resting = desk.resting(exchange)
        outcome = resting[0].outcome if resting else desk.rng.randrange(2)
        bid_e4 = market.best(outcome)[0]
        if bid_e4 is None or (resting and resting[0].price_e4 == bid_e4):
            return
        if resting:
            exchange.cancel_all(now_ns, desk.api_key)
            bid_e4 = market.best(outcome)[0]
        if bid_e4 is not None and market.tick_e4 <= bid_e4 <= E4 - market.tick_e4:
            desk.quote(exchange, now_ns, outcome, bid_e4, self._config.qty * E6)
