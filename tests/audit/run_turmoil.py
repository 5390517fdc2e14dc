"""The command line with one more strategy in its registry: `python run_turmoil.py backtest ...`."""

from __future__ import annotations

import sys
from pathlib import Path

import polybawt.strategies
from polybawt.cli import main

polybawt.strategies.__path__.append(str(Path(__file__).parent / "strategies"))
sys.exit(main())
