"""Finds the strategies: every module of this package that has a PLUGIN. No list to keep in step."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import polybawt.strategies as package
from polybawt.strategies.base import Plugin, StrategyConfig


@cache
def plugins() -> dict[str, Plugin[StrategyConfig]]:
    """Every strategy by name, in alphabetical order of its file."""
    found: dict[str, Plugin[StrategyConfig]] = {}
    for module in sorted(m.name for m in iter_modules(package.__path__)):
        plugin = getattr(import_module(f"{package.__name__}.{module}"), "PLUGIN", None)
        if isinstance(plugin, Plugin):
            found[plugin.name] = plugin
    return found
