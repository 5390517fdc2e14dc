"""Agents: the other people of a market, each a pure actor over the exchange.

An agent says when it wants to act (`next_ns`) and does so when called (`act`). It has no clock; its
chance is a generator seeded by (seed, market, role, number), so that the same seed and the same
other orders give the same market in every process. Agents trade as anybody does: every order of
theirs passes the validation, the hold and the settlement of the exchange.
"""

from polyvenue.agents.config import CALM, GHOSTED, NOBODY, PRESETS, PopulationConfig
from polyvenue.agents.population import Population
from polyvenue.agents.scene import Scene, scene_of

__all__ = [
    "CALM",
    "GHOSTED",
    "NOBODY",
    "PRESETS",
    "Population",
    "PopulationConfig",
    "Scene",
    "scene_of",
]
