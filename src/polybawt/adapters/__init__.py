"""Translators, one outside system each. They know nothing of trading."""
