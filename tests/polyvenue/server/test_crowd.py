"""Agents in the markets of a running venue: they quote, and go home at the end."""

from __future__ import annotations

import pytest

from polyvenue.clock import VenueClock
from polyvenue.market_data.text import NS
from polyvenue.server.config import VenueConfig
from polyvenue.server.venue import Venue

START_NS = 1_800_000_010 * NS


def running(agents: str) -> Venue:
    """A stepped venue with one-minute windows, some seconds after its start."""
    config = VenueConfig(seed=5, assets=("btc",), windows_s=(60,), ahead=2, agents=agents, speed=0)
    venue = Venue(config, VenueClock(0.0, START_NS))
    for _ in range(10):
        venue.clock.step(NS)
        venue.catch_up()
    return venue


@pytest.mark.parametrize(("agents", "is_quoted"), [("none", False), ("calm", True)])
def test_the_preset_says_whether_the_series_is_quoted(agents: str, is_quoted: bool) -> None:
    venue = running(agents)
    assert bool(venue.exchange.truth().orders) is is_quoted
    assert venue.exchange.problems() == []


def test_agents_come_and_go_with_their_windows() -> None:
    venue = running("calm")
    most = len(venue.agents)
    assert 0 < most <= 4
    for _ in range(240):
        venue.clock.step(NS)
        venue.catch_up()
        most = max(most, len(venue.agents))
    assert most <= 4
    assert len(venue.agents) > 0
    assert venue.exchange.problems() == []
    assert venue.exchange.truth().fills


def test_unknown_agents_are_refused_in_one_line() -> None:
    with pytest.raises(ValueError, match="agents 'wild' are unknown: one of none, calm, ghosts"):
        VenueConfig(agents="wild")
