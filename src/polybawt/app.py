"""The composition root: the only place that chooses adapters and puts the parts together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from polybawt import __version__
from polybawt.adapters.datasets.detect import open_source
from polybawt.adapters.fills.venue import SimVenue
from polybawt.config import Config, Loaded
from polybawt.domain.units import E6, S_NS, to_scaled
from polybawt.engine import Engine
from polybawt.observe.observer import RunObserver
from polybawt.observe.trace import TraceWriter
from polybawt.portfolio.account import AccountState
from polybawt.portfolio.lots import Method
from polybawt.ports import FrameSource
from polybawt.report.model import Attribution, Report, RunHeader, RunTotals
from polybawt.report.recorder import Recorder
from polybawt.report.summary import Summary
from polybawt.risk.limits import Limits
from polybawt.runtime.backtest import Backtest
from polybawt.state import State
from polybawt.strategies.base import Strategy
from polybawt.strategies.registry import plugins


@dataclass(frozen=True)
class Result:
    """What a backtest leaves behind."""

    summary: Summary
    report: Report


def sample_path() -> Path:
    """The recording that is shipped with the package."""
    with as_file(files("polybawt").joinpath("data", "sample")) as path:
        return path


def build_engine(config: Config) -> Engine:
    """The core for a configuration: state, strategies, limits."""
    opening_e6 = to_scaled(config.account.opening_cash_pusd, E6, "account.opening_cash_pusd")
    account = AccountState(opening_e6, Method(config.account.cost_method))
    state = State(account, config.engine.cutoff_s * S_NS)
    strategies = [Strategy(plugin, config.strategies[name]) for name, plugin in plugins().items()]
    return Engine(state, strategies, Limits.of(config.risk, opening_e6))


def run_backtest(
    loaded: Loaded,
    data: Path,
    *,
    assume_inferred: bool = False,
    trace: Path | None = None,
    progress: Callable[[float], None] | None = None,
) -> Result:
    """Run the core over a recording. BadInput leaves no trace file behind."""
    source = open_source(data, assume_inferred_outcomes=assume_inferred)
    config = loaded.config
    engine = build_engine(config)
    venue = SimVenue(config.fills)
    recorder = Recorder(engine.state.account.ledger.opening_e6)
    writer = None
    if trace is not None:
        writer = TraceWriter(trace, engine.state.account, venue.order_delay_ns)
    names = [strategy.name for strategy in engine.strategies]
    observer = RunObserver(engine.state, recorder, writer, names)
    backtest = Backtest(source, engine, venue, observer, timer_ms=config.engine.timer_ms)
    with writer or nullcontext():
        backtest.run(progress)
    quality = source.quality
    summary = observer.summary(quality.frames, sum(quality.set_aside.values()))
    totals = run_totals(loaded, source, venue, observer, summary)
    return Result(summary=summary, report=recorder.finish(totals))


def run_totals(
    loaded: Loaded, source: FrameSource, venue: SimVenue, observer: RunObserver, summary: Summary
) -> RunTotals:
    """What only the run as a whole knows, for the report."""
    info, quality = source.info, source.quality
    fills = loaded.config.fills
    header = RunHeader(
        version=__version__,
        data=info.name,
        queue=fills.queue,
        seed=fills.seed,
        profile=loaded.profile,
        config=tuple((row.key, f"{row.value} ({row.origin})") for row in loaded.rows()),
    )
    attribution = Attribution(name=info.name, licence=info.licence, text=info.attribution or "")
    return RunTotals(
        header=header,
        summary=summary,
        rebates_accrued_e6=venue.rebates_accrued_e6,
        rebates_paid_e6=observer.rebates_paid_e6,
        set_aside=tuple(sorted(quality.set_aside.items())),
        limits=(*info.limits, *MODEL_LIMITS),
        attributions=(attribution,),
    )


MODEL_LIMITS = (
    "Book-only data carry no trades: a maker fill is inferred from the book and is never proven.",
    "Our orders do not move the recorded market, and nobody reacts to them.",
    "Rebates are an estimate until paid and count in no result before that.",
)
