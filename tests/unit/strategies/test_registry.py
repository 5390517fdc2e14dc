"""Strategies are found by their file, and each is whole."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from polybawt.domain.intents import Intent
from polybawt.state import View
from polybawt.strategies import spread_maker
from polybawt.strategies.base import Plugin, Strategy, StrategyConfig
from polybawt.strategies.registry import plugins
from tests.world import ALPHA, World, quote


def test_every_file_with_a_plugin_is_found_in_order() -> None:
    assert plugins()["spread_maker"] is spread_maker.PLUGIN
    assert list(plugins()) == sorted(plugins())
    assert all(plugin.name == name for name, plugin in plugins().items())


def test_a_strategy_is_a_plugin_with_its_settings() -> None:
    seen = []

    def decide(view: View, config: StrategyConfig) -> list[Intent]:
        seen.append((view, config))
        return [quote()]

    config = StrategyConfig()
    one = Strategy(Plugin(name=ALPHA, config=StrategyConfig, decide=decide), config)
    view = World().ready().view()
    assert (one.name, one.decide(view)) == (ALPHA, [quote()])
    assert seen == [(view, config)]


@pytest.mark.parametrize("name", sorted(plugins()))
def test_settings_are_frozen_and_know_no_other_key(name: str) -> None:
    model = plugins()[name].config
    with pytest.raises(ValidationError, match="frozen"):
        model().enabled = False  # type: ignore[misc]  # frozen is what the test shows
    with pytest.raises(ValidationError, match="Extra inputs"):
        model.model_validate({"no_such_key": 1})
