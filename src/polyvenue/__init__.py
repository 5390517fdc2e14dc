"""polyvenue: a local Polymarket on loopback, with no key, network or money behind it.

It imports nothing of the bot, and the bot imports nothing of it: what both know is written twice on
purpose, so that a mistake in one does not hide in the other.
"""

__version__ = "0.1.0"
