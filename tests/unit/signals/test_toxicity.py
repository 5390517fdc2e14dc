"""The loss of a stale quote, and the half-spread that covers it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polybawt.domain.units import E6
from polybawt.signals.toxicity import cdf, pdf, toxic_half_spread_e6, toxic_loss, twap_variance_s


def half(fair_e6: int = 500_000, left_s: int = 600, latency_ms: int = 500) -> int:
    return toxic_half_spread_e6(fair_e6, left_s, latency_ms, 10_000, 70_000, 60)


def test_normal_distribution() -> None:
    assert pdf(0) == pytest.approx(0.3989422804)
    assert cdf(0) == 0.5
    assert cdf(1.959963985) == pytest.approx(0.975)


@pytest.mark.parametrize("bad", [(-0.1, 0.01, 0.0), (0.1, -0.01, 0.0), (0.1, 0.01, -0.1)])
def test_loss_outside_its_domain(bad: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="at least 0"):
        toxic_loss(*bad)


def test_fair_value_that_cannot_move_costs_nothing() -> None:
    assert toxic_loss(0.0, 0.01, 0.02) == 0.0


@given(sd=st.floats(0.001, 0.5), half_spread=st.floats(0, 0.5), fee=st.floats(0, 0.05))
def test_loss_is_at_most_the_loss_of_a_free_taker(
    sd: float, half_spread: float, fee: float
) -> None:
    loss = toxic_loss(sd, half_spread, fee)
    assert -1e-12 <= loss <= toxic_loss(sd, 0.0, 0.0) + 1e-12


def test_variance_of_the_closing_average() -> None:
    # Before the averaging: the time to its first sample and a third of its length.
    assert twap_variance_s(900, 60, 3, 1)[0] == 60
    assert twap_variance_s(900, 60, 3, 1)[1] == pytest.approx(857.5027777)
    # During it, sample by sample: the same formula, summed by hand for two samples left.
    k, variance = twap_variance_s(5, 60, 3, 1)
    assert k == 2
    assert variance == pytest.approx((4 * 1 + 1 * 1) / 3600)
    assert twap_variance_s(3, 60, 3, 1) == (0, 0.0)
    assert twap_variance_s(-10, 60, 3, 1) == (0, 0.0)


def test_half_spread_is_the_floor_when_nothing_can_move() -> None:
    assert half(left_s=3) == 10_000
    assert half(left_s=-100) == 10_000
    assert half(latency_ms=0) == 10_000


def test_half_spread_grows_with_latency_and_towards_the_end() -> None:
    assert 10_000 < half(latency_ms=500) < half(latency_ms=2_000)
    assert half(left_s=900) < half(left_s=300) < half(left_s=65)


@given(fair_e6=st.integers(-5, E6 + 5), left_s=st.integers(-10, 900))
def test_half_spread_mirrors(fair_e6: int, left_s: int) -> None:
    wide = half(fair_e6, left_s)
    assert wide == half(E6 - fair_e6, left_s)
    assert 10_000 <= wide < 500_000
    assert not math.isnan(wide)
