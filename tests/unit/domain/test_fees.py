"""Fee curve, worst fee, rebate: the cases that the vectors do not have."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polybawt.domain.fees import FeeSchedule, max_buy_amount, rebate_payout
from polybawt.domain.ids import Side
from polybawt.domain.units import E4, E6, Rounding

CRYPTO = FeeSchedule(rate_ppm=70_000, exponent=1, rebate_ppm=200_000)
PRICE = st.integers(0, E4)
QTY = st.integers(0, 10**11)


@given(qty_e6=QTY, price_e4=PRICE, rounding=st.sampled_from(Rounding))
def test_fee_mirrors_and_is_a_multiple_of_its_step(
    qty_e6: int, price_e4: int, rounding: Rounding
) -> None:
    fee = CRYPTO.taker_fee_e6(qty_e6, price_e4, rounding)
    assert fee == CRYPTO.taker_fee_e6(qty_e6, E4 - price_e4, rounding)
    assert fee % 10 == 0
    assert abs(fee * E4**2 * E6 - qty_e6 * 70_000 * price_e4 * (E4 - price_e4)) < 10 * E4**2 * E6


@given(qty_e6=QTY, limit_e4=PRICE, data=st.data(), side=st.sampled_from(Side))
def test_worst_fee_bounds_every_match_within_the_limit(
    qty_e6: int, limit_e4: int, data: st.DataObject, side: Side
) -> None:
    within = st.integers(0, limit_e4) if side is Side.BUY else st.integers(limit_e4, E4)
    fee = CRYPTO.taker_fee_e6(qty_e6, data.draw(within), Rounding.CEIL)
    assert fee <= CRYPTO.worst_fee_e6(qty_e6, limit_e4, side)


@pytest.mark.parametrize(("qty_e6", "price_e4"), [(-1, 5_000), (E6, -1), (E6, E4 + 1)])
def test_outside_the_domain(qty_e6: int, price_e4: int) -> None:
    with pytest.raises(ValueError, match="outside the domain"):
        CRYPTO.taker_fee_e6(qty_e6, price_e4, Rounding.FLOOR)


def test_market_without_terms_is_free() -> None:
    assert FeeSchedule().taker_fee_e6(100 * E6, 5_000, Rounding.CEIL) == 0
    assert FeeSchedule().worst_fee_e6(100 * E6, 9_000, Side.BUY) == 0
    assert FeeSchedule().rebate_estimate_e6(100 * E6, 5_000) == 0


def test_rebate_is_a_fifth_of_the_fee_floored() -> None:
    assert CRYPTO.rebate_estimate_e6(100 * E6, 5_000) == 350_000
    assert CRYPTO.rebate_estimate_e6(1, 5_000) == 0


@pytest.mark.parametrize(
    ("own", "total", "paid"),
    [(10 * E6, 200 * E6, 2 * E6), (5 * E6, 200 * E6, E6), (4 * E6, 200 * E6, 0), (1, 0, 0)],
)
def test_rebate_is_paid_from_its_minimum_on(own: int, total: int, paid: int) -> None:
    accrued, got = rebate_payout(own, total, 40 * E6, E6)
    assert got == paid
    assert accrued == (Decimal(own) / total * 40 * E6 if total else 0)


@pytest.mark.parametrize(("spend", "expected"), [("103.5", "100"), ("200", "100"), ("51.75", "50")])
def test_market_buy_within_its_cash(spend: str, expected: str) -> None:
    got = max_buy_amount(Decimal(100), Decimal("0.5"), Decimal(spend), CRYPTO, Decimal(0))
    assert abs(got - Decimal(expected)) < Decimal("1e-20")
