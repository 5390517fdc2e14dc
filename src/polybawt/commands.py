"""What the commands do, once their options are parsed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

import polybawt.report.html as html
from polybawt.app import Result, run_backtest, sample_path
from polybawt.config import Loaded, load
from polybawt.domain.errors import BadInput
from polybawt.report import summary
from polybawt.report.model import Report, encode
from polybawt.report.text import five_lines
from polybawt.report.whole import write_whole

Keys = tuple[str, ...]
Progress = Callable[[float], None]
RECORDING_SUFFIXES = (".tape", ".parquet", ".csv", ".gz", ".xz")
"""A result never replaces a file of such a name: it may be the only copy of a recording."""
OTHER_QUEUE = {"pessimistic": "power", "power": "pessimistic"}


def run_backtest_command(
    *,
    data: Path | None,
    strategies: tuple[str, ...],
    profile: str,
    options: Mapping[Keys, Any],
    as_json: bool,
    trace: Path | None,
    report: Path | None,
    assume_inferred: bool,
) -> None:
    """Run, then print the summary and write the report, under both queue models if there is one."""
    loaded = load(profile, strategies=strategies, options=options)
    path = data if data is not None else sample_path()
    _check_target("report", report, path)
    _check_target("trace", trace, path)
    if report is not None and trace is not None and report.resolve() == trace.resolve():
        raise BadInput(f"trace {trace} is also the report: give each a file of its own")

    def run(settings: Loaded, trace_file: Path | None, progress: Progress | None) -> Result:
        return run_backtest(
            settings,
            path,
            assume_inferred=assume_inferred,
            trace=trace_file,
            progress=progress,
        )

    if as_json and report is None:
        print_line(summary.encode(run(loaded, trace, None).summary).decode())
        return
    with _bar(as_json, "Replaying", loaded) as progress:
        result = run(loaded, trace, progress)
    other = None
    if report is not None:
        queue = OTHER_QUEUE[loaded.config.fills.queue]
        second = load(
            profile, strategies=strategies, options={**options, ("fills", "queue"): queue}
        )
        with _bar(as_json, "Replaying", second) as progress:
            other = run(second, None, progress).report
    if as_json:
        print_line(summary.encode(result.summary).decode())
    else:
        print_lines(five_lines(result.report), result.summary.result_e6)
    if report is not None:
        size = _write_report(report, result.report, other)
        if not as_json:
            print_line(f"Report: {report.resolve()} ({size / 1e6:.1f} MB)")


def _write_report(path: Path, report: Report, other: Report | None) -> int:
    """The page, or for a name that ends in .json the same figures as data; its size in bytes."""
    if path.suffix != ".json":
        return html.write(path, report, other)
    return write_whole(path, encode(report))


def _check_target(what: str, target: Path | None, data: Path) -> None:
    """BadInput, before anything runs, for a file that cannot be or must not be written."""
    if target is None:
        return
    if not target.parent.is_dir():
        folder = target.parent
        reason = "is not a folder" if folder.exists() else "does not exist; create it first"
        raise BadInput(f"{what} {target}: folder {folder} {reason}")
    if target.is_dir():
        raise BadInput(f"{what} {target}: is a folder; give the path of a file in it")
    is_recording = target.exists() and target.suffix in RECORDING_SUFFIXES
    if is_recording or target.resolve() == data.resolve():
        raise BadInput(f"{what} {target}: would overwrite a recording; give another file")


def show_config(profile: str, strategies: tuple[str, ...], *, as_json: bool) -> None:
    """Every setting with value, origin and meaning."""
    rows = list(load(profile, strategies=strategies).rows())
    if as_json:
        tree = {
            row.key: {
                "value": _plain(row.value),
                "allowed": row.allowed,
                "origin": row.origin,
                "meaning": row.meaning,
            }
            for row in rows
        }
        print_line(msgspec.json.encode(tree).decode())
        return
    table = [(row.key, str(_plain(row.value)), row.allowed, f"[{row.origin}]") for row in rows]
    widths = [max(len(cells[i]) for cells in table) for i in range(4)]
    for cells, row in zip(table, rows, strict=True):
        columns = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        print_line("  ".join((*columns, row.meaning)))


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


@contextmanager
def _bar(quiet: bool, verb: str, loaded: Loaded) -> Iterator[Progress | None]:
    """A progress bar on the terminal, nothing where there is none."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as RichProgress

    with RichProgress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"{verb}, {loaded.config.fills.queue} queue", total=1.0)
        yield lambda fraction: bar.update(task, completed=fraction)


def print_lines(lines: tuple[str, ...], result_e6: int) -> None:
    """The summary; its first line red for a loss and green for a gain where colours show."""
    first, *rest = lines
    if sys.stdout.isatty():
        first = f"\033[1;{31 if result_e6 < 0 else 32}m{first}\033[0m"
    for line in (first, *rest):
        print_line(line)


def print_line(line: str) -> None:
    """One line to standard output."""
    sys.stdout.write(line + "\n")
