"""Token buckets: all or nothing, exact refill, headers that tell the client when to come back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvenue.signing.accounts import make_account
from polyvenue.signing.limits import (
    STANDARD,
    TIERS,
    Bucket,
    LimitMode,
    Limits,
    Tier,
    Verdict,
    cost_of,
    tier_of_volume,
)
from polyvenue.signing.refusal import TOO_MANY_REQUESTS
from polyvenue.signing.wallets import WalletKind

NS = 1_000_000_000
NOW_NS = 1_795_367_105 * NS
SIGNER = make_account(b"signer", WalletKind.EOA).address
OTHER = make_account(b"other", WalletKind.EOA).address


def spent(mode: LimitMode = LimitMode.ENFORCE, tier: Tier = STANDARD) -> Limits:
    """Limits whose order bucket of SIGNER is empty at NOW_NS."""
    limits = Limits(mode, tier)
    assert limits.charge(SIGNER, Bucket.ORDER, tier.order_burst, NOW_NS).refusal is None
    return limits


@pytest.mark.parametrize(
    ("method", "path", "entries", "cost"),
    [
        ("POST", "/order", 1, (Bucket.ORDER, 1)),
        ("POST", "/orders", 15, (Bucket.ORDER, 15)),
        ("DELETE", "/order", 1, (Bucket.CANCEL, 1)),
        ("DELETE", "/orders", 1000, (Bucket.CANCEL, 1000)),
        ("DELETE", "/cancel-all", 1, (Bucket.CANCEL, 1)),
        ("DELETE", "/cancel-market-orders", 1, (Bucket.CANCEL, 1)),
        ("GET", "/order", 1, None),
        ("POST", "/v1/heartbeats", 1, None),
    ],
)
def test_what_a_call_costs(
    method: str, path: str, entries: int, cost: tuple[Bucket, int] | None
) -> None:
    assert cost_of(method, path, entries) == cost


def test_an_empty_bucket_refuses_and_says_when_to_come_back() -> None:
    limits = spent()
    verdict = limits.charge(SIGNER, Bucket.ORDER, 1, NOW_NS)
    assert verdict == Verdict(
        {
            "Poly-RateLimit-Remaining": "0",
            "Poly-RateLimit-Reset": str(NOW_NS // NS + 1),
            "Poly-RateLimit-Tier": "standard",
            "Retry-After": "1",
        },
        TOO_MANY_REQUESTS,
    )
    assert limits.charge(SIGNER, Bucket.ORDER, 1, NOW_NS + NS // 40 - 1).refusal
    assert limits.charge(SIGNER, Bucket.ORDER, 1, NOW_NS + NS // 40).refusal is None


def test_a_batch_is_paid_whole_or_not_at_all() -> None:
    limits = spent()
    later_ns = NOW_NS + NS // 4  # ten tokens
    assert limits.charge(SIGNER, Bucket.ORDER, 11, later_ns).refusal == TOO_MANY_REQUESTS
    verdict = limits.charge(SIGNER, Bucket.ORDER, 10, later_ns)
    assert verdict.refusal is None
    assert verdict.headers["Poly-RateLimit-Remaining"] == "0"


def test_a_batch_above_the_burst_is_never_admitted() -> None:
    verdict = Limits(LimitMode.ENFORCE).charge(SIGNER, Bucket.ORDER, 61, NOW_NS)
    assert verdict.refusal == TOO_MANY_REQUESTS
    assert "Retry-After" not in verdict.headers


def test_an_idle_bucket_holds_its_burst_and_no_more() -> None:
    verdict = spent().charge(SIGNER, Bucket.ORDER, 1, NOW_NS + 3600 * NS)
    assert verdict.headers["Poly-RateLimit-Remaining"] == "59"


def test_buckets_and_signers_are_apart() -> None:
    limits = spent()
    for signer, bucket, left in (
        (SIGNER, Bucket.CANCEL, "119"),
        (OTHER, Bucket.ORDER, "59"),
        (OTHER, Bucket.CANCEL, "119"),
    ):
        verdict = limits.charge(signer, bucket, 1, NOW_NS)
        assert verdict.refusal is None
        assert verdict.headers["Poly-RateLimit-Remaining"] == left


def test_warning_mode_lets_pass_and_warns() -> None:
    limits = spent(LimitMode.WARN)
    verdict = limits.charge(SIGNER, Bucket.ORDER, 1, NOW_NS)
    assert verdict.refusal is None
    assert verdict.headers["Poly-RateLimit-Warning"] == "true"
    assert verdict.headers["Poly-RateLimit-Remaining"] == "0"
    paid = limits.charge(SIGNER, Bucket.ORDER, 1, NOW_NS + NS)
    assert "Poly-RateLimit-Warning" not in paid.headers


def test_switched_off_nothing_is_counted() -> None:
    limits = Limits(LimitMode.OFF)
    assert limits.charge(SIGNER, Bucket.ORDER, 10**6, NOW_NS) == Verdict({})
    assert limits.settle(SIGNER, 10**6, NOW_NS) == {}


def test_cancelling_many_leaves_a_debt_that_blocks_later_cancels() -> None:
    limits = Limits(LimitMode.ENFORCE)
    assert limits.charge(SIGNER, Bucket.CANCEL, 1, NOW_NS).refusal is None
    headers = limits.settle(SIGNER, 200, NOW_NS)
    assert headers["Poly-RateLimit-Remaining"] == "-81"
    assert headers["Poly-RateLimit-Reset"] == str(NOW_NS // NS + 2)
    blocked = limits.charge(SIGNER, Bucket.CANCEL, 1, NOW_NS)
    assert blocked.refusal == TOO_MANY_REQUESTS
    assert blocked.headers["Retry-After"] == "2"
    assert limits.charge(SIGNER, Bucket.CANCEL, 1, NOW_NS + 82 * NS // 80).refusal is None


def test_high_tiers_stop_at_zero() -> None:
    limits = Limits(LimitMode.ENFORCE, TIERS["platinum"])
    limits.charge(SIGNER, Bucket.CANCEL, 1, NOW_NS)
    assert limits.settle(SIGNER, 5000, NOW_NS)["Poly-RateLimit-Remaining"] == "0"


def test_a_lower_tier_takes_away_what_does_not_fit() -> None:
    limits = Limits(LimitMode.ENFORCE)
    limits.put_tier(SIGNER, TIERS["elite"])
    first = limits.charge(SIGNER, Bucket.ORDER, 1, NOW_NS)
    assert first.headers["Poly-RateLimit-Remaining"] == "899"
    assert first.headers["Poly-RateLimit-Tier"] == "elite"
    limits.put_tier(SIGNER, STANDARD)
    assert limits.tier(SIGNER) == STANDARD
    second = limits.charge(SIGNER, Bucket.ORDER, 1, NOW_NS)
    assert second.headers["Poly-RateLimit-Remaining"] == "59"


@pytest.mark.parametrize(
    ("volume_usd", "name"),
    [(0, "standard"), (29_999, "standard"), (30_000, "copper"), (10**9, "elite")],
)
def test_volume_earns_a_tier(volume_usd: int, name: str) -> None:
    assert tier_of_volume(volume_usd).name == name


def test_a_clock_that_steps_back_refills_nothing() -> None:
    limits = spent()
    verdict = limits.charge(SIGNER, Bucket.ORDER, 1, NOW_NS - 10 * NS)
    assert verdict.refusal
    assert verdict.headers["Poly-RateLimit-Remaining"] == "0"
    assert limits.charge(SIGNER, Bucket.ORDER, 1, NOW_NS).refusal


def test_a_cost_is_not_negative() -> None:
    with pytest.raises(ValueError, match="at least 0"):
        Limits().charge(SIGNER, Bucket.ORDER, -1, NOW_NS)


@given(
    tier=st.sampled_from(list(TIERS.values())),
    calls=st.lists(st.tuples(st.integers(0, 2 * NS), st.integers(0, 1000)), max_size=30),
)
def test_no_span_admits_more_than_burst_plus_refill(
    tier: Tier, calls: list[tuple[int, int]]
) -> None:
    limits = Limits(LimitMode.ENFORCE, tier)
    now_ns, admitted = NOW_NS, 0
    for wait_ns, cost in calls:
        now_ns += wait_ns
        verdict = limits.charge(SIGNER, Bucket.ORDER, cost, now_ns)
        if verdict.refusal is None:
            admitted += cost
        elif retry := verdict.headers.get("Retry-After"):
            again_ns = now_ns + int(retry) * NS
            assert int(verdict.headers["Poly-RateLimit-Reset"]) * NS <= again_ns + NS
        bound = tier.order_burst * NS + (now_ns - NOW_NS) * tier.order_rate
        assert admitted * NS <= bound


@given(cost=st.integers(1, 60), used=st.integers(0, 60))
def test_coming_back_when_told_is_enough(cost: int, used: int) -> None:
    limits = Limits(LimitMode.ENFORCE)
    limits.charge(SIGNER, Bucket.ORDER, used, NOW_NS)
    verdict = limits.charge(SIGNER, Bucket.ORDER, cost, NOW_NS)
    if verdict.refusal:
        later_ns = NOW_NS + int(verdict.headers["Retry-After"]) * NS
        assert limits.charge(SIGNER, Bucket.ORDER, cost, later_ns).refusal is None
