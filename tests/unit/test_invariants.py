"""Each invariant bites on a state that breaks it, and only then."""

from __future__ import annotations

import pytest

from polybawt.domain.errors import InvariantError
from polybawt.domain.ids import Outcome
from polybawt.domain.units import LOT_E6
from polybawt.invariants import check_account
from tests.world import M1, World, resolved, shares


def busy() -> World:
    world = World().ready()
    world.hold(Outcome.UP, shares(10))
    world.place(world.leg())
    return world


def test_a_sound_state_passes() -> None:
    world = busy()
    check_account(world.account)
    (order,) = world.account.orders.open_in(M1)
    world.apply(world.cancelled(order.order_id), resolved())
    check_account(world.account)


def test_a_ledger_that_does_not_balance() -> None:
    world = busy()
    world.account.ledger.cash_e6 += 1
    with pytest.raises(InvariantError, match="I5: cash"):
        check_account(world.account)


def test_negative_cash() -> None:
    world = World(cash_e6=1_000_000).ready()
    world.hold(Outcome.UP, shares(10))
    with pytest.raises(InvariantError, match=r"cash is -4000000 e-6 pUSD"):
        check_account(world.account)


def test_orders_of_a_market_that_is_not_live() -> None:
    world = busy()
    del world.account.markets[M1]
    with pytest.raises(InvariantError, match="market m1, which is not live"):
        check_account(world.account)


@pytest.mark.parametrize(
    ("matched", "filled", "says"),
    [
        (shares(10) + LOT_E6 + 1, 0, "is overfilled"),
        (shares(10) + LOT_E6, shares(10), None),
        (shares(1), shares(1) + 1, "filled 1000001"),
        (0, -1, "filled -1"),
        (shares(1), 0, None),
    ],
)
def test_sizes_of_an_order(matched: int, filled: int, says: str | None) -> None:
    world = busy()
    (order,) = world.account.orders.open_in(M1)
    order.matched_e6, order.filled_e6 = matched, filled
    if says is None:
        check_account(world.account)
    else:
        with pytest.raises(InvariantError, match=says):
            check_account(world.account)


def test_a_settlement_without_evidence() -> None:
    world = busy()
    world.account.ledger.settle(M1, (0, 1_000_000), 1)
    with pytest.raises(InvariantError, match="settled without evidence"):
        check_account(world.account)
