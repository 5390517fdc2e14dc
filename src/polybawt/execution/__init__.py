"""Decisions to actions: quote upkeep, the plan, the end of a window."""
