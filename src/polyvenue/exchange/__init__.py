"""The exchange: a pure, synchronous, deterministic core.

Every method takes `now_ns`; there is no clock, no IO and no chance but a seeded generator. Money
and shares are integers of 10^-6 (`_e6`), prices of 10^-4 (`_e4`). The servers turn its events into
frames, and its replies and refusals into HTTP.
"""

from polyvenue.exchange.config import ExchangeConfig
from polyvenue.exchange.exchange import Exchange
from polyvenue.exchange.market import MarketTerms

__all__ = ["Exchange", "ExchangeConfig", "MarketTerms"]
