"""The in-process fill model of backtest and paper mode (docs/fill-model.md)."""

from polybawt.adapters.fills.config import FillConfig
from polybawt.adapters.fills.record import Code, RecordKind, VenueRecord
from polybawt.adapters.fills.venue import SimVenue

__all__ = ["Code", "FillConfig", "RecordKind", "SimVenue", "VenueRecord"]
