"""Recordings made by others, one file each, as streams of batches (docs/data.md)."""
