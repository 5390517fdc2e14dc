"""One process: nautilus_trader over the synthetic market. `python -m bench.replay_nautilus DIR`.

Nothing is logged and no statistics are computed at the end: the engine alone, at its fastest.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from time import process_time

from bench.synthetic import LEVEL, START_NS, Row, opening_levels, read_columns, rows_of
from bench.timing import peak_mb, report

try:
    from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
    from nautilus_trader.config import LoggingConfig
    from nautilus_trader.model.currencies import USDC_POS
    from nautilus_trader.model.data import BookOrder, OrderBookDelta, TradeTick
    from nautilus_trader.model.enums import (
        AccountType,
        AggressorSide,
        AssetClass,
        BookAction,
        BookType,
        OmsType,
        OrderSide,
        RecordFlag,
    )
    from nautilus_trader.model.identifiers import InstrumentId, Symbol, TradeId, Venue
    from nautilus_trader.model.instruments import BinaryOption
    from nautilus_trader.model.objects import Money, Price, Quantity
    from nautilus_trader.trading.strategy import Strategy
except ModuleNotFoundError as error:
    report({"skipped": f"{error.name} is not installed"})
    sys.exit()

MARKET = InstrumentId.from_str("BTC15M-UP.POLYMARKET")
PRICES = [Price(tick / 1000, 3) for tick in range(1001)]
EVERY = 500
SIDES = (OrderSide.BUY, OrderSide.SELL)
AGGRESSORS = (AggressorSide.BUYER, AggressorSide.SELLER)
CASH = 1_000_000


class Quoter(Strategy):
    """One post-only bid at the best, replaced every 500 level changes."""

    changes = orders = fills = 0

    def on_start(self) -> None:
        """Ask for everything the tape has."""
        self.subscribe_order_book_deltas(MARKET, BookType.L2_MBP)
        self.subscribe_trade_ticks(MARKET)

    def on_order_book_deltas(self, _deltas: object) -> None:
        """Count, and every 500th time replace the bid."""
        self.changes += 1
        if self.changes % EVERY:
            return
        best = self.cache.order_book(MARKET).best_bid_price()
        if best is None:
            return
        self.cancel_all_orders(MARKET)
        order = self.order_factory.limit(
            MARKET, OrderSide.BUY, Quantity(10, 2), best, post_only=True
        )
        self.submit_order(order)
        self.orders += 1

    def on_trade_tick(self, _tick: object) -> None:
        """Prints are heard and not used, as on the other side."""

    def on_order_filled(self, _event: object) -> None:
        """Count."""
        self.fills += 1


def instrument() -> BinaryOption:
    """The market, without fees."""
    return BinaryOption(
        instrument_id=MARKET,
        raw_symbol=Symbol("BTC15M-UP"),
        asset_class=AssetClass.ALTERNATIVE,
        currency=USDC_POS,
        price_precision=3,
        size_precision=2,
        price_increment=Price(0.001, 3),
        size_increment=Quantity(0.01, 2),
        activation_ns=0,
        expiration_ns=2**62,
        ts_event=0,
        ts_init=0,
        maker_fee=Decimal(0),
        taker_fee=Decimal(0),
    )


def delta(ts_ns: int, side: int, tick: int, shares: int) -> OrderBookDelta:
    """A level change."""
    order = BookOrder(SIDES[side], PRICES[tick], Quantity(shares, 2), tick)
    action = BookAction.UPDATE if shares else BookAction.DELETE
    return OrderBookDelta(MARKET, action, order, RecordFlag.F_LAST, 0, ts_ns, ts_ns)


def data_of(rows: Iterator[Row]) -> list[object]:
    """The tape as the engine's own objects, from an opening snapshot on."""
    data: list[object] = [OrderBookDelta.clear(MARKET, 0, START_NS, START_NS)]
    for side, levels in enumerate(opening_levels()):
        data.extend(delta(START_NS, side, tick, shares) for tick, shares in levels.items())
    for number, (ts_ns, kind, side, tick, shares) in enumerate(rows):
        if kind == LEVEL:
            data.append(delta(ts_ns, side, tick, shares))
        else:
            size, trade_id = Quantity(shares, 2), TradeId(str(number))
            data.append(
                TradeTick(MARKET, PRICES[tick], size, AGGRESSORS[side], trade_id, ts_ns, ts_ns)
            )
    return data


def main(folder: Path) -> None:
    """Load, build all objects, run; print the times."""
    start = process_time()
    columns = read_columns(folder)
    loaded = process_time()
    data = data_of(rows_of(columns))
    engine = BacktestEngine(
        BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False)
    )
    engine.add_venue(
        Venue("POLYMARKET"),
        oms_type=OmsType.NETTING,
        account_type=AccountType.CASH,
        base_currency=USDC_POS,
        starting_balances=[Money(CASH, USDC_POS)],
        book_type=BookType.L2_MBP,
    )
    engine.add_instrument(instrument())
    engine.add_data(data)
    strategy = Quoter()
    engine.add_strategy(strategy)
    built = process_time()
    engine.run()
    ended = process_time()
    report(
        {
            "events": len(columns[0]),
            "load_s": loaded - start,
            "build_s": built - loaded,
            "run_s": ended - built,
            "peak_mb": peak_mb(),
            "orders": strategy.orders,
            "fills": strategy.fills,
        }
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
