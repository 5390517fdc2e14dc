"""The first lines that run: an interrupt while the rest is being imported ends in one line."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; its exit code."""
    try:
        from polybawt.cli import main as run

        return run()
    except KeyboardInterrupt:
        sys.stderr.write("polybawt: interrupted; nothing was half-written\n")
        return 130
