"""The product on the synthetic market: the same parts, put together as `polybawt backtest` does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bench import strategy
from bench.synthetic import LEVEL, START_NS, Row
from polybawt.adapters.fills.config import FillConfig
from polybawt.adapters.fills.venue import SimVenue
from polybawt.adapters.frames import LIFECYCLE, MARKET, Meter
from polybawt.config import EngineConfig
from polybawt.domain.events import (
    Batch,
    BookChanged,
    BookReplaced,
    Event,
    MarketListed,
    TradePrinted,
)
from polybawt.domain.fees import FeeSchedule
from polybawt.domain.ids import MarketId, Outcome, Side
from polybawt.domain.market import Market, PointBoundary
from polybawt.domain.units import E6, MS_NS, S_NS
from polybawt.engine import Engine
from polybawt.observe.observer import RunObserver
from polybawt.portfolio.account import AccountState
from polybawt.portfolio.lots import Method
from polybawt.ports import DataQuality, FrameSource, SourceInfo
from polybawt.report.recorder import Recorder
from polybawt.report.summary import Summary
from polybawt.risk.limits import Limits, LimitsConfig
from polybawt.runtime.backtest import Backtest
from polybawt.state import State
from polybawt.strategies import spread_maker
from polybawt.strategies.base import Plugin, Strategy, StrategyConfig

OPENING_CASH_E6 = 1_000_000 * E6
TICK_E4 = 10
FEES = FeeSchedule(rate_ppm=70_000, exponent=1, rebate_ppm=200_000)
STRATEGIES: dict[str, Plugin[StrategyConfig]] = {
    plugin.name: plugin for plugin in (strategy.PLUGIN, spread_maker.PLUGIN)
}
INFO = SourceInfo(
    name="synthetic market",
    kind="synthetic",
    origin="bench/synthetic.py",
    licence="MIT",
    attribution=None,
    claims=(),
    limits=("Invented, not recorded.",),
    official_outcomes=False,
)


class ListSource:
    """Batches that are in memory already."""

    def __init__(self, batches: list[Batch]) -> None:
        self._batches = batches
        self.info = INFO
        self.quality = DataQuality(frames=len(batches))

    def batches(self) -> Iterator[Batch]:
        """All of them."""
        return iter(self._batches)


def market_of(number: int, open_ns: int, close_ns: int) -> Market:
    """An invented market; its identifiers have the length of real ones."""
    return Market(
        market_id=MarketId(f"0x{number:064x}"),
        asset="btc",
        slug=f"btc-updown-15m-{open_ns // S_NS}",
        open_ns=open_ns,
        close_ns=close_ns,
        token_up=f"{10**76 + 2 * number}",
        token_down=f"{10**76 + 2 * number + 1}",
        tick_e4=TICK_E4,
        fees=FEES,
        settlement=PointBoundary(stream="chainlink"),
    )


def event_of(row: Row, market_id: MarketId) -> Event:
    """A row as an event of the market's Up token."""
    ts_ns, kind, side, tick, shares = row
    make = BookChanged if kind == LEVEL else TradePrinted
    return make(
        market_id=market_id,
        outcome=Outcome.UP,
        side=Side.SELL if side else Side.BUY,
        price_e4=tick * TICK_E4,
        qty_e6=shares * E6,
        venue_ns=ts_ns - ts_ns % MS_NS,
    )


def snapshot(
    levels: tuple[dict[int, int], dict[int, int]], market_id: MarketId, ts_ns: int
) -> BookReplaced:
    """The whole book as an event."""
    bids, asks = (
        tuple((tick * TICK_E4, shares * E6) for tick, shares in side.items()) for side in levels
    )
    return BookReplaced(
        market_id=market_id,
        outcome=Outcome.UP,
        bids=bids,
        asks=asks,
        venue_ns=ts_ns - ts_ns % MS_NS,
    )


def one_market(
    rows: Iterable[Row], levels: tuple[dict[int, int], dict[int, int]], close_ns: int
) -> Iterator[Batch]:
    """The tape as one market's life, from listing to its last event: one event is one frame."""
    meter = Meter(DataQuality())
    market = market_of(1, START_NS, close_ns)
    market_id = market.market_id
    yield meter.batch(START_NS, LIFECYCLE, (MarketListed(market=market),))
    yield meter.batch(START_NS, MARKET, (snapshot(levels, market_id, START_NS),))
    for row in rows:
        yield meter.batch(row.ts_ns, MARKET, (event_of(row, market_id),))


def build(source: FrameSource, name: str) -> tuple[Backtest, RunObserver]:
    """The core with one strategy over a source, with the shipped settings."""
    plugin = STRATEGIES[name]
    settings = EngineConfig()
    state = State(AccountState(OPENING_CASH_E6, Method.AVERAGE), settings.cutoff_s * S_NS)
    limits = Limits.of(LimitsConfig(), OPENING_CASH_E6)
    engine = Engine(state, [Strategy(plugin, plugin.config())], limits)
    observer = RunObserver(state, Recorder(OPENING_CASH_E6), None, [plugin.name])
    venue = SimVenue(FillConfig())
    return Backtest(source, engine, venue, observer, timer_ms=settings.timer_ms), observer


def run(source: FrameSource, name: str) -> Summary:
    """Run to the end; the totals show that both sides of a comparison really traded."""
    backtest, observer = build(source, name)
    backtest.run()
    return observer.summary(source.quality.frames, 0)
