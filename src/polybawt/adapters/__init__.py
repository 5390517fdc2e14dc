"""Translators of one outside system each; they know nothing of trading."""
