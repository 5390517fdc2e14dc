"""Statistics of results. Pure functions, no market knowledge, no IO."""
