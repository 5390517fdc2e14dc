"""Evidence on our orders: late, twice, out of order, impossible."""

from __future__ import annotations

import pytest

from polybawt.domain.errors import InvariantError
from polybawt.domain.ids import Instrument, MarketId, OrderId, Side, StrategyName
from polybawt.domain.order import TERMINAL, Leg, OrderState
from polybawt.domain.units import E6
from polybawt.portfolio.orders import HISTORY_MAX, Orders

S = OrderState
M, O1, O2 = MarketId("m"), OrderId("o1"), OrderId("o2")
LEG = Leg(instrument=Instrument(0), side=Side.BUY, limit_e4=5_000, qty_e6=10 * E6)
NOBODY = OrderId("nobody")


def orders(state: OrderState = S.SENT, *, matched_e6: int = 0) -> Orders:
    """One order in a state that the methods reach."""
    all_orders = Orders()
    all_orders.place(O1, StrategyName("s"), M, LEG, 1)
    match state:
        case S.SENT:
            pass
        case S.CANCEL_SENT:
            all_orders.accepted(O1, S.LIVE)
            all_orders.cancel_sent(O1)
        case S.UNKNOWN:
            all_orders.unknown(O1)
        case S.LIVE | S.DELAYED | S.MATCHED:
            all_orders.accepted(O1, state)
        case S.PARTIAL:
            all_orders.accepted(O1, S.LIVE)
            all_orders.matched(O1, "f0", E6)
        case _:
            all_orders.accepted(O1, S.LIVE)
            all_orders.closed(O1, state, "X")
    if matched_e6:
        all_orders.matched(O1, "f1", matched_e6)
    assert all_orders.by_id[O1].state in (state, S.PARTIAL, S.FILLED)
    return all_orders


def test_a_placed_order_is_sent_and_open() -> None:
    one = orders()
    assert one.by_id[O1].state is S.SENT
    assert [o.order_id for o in one.open_in(M)] == [O1]
    assert (list(one.markets()), one.market_of(O1), one.open_count) == ([M], M, 1)
    assert list(one.open_in(MarketId("other"))) == list(one.closed_in(M)) == []
    with pytest.raises(InvariantError, match="placed twice"):
        one.place(O1, StrategyName("s"), M, LEG, 2)


@pytest.mark.parametrize("before", [S.SENT, S.UNKNOWN, S.DELAYED])
@pytest.mark.parametrize("reply", [S.LIVE, S.MATCHED, S.DELAYED])
def test_a_reply_is_taken_from_an_order_without_one(before: OrderState, reply: OrderState) -> None:
    one = orders(before)
    one.accepted(O1, reply)
    assert (one.by_id[O1].state, one.stale_reports) == (reply, 0)


@pytest.mark.parametrize("before", [S.LIVE, S.PARTIAL, S.CANCEL_SENT, S.MATCHED, S.CANCELLED])
def test_a_late_reply_changes_nothing(before: OrderState) -> None:
    one = orders(before)
    state = one.by_id[O1].state
    one.accepted(O1, S.LIVE)
    assert (one.by_id[O1].state, one.stale_reports) == (state, 1)


def test_a_fill_before_the_reply_makes_the_reply_stale() -> None:
    one = orders(matched_e6=4 * E6)
    one.accepted(O1, S.LIVE)
    assert (one.by_id[O1].state, one.stale_reports) == (S.PARTIAL, 1)


@pytest.mark.parametrize("end", [S.CANCELLED, S.EXPIRED])
def test_a_closed_order_moves_to_the_history_once(end: OrderState) -> None:
    one = orders(S.LIVE)
    one.closed(O1, end, "BY_USER")
    one.closed(O1, S.CANCELLED, "AGAIN")
    order = one.by_id[O1]
    assert (order.state, order.closed_reason, one.stale_reports) == (end, "BY_USER", 1)
    assert (list(one.open_in(M)), list(one.closed_in(M)), one.open_count) == ([], [order], 0)


def test_a_late_fill_of_a_closed_order_is_booked_and_does_not_reopen() -> None:
    one = orders(S.CANCELLED)
    order = one.matched(O1, "f1", E6)
    assert (order.state, order.filled_e6) == (S.CANCELLED, E6)
    assert (one.open_count, list(one.closed_in(M))) == (0, [order])


def test_a_full_match_closes() -> None:
    one = orders(S.LIVE, matched_e6=10 * E6)
    assert (one.by_id[O1].state, one.open_count) == (S.FILLED, 0)


@pytest.mark.parametrize("state", sorted(set(S) - TERMINAL))
def test_closing_into_a_state_that_is_not_terminal_is_a_bug(state: OrderState) -> None:
    with pytest.raises(InvariantError, match="closed as"):
        orders().closed(O1, state, "X")


def test_an_impossible_end_is_an_error() -> None:
    with pytest.raises(InvariantError, match="LIVE cannot become REJECTED"):
        orders(S.LIVE).closed(O1, S.REJECTED, "X")
    with pytest.raises(InvariantError, match="LIVE cannot become ABSENT"):
        orders(S.LIVE).closed(O1, S.ABSENT, "X")


@pytest.mark.parametrize("before", [S.SENT, S.LIVE, S.PARTIAL, S.DELAYED, S.MATCHED, S.CANCEL_SENT])
def test_an_unknown_order_stays_open_with_its_rest(before: OrderState) -> None:
    one = orders(before)
    rest = one.by_id[O1].rest_e6
    one.unknown(O1)
    one.unknown(O1)
    assert (one.by_id[O1].state, one.by_id[O1].rest_e6, one.open_count) == (S.UNKNOWN, rest, 1)


@pytest.mark.parametrize("before", [S.SENT, S.UNKNOWN, S.DELAYED, S.MATCHED, S.CANCEL_SENT])
def test_a_cancel_of_an_order_that_cannot_be_cancelled_changes_no_state(before: OrderState) -> None:
    one = orders(before)
    one.cancel_sent(O1)
    assert one.by_id[O1].state is before


@pytest.mark.parametrize(("matched_e6", "after"), [(0, S.LIVE), (E6, S.PARTIAL)])
def test_a_refused_cancel_puts_the_order_back(matched_e6: int, after: OrderState) -> None:
    one = orders(S.CANCEL_SENT, matched_e6=matched_e6)
    one.cancel_refused(O1)
    assert one.by_id[O1].state is after
    one.cancel_refused(O1)
    assert (one.by_id[O1].state, one.stale_reports) == (after, 1)


def test_reports_on_orders_that_are_not_ours_are_counted() -> None:
    one = orders()
    one.accepted(NOBODY, S.LIVE)
    one.closed(NOBODY, S.CANCELLED, "X")
    one.unknown(NOBODY)
    one.cancel_refused(NOBODY)
    one.closed(O1, S.CANCELLED, "X")
    one.unknown(O1)
    assert one.stale_reports == 5


def test_history_is_bounded_newest_last() -> None:
    one = Orders()
    for number in range(HISTORY_MAX + 2):
        order_id = OrderId(f"o{number}")
        one.place(order_id, StrategyName("s"), M, LEG, 1)
        one.closed(order_id, S.CANCELLED, "X")
    kept = [order.order_id for order in one.closed_in(M)]
    assert kept == [f"o{n}" for n in range(2, HISTORY_MAX + 2)]


def test_a_finished_market_is_forgotten_whole() -> None:
    one = orders(S.CANCELLED)
    one.place(O2, StrategyName("s"), MarketId("other"), LEG, 1)
    assert [order.order_id for order in one.drop(M)] == [O1]
    assert (list(one.by_id), list(one.closed_in(M)), one.drop(M)) == ([O2], [], [])
    with pytest.raises(InvariantError, match="still has open orders"):
        one.drop(MarketId("other"))


@pytest.mark.parametrize("state", [S.SENT, S.DELAYED, S.MATCHED, S.UNKNOWN, S.LIVE])
def test_an_expiry_may_be_told_before_or_without_the_acceptance(state: S) -> None:
    book = orders(S.SENT)
    if state is S.UNKNOWN:
        book.unknown(O1)
    elif state is not S.SENT:
        book.accepted(O1, state)
    book.closed(O1, S.EXPIRED, "GTD")
    assert book.by_id[O1].state is S.EXPIRED
    assert not book.has_open(M)
