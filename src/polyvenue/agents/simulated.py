"""One window with agents and nobody else, sampled as the recordings are."""

from polyvenue.agents.config import PopulationConfig
from polyvenue.agents.population import Population
from polyvenue.agents.scene import Scene, scene_of
from polyvenue.agents.statistics import Sample, Seen
from polyvenue.exchange import Exchange, ExchangeConfig, MarketTerms
from polyvenue.exchange.events import BookChanged
from polyvenue.exchange.market import Market
from polyvenue.exchange.units import E6, S_NS
from polyvenue.market_data.assets import ASSETS
from polyvenue.market_data.oracle import Oracle
from polyvenue.market_data.prices import PricePath
from polyvenue.market_data.windows import make_window, series_of


def make_scene(seed: int, asset: str, window_s: int, start_s: int) -> Scene:
    """The scene of a window of a series with the path of this seed."""
    path = PricePath(seed, ASSETS[asset])
    window = make_window(seed, series_of(asset, window_s), start_s)
    return scene_of(window, path, Oracle(seed, path))


class Stage:
    """An exchange with one market and its agents, which goes from instant to instant."""

    def __init__(
        self,
        config: PopulationConfig,
        seed: int,
        scene: Scene,
        *,
        before_s: int,
        exchange: ExchangeConfig | None = None,
    ) -> None:
        self.scene = scene
        self.exchange = Exchange(exchange or ExchangeConfig(), seed)
        self.population = Population(config, seed, scene)
        begin_ns = scene.start_ns - before_s * S_NS
        terms = MarketTerms(market_id=scene.market_id, token_ids=scene.token_ids)
        self.exchange.list_market(begin_ns, terms)
        self.population.enter(self.exchange, begin_ns)
        self._is_open = False

    @property
    def market(self) -> Market:
        """The market."""
        return self.exchange.market(self.scene.market_id)

    def step(self) -> bool:
        """Go to the next instant at which something is due; False at the end of the window."""
        scene, exchange = self.scene, self.exchange
        gate_ns = scene.end_ns if self._is_open else scene.start_ns
        dues = (exchange.next_ns(), self.population.next_ns(), gate_ns)
        at_ns = max(exchange.now_ns, min(it for it in dues if it is not None))
        if at_ns >= gate_ns:
            if self._is_open:
                exchange.end_market(scene.end_ns, scene.market_id)
                self.population.leave(exchange, scene.end_ns)
                return False
            self._is_open = True
            exchange.open_market(scene.start_ns, scene.market_id)
        exchange.advance(at_ns)
        self.population.act(exchange, at_ns)
        return True


def sample(market: Market, left_s: float) -> Sample:
    """The best prices of Up as they are now."""
    bids, asks = market.books[0].bids, market.books[0].asks
    bid_e4, ask_e4 = bids.best_e4, asks.best_e4
    return Sample(
        left_s,
        bid_e4,
        ask_e4,
        0.0 if bid_e4 is None else bids.qty_at(bid_e4) / E6,
        0.0 if ask_e4 is None else asks.qty_at(ask_e4) / E6,
    )


def simulate(
    config: PopulationConfig, seed: int, scene: Scene, *, before_s: int, per_second: bool
) -> Seen:
    """Run a window and sample the book whenever it has changed.

    `per_second`: at most once in each second, as in the recording of 1 Hz.
    """
    stage = Stage(config, seed, scene, before_s=before_s)
    stage.exchange.take_events()
    samples: list[Sample] = []
    last_s = -1
    while stage.step():
        changed = sum(isinstance(it, BookChanged) for it in stage.exchange.take_events())
        now_ns = stage.exchange.now_ns
        if not changed or (per_second and now_ns // S_NS == last_s):
            continue
        last_s = now_ns // S_NS
        found = sample(stage.market, (scene.end_ns - now_ns) / S_NS)
        samples += [found] * (1 if per_second else changed)
    return Seen(scene.window_s, tuple(samples))
