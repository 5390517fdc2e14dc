"""Takers: one who knows nothing, one who knows sooner."""

from polyvenue.agents.config import InformedConfig, NoiseConfig
from polyvenue.agents.desk import Desk
from polyvenue.agents.fair import FairValue
from polyvenue.agents.scene import Scene
from polyvenue.exchange import Exchange
from polyvenue.exchange.market import Market
from polyvenue.exchange.units import E4, E6, MS_NS, PPM


class Noise:
    """Buys either outcome or sells what it has, at times that mean nothing."""

    def __init__(self, scene: Scene, config: NoiseConfig, seed: int, role: str) -> None:
        self.desk = Desk(scene, seed, role, collateral=config.collateral)
        self._config = config
        self._next_ns = 0

    def next_ns(self) -> int:
        """When it trades next; 0 before the first look."""
        return self._next_ns

    def act(self, exchange: Exchange, now_ns: int) -> None:
        """Trade, and draw when to trade again. The first call only draws."""
        config, desk = self._config, self.desk
        is_first = self._next_ns == 0
        is_before = now_ns < desk.scene.start_ns
        self._next_ns = now_ns + desk.wait_ns(config.before_ms if is_before else config.every_ms)
        if is_first:
            return
        outcome, qty_e6 = desk.rng.randrange(2), desk.draw_qty_e6(config.qty, config.qty_sd_pct)
        market = exchange.market(desk.scene.market_id)
        bid_e4, ask_e4 = market.best(outcome)
        slip_e4 = config.slip_ticks * market.tick_e4
        free_e6 = exchange.usable_e6(desk.wallet, desk.scene.token_ids[outcome]) // E6 * E6
        wants_to_sell = desk.rng.randrange(100) < config.sell_pct
        if wants_to_sell and free_e6 >= 5 * E6 and bid_e4 is not None:
            limit_e4 = max(market.tick_e4, bid_e4 - slip_e4)
            desk.sell(exchange, now_ns, outcome, limit_e4, min(qty_e6, free_e6))
        elif ask_e4 is not None:
            limit_e4 = min(E4 - market.tick_e4, ask_e4 + slip_e4)
            desk.buy(exchange, now_ns, outcome, limit_e4, qty_e6)


class Informed:
    """Takes offers that are too cheap on the path as it is now."""

    def __init__(self, scene: Scene, config: InformedConfig, seed: int, role: str) -> None:
        self.desk = Desk(scene, seed, role, collateral=config.collateral)
        self._config = config
        self._fair = FairValue(scene)
        self._next_ns = scene.start_ns

    def next_ns(self) -> int:
        """When it looks again; first when the window opens."""
        return self._next_ns

    def act(self, exchange: Exchange, now_ns: int) -> None:
        """Look at both outcomes and take the first that is cheap."""
        config, market = self._config, exchange.market(self.desk.scene.market_id)
        self._next_ns = now_ns + config.every_ms * MS_NS
        up_ppm = self._fair.up_ppm(now_ns - config.lag_ms * MS_NS)
        for outcome, fair_ppm in ((0, up_ppm), (1, PPM - up_ppm)):
            ask_e4 = market.best(outcome)[1]
            if ask_e4 is not None and edge_ppm(market, fair_ppm, ask_e4) >= config.edge_e4 * 100:
                qty_e6 = min(config.qty_max * E6, self._offered_e6(market, outcome, ask_e4))
                if self.desk.buy(exchange, now_ns, outcome, ask_e4, qty_e6) is not None:
                    self._next_ns = now_ns + max(config.every_ms, config.rest_ms) * MS_NS
                    return

    @staticmethod
    def _offered_e6(market: Market, outcome: int, ask_e4: int) -> int:
        """What is offered of an outcome at its best price."""
        if not market.terms.cross_outcome_match:
            return market.books[outcome].asks.qty_at(ask_e4)
        if outcome == 0:
            return market.books[0].asks.qty_at(ask_e4)
        return market.books[0].bids.qty_at(E4 - ask_e4)


def edge_ppm(market: Market, fair_ppm: int, ask_e4: int) -> int:
    """Gain per share of buying at a price, after the fee, in 10^-6."""
    fees = market.terms.fees
    fee_ppm = fees.weight(E6, ask_e4) // fees.scale
    return fair_ppm - ask_e4 * 100 - fee_ppm
