"""What a provisional sale brought in may still be taken back, so nobody may spend it."""

from __future__ import annotations

from polybawt.domain import events as ev
from polybawt.domain.ids import FillId, Outcome, Side
from polybawt.domain.order import OrderState
from polybawt.domain.units import E6
from tests.world import World


def test_proceeds_of_a_sale_are_free_only_when_it_is_confirmed() -> None:
    world = World(cash_e6=10 * E6).ready()
    world.hold(Outcome.UP, 10 * E6, 9_000)
    leg = world.leg(Side.SELL, Outcome.UP, 9_000, 10 * E6)
    sale = world.place(leg, state=OrderState.SENT)
    fill = world.filled(sale, 10 * E6)
    world.apply(fill)
    assert world.account.ledger.cash_e6 == 10 * E6
    assert world.account.cash_free_e6() == 1 * E6
    world.apply(ev.FillAdvanced(fill_id=FillId(fill.fill_id), venue_ns=world.now_ns))
    assert world.account.cash_free_e6() == 10 * E6


def test_a_voided_sale_leaves_nothing_reserved() -> None:
    world = World(cash_e6=10 * E6).ready()
    world.hold(Outcome.UP, 10 * E6, 9_000)
    sale = world.place(world.leg(Side.SELL, Outcome.UP, 9_000, 10 * E6), state=OrderState.SENT)
    fill = world.filled(sale, 10 * E6)
    world.apply(fill)
    voided = ev.FillVoided(fill_id=FillId(fill.fill_id), cause="FAILED", venue_ns=world.now_ns)
    world.apply(voided)
    assert world.account.ledger.cash_e6 == 1 * E6
    assert world.account.cash_free_e6() == 1 * E6
