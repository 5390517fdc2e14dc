"""Numbers derived from events: incremental, floats, never money."""
