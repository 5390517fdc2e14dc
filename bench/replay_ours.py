"""One process: the product over the tape. `python -m bench.replay_ours DIR STRATEGY`."""

from __future__ import annotations

import sys
from pathlib import Path
from time import process_time

from bench.product import ListSource, one_market, run
from bench.synthetic import opening_levels, read_columns, rows_of
from bench.timing import peak_mb, report
from polybawt.domain.units import S_NS


def main(folder: Path, strategy: str) -> None:
    """Load, build all batches, run; print the times."""
    start = process_time()
    columns = read_columns(folder)
    loaded = process_time()
    close_ns = columns[0][-1] + 600 * S_NS
    source = ListSource(list(one_market(rows_of(columns), opening_levels(), close_ns)))
    built = process_time()
    summary = run(source, strategy)
    ended = process_time()
    report(
        {
            "events": len(columns[0]),
            "load_s": loaded - start,
            "build_s": built - loaded,
            "run_s": ended - built,
            "peak_mb": peak_mb(),
            "orders": summary.orders,
            "fills": summary.fills,
        }
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
