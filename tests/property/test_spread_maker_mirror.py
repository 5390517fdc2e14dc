"""Exchanging Up and Down in everything SpreadMaker sees exchanges them in everything it wants."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from polybawt.domain import events as ev
from polybawt.domain.ids import Outcome
from polybawt.domain.intents import Convert, Intent, Quote
from polybawt.domain.order import Leg
from polybawt.domain.units import E4, E6, S_NS
from polybawt.strategies.spread_maker import NAME, Config, decide
from tests.world import CLOSE_NS, World, make_market, mirrored, shares

Seen = tuple[frozenset[tuple[int, int, int, int]], int, int, str, tuple[int, ...]]


class Scene(NamedTuple):
    """What is seen, in Up's prices, and what is held."""

    tick_e4: int
    bids: tuple[tuple[int, int], ...]
    asks: tuple[tuple[int, int], ...]
    held: tuple[int, int]
    left_s: int
    config: Config


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    tick_e4 = draw(st.sampled_from((100, 10)))
    price = st.integers(1, E4 // tick_e4 - 1).map(lambda n: n * tick_e4)
    level = st.tuples(price, st.integers(1, 500).map(shares))
    return Scene(
        tick_e4=tick_e4,
        bids=tuple(draw(st.lists(level, max_size=2, unique_by=lambda x: x[0]))),
        asks=tuple(draw(st.lists(level, max_size=2, unique_by=lambda x: x[0]))),
        held=(draw(st.integers(0, 60)), draw(st.integers(0, 60))),
        left_s=draw(st.integers(4, 900)),
        config=Config(
            latency_ms=draw(st.sampled_from((0, 500, 5_000))),
            half_spread_floor_e4=draw(st.integers(1, 400)),
            inventory_aversion_ppm=draw(st.integers(0, 50_000)),
            spread_trigger_e4=draw(st.sampled_from((0, 500))),
            merge_min_shares=draw(st.integers(1, 30)),
        ),
    )


def decided(scene: Scene, *, is_mirrored: bool) -> list[Intent]:
    world = World()
    market = make_market(tick_e4=scene.tick_e4)
    world.list(market)
    world.now_ns = CLOSE_NS - scene.left_s * S_NS
    for outcome, count in zip(Outcome, scene.held, strict=True):
        if count:
            own = outcome.other if is_mirrored else outcome
            world.hold(own, shares(count), name=NAME)
    up, down = mirrored(market.market_id, scene.bids, scene.asks, world.now_ns)
    if is_mirrored:
        up, down = (_with(down, Outcome.UP), _with(up, Outcome.DOWN))
    world.apply(up, down)
    return decide(world.view(name=NAME), scene.config)


def _with(book: ev.BookReplaced, outcome: Outcome) -> ev.BookReplaced:
    return ev.BookReplaced(
        market_id=book.market_id,
        outcome=outcome,
        bids=book.bids,
        asks=book.asks,
        venue_ns=book.venue_ns,
    )


def _leg(leg: Leg, flip: int) -> tuple[int, int, int, int]:
    return (int(leg.instrument) ^ flip, int(leg.side), leg.limit_e4, leg.qty_e6)


def summary(intents: list[Intent], flip: int) -> Seen:
    quote, *rest = intents
    assert isinstance(quote, Quote)
    merges = tuple(i.qty_e6 for i in rest if isinstance(i, Convert))
    legs = frozenset(_leg(leg, flip) for leg in quote.legs)
    return legs, quote.edge_e4, quote.worst_loss_e6, quote.reason, merges


@given(scene=scenes())
def test_mirror(scene: Scene) -> None:
    plain = summary(decided(scene, is_mirrored=False), 0)
    assert plain == summary(decided(scene, is_mirrored=True), 1)


@given(scene=scenes())
def test_own_quotes_never_cross_the_book_or_each_other(scene: Scene) -> None:
    quote, *_ = decided(scene, is_mirrored=False)
    assert isinstance(quote, Quote)
    bids = [leg.up_price_e4 for leg in quote.legs if leg.is_up_bid]
    asks = [leg.up_price_e4 for leg in quote.legs if not leg.is_up_bid]
    best_bid = max((price for price, _ in scene.bids), default=0)
    best_ask = min((price for price, _ in scene.asks), default=E4)
    assert all(price < best_ask for price in bids)
    assert all(price > best_bid for price in asks)
    assert max(bids, default=0) < min(asks, default=E4)
    assert len(bids) <= 1
    assert len(asks) <= 1
    for leg in quote.legs:
        assert leg.limit_e4 % scene.tick_e4 == 0
        assert scene.tick_e4 <= leg.limit_e4 <= E4 - scene.tick_e4
        assert 5 * E6 <= leg.qty_e6 <= scene.config.clip_shares * E6
        if leg.side:
            assert leg.qty_e6 <= shares(scene.held[leg.instrument & 1])
