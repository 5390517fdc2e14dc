"""`python -m tests.vectors [DIR]`: every vector file of a folder through the product.

Exit code 0 when all passed, 1 when a row failed, 2 for a folder or file that holds no vectors.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.vectors.runner import BadVectors, run


def main(arguments: Sequence[str]) -> int:
    """Run, print, and return the exit code."""
    if len(arguments) > 1:
        print("usage: python -m tests.vectors [DIR]", file=sys.stderr)
        return 2
    try:
        outcome = run(Path(arguments[0]) if arguments else Path(__file__).parent)
    except BadVectors as error:
        print(error, file=sys.stderr)
        return 2
    for failure in outcome.failures:
        print(f"FAILED {failure}")
    for fn, count in sorted(outcome.skipped.items()):
        print(f"skipped {fn}: {count} rows, no product code yet")
    print(f"{sum(outcome.skipped.values())} skipped")
    print(f"{outcome.passed} passed, {len(outcome.failures)} failed")
    return 1 if outcome.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
