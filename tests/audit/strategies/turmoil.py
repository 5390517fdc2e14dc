"""A strategy that earns nothing and does everything: takes, sweeps, rests, sells, splits, merges.

SpreadMaker never takes, so without it no run would show the auditor a fee. It is not part of the
product; `tests/audit/run_turmoil.py` adds it to the registry of one process.
"""

from __future__ import annotations

from polybawt.domain.events import JobKind
from polybawt.domain.ids import Outcome, Side, StrategyName
from polybawt.domain.intents import Convert, Intent, Take
from polybawt.domain.market import Phase
from polybawt.domain.order import Leg, Tif
from polybawt.domain.ticks import cent_lot_e6
from polybawt.domain.units import E4, E6, LOT_E6, S_NS
from polybawt.state import View
from polybawt.strategies.base import Plugin, StrategyConfig

NAME = StrategyName("turmoil")


class Config(StrategyConfig):
    """It has no settings."""


def decide(view: View, config: Config) -> list[Intent]:
    """One wish every other second, in turn; on one token in even windows, the other in odd ones."""
    touch = view.touch
    if view.phase is not Phase.OPEN or touch is None or not touch.is_two_sided:
        return []
    if touch.is_crossed or view.orders or not view.is_job_due or not 900 <= touch.bid_e4 <= 9_000:
        return []
    outcome = Outcome(view.now_ns // (60 * S_NS) % 2)
    bid_e4, ask_e4 = touch.bid_e4, touch.ask_e4
    if outcome is Outcome.DOWN:
        bid_e4, ask_e4 = E4 - ask_e4, E4 - bid_e4
    turn = view.now_ns // S_NS % 16
    if turn in (6, 10):
        return _sell(view, outcome, turn, bid_e4)
    if turn in (12, 14):
        return _convert(view, turn)
    return _buy(view, outcome, turn, bid_e4, ask_e4)


def _buy(view: View, outcome: Outcome, turn: int, bid_e4: int, ask_e4: int) -> list[Intent]:
    """Take the touch by FAK or FOK, sweep a tick deeper and let the rest stand, or join the bid."""
    step = cent_lot_e6(ask_e4)
    whole = -(-7 * E6 // step) * step
    match turn:
        case 0:
            return [_take(view, outcome, Side.BUY, ask_e4, whole, Tif.FAK)]
        case 2:
            return [_take(view, outcome, Side.BUY, ask_e4 + view.tick_e4, 123_450_000, Tif.GTC)]
        case 4:
            return [_take(view, outcome, Side.BUY, ask_e4, whole, Tif.FOK)]
        case 8:
            return [_take(view, outcome, Side.BUY, bid_e4, 8_110_000, Tif.GTC)]
        case _:
            return []


def _sell(view: View, outcome: Outcome, turn: int, bid_e4: int) -> list[Intent]:
    """Hit the bid with a part of what is held, or with all of it a tick deeper."""
    held_e6 = view.held_e6(outcome) // LOT_E6 * LOT_E6
    if held_e6 < 5 * E6:
        return []
    if turn == 6:
        return [_take(view, outcome, Side.SELL, bid_e4, min(held_e6, 13_370_000), Tif.FAK)]
    return [_take(view, outcome, Side.SELL, bid_e4 - view.tick_e4, held_e6, Tif.GTC)]


def _convert(view: View, turn: int) -> list[Intent]:
    """Split some cash, or merge all pairs."""
    pairs_e6 = min(view.held_e6(Outcome.UP), view.held_e6(Outcome.DOWN)) // LOT_E6 * LOT_E6
    kind, qty_e6 = (JobKind.SPLIT, 25 * E6) if turn == 12 else (JobKind.MERGE, pairs_e6)
    if qty_e6 < 10 * E6:
        return []
    return [
        Convert(
            strategy=NAME, market_id=view.market.market_id, kind=kind, qty_e6=qty_e6, reason="TURN"
        )
    ]


def _take(view: View, outcome: Outcome, side: Side, price_e4: int, qty_e6: int, tif: Tif) -> Take:
    leg = Leg(
        instrument=view.instrument(outcome), side=side, limit_e4=price_e4, qty_e6=qty_e6, tif=tif
    )
    return Take(
        strategy=NAME,
        market_id=view.market.market_id,
        plan_id=f"{view.now_ns}",
        legs=(leg,),
        reason=f"{side.name}_{tif}",
    )


PLUGIN = Plugin(name=NAME, config=Config, decide=decide)
