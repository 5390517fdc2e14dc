"""What must hold of the fill model for any recorded book and any orders."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from polybawt.adapters.fills import RecordKind, VenueRecord
from polybawt.domain.actions import Action, MergePair, Place, Redeem, SplitPair
from polybawt.domain.events import (
    BookChanged,
    BookReplaced,
    Event,
    Filled,
    MarketListed,
    OrderAccepted,
    OrderClosed,
    OrderRejected,
    TradePrinted,
)
from polybawt.domain.fill import Liquidity
from polybawt.domain.ids import Instrument, Outcome, Side
from polybawt.domain.order import Leg, Order, OrderState, Tif
from polybawt.domain.units import E4
from tests.unit.adapters.fills.world import (
    MARKET,
    UP,
    World,
    book,
    cancel,
    change,
    job,
    leg,
    ns,
    place,
    printed,
    resolved,
)

END_MS = 4_000
SETTINGS = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    # A story is a whole market: shrinking one takes minutes and says little.
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)


@dataclass(frozen=True)
class Story:
    """Frames and decisions, each at its millisecond."""

    frames: list[tuple[int, tuple[Event, ...]]]
    decisions: list[tuple[int, tuple[Action, ...]]]
    config: dict[str, object]


def _events() -> st.SearchStrategy[Event]:
    outcomes, sides = st.sampled_from(list(Outcome)), st.sampled_from(list(Side))
    cents, qty = st.integers(44, 56), st.sampled_from([0.0, 5.0, 12.5, 30.004, 80.0])
    snapshots = st.builds(
        lambda outcome, mid, sizes: book(
            outcome,
            {mid - 1 - i: size for i, size in enumerate(sizes[:3])},
            {mid + 1 + i: size for i, size in enumerate(sizes[3:])},
        ),
        outcomes,
        st.integers(46, 54),
        st.lists(qty, min_size=6, max_size=6),
    )
    return st.one_of(
        snapshots,
        snapshots,
        st.builds(change, outcomes, sides, cents, qty),
        st.builds(change, outcomes, sides, cents, qty),
        st.builds(printed, outcomes, sides, cents, st.sampled_from([1.0, 7.5, 40.0])),
    )


def _legs() -> st.SearchStrategy[Leg]:
    return st.builds(
        lambda side, cents, qty, outcome, style: leg(
            side, cents, qty, outcome=outcome, tif=style[0], post_only=style[1], expires_ms=300_000
        ),
        st.sampled_from([Side.BUY, Side.BUY, Side.BUY, Side.SELL]),
        st.integers(46, 56),
        st.sampled_from([20.0, 50.0, 100.0]),
        st.sampled_from(list(Outcome)),
        st.sampled_from(
            [
                (Tif.GTC, True),
                (Tif.GTC, False),
                (Tif.GTD, False),
                (Tif.FAK, False),
                (Tif.FOK, False),
            ]
        ),
    )


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """A market with some frames and some orders, cancels and chain work."""
    times = sorted(draw(st.lists(st.integers(1, END_MS), min_size=15, max_size=30, unique=True)))
    first = book(UP, {49: 50.0, 48: 80.0}, {51: 50.0, 52: 80.0})
    frames: list[tuple[int, tuple[Event, ...]]] = [(0, (MarketListed(market=MARKET), first))]
    for at_ms in times:
        events = draw(st.lists(_events(), min_size=1, max_size=3))
        frames.append((at_ms, tuple(_stamped(event, at_ms) for event in events)))
    decisions: list[tuple[int, tuple[Action, ...]]] = [(0, (job(SplitPair, "s", 200),))]
    at = sorted(draw(st.lists(st.integers(1, END_MS), min_size=3, max_size=10, unique=True)))
    for n, at_ms in enumerate(at):
        legs = draw(st.lists(_legs(), min_size=1, max_size=3))
        actions: list[Action] = [place(f"{n}.{i}", one) for i, one in enumerate(legs)]
        if n and draw(st.integers(0, 3)) == 0:
            actions.insert(0, cancel(f"{n - 1}.0"))
        if draw(st.integers(0, 4)) == 0:
            actions.append(job(MergePair, f"m{n}", 10))
        decisions.append((at_ms, tuple(actions)))
    config: dict[str, object] = {
        "queue": draw(st.sampled_from(["pessimistic", "power"])),
        "tail_ms": draw(st.sampled_from([0, 30])),
        "confirm_ms": 500,
        "chain_ms": 700,
    }
    return Story(frames, decisions, config)


def _stamped(event: Event, at_ms: int) -> Event:
    return msgspec.structs.replace(event, venue_ns=ns(at_ms))


def _play(story: Story, *, twice: bool = False, until_ms: int | None = None) -> World:
    """Run a story; `until_ms` cuts everything after that instant."""
    world = World(**story.config)
    steps: list[tuple[int, int, int]] = [(at, 0, i) for i, (at, _) in enumerate(story.frames)]
    steps += [(at, 1, i) for i, (at, _) in enumerate(story.decisions)]
    for at_ms, kind, i in sorted(steps):
        if until_ms is not None and at_ms > until_ms:
            break
        if kind == 0:
            for _ in range(2 if twice else 1):
                world.frame(at_ms, *story.frames[i][1])
        else:
            world.send(at_ms, *story.decisions[i][1])
    if until_ms is not None:
        world.run(until_ms)
        return world
    world.send(END_MS, job(Redeem, "r"))
    world.run(900_000)
    world.frame(930_000, resolved(1_000_000))
    world.run(1_000_000)
    return world


def _exchange(story: Story) -> Story:
    """The same story with Up and Down exchanged in the whole input."""

    def event(one: Event) -> Event:
        if isinstance(one, BookReplaced | BookChanged | TradePrinted):
            return msgspec.structs.replace(one, outcome=one.outcome.other)
        return one

    def action(one: Action) -> Action:
        if isinstance(one, Place):
            other = Instrument(one.leg.instrument ^ 1)
            return msgspec.structs.replace(
                one, leg=msgspec.structs.replace(one.leg, instrument=other)
            )
        return one

    return Story(
        [(at, tuple(event(one) for one in events)) for at, events in story.frames],
        [(at, tuple(action(one) for one in actions)) for at, actions in story.decisions],
        story.config,
    )


def _effects(world: World) -> list[VenueRecord]:
    """The log without the frame counter, which duplication changes."""
    return [msgspec.structs.replace(record, frame_seq=0) for record in world.log]


@SETTINGS
@given(stories())
def test_two_instances_give_the_same_answers_and_log(story: Story) -> None:
    first, second = _play(story), _play(story)
    assert first.events == second.events
    assert first.log == second.log


@SETTINGS
@given(stories())
def test_duplicating_every_frame_changes_no_answer(story: Story) -> None:
    once, twice = _play(story), _play(story, twice=True)
    assert once.events == twice.events
    assert _effects(once) == _effects(twice)


@SETTINGS
@given(stories())
def test_exchanging_up_and_down_mirrors_the_answers(story: Story) -> None:
    ours, mirror = _play(story), _play(_exchange(story))
    settled = 930_000
    assert [e for e in ours.events if e[0] < settled] == [
        e for e in mirror.events if e[0] < settled
    ]
    flipped = [
        record
        if record.instrument is None
        else msgspec.structs.replace(record, instrument=Instrument(record.instrument ^ 1))
        for record in mirror.log
    ]
    kinds = (RecordKind.REDEEM,)
    assert [r for r in ours.log if r.kind not in kinds] == [
        r for r in flipped if r.kind not in kinds
    ]


@SETTINGS
@given(stories(), st.integers(0, END_MS))
def test_cutting_the_input_leaves_earlier_answers_unchanged(story: Story, cut_ms: int) -> None:
    full, cut = _play(story), _play(story, until_ms=cut_ms)
    assert cut.events == [(at, event) for at, event in full.events if at <= cut_ms]


@SETTINGS
@given(stories())
def test_fills_stay_within_the_order_the_limit_and_the_displayed_depth(story: Story) -> None:
    world = _play(story)
    legs = {
        a.order_id: a.leg for _, actions in story.decisions for a in actions if isinstance(a, Place)
    }
    filled: dict[str, int] = {}
    for record in world.log:
        if record.kind is not RecordKind.FILL:
            continue
        order_leg = legs[record.order_id]
        filled[record.order_id] = filled.get(record.order_id, 0) + record.qty_e6
        assert 0 < filled[record.order_id] <= order_leg.qty_e6
        gain = order_leg.limit_e4 - record.price_e4
        assert (gain if order_leg.side is Side.BUY else -gain) >= 0
        assert not (record.liquidity is Liquidity.TAKER and order_leg.post_only)
        assert record.liquidity is Liquidity.TAKER or (gain == 0 and record.fee_e6 == 0)
    _check_depth(story, world.log)


@SETTINGS
@given(stories())
def test_answers_are_legal_by_the_order_table_and_close_every_order(story: Story) -> None:
    orders: dict[str, Order] = {}
    for _, actions in story.decisions:
        for action in actions:
            if isinstance(action, Place):
                order = Order(action.order_id, action.strategy, action.leg, 0)
                order.advance(OrderState.SENT)
                orders[action.order_id] = order
    for _, event in _play(story).events:
        if isinstance(event, OrderAccepted | OrderClosed):
            orders[event.order_id].advance(event.state)
        elif isinstance(event, OrderRejected):
            orders[event.order_id].advance(OrderState.REJECTED)
        elif isinstance(event, Filled):
            orders[event.order_id].match(event.fill_id, event.qty_e6)
    assert [order.order_id for order in orders.values() if order.is_open] == []


def _check_depth(story: Story, log: list[VenueRecord]) -> None:
    """No level gives takers more than it displays, until its displayed quantity changes."""
    shown: dict[tuple[Side, int], int] = {}
    taken: dict[tuple[Side, int], int] = {}
    fills = [r for r in log if r.liquidity is Liquidity.TAKER]
    for at_ms, events in story.frames:
        before = dict(shown)
        for event in events:
            _show(event, shown)
        for level in {**before, **taken}:
            if shown.get(level, 0) != before.get(level, 0):
                taken.pop(level, None)
        for record in fills:
            if record.ts_ns != ns(at_ms):
                continue
            assert record.instrument is not None
            assert record.side is not None
            down = bool(record.instrument & 1)
            bought_up = (record.side is Side.BUY) != down
            level = (
                Side.SELL if bought_up else Side.BUY,
                E4 - record.price_e4 if down else record.price_e4,
            )
            taken[level] = taken.get(level, 0) + record.qty_e6
            assert taken[level] <= shown.get(level, 0)
    at = {ns(at_ms) for at_ms, _ in story.frames}
    assert all(record.ts_ns in at for record in fills)


def _show(event: Event, shown: dict[tuple[Side, int], int]) -> None:
    """One event on the book in Up's prices."""
    if isinstance(event, BookChanged):
        down = event.outcome is Outcome.DOWN
        price_e4 = E4 - event.price_e4 if down else event.price_e4
        shown[event.side.other if down else event.side, price_e4] = event.qty_e6
    elif isinstance(event, BookReplaced):
        shown.clear()
        for side, levels in ((Side.BUY, event.bids), (Side.SELL, event.asks)):
            for price_e4, qty_e6 in levels:
                if event.outcome is Outcome.DOWN:
                    shown[side.other, E4 - price_e4] = qty_e6
                else:
                    shown[side, price_e4] = qty_e6
