"""What each kind of agent does, looked at in small markets."""

import re

import pytest

from polyvenue.agents import CALM, GHOSTED, NOBODY, PopulationConfig
from polyvenue.agents.config import (
    CollectorConfig,
    GhostConfig,
    InformedConfig,
    MakerConfig,
    NoiseConfig,
)
from polyvenue.agents.fair import PPM, FairValue
from polyvenue.agents.maker import best_quotes, grid, ladder, sure_winner
from polyvenue.agents.simulated import Stage, make_scene
from polyvenue.agents.taker import edge_ppm
from polyvenue.exchange.events import Event, TradeStatusChanged
from polyvenue.exchange.orders import PUSD, TradeStatus
from polyvenue.exchange.units import E4, E6, S_NS
from polyvenue.market_data.oracle import settle

START_S = 1_795_366_800
MAKER = MakerConfig()


def stage(config: PopulationConfig, *, window_s: int = 60, seed: int = 3) -> Stage:
    return Stage(config, seed, make_scene(seed, "btc", window_s, START_S), before_s=5)


def play(one: Stage, until_s: float | None = None) -> list[Event]:
    """Run to the end, or to so many seconds after the start; the laws hold all the time."""
    events: list[Event] = []
    while one.step():
        events += one.exchange.take_events()
        if until_s is not None and one.exchange.now_ns >= one.scene.start_ns + until_s * S_NS:
            break
    assert one.exchange.problems() == []
    return events + list(one.exchange.take_events())


def statuses(events: list[Event], wallet: str) -> dict[str, list[TradeStatus]]:
    """The statuses of every trade of a wallet, in order."""
    found: dict[str, list[TradeStatus]] = {}
    for event in events:
        if isinstance(event, TradeStatusChanged):
            view = event.trade
            if wallet in (view.maker, *(it.maker for it in view.makers)):
                found.setdefault(view.trade_id, []).append(view.status)
    return found


def test_fair_value_ends_at_the_settlement() -> None:
    for number in range(6):
        scene = make_scene(number, "btc", 300, START_S)
        settled = settle(scene.oracle, scene.start_ns, scene.end_ns, scene.rule)
        expected = PPM if settled.winner == 0 else 0
        assert FairValue(scene).up_ppm(scene.end_ns) == expected


def test_fair_value_is_even_before_anything_is_known() -> None:
    scene = make_scene(1, "btc", 900, START_S)
    assert FairValue(scene).up_ppm(scene.start_ns - 300 * S_NS) == PPM // 2


def test_a_wider_guess_of_volatility_is_nearer_to_even() -> None:
    scene = make_scene(1, "btc", 900, START_S)
    seen_ns = scene.start_ns + 400 * S_NS
    narrow, wide = (FairValue(scene, pct).up_ppm(seen_ns) for pct in (50, 200))
    assert abs(wide - PPM // 2) < abs(narrow - PPM // 2)


def test_fair_value_is_calibrated() -> None:
    """Over many windows Up wins about as often as its fair value says at half time."""
    said, won = 0.0, 0
    for number in range(120):
        scene = make_scene(number, "btc", 300, START_S + 300 * number)
        said += FairValue(scene).up_ppm(scene.start_ns + 150 * S_NS) / PPM
        won += settle(scene.oracle, scene.start_ns, scene.end_ns, scene.rule).winner == 0
    assert abs(said - won) < 3 * (120 * 0.15) ** 0.5


@pytest.mark.parametrize(
    ("centre_ppm", "tick_e4", "winner", "bid_e4", "ask_e4"),
    [
        (537_000, 100, None, 5_300, 5_400),
        (530_000, 100, None, 5_300, 5_400),
        (999_900, 100, None, 9_800, 9_900),
        (100, 100, None, 100, 200),
        (999_900, 10, 0, 9_990, None),
        (100, 10, 1, None, 10),
    ],
)
def test_best_quotes_lie_around_the_fair_value(
    centre_ppm: int, tick_e4: int, winner: int | None, bid_e4: int | None, ask_e4: int | None
) -> None:
    best = best_quotes(MAKER, centre_ppm, tick_e4, winner)
    expected = {0: bid_e4, 1: None if ask_e4 is None else E4 - ask_e4}
    assert best == {key: value for key, value in expected.items() if value is not None}


def test_a_ladder_goes_down_in_steps_and_stays_in_the_grid() -> None:
    config = MakerConfig(levels=4, step_e4=200)
    assert list(ladder(config, {0: 5_300}, 100)) == [(0, 5_300), (0, 5_200), (0, 5_000), (0, 4_800)]
    assert list(ladder(config, {1: 300}, 100)) == [(1, 300), (1, 200)]


def test_the_fine_grid_is_for_the_edges() -> None:
    assert grid(MAKER, 500_000, 10) == 100
    assert grid(MAKER, 990_000, 10) == 10
    assert grid(MAKER, 990_000, 100) == 100


def test_a_winner_is_sure_on_either_side() -> None:
    assert sure_winner(991_000, 990_000) == 0
    assert sure_winner(9_000, 990_000) == 1
    assert sure_winner(500_000, 990_000) is None


def test_nobody_is_an_empty_market() -> None:
    one = stage(NOBODY)
    events = play(one)
    assert one.population.agents == ()
    assert one.population.next_ns() is None
    assert not one.exchange.truth().orders
    assert not [it for it in events if isinstance(it, TradeStatusChanged)]


def test_makers_quote_both_sides_and_one_near_a_sure_end() -> None:
    config = PopulationConfig(makers=(MAKER, MakerConfig(every_ms=300, lag_ms=100)))
    one = stage(config, window_s=300)
    play(one, until_s=30)
    early = one.market.best(0)
    assert None not in early
    play(one)
    winner = settle(one.scene.oracle, one.scene.start_ns, one.scene.end_ns, one.scene.rule).winner
    late = [it for it in one.exchange.truth().orders if it.created_ns > one.scene.end_ns - S_NS]
    assert {it.outcome for it in late} <= {winner}


def test_a_maker_reacts_after_its_lag_only() -> None:
    """With a lag longer than the market's life nothing moves; with a short one prices follow."""
    slow = stage(PopulationConfig(makers=(MakerConfig(lag_ms=60_000, refresh_s=86_400),)))
    fast = stage(PopulationConfig(makers=(MakerConfig(lag_ms=100, refresh_s=86_400),)))
    counts = []
    for one in (slow, fast):
        play(one, until_s=40)
        counts.append(len({(it.outcome, it.price_e4) for it in one.exchange.truth().orders}))
    assert counts[0] == 2 * MAKER.levels < counts[1]


def test_noise_buys_and_sells() -> None:
    config = PopulationConfig(
        makers=(MAKER,), noise=(NoiseConfig(every_ms=400, sell_pct=60, slip_ticks=3),)
    )
    one = stage(config, window_s=300)
    events = play(one)
    noise = one.population.agents[-1].desk.wallet
    sides = {
        it.trade.side
        for it in events
        if isinstance(it, TradeStatusChanged) and it.trade.maker == noise
    }
    assert sides == {"BUY", "SELL"}


def test_informed_takers_pay_less_than_the_fair_value() -> None:
    config = PopulationConfig(
        makers=(MakerConfig(lag_ms=5_000, every_ms=2_000),), informed=(InformedConfig(),)
    )
    one = stage(config, window_s=300)
    wallet = one.population.agents[-1].desk.wallet
    fair = FairValue(one.scene)
    edges = []
    for event in play(one):
        if isinstance(event, TradeStatusChanged) and event.trade.maker == wallet:
            view = event.trade
            if view.status is TradeStatus.MATCHED:
                up_ppm = fair.up_ppm(view.matched_ns)
                fair_ppm = up_ppm if view.outcome == 0 else PPM - up_ppm
                edges.append(edge_ppm(one.market, fair_ppm, view.price_e4))
    assert len(edges) > 5
    assert sum(edges) > 0


def test_the_edge_is_after_the_fee() -> None:
    market = stage(NOBODY).market
    assert edge_ppm(market, 520_000, 5_000) == 520_000 - 500_000 - 17_500


def test_the_collector_piles_up_bids_for_the_winner() -> None:
    config = PopulationConfig(collectors=(CollectorConfig(within_s=900, every_ms=200),))
    one = stage(config, window_s=300)
    play(one)
    placed = one.exchange.truth().orders
    assert len(placed) > 10
    assert {it.price_e4 for it in placed} == {9_900}
    winner = settle(one.scene.oracle, one.scene.start_ns, one.scene.end_ns, one.scene.rule).winner
    assert placed[-1].outcome == winner


def test_every_match_of_the_ghost_fails_and_it_comes_back() -> None:
    config = PopulationConfig(
        makers=(MAKER,),
        noise=(NoiseConfig(every_ms=300, qty=60),),
        ghosts=(GhostConfig(rest_s=1),),
    )
    one = stage(config, window_s=300)
    events = play(one)
    ghost = one.population.agents[-1].desk.wallet
    found = [it for it in statuses(events, ghost).values() if it[-1].is_final]
    assert len(found) > 1
    assert {it[-1] for it in found} == {TradeStatus.FAILED}
    assert all(TradeStatus.MINED not in it for it in found)


def test_the_presets_differ_by_the_ghost_only() -> None:
    assert GHOSTED.ghosts
    assert not CALM.ghosts
    assert GHOSTED.makers == CALM.makers


def test_leaving_withdraws_every_order() -> None:
    one = stage(CALM)
    play(one, until_s=5)
    one.population.leave(one.exchange, one.exchange.now_ns)
    one.population.leave(one.exchange, one.exchange.now_ns)
    assert one.population.next_ns() is None
    held = [it for it in one.exchange.truth().orders if it.status.is_open]
    assert all(it.status == "DELAYED" for it in held)


def test_a_lane_uses_its_wallets_again() -> None:
    one = stage(CALM)
    play(one)
    wallets = len(one.exchange.core.ledger.accounts)
    second = Stage(CALM, 4, make_scene(4, "btc", 60, START_S + 32 * 60), before_s=5)
    assert second.population.wallets == one.population.wallets
    assert len(second.exchange.core.ledger.accounts) == wallets
    makers_e6 = second.exchange.usable_e6(second.population.wallets[0], PUSD)
    assert makers_e6 == CALM.makers[0].collateral * E6


@pytest.mark.parametrize(
    ("kind", "values", "text"),
    [
        (MakerConfig, {"levels": 0}, "MakerConfig.levels is 0: allowed are 1 to 50"),
        (CollectorConfig, {"within_s": 901}, "CollectorConfig.within_s is 901"),
        (NoiseConfig, {"sell_pct": 101}, "NoiseConfig.sell_pct is 101: allowed are 0 to 100"),
        (InformedConfig, {"edge_e4": -1}, "InformedConfig.edge_e4 is -1"),
        (GhostConfig, {"qty": 4}, "GhostConfig.qty is 4: allowed are 5 to 100000"),
    ],
)
def test_a_number_out_of_range_is_refused(
    kind: type[MakerConfig], values: dict[str, int], text: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        kind(**values)
