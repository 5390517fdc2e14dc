"""Translators of outside systems. They know nothing of trading."""
