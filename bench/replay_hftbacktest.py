"""One process: hftbacktest over the tape. `python -m bench.replay_hftbacktest DIR`.

Its strategy is compiled, and its engine is Rust; the same bid at the same pace. The first run
compiles and is reported apart.
"""

from __future__ import annotations

import sys
from pathlib import Path
from time import process_time
from typing import Any

from bench.synthetic import opening_levels, read_columns
from bench.timing import peak_mb, report

try:
    import numpy as np
    from hftbacktest import (
        BUY_EVENT,
        DEPTH_EVENT,
        EXCH_EVENT,
        GTX,
        LIMIT,
        LOCAL_EVENT,
        SELL_EVENT,
        TRADE_EVENT,
        BacktestAsset,
        ROIVectorMarketDepthBacktest,
    )
    from hftbacktest.types import event_dtype
    from numba import njit
except ModuleNotFoundError as error:
    report({"skipped": f"{error.name} is not installed"})
    sys.exit()

EVERY = 500
LATENCY_NS = 1_000_000
END_OF_DATA = 1


@njit
def trade(backtest: Any) -> tuple[int, int]:
    """Every 500 events: cancel the bid, place one at the best, post only."""
    events, orders = 0, 0
    while backtest.wait_next_feed(False, 10_000_000_000) != END_OF_DATA:
        events += 1
        if events % EVERY:
            continue
        backtest.clear_inactive_orders(0)
        if orders:
            own = backtest.orders(0).get(orders)
            if own is not None and own.cancellable:
                backtest.cancel(0, orders, False)
        depth = backtest.depth(0)
        if depth.best_bid > 0:
            orders += 1
            backtest.submit_buy_order(0, orders, depth.best_bid, 10.0, GTX, LIMIT, False)
    return events, orders


def events_of(columns: tuple[Any, ...]) -> Any:
    """The tape as the engine's records, from an opening snapshot on."""
    ts, kind, side, tick, shares = (np.frombuffer(column, np.int64) for column in columns)
    opening = [(0, s, t, q) for s, side_ in enumerate(opening_levels()) for t, q in side_.items()]
    first = np.array(opening, np.int64)
    ts = np.concatenate([np.full(len(first), ts[0] - 1), ts])
    kind, side, tick, shares = (
        np.concatenate([first[:, i], column]) for i, column in enumerate((kind, side, tick, shares))
    )
    events = np.zeros(len(ts), event_dtype)
    what = np.where(kind == 0, DEPTH_EVENT, TRADE_EVENT) | EXCH_EVENT | LOCAL_EVENT
    events["ev"] = what | np.where(side == 0, BUY_EVENT, SELL_EVENT)
    events["exch_ts"], events["local_ts"] = ts, ts + LATENCY_NS
    events["px"], events["qty"] = tick / 1000, shares
    return events


def new_backtest(events: Any) -> Any:
    """The engine on its fastest book."""
    asset = (
        BacktestAsset()
        .data([events])
        .linear_asset(1.0)
        .constant_order_latency(LATENCY_NS, LATENCY_NS)
        .risk_adverse_queue_model()
        .no_partial_fill_exchange()
        .trading_value_fee_model(0.0, 0.0)
        .tick_size(0.001)
        .lot_size(0.01)
        .last_trades_capacity(0)
        .roi_lb(0.0)
        .roi_ub(1.0)
    )
    return ROIVectorMarketDepthBacktest([asset])


def main(folder: Path) -> None:
    """Load, build, run twice; print the times of the second run."""
    start = process_time()
    columns = read_columns(folder)
    loaded = process_time()
    events = events_of(columns)
    built = process_time()
    times = []
    for _ in range(2):
        backtest = new_backtest(events)
        began = process_time()
        _, orders = trade(backtest)
        times.append(process_time() - began)
        fills = int(backtest.state_values(0).num_trades)
        backtest.close()
    report(
        {
            "events": len(columns[0]),
            "load_s": loaded - start,
            "build_s": built - loaded,
            "compile_s": times[0] - times[1],
            "run_s": times[1],
            "peak_mb": peak_mb(),
            "orders": orders,
            "fills": fills,
        }
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
