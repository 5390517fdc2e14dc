"""Identifiers, markets, fills, errors: small values with a rule each."""

from __future__ import annotations

import msgspec
import pytest

from polybawt.domain.errors import BadInput, DecodeError, InvariantError, PolybawtError
from polybawt.domain.fill import Fill, Liquidity
from polybawt.domain.ids import (
    FillId,
    Instrument,
    InstrumentTable,
    MarketId,
    OrderId,
    Outcome,
    Side,
    StrategyName,
    other,
    outcome_of,
)
from polybawt.domain.market import Phase
from polybawt.domain.units import S_NS
from tests.world import CLOSE_NS, OPEN_NS, make_market


def test_opposites() -> None:
    assert (Outcome.UP.other, Outcome.DOWN.other) == (Outcome.DOWN, Outcome.UP)
    assert (Side.BUY.other, Side.SELL.other) == (Side.SELL, Side.BUY)
    assert (Outcome.UP.text, Outcome.DOWN.text) == ("Up", "Down")
    assert (other(Instrument(6)), other(Instrument(7))) == (7, 6)
    assert (outcome_of(Instrument(6)), outcome_of(Instrument(7))) == (Outcome.UP, Outcome.DOWN)


def test_instruments_are_numbered_in_order_of_listing() -> None:
    table = InstrumentTable()
    b, a = MarketId("b"), MarketId("a")
    assert table.intern("v", b, Outcome.DOWN) == 1
    assert table.intern("v", a, Outcome.UP) == 2
    assert table.intern("w", b, Outcome.UP) == 4  # another venue: another instrument
    assert table.intern("v", b, Outcome.UP) == 0
    assert [table.market_id(Instrument(i)) for i in range(5)] == [b, b, a, a, b]


@pytest.mark.parametrize(
    ("now_ns", "phase"),
    [
        (OPEN_NS - 1, Phase.LISTED),
        (OPEN_NS, Phase.OPEN),
        (CLOSE_NS - 5 * S_NS - 1, Phase.OPEN),
        (CLOSE_NS - 5 * S_NS, Phase.CLOSING),
        (CLOSE_NS - 1, Phase.CLOSING),
        (CLOSE_NS, Phase.RESOLVING),
        (CLOSE_NS + 10**15, Phase.RESOLVING),
    ],
)
def test_phase_by_time(now_ns: int, phase: Phase) -> None:
    assert make_market().phase(now_ns, 5 * S_NS) is phase


def test_market_facts() -> None:
    market = make_market()
    assert market.duration_s == 900
    assert market.window == (OPEN_NS, CLOSE_NS)
    assert [market.token(outcome) for outcome in Outcome] == ["m1-up", "m1-down"]
    with pytest.raises(AttributeError):
        market.tick_e4 = 1  # type: ignore[misc]  # frozen is what the test shows


@pytest.mark.parametrize(
    ("side", "qty_e6", "cash_e6"),
    [
        (Side.BUY, 10_000_000, -3_340_000),
        (Side.SELL, 10_000_000, 3_320_000),
        (Side.BUY, 1, -10_001),  # finer than 10^-6: against us
        (Side.SELL, 1, -10_000),
    ],
)
def test_cash_of_a_fill(side: Side, qty_e6: int, cash_e6: int) -> None:
    fill = Fill(
        fill_id=FillId("f"),
        order_id=OrderId("o"),
        strategy=StrategyName("s"),
        instrument=Instrument(0),
        side=side,
        liquidity=Liquidity.TAKER,
        price_e4=3_330,
        qty_e6=qty_e6,
        fee_e6=10_000,
        venue_ns=1,
    )
    assert fill.cash_e6 == cash_e6
    assert msgspec.json.decode(msgspec.json.encode(fill), type=Fill) == fill


def test_errors_by_consequence() -> None:
    assert issubclass(DecodeError, BadInput)
    assert issubclass(BadInput, PolybawtError)
    assert not issubclass(InvariantError, BadInput)
