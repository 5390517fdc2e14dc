"""The one table of the order life cycle, and what a match and a void do to an order."""

from __future__ import annotations

from itertools import product

import pytest

from polybawt.domain.errors import InvariantError
from polybawt.domain.ids import Instrument, OrderId, Side, StrategyName
from polybawt.domain.order import CANCELLABLE, TERMINAL, TRANSITIONS, Leg, Order, OrderState, Tif
from polybawt.domain.units import E6, LOT_E6

S = OrderState

# Copied by hand from the specification of reliability, section 3, so that the table has a witness.
LEGAL = {
    S.INTENT: "SENT REJECTED UNKNOWN",
    S.SENT: "LIVE PARTIAL FILLED DELAYED MATCHED UNMATCHED CANCELLED REJECTED UNKNOWN",
    S.UNKNOWN: "SENT DELAYED MATCHED LIVE PARTIAL CANCEL_SENT REJECTED UNMATCHED FILLED CANCELLED "
    "EXPIRED ABSENT",
    S.DELAYED: "LIVE PARTIAL FILLED MATCHED UNMATCHED CANCELLED UNKNOWN",
    S.MATCHED: "PARTIAL FILLED CANCELLED UNKNOWN",
    S.LIVE: "PARTIAL FILLED CANCEL_SENT CANCELLED EXPIRED UNKNOWN",
    S.PARTIAL: "FILLED CANCEL_SENT CANCELLED EXPIRED UNKNOWN",
    S.CANCEL_SENT: "CANCELLED FILLED EXPIRED PARTIAL LIVE UNKNOWN",
}


def order(
    state: OrderState = S.SENT, *, tif: Tif = Tif.GTC, qty_e6: int = 10 * E6, matched_e6: int = 0
) -> Order:
    leg = Leg(instrument=Instrument(0), side=Side.BUY, limit_e4=5_000, qty_e6=qty_e6, tif=tif)
    one = Order(OrderId("o1"), StrategyName("s"), leg, 1)
    one.state = state
    one.matched_e6 = one.filled_e6 = matched_e6
    return one


@pytest.mark.parametrize(("before", "after"), list(product(S, S)), ids=lambda s: s.value)
def test_every_pair_of_states(before: OrderState, after: OrderState) -> None:
    one = order(before)
    if before in TERMINAL or before is after:
        assert one.advance(after) is False
        assert one.state is before
    elif after.value in LEGAL[before].split():
        assert one.advance(after, "why") is True
        assert one.state is after
        assert one.closed_reason == ("why" if after in TERMINAL else None)
    else:
        with pytest.raises(InvariantError, match=f"{before} cannot become {after}"):
            one.advance(after)
        assert one.state is before


def test_the_table_knows_every_state() -> None:
    assert set(TRANSITIONS) == set(S)
    assert {state for state, to in TRANSITIONS.items() if not to} == TERMINAL
    may_be_cancelled = {state for state, to in TRANSITIONS.items() if S.CANCEL_SENT in to}
    assert may_be_cancelled == CANCELLABLE | {S.UNKNOWN}


@pytest.mark.parametrize("state", sorted(set(S) - TERMINAL))
def test_open_order_reserves_its_rest(state: OrderState) -> None:
    one = order(state, matched_e6=4 * E6)
    assert one.is_open
    assert one.rest_e6 == 6 * E6


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_terminal_order_reserves_nothing_and_books_late_fills(state: OrderState) -> None:
    one = order(state)
    one.match("f1", 3 * E6)
    assert (one.state, one.rest_e6, one.filled_e6, one.fill_ids) == (state, 0, 3 * E6, ["f1"])


def test_overfill_within_the_dust_reserves_nothing_negative() -> None:
    one = order(S.UNKNOWN, matched_e6=10 * E6 + LOT_E6)
    assert one.rest_e6 == 0


@pytest.mark.parametrize(
    ("before", "tif", "after"),
    [
        (S.SENT, Tif.GTC, S.PARTIAL),
        (S.SENT, Tif.GTD, S.PARTIAL),
        (S.SENT, Tif.FAK, S.MATCHED),
        (S.SENT, Tif.FOK, S.MATCHED),
        (S.LIVE, Tif.GTC, S.PARTIAL),
        (S.LIVE, Tif.FAK, S.PARTIAL),
        (S.DELAYED, Tif.GTC, S.PARTIAL),
        (S.DELAYED, Tif.FAK, S.MATCHED),
        (S.UNKNOWN, Tif.GTC, S.UNKNOWN),
        (S.MATCHED, Tif.FAK, S.MATCHED),
        (S.MATCHED, Tif.GTC, S.PARTIAL),
        (S.PARTIAL, Tif.GTC, S.PARTIAL),
        (S.CANCEL_SENT, Tif.GTC, S.CANCEL_SENT),
    ],
)
def test_partial_match(before: OrderState, tif: Tif, after: OrderState) -> None:
    one = order(before, tif=tif)
    one.match("f1", 4 * E6)
    assert (one.state, one.matched_e6) == (after, 4 * E6)


@pytest.mark.parametrize("before", [S.SENT, S.UNKNOWN, S.DELAYED, S.MATCHED, S.LIVE, S.CANCEL_SENT])
@pytest.mark.parametrize("short_e6", [LOT_E6 - 1, 0, -LOT_E6])
def test_match_in_full_within_the_dust(before: OrderState, short_e6: int) -> None:
    one = order(before)
    one.match("f1", 10 * E6 - short_e6)
    assert one.state is S.FILLED


def test_one_lot_short_is_not_full() -> None:
    one = order()
    one.match("f1", 10 * E6 - LOT_E6)
    assert (one.state, one.rest_e6) == (S.PARTIAL, LOT_E6)


def test_overfill_halts() -> None:
    with pytest.raises(InvariantError, match="matched 10010001 of 10000000"):
        order().match("f1", 10 * E6 + LOT_E6 + 1)


@pytest.mark.parametrize("qty_e6", [0, -1])
def test_fill_of_nothing_is_impossible(qty_e6: int) -> None:
    with pytest.raises(InvariantError, match="fill f1 of"):
        order().match("f1", qty_e6)


def test_void_lowers_what_is_filled_and_moves_no_state_back() -> None:
    one = order()
    one.match("f1", 10 * E6)
    one.void(10 * E6)
    assert (one.state, one.matched_e6, one.filled_e6) == (S.FILLED, 10 * E6, 0)
    with pytest.raises(InvariantError, match="voided more"):
        one.void(1)


@pytest.mark.parametrize(
    ("instrument", "side", "limit_e4", "up_e4", "is_bid"),
    [
        (4, Side.BUY, 4_800, 4_800, True),
        (4, Side.SELL, 4_800, 4_800, False),
        (5, Side.BUY, 4_800, 5_200, False),
        (5, Side.SELL, 4_800, 5_200, True),
    ],
)
def test_leg_in_the_unified_book(
    instrument: int, side: Side, limit_e4: int, up_e4: int, is_bid: bool
) -> None:
    leg = Leg(instrument=Instrument(instrument), side=side, limit_e4=limit_e4, qty_e6=1)
    assert (leg.up_price_e4, leg.is_up_bid) == (up_e4, is_bid)
