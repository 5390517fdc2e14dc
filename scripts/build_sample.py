"""Builds the shipped sample from the recording it comes from (docs/data.md).

    python scripts/build_sample.py FOLDER_OF_pm15m-btc-l2-top20 [TAPE]

The same recording and the locked zstandard give the same bytes.
"""

from __future__ import annotations

import sys
from pathlib import Path

from polybawt.adapters.datasets.detect import open_source
from polybawt.adapters.tape.convert import convert
from polybawt.domain.errors import BadInput

SAMPLE = Path(__file__).parent.parent / "src" / "polybawt" / "data" / "sample" / "btc-15m.tape"
BYTES_MAX = 3_000_000


def main(arguments: list[str]) -> int:
    """0 if the sample was written, 2 with one line on stderr if not."""
    if len(arguments) not in (1, 2):
        sys.stderr.write("usage: build_sample.py FOLDER [TAPE]\n")
        return 2
    tape = Path(arguments[1]) if len(arguments) == 2 else SAMPLE
    try:
        frames = convert(open_source(Path(arguments[0])), tape, level=19)
    except BadInput as error:
        sys.stderr.write(f"{error}\n")
        return 2
    size = tape.stat().st_size
    sys.stdout.write(f"{tape}: {frames} frames, {size} bytes\n")
    if size > BYTES_MAX:
        sys.stderr.write(f"{tape} is larger than {BYTES_MAX} bytes\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
