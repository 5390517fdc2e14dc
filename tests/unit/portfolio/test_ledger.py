"""The ledger by example: facts in, cash, positions, claims and refusals out."""

from __future__ import annotations

import msgspec
import pytest

from polybawt.domain.errors import InvariantError
from polybawt.domain.events import Evidence, TransferKind
from polybawt.domain.fill import Fill, FillState, Liquidity
from polybawt.domain.ids import FillId, Instrument, JobId, MarketId, OrderId, Side, StrategyName
from polybawt.domain.units import E6, E12
from polybawt.portfolio.entries import Account, Posting
from polybawt.portfolio.ledger import Ledger
from polybawt.portfolio.lots import Method
from polybawt.portfolio.positions import EMPTY

M, N = MarketId("m"), MarketId("n")
A, B = StrategyName("arb"), StrategyName("maker")
UP, DOWN = 0, 1
CASH = 1000 * E6


def new(method: Method = Method.AVERAGE) -> Ledger:
    return Ledger(CASH, method)


def fill(
    key: str,
    instrument: int,
    side: Side,
    qty: float,
    price_e4: int,
    *,
    at: int = 1,
    strategy: StrategyName = A,
    fee_e6: int = 0,
    state: FillState = FillState.PROVISIONAL,
) -> Fill:
    return Fill(
        fill_id=FillId(key),
        order_id=OrderId("o-" + key),
        strategy=strategy,
        instrument=Instrument(instrument),
        side=side,
        liquidity=Liquidity.TAKER,
        price_e4=price_e4,
        qty_e6=round(qty * E6),
        fee_e6=fee_e6,
        venue_ns=at,
        state=state,
    )


def bought(ledger: Ledger, key: str = "b", instrument: int = UP, qty: float = 10) -> Fill:
    one = fill(key, instrument, Side.BUY, qty, 4000)
    assert ledger.fill(one, M)
    return one


def test_a_fill_is_booked_when_first_seen_and_once() -> None:
    ledger = new()
    one = bought(ledger)
    assert not ledger.fill(one, M)
    assert ledger.cash_e6 == CASH - 4 * E6
    position = ledger.position(A, M)
    assert (position.up_e6, position.up_confirmed_e6, position.up_sellable_e6) == (10 * E6, 0, 0)
    assert position.up_cost_e18 == 4 * E6 * E12
    assert ledger.provisional(M) == (one,)
    ledger.audit()


def test_confirming_changes_only_what_is_confirmed() -> None:
    ledger = new()
    bought(ledger)
    assert ledger.confirm(FillId("b"), 5)
    assert not ledger.confirm(FillId("b"), 6)
    position = ledger.position(A, M)
    assert (position.up_e6, position.up_confirmed_e6) == (10 * E6, 10 * E6)
    assert ledger.provisional(M) == ()
    assert [entry.final_ns for entry in ledger.entries()][1] == 5


def test_a_provisional_sell_is_not_sellable_again() -> None:
    ledger = new()
    bought(ledger)
    ledger.confirm(FillId("b"), 2)
    ledger.fill(fill("s", UP, Side.SELL, 4, 5000, at=2), M)
    position = ledger.position(A, M)
    assert position.up_confirmed_e6 == 10 * E6
    assert position.up_sellable_e6 == 6 * E6


def test_a_void_takes_the_fill_back_exactly_once() -> None:
    ledger = new()
    one = bought(ledger)
    assert ledger.void(FillId("b"))
    assert not ledger.void(FillId("b"))
    assert not ledger.fill(one, M)
    assert ledger.cash_e6 == CASH
    assert ledger.position(A, M).is_flat
    assert ledger.fees_e6 == ledger.realized_e18 == 0
    ledger.audit()


@pytest.mark.parametrize("early", [True, False])
def test_a_verdict_may_come_before_its_fill(early: bool) -> None:
    ledger = new()
    one = fill("b", UP, Side.BUY, 10, 4000)
    if early:
        assert ledger.void(FillId("b"))
        assert not ledger.void(FillId("b"))
        assert ledger.verdicts_waiting == 1
        assert ledger.fill(one, M)
    else:
        assert ledger.fill(msgspec.structs.replace(one, state=FillState.FAILED), M)
    assert ledger.cash_e6 == CASH
    assert ledger.strategies(M) == (A,)
    assert ledger.verdicts_waiting == 0


def test_contradicting_verdicts_stop() -> None:
    ledger = new()
    bought(ledger, "b")
    bought(ledger, "c")
    ledger.confirm(FillId("b"), 2)
    ledger.void(FillId("c"))
    ledger.void(FillId("early"))
    for fill_id in ("c", "early"):
        with pytest.raises(InvariantError, match="was FAILED, now reported as CONFIRMED"):
            ledger.confirm(FillId(fill_id), 3)
    with pytest.raises(InvariantError, match="was CONFIRMED, now reported as FAILED"):
        ledger.void(FillId("b"))


def test_a_fill_reported_with_other_contents_stops() -> None:
    ledger = new()
    one = bought(ledger)
    with pytest.raises(InvariantError, match="other contents"):
        ledger.fill(msgspec.structs.replace(one, price_e4=4100), M)
    with pytest.raises(InvariantError, match="other contents"):
        ledger.fill(one, N)
    assert not ledger.fill(msgspec.structs.replace(one, venue_ns=9), M)


@pytest.mark.parametrize("bad", [{"qty_e6": 0}, {"fee_e6": -1}, {"price_e4": 10_001}])
def test_an_impossible_fill_stops(bad: dict[str, int]) -> None:
    one = msgspec.structs.replace(fill("b", UP, Side.BUY, 1, 5000), **bad)
    with pytest.raises(InvariantError, match="impossible fill"):
        new().fill(one, M)


def test_a_sell_waits_for_its_buy_and_is_counted() -> None:
    ledger = new()
    ledger.fill(fill("s", UP, Side.SELL, 10, 6000, at=5), M)
    assert (ledger.unfunded, ledger.position(A, M).unfunded) == (1, 1)
    assert ledger.cash_e6 == CASH
    ledger.check()
    bought(ledger)
    assert ledger.unfunded == 0
    assert ledger.cash_e6 == CASH + 2 * E6
    assert ledger.realized_e18 == 2 * E6 * E12
    ledger.audit()


def test_a_sell_stamped_before_its_split_still_finds_the_shares() -> None:
    ledger = new()
    ledger.fill(fill("s", UP, Side.SELL, 10, 6000, at=5), M)
    ledger.split(JobId("j"), A, M, 10 * E6, 9)
    assert ledger.unfunded == 0
    assert ledger.position(A, M).down_e6 == 10 * E6
    ledger.audit()


def test_strategies_are_attributed_their_own_fills() -> None:
    ledger = new()
    bought(ledger)
    ledger.fill(fill("x", DOWN, Side.BUY, 5, 3000, strategy=B, fee_e6=70), M)
    assert ledger.strategies(M) == (A, B)
    assert ledger.position(B, M).down_e6 == 5 * E6
    assert ledger.totals(B).fees_e6 == ledger.fees_e6 == 70
    assert ledger.totals(B).cash_e6 == -1_500_070
    assert ledger.totals(A).fills == ledger.totals(B).fills == 1
    assert ledger.position(B, N) is EMPTY
    assert ledger.strategies(N) == ()


def test_split_and_merge_are_booked_once_per_job() -> None:
    ledger = new()
    assert ledger.split(JobId("j"), A, M, 10 * E6, 1, 300_000)
    assert not ledger.split(JobId("j"), A, M, 10 * E6, 2, 300_000)
    position = ledger.position(A, M)
    assert (position.up_cost_e18, position.down_cost_e18) == (3 * E6 * E12, 7 * E6 * E12)
    assert position.up_confirmed_e6 == position.up_sellable_e6 == 10 * E6
    assert ledger.merge(JobId("k"), A, M, 4 * E6, 3)
    assert ledger.cash_e6 == CASH - 6 * E6
    assert ledger.realized_e18 == 0
    with pytest.raises(InvariantError, match="job j was"):
        ledger.split(JobId("j"), A, M, 11 * E6, 1, 300_000)
    ledger.audit()


def test_transfers_are_capital_and_rebates_are_profit() -> None:
    ledger = new()
    assert ledger.transfer("d", TransferKind.DEPOSIT, 5)
    assert ledger.transfer("w", TransferKind.WITHDRAWAL, 2)
    assert ledger.transfer("r", TransferKind.REBATE, 7)
    assert not ledger.transfer("r", TransferKind.REBATE, 7)
    assert (ledger.cash_e6, ledger.transfers_e6, ledger.rebates_e6) == (CASH + 10, 3, 7)
    assert ledger.realized_e18 == 7 * E12
    with pytest.raises(InvariantError, match="transfer r was"):
        ledger.transfer("r", TransferKind.REBATE, 8)
    with pytest.raises(InvariantError, match="must not be negative"):
        ledger.transfer("x", TransferKind.DEPOSIT, -1)
    ledger.audit()


def test_settlement_turns_shares_into_a_claim_and_redeem_into_cash() -> None:
    ledger = new()
    bought(ledger)
    ledger.confirm(FillId("b"), 2)
    assert not ledger.is_settled(M)
    assert ledger.cost_e18 == 4 * E6 * E12
    assert ledger.settle(M, (1_000_000, 0), 10)
    assert not ledger.settle(M, (1_000_000, 0), 11)
    position = ledger.position(A, M)
    assert (position.up_e6, position.receivable_e6) == (0, 10 * E6)
    assert position.realized_e18 == ledger.realized_e18 == 6 * E6 * E12
    assert ledger.redeem(JobId("r"), M, 10 * E6, 12)
    assert not ledger.redeem(JobId("r"), M, 10 * E6, 13)
    assert (ledger.receivable_e6, ledger.cash_e6) == (0, CASH + 6 * E6)
    assert ledger.position(A, M).cash_e6 == 6 * E6
    assert ledger.position(A, M).is_flat
    ledger.audit()


def test_another_payout_than_the_first_stops() -> None:
    ledger = new()
    ledger.settle(M, (1_000_000, 0), 10)
    with pytest.raises(InvariantError, match="now reported as"):
        ledger.settle(M, (0, 1_000_000), 11)
    with pytest.raises(InvariantError, match="must sum to"):
        ledger.settle(N, (1, 0), 10)


def test_evidence_only_grows() -> None:
    ledger = new()
    assert ledger.evidence(M) is None
    ledger.settle(M, (1_000_000, 0), 1, Evidence.INFERRED)
    ledger.settle(M, (1_000_000, 0), 2, Evidence.CHAIN)
    ledger.settle(M, (1_000_000, 0), 3, Evidence.OFFICIAL)
    assert ledger.evidence(M) is Evidence.CHAIN


def test_late_fills_and_voids_change_the_claim() -> None:
    ledger = new()
    bought(ledger, "b")
    bought(ledger, "c")
    ledger.confirm(FillId("b"), 2)
    ledger.settle(M, (1_000_000, 0), 10)
    assert ledger.receivable_e6 == 20 * E6
    assert ledger.realized_e18 == 12 * E6 * E12
    assert ledger.realized_confirmed_e18 == 6 * E6 * E12
    assert ledger.totals(A).realized_confirmed_e18 == 6 * E6 * E12
    ledger.void(FillId("c"))
    assert ledger.receivable_e6 == 10 * E6
    ledger.fill(fill("d", DOWN, Side.BUY, 1, 2000, at=99), M)
    assert ledger.receivable_e6 == 10 * E6
    assert ledger.realized_e18 == (6 * E6 - 200_000) * E12
    ledger.audit()


def test_a_redeem_before_the_evidence_is_a_negative_claim_until_then() -> None:
    ledger = new()
    bought(ledger)
    ledger.redeem(JobId("r"), M, 10 * E6, 9)
    assert ledger.receivable_e6 == -10 * E6
    assert ledger.position(A, M).receivable_e6 == 0
    ledger.check()
    ledger.settle(M, (1_000_000, 0), 10)
    assert ledger.receivable_e6 == 0
    with pytest.raises(InvariantError, match="must not be negative"):
        ledger.redeem(JobId("q"), M, -1, 9)


def test_redeemed_cash_is_shared_by_claims_in_order_of_name() -> None:
    ledger = new()
    ledger.fill(fill("x", UP, Side.BUY, 5, 4000, strategy=B), M)
    bought(ledger)
    ledger.settle(M, (1_000_000, 0), 10)
    ledger.redeem(JobId("r"), M, 12 * E6, 11)
    assert ledger.position(A, M).receivable_e6 == 0
    assert ledger.position(B, M).receivable_e6 == 3 * E6
    assert ledger.receivable_e6 == 3 * E6


def finished(ledger: Ledger, payouts: tuple[int, int], cash_e6: int) -> None:
    ledger.settle(M, payouts, 10)
    ledger.redeem(JobId("r"), M, cash_e6, 11)


def test_drop_refuses_what_is_not_finished() -> None:
    ledger = new()

    def refuses(why: str) -> None:
        assert not ledger.is_finished(M)
        with pytest.raises(InvariantError, match=why):
            ledger.drop(M)

    refuses("not live")
    bought(ledger)
    refuses("no evidence")
    ledger.settle(M, (1_000_000, 0), 10)
    refuses("provisional fills")
    ledger.confirm(FillId("b"), 2)
    refuses("claim 10000000 e-6, redeemed 0 e-6")
    ledger.redeem(JobId("r"), M, 10 * E6 + 1, 11)
    refuses("redeemed 10000001 e-6")


def test_drop_refuses_a_market_with_unfunded_ops() -> None:
    ledger = new()
    ledger.fill(fill("s", UP, Side.SELL, 1, 5000, state=FillState.CONFIRMED), M)
    ledger.settle(M, (1_000_000, 0), 10)
    with pytest.raises(InvariantError, match="unfunded ops"):
        ledger.drop(M)


def test_drop_keeps_totals_and_recognises_late_duplicates() -> None:
    ledger = new()
    one = bought(ledger)
    ledger.confirm(FillId("b"), 2)
    ledger.split(JobId("j"), A, M, E6, 3)
    finished(ledger, (1_000_000, 0), 11 * E6)
    before = ledger.totals(A), ledger.cash_e6, ledger.realized_e18
    ledger.drop(M)
    assert ledger.markets() == ()
    assert (ledger.totals(A), ledger.cash_e6, ledger.realized_e18) == before
    assert not ledger.fill(one, M)
    assert not ledger.confirm(FillId("b"), 2)
    assert not ledger.split(JobId("j"), A, M, E6, 3)
    assert not ledger.redeem(JobId("r"), M, 11 * E6, 11)
    assert not ledger.settle(M, (1_000_000, 0), 10)
    assert ledger.is_settled(M)
    assert ledger.markets() == ()
    with pytest.raises(InvariantError, match="finished market m"):
        ledger.fill(fill("new", UP, Side.BUY, 1, 5000), M)
    with pytest.raises(InvariantError, match="was CONFIRMED"):
        ledger.void(FillId("b"))
    ledger.audit()


def test_what_the_chain_floors_once_is_nobodys_profit_but_the_accounts() -> None:
    ledger = new()
    for key, strategy in (("x", A), ("y", B)):
        one = fill(key, UP, Side.BUY, 0.000003, 5000, strategy=strategy)
        ledger.fill(msgspec.structs.replace(one, state=FillState.CONFIRMED), M)
    finished(ledger, (500_000, 500_000), 3)
    assert ledger.receivable_e6 == -1
    assert ledger.is_finished(M)
    ledger.drop(M)
    assert (ledger.receivable_e6, ledger.rounding_e6) == (0, 1)
    by_strategy = ledger.totals(A).realized_e18 + ledger.totals(B).realized_e18
    assert ledger.realized_e18 == by_strategy + E12
    ledger.audit()


def test_every_fill_has_a_fee_line_and_a_sell_shows_its_profit() -> None:
    ledger = new()
    bought(ledger)
    ledger.fill(fill("s", UP, Side.SELL, 10, 5000, at=2, fee_e6=175_000), M)
    entries = {entry.key: entry for entry in ledger.entries()}
    assert entries["b"].postings[-2:] == (
        Posting(Account.FEES, entries["b"].postings[0].asset, 0),
        Posting(Account.FEES_MEMO, entries["b"].postings[0].asset, 0),
    )
    profit = [line.delta for line in entries["s"].postings if line.account is Account.REALIZED]
    assert profit == [-(E6 - 175_000) * E12]
    assert all(entry.is_balanced for entry in entries.values())


@pytest.mark.parametrize(
    "field", ["cash_e6", "realized_e18", "receivable_e6", "cost_e18", "transfers_e6"]
)
def test_check_finds_a_wrong_account_total(field: str) -> None:
    ledger = new()
    bought(ledger)
    setattr(ledger, field, getattr(ledger, field) + 1)
    with pytest.raises(InvariantError, match=r"I5|identity"):
        ledger.check()


@pytest.mark.parametrize("field", ["cash_e6", "realized_e18", "fees_e18"])
def test_check_finds_a_wrong_holding(field: str) -> None:
    ledger = new()
    bought(ledger)
    fold = ledger.live[M].holdings[A].fold
    setattr(fold, field, getattr(fold, field) + 1)
    with pytest.raises(InvariantError, match=r"I5|identity"):
        ledger.check()


def test_check_finds_wrong_shares_and_audit_a_wrong_fee_total() -> None:
    ledger = new()
    bought(ledger)
    ledger.live[M].holdings[A].fold.up.qty_e6 += 1
    with pytest.raises(InvariantError, match="I4"):
        ledger.check()
    other = new()
    bought(other)
    other.fees_e18 += 1
    with pytest.raises(InvariantError, match="fees: entries sum to 0"):
        other.audit()


def test_check_finds_a_cost_without_shares() -> None:
    ledger = new()
    bought(ledger)
    ledger.void(FillId("b"))
    ledger.live[M].holdings[A].fold.up.cost_e18 = 1
    with pytest.raises(InvariantError, match="0 Up cost 1"):
        ledger.check()


def test_audit_finds_a_running_fold_that_is_not_the_fold_of_its_ops() -> None:
    ledger = new()
    bought(ledger)
    fold = ledger.live[M].holdings[A].fold
    fold.up.cost_e18 += E12
    fold.realized_e18 += E12
    with pytest.raises(InvariantError, match="folded again"):
        ledger.live[M].holdings[A].audit()


def test_audit_finds_ops_out_of_order() -> None:
    ledger = new()
    for key in ("b", "c"):
        bought(ledger, key)
    ledger.live[M].holdings[A].ops.reverse()
    with pytest.raises(InvariantError, match="order or waiting ops differ"):
        ledger.audit()


def test_audit_finds_wrong_totals_of_finished_markets() -> None:
    ledger = new()
    ledger.split(JobId("j"), A, M, E6, 3)
    finished(ledger, (1_000_000, 0), E6)
    ledger.drop(M)
    ledger.closed[A] = msgspec.structs.replace(ledger.closed[A], cash_e6=1)
    with pytest.raises(InvariantError, match="brought-forward of  does not balance"):
        ledger.audit()


def test_unknown_markets_have_nothing() -> None:
    ledger = new()
    assert ledger.provisional(M) == ()
    assert not ledger.is_settled(M)
    assert not ledger.is_finished(M)


def test_negative_opening_cash_is_refused() -> None:
    with pytest.raises(InvariantError, match="opening cash"):
        Ledger(-1, Method.FIFO)
