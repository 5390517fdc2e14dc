"""What a strategy is: a configuration and a pure function of a view.

It keeps no memory. What it must remember stands in its own orders, positions and history.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from polybawt.domain.ids import StrategyName
from polybawt.domain.intents import Intent
from polybawt.state import View


class StrategyConfig(BaseModel):
    """Base of every strategy's settings: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    enabled: bool = True
    """Whether the strategy runs at all."""


C = TypeVar("C", bound=StrategyConfig)


@dataclass(frozen=True)
class Plugin(Generic[C]):
    """The registration line of a strategy file."""

    name: StrategyName
    config: type[C]
    decide: Callable[[View, C], list[Intent]]


@dataclass(frozen=True)
class Strategy(Generic[C]):
    """A plugin with its settings: what the engine runs."""

    plugin: Plugin[C]
    config: C

    @cached_property
    def name(self) -> StrategyName:
        """The name that orders, limits and reports carry."""
        return self.plugin.name

    def decide(self, view: View) -> list[Intent]:
        """What the strategy wants in this market now."""
        return self.plugin.decide(view, self.config)
