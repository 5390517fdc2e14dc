"""Market makers: ladders around a fair value seen late, and the buyers of sure winners."""

from polyvenue.agents.config import CollectorConfig, MakerConfig
from polyvenue.agents.desk import Desk
from polyvenue.agents.fair import PPM, FairValue
from polyvenue.agents.scene import Scene
from polyvenue.exchange import Exchange
from polyvenue.exchange.market import Market
from polyvenue.exchange.orders import Order
from polyvenue.exchange.units import E4, MS_NS, S_NS

CENT_E4 = 100
Quote = tuple[int, int]
"""(outcome, price in 10^-4): a bid for that outcome."""


def sure_winner(up_ppm: int, decided_ppm: int) -> int | None:
    """The outcome that is as sure as that, if any."""
    if up_ppm >= decided_ppm:
        return 0
    return 1 if up_ppm <= PPM - decided_ppm else None


def best_quotes(
    config: MakerConfig, centre_ppm: int, tick_e4: int, winner: int | None
) -> dict[int, int]:
    """The best bid for each outcome that is bid for; one for Down at q offers Up at 1 - q.

    Both lie around the centre, at least a tick apart and inside the grid. With a winner only it is
    bid for.
    """
    near_ppm, tick_ppm, top_e4 = config.near_e4 * 100, tick_e4 * 100, E4 - tick_e4
    bid_e4 = (centre_ppm - near_ppm) // tick_ppm * tick_e4
    ask_e4 = -((-centre_ppm - near_ppm) // tick_ppm) * tick_e4
    if winner is not None:
        best_e4 = bid_e4 if winner == 0 else E4 - ask_e4
        return {winner: max(tick_e4, min(best_e4, top_e4))}
    bid_e4 = max(tick_e4, min(bid_e4, top_e4 - tick_e4))
    ask_e4 = max(bid_e4 + tick_e4, min(ask_e4, top_e4))
    return {0: bid_e4, 1: E4 - ask_e4}


def ladder(config: MakerConfig, best: dict[int, int], tick_e4: int) -> dict[Quote, int]:
    """The quotes of each outcome and their level, best first."""
    return {
        (outcome, price_e4): level
        for outcome, best_e4 in best.items()
        for level, price_e4 in enumerate(prices_below(best_e4, config, tick_e4))
    }


def prices_below(best_e4: int, config: MakerConfig, tick_e4: int) -> list[int]:
    """The best price and the levels below it, on multiples of the step, inside the grid."""
    step_e4 = -(-config.step_e4 // tick_e4) * tick_e4
    second_e4 = (best_e4 - 1) // step_e4 * step_e4
    prices = [best_e4, *(second_e4 - level * step_e4 for level in range(config.levels - 1))]
    return [it for it in prices if it >= tick_e4]


def grid(config: MakerConfig, centre_ppm: int, tick_e4: int) -> int:
    """The price grid that it uses: cents, or the market's tick near 0 and 1."""
    is_near = min(centre_ppm, PPM - centre_ppm) <= config.fine_e4 * 100
    return tick_e4 if is_near else max(tick_e4, CENT_E4)


def behind(market: Market, outcome: int, price_e4: int, grid_e4: int) -> int:
    """A price, or the last one that does not meet an offer that others have not moved yet."""
    ask_e4 = market.best(outcome)[1]
    return price_e4 if ask_e4 is None else min(price_e4, (ask_e4 - 1) // grid_e4 * grid_e4)


class Maker:
    """One market maker. Its quotes are bids for both outcomes, so it needs no shares."""

    def __init__(self, scene: Scene, config: MakerConfig, seed: int, role: str) -> None:
        self.desk = Desk(scene, seed, role, collateral=config.collateral)
        self._config = config
        self._fair = FairValue(scene, config.vol_pct)
        self._decided_ns = scene.end_ns - scene.scaled_ns(config.decided_s)
        self._centre_ppm = -PPM
        self._winner: int | None = None
        self._next_ns = 0
        self._refresh_ns = 0

    def next_ns(self) -> int:
        """When it looks again."""
        return self._next_ns

    def act(self, exchange: Exchange, now_ns: int) -> None:
        """Look, and bring the quotes in line."""
        config, market = self._config, exchange.market(self.desk.scene.market_id)
        jitter = self.desk.rng.uniform(0.8, 1.2)
        self._next_ns = now_ns + max(1, round(config.every_ms * jitter)) * MS_NS
        up_ppm = self._fair.up_ppm(now_ns - config.lag_ms * MS_NS)
        if abs(up_ppm - self._centre_ppm) >= config.shift_e4 * 100:
            self._centre_ppm = up_ppm
        is_late = now_ns >= self._decided_ns
        self._winner = sure_winner(up_ppm, config.decided_ppm) if is_late else None
        grid_e4 = grid(config, self._centre_ppm, market.tick_e4)
        best = best_quotes(config, self._centre_ppm, grid_e4, self._winner)
        self._pull(exchange, now_ns, best)
        best = {
            outcome: behind(market, outcome, price_e4, grid_e4)
            for outcome, price_e4 in best.items()
        }
        wanted = ladder(config, best, grid_e4)
        kept = self._tidy(exchange, now_ns, wanted)
        for (outcome, price_e4), level in wanted.items():
            if (outcome, price_e4) not in kept:
                qty_e6 = self.desk.draw_qty_e6(self._median(now_ns, level), config.qty_sd_pct)
                self.desk.quote(exchange, now_ns, outcome, price_e4, qty_e6)

    def _median(self, now_ns: int, level: int) -> float:
        """Shares that it mostly shows at a level."""
        config = self._config
        growth = (config.growth_pct / 100) ** min(level, config.growth_levels)
        ahead = config.before_pct / 100 if now_ns < self.desk.scene.start_ns else 1.0
        return config.qty * growth * ahead

    def _pull(self, exchange: Exchange, now_ns: int, best: dict[int, int]) -> None:
        """Cancel what is bid too high or for an outcome that is not bid for any more."""
        wrong = [
            it.order_id
            for it in self.desk.resting(exchange)
            if it.price_e4 > best.get(it.outcome, 0)
        ]
        if wrong:
            exchange.cancel_many(now_ns, self.desk.api_key, wrong)

    def _tidy(
        self, exchange: Exchange, now_ns: int, wanted: dict[Quote, int]
    ) -> dict[Quote, Order]:
        """Cancel what is out of the way, and now and then one order to draw it anew."""
        resting = {(it.outcome, it.price_e4): it for it in self.desk.resting(exchange)}
        kept = {key: it for key, it in resting.items() if self._may_stay(key, wanted)}
        gone = [it.order_id for key, it in resting.items() if key not in kept]
        if now_ns >= self._refresh_ns:
            self._refresh_ns = now_ns + self.desk.wait_ns(self._config.refresh_s * 1_000)
            if kept:
                gone.append(kept.pop(self.desk.rng.choice(list(kept))).order_id)
        if gone:
            exchange.cancel_many(now_ns, self.desk.api_key, gone)
        return kept

    def _may_stay(self, quote: Quote, wanted: dict[Quote, int]) -> bool:
        """True for a quote that is not far behind the last level of its outcome."""
        prices = [price_e4 for outcome, price_e4 in wanted if outcome == quote[0]]
        return bool(prices) and quote[1] >= prices[-1] - self._config.slack_e4


class Collector:
    """Buys the sure winner at the last price below 1."""

    def __init__(self, scene: Scene, config: CollectorConfig, seed: int, role: str) -> None:
        self.desk = Desk(scene, seed, role, collateral=config.collateral)
        self._config = config
        self._fair = FairValue(scene)
        self._next_ns = scene.end_ns - scene.scaled_ns(config.within_s)

    def next_ns(self) -> int:
        """When it looks again; first near the end."""
        return self._next_ns

    def act(self, exchange: Exchange, now_ns: int) -> None:
        """Add a bid while there is a sure winner; withdraw all others."""
        config, desk = self._config, self.desk
        self._next_ns = now_ns + desk.wait_ns(config.every_ms)
        up_ppm = self._fair.up_ppm(now_ns - config.lag_ms * MS_NS)
        winner = sure_winner(up_ppm, config.decided_ppm)
        resting = desk.resting(exchange)
        wrong = [it.order_id for it in resting if it.outcome != winner]
        if wrong:
            exchange.cancel_many(now_ns, desk.api_key, wrong[: exchange.core.config.cancel_max])
        if winner is not None and len(resting) - len(wrong) < config.orders_max:
            price_e4 = E4 - exchange.market(desk.scene.market_id).tick_e4
            qty_e6 = desk.draw_qty_e6(config.qty, config.qty_sd_pct)
            desk.quote(exchange, now_ns, winner, price_e4, qty_e6)


END_MARGIN_NS = S_NS // 2
"""Nobody acts in the last half second: what is marketable then could not be released any more."""
