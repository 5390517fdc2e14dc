"""Our recording format: compressed lines of raw frames (docs/data.md)."""
