"""Cost, realised profit and refusals of the pure fold."""

from __future__ import annotations

import pytest

from polybawt.domain.errors import InvariantError
from polybawt.domain.ids import Outcome
from polybawt.domain.units import E6, E12
from polybawt.portfolio import ops
from polybawt.portfolio.lots import Method
from polybawt.portfolio.pnl import liquidation_mark_e18, unrealized_e18, value_e18
from polybawt.portfolio.positions import fold, payout_e6

UP, DOWN = Outcome.UP, Outcome.DOWN
BOTH = pytest.mark.parametrize("method", list(Method))


@BOTH
@pytest.mark.parametrize(
    ("seq", "says"),
    [
        ([ops.sell(UP, 1, 5000)], "sell of 1 e-6 Up"),
        ([ops.buy(UP, 10, 5000), ops.sell(DOWN, 1, 5000)], "sell of 1 e-6 Down"),
        ([ops.buy(UP, 10, 5000), ops.sell(UP, 11, 5000)], "only 10 Up and 0 Down"),
        ([ops.buy(UP, 10, 5000), ops.merge(1)], "merge of 1 e-6 pairs"),
    ],
)
def test_selling_or_merging_more_than_held_is_refused(
    method: Method, seq: list[ops.Op], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        fold(seq, method)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ops.buy(UP, -1, 5000),
        lambda: ops.buy(UP, 1, 10_001),
        lambda: ops.buy(UP, 1, 5000, -1),
        lambda: ops.buy(UP, 1, 5000, 0, 2),
        lambda: ops.sell(UP, 1, -1),
        lambda: ops.split(-1),
        lambda: ops.split(1, 1_000_001),
        lambda: ops.merge(-1),
        lambda: ops.settle((0, 0)),
        lambda: ops.settle((-1, 1_000_001)),
    ],
)
def test_an_op_outside_its_domain_is_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=r"e-6|e-4|ppm"):
        make()


@BOTH
def test_a_fee_in_shares_costs_shares_and_counts_at_the_price(method: Method) -> None:
    position = fold([ops.buy(UP, 100 * E6, 4000, 0, 3_500_000)], method)
    assert position.up_e6 == 96_500_000
    assert position.cash_e6 == -40 * E6
    assert position.up_cost_e18 == 40 * E6 * E12
    assert position.fees_e6 == 1_400_000


@BOTH
def test_a_split_payout_pays_both_sides_and_floors_against_us(method: Method) -> None:
    position = fold([ops.buy(UP, 3, 10_000), ops.settle((500_000, 500_000))], method)
    assert position.receivable_e6 == 1
    assert position.realized_e18 == (1 - 3) * E12
    assert payout_e6(3, 3, (500_000, 500_000)) == 2


@BOTH
def test_a_redeemed_claim_is_cash(method: Method) -> None:
    seq = [ops.buy(DOWN, 5 * E6, 6000), ops.settle((0, 1_000_000)), ops.redeem(5 * E6)]
    position = fold(seq, method)
    assert (position.cash_e6, position.receivable_e6) == (2 * E6, 0)
    assert position.realized_e18 == 2 * E6 * E12
    assert position.is_flat


def test_deposits_are_no_profit_and_rebates_are() -> None:
    position = fold([ops.deposit(-7), ops.rebate(5)], Method.FIFO)
    assert (position.cash_e6, position.deposits_e6, position.rebates_e6) == (-2, -7, 5)
    assert position.realized_e18 == 5 * E12


def test_an_op_that_does_not_balance_stops() -> None:
    with pytest.raises(InvariantError, match="SPLIT j does not balance"):
        fold([ops.Op(kind=ops.OpKind.SPLIT, qty_e6=10, cash_e6=-9, key="j")], Method.FIFO)


def test_only_trading_moves_shares() -> None:
    moved = [
        [op.moved_e6(outcome) for outcome in Outcome]
        for op in (ops.buy(UP, 3, 1), ops.sell(DOWN, 3, 1), ops.split(3), ops.merge(3))
    ]
    assert moved == [[3, 0], [0, -3], [3, 3], [-3, -3]]
    assert ops.settle((0, 1_000_000)).moved_e6(UP) == ops.redeem(3).moved_e6(UP) == 0


def test_fifo_sells_the_oldest_cost_and_average_the_mean() -> None:
    seq = [ops.buy(UP, 10, 2000), ops.buy(UP, 10, 8000), ops.sell(UP, 15, 10_000)]
    first, mean = fold(seq, Method.FIFO), fold(seq, Method.AVERAGE)
    assert first.realized_e18 == (15 - 2 - 4) * E12
    assert mean.realized_e18 == (15 * 2 - 15) * E12 // 2
    assert first.cash_e6 == mean.cash_e6


def test_liquidation_mark_values_pairs_at_one_and_the_rest_at_its_own_bid() -> None:
    assert liquidation_mark_e18(100 * E6, 60 * E6, 4000, 5800) == 76 * E6 * E12
    assert liquidation_mark_e18(0, 50 * E6, 4000, 5800) == 29 * E6 * E12
    assert liquidation_mark_e18(50 * E6, 0, 0, 5800) == 0
    for bad in ((-1, 0, 0, 0), (0, -1, 0, 0), (0, 0, -1, 0), (0, 0, 0, 10_001)):
        with pytest.raises(ValueError, match="e-"):
            liquidation_mark_e18(*bad)


def test_unrealized_is_worth_less_cost() -> None:
    position = fold([ops.buy(UP, 10 * E6, 4000)], Method.AVERAGE)
    worth_e18 = value_e18(position.up_e6, position.down_e6, 450_000, 0)
    assert unrealized_e18(position, worth_e18) == E6 // 2 * E12
