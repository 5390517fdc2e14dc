"""A made-up run, the same on every machine: twelve windows of a maker that is picked off.

`python tests/unit/report/example.py FILE` writes its page.
"""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

from polybawt.domain.events import Evidence
from polybawt.domain.fees import FeeSchedule
from polybawt.domain.fill import Fill, Liquidity
from polybawt.domain.ids import FillId, Instrument, MarketId, OrderId, Outcome, Side, StrategyName
from polybawt.domain.market import Market, TwapBoundary
from polybawt.domain.order import OrderState
from polybawt.domain.units import E6, MS_NS, S_NS, Rounding
from polybawt.report.html import write
from polybawt.report.model import Attribution, Report, RunHeader, RunTotals
from polybawt.report.recorder import Recorder
from polybawt.report.summary import Summary
from polybawt.report.text import five_lines

START_NS = 1_790_586_000 * S_NS
OPENING_E6 = 1_000 * E6
MAKER = StrategyName("spread_maker")
SNIPER = StrategyName("latency_snipe")
FEES = FeeSchedule(rate_ppm=70_000, exponent=1, rebate_ppm=200_000)


def market(number: int, slug: str | None = None, asset: str = "BTC") -> Market:
    """The window of a quarter of an hour."""
    open_ns = START_NS + number * 1_800 * S_NS
    return Market(
        market_id=MarketId(f"{asset}-{number}"),
        asset=asset,
        slug=slug or f"{asset.lower()}-updown-15m-{open_ns // S_NS}",
        open_ns=open_ns,
        close_ns=open_ns + 900 * S_NS,
        token_up="1",
        token_down="2",
        tick_e4=100,
        fees=FEES,
        settlement=TwapBoundary(stream="btc-usd"),
    )


def fill(
    key: str,
    *,
    outcome: Outcome = Outcome.UP,
    side: Side = Side.BUY,
    price_e4: int = 5_000,
    qty_e6: int = 10 * E6,
    liquidity: Liquidity = Liquidity.MAKER,
    strategy: StrategyName = MAKER,
) -> Fill:
    """One match with its fee."""
    fee_e6 = 0
    if liquidity is Liquidity.TAKER:
        fee_e6 = FEES.taker_fee_e6(qty_e6, price_e4, Rounding.HALF_UP)
    return Fill(
        fill_id=FillId(key),
        order_id=OrderId(f"o-{key}"),
        strategy=strategy,
        instrument=Instrument(int(outcome)),
        side=side,
        liquidity=liquidity,
        price_e4=price_e4,
        qty_e6=qty_e6,
        fee_e6=fee_e6,
        venue_ns=0,
    )


class _Run:
    """Drives a recorder through windows of a random walk."""

    def __init__(self, seed: int, queue: str, fill_chance: float) -> None:
        self.random = Random(seed)
        self.queue = queue
        self.fill_chance = fill_chance
        self.recorder = Recorder(OPENING_E6)
        self.cash_e6 = OPENING_E6
        self.fees_e6 = self.orders = self.fills = 0

    def window(self, number: int, slug: str | None = None) -> None:
        listed = market(number, slug)
        self.recorder.market_listed(listed, listed.open_ns - 300 * S_NS)
        held = [0, 0]
        mid = 500_000
        for step in range(-600, 1_790):
            now_ns = listed.open_ns + step * 500 * MS_NS
            drift = self.random.gauss(0, 6_500 if step > 0 else 1_500)
            mid = min(max(mid + round(drift), 12_000), 988_000)
            one_sided = step > 1_680 and self.random.random() < 0.8
            if step in (700, 701, 702, 703, 704, 705, 706, 707, 708, 709, 710, 711) and number == 3:
                continue
            if not one_sided and self.random.random() < self.fill_chance and step < 1_700:
                self._trade(listed, held, mid, now_ns)
            self._refuse(listed, step, now_ns)
            seen = None if one_sided else mid
            self.recorder.sample(now_ns, listed.market_id, seen, held[0] - held[1])
            value_e6 = (held[0] * mid + held[1] * (E6 - mid)) // E6
            self.recorder.equity(now_ns, self.cash_e6 + value_e6, value_e6 + 20 * E6)
        payouts = (E6, 0) if mid >= 500_000 else (0, E6)
        self.cash_e6 += held[0] if payouts[0] else held[1]
        end_ns = listed.close_ns + 60 * S_NS
        self.recorder.market_resolved(listed.market_id, payouts, Evidence.OFFICIAL, end_ns)
        self.recorder.equity(end_ns, self.cash_e6, 0)

    def _trade(self, listed: Market, held: list[int], mid: int, now_ns: int) -> None:
        outcome, taker = Outcome(self.random.randrange(2)), self.random.random() < 0.12
        worth = mid if outcome is Outcome.UP else E6 - mid
        price_e4 = min(max((worth + (9_000 if taker else -12_000)) // 10_000 * 100, 100), 9_900)
        self.fills += 1
        self.orders += 4
        done = fill(
            f"{self.queue}-{self.fills}",
            outcome=outcome,
            price_e4=price_e4,
            qty_e6=self.random.randrange(500, 2_000) * 10_000,
            liquidity=Liquidity.TAKER if taker else Liquidity.MAKER,
            strategy=SNIPER if taker else MAKER,
        )
        held[outcome] += done.qty_e6
        self.cash_e6 += done.cash_e6
        self.fees_e6 += done.fee_e6
        phase = listed.phase(now_ns, 60 * S_NS)
        self.recorder.fill(done, listed.market_id, phase, mid, now_ns)
        for _ in range(4):
            self.recorder.order(done.strategy, OrderState.SENT)
        self.recorder.order(done.strategy, OrderState.FILLED)
        for _ in range(3):
            self.recorder.order(done.strategy, OrderState.CANCELLED)

    def _refuse(self, listed: Market, step: int, now_ns: int) -> None:
        reasons = (
            ("market_limit", "MARKET_LOSS", 52_000_000, 50_000_000, "e6", 9),
            ("freshness", "BOOK_STALE", 812_000_000, 500_000_000, "ns", 31),
            ("size", "BELOW_MINIMUM", 4_200_000, 5_000_000, "e6", 97),
            ("phase", "CLOSING", 0, 0, "", 401),
        )
        for check, code, value, limit, unit, every in reasons:
            if step % every == 0:
                self.recorder.refusal(
                    MAKER,
                    listed.market_id,
                    check,
                    code,
                    value=value + step,
                    limit=limit,
                    unit=unit,
                    now_ns=now_ns,
                )

    def finish(self, windows: int) -> Report:
        own = Summary(
            markets=windows,
            settled=windows,
            frames=38_333,
            set_aside=6,
            orders=self.orders,
            fills=self.fills,
            fees_e6=self.fees_e6,
            opening_cash_e6=OPENING_E6,
            realized_e6=self.cash_e6 - OPENING_E6,
            equity_e6=self.cash_e6,
            digest="7f3a1c" + "0" * 58,
        )
        return self.recorder.finish(
            RunTotals(
                header=RunHeader(
                    version="0.1.0",
                    data="a made-up random walk",
                    queue=self.queue,
                    seed=7,
                    config=(("strategies.spread_maker.clip", "10"), ("latency.order_ms", "80")),
                ),
                summary=own,
                rebates_accrued_e6=412_345,
                set_aside=(("crossed snapshot", 4), ("torn snapshot", 2)),
                limits=(
                    "Books were thinned to one per second: a maker fill is inferred, not seen.",
                    "No trade prints: the place in the queue is a model.",
                ),
                attributions=(
                    Attribution(name="made-up", licence="none", text="Generated by this test."),
                ),
            )
        )


def example(queue: str = "pessimistic", *, windows: int = 12, slug: str | None = None) -> Report:
    """A finished report of the made-up run."""
    run = _Run(11, queue, 0.011 if queue == "pessimistic" else 0.018)
    for number in range(windows):
        run.window(number, slug)
    return run.finish(windows)


if __name__ == "__main__":
    result = example()
    sys.stdout.write("\n".join(five_lines(result)) + "\n")
    sys.stdout.write(f"{write(Path(sys.argv[1]), result, example('power'))} bytes\n")
