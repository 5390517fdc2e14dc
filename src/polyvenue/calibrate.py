"""How near the default market comes to recorded ones: `polyvenue calibrate DIR`.

Two kinds of recordings are known by their files: `books.parquet` with `markets.csv` (15-minute
windows, thinned to one book per second) and `index.csv` with `*.jsonl.xz` (5-minute windows, every
book message). For each kind as many windows are simulated and sampled in the same way; each
statistic is then compared by phase. A simulated book change counts as one message.
"""

import csv
import json
import lzma
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from polyvenue.agents.config import CALM, PopulationConfig
from polyvenue.agents.simulated import make_scene, simulate
from polyvenue.agents.statistics import Figure, Phase, Sample, Seen, figures

FACTOR = 2.0
FIRST_START_S = 1_795_305_600
"""The first simulated window; the others follow 105 minutes apart, so that they see the day."""
STEP_S = 6_300
BEFORE_S = {900: 890, 300: 0}
"""How long before its opening a recorded window is seen; in the 5-minute set that is arbitrary."""


@dataclass(frozen=True, slots=True)
class Row:
    """One statistic of one phase. `ratio` is simulated over recorded; None when that is 0."""

    series: str
    phase: Phase
    name: str
    unit: str
    recorded: float
    simulated: float | None
    recorded_count: int
    simulated_count: int

    @property
    def ratio(self) -> float | None:
        """Simulated over recorded; None when there is nothing to divide."""
        if self.simulated is None or self.recorded == 0.0:
            return None
        return self.simulated / self.recorded

    @property
    def is_within(self) -> bool:
        """True within a factor of two.

        A recorded zero of n observations is met by anything below 3 / n: so much a true share can
        be (with 95 percent confidence) that was never seen in n.
        """
        if self.simulated is None:
            return False
        if self.ratio is None:
            return self.simulated <= 3 / self.recorded_count
        return 1 / FACTOR <= self.ratio <= FACTOR


def calibrate(
    path: Path,
    *,
    config: PopulationConfig = CALM,
    seed: int = 1,
    windows_max: int = 24,
) -> list[Row]:
    """Compare every recording under a folder (itself, or one level down) with simulated windows.

    At most `windows_max` windows of each recording are read, spread over it, and as many simulated.
    ValueError when there is no recording or one cannot be read.
    """
    rows: list[Row] = []
    folders = [path, *sorted(it for it in path.iterdir() if it.is_dir())] if path.is_dir() else []
    for folder in folders:
        for name, read in READERS.items():
            if (folder / name).is_file():
                recorded = _read(read, folder, windows_max)
                if not recorded:
                    raise ValueError(f"{folder / name}: no complete window in it")
                rows += compare(recorded, simulate_like(recorded, config, seed))
    if not rows:
        raise ValueError(f"{path}: a folder with {' or '.join(READERS)} is needed")
    return rows


def _read(read: Callable[[Path, int], list[Seen]], folder: Path, windows_max: int) -> list[Seen]:
    """Read a recording; ValueError in one line for one that is damaged."""
    try:
        return read(folder, windows_max)
    except (lzma.LZMAError, EOFError, KeyError, TypeError, ValueError) as error:
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{folder}: cannot be read: {what}; get an undamaged copy") from error


def simulate_like(recorded: Sequence[Seen], config: PopulationConfig, seed: int) -> list[Seen]:
    """As many windows of the same length, sampled in the same way."""
    window_s = recorded[0].window_s
    found = []
    for number in range(len(recorded)):
        start_s = (FIRST_START_S + number * STEP_S) // window_s * window_s
        scene = make_scene(seed, "btc", window_s, start_s)
        before_s, per_second = BEFORE_S[window_s], window_s == 900
        found.append(simulate(config, seed, scene, before_s=before_s, per_second=per_second))
    return found


def compare(recorded: Sequence[Seen], simulated: Sequence[Seen]) -> list[Row]:
    """One row for each statistic that the recording has."""
    rows = []
    window_s = recorded[0].window_s
    for phase in Phase:
        if phase is Phase.BEFORE and not BEFORE_S[window_s]:
            continue
        found = {it.name: it for it in figures(simulated, phase)}
        rows += [_row(window_s, phase, it, found.get(it.name)) for it in figures(recorded, phase)]
    return rows


def _row(window_s: int, phase: Phase, recorded: Figure, simulated: Figure | None) -> Row:
    return Row(
        series=f"{window_s // 60} min",
        phase=phase,
        name=recorded.name,
        unit=recorded.unit,
        recorded=recorded.value,
        simulated=None if simulated is None else simulated.value,
        recorded_count=recorded.count,
        simulated_count=0 if simulated is None else simulated.count,
    )


def spread_over(count: int, most: int) -> list[int]:
    """At most `most` of the numbers below `count`, evenly spread."""
    taken = min(count, most)
    return [number * count // taken for number in range(taken)]


def read_parquet(folder: Path, windows_max: int) -> list[Seen]:
    """15-minute windows of `books.parquet`: Up only, crossed books left out."""
    try:
        import duckdb
    except ModuleNotFoundError as error:
        raise ValueError("reading books.parquet needs duckdb: install it") from error

    with (folder / "markets.csv").open(newline="") as file:
        markets = sorted(csv.DictReader(file), key=lambda it: it["start_ts"])
    query = (
        "select ts, bid_px[1], bid_sz[1], ask_px[1], ask_sz[1] from read_parquet($file) "
        "where side = 'UP' and market_id = $market order by ts"
    )
    found = []
    for number in spread_over(len(markets), windows_max):
        market = markets[number]
        start_ms, end_ms = int(market["start_ts"]), int(market["end_ts"])
        values = {"file": str(folder / "books.parquet"), "market": market["market_id"]}
        try:
            rows = duckdb.execute(query, values).fetchall()
        except duckdb.Error as error:
            raise ValueError(str(error)) from error
        samples = [_sample((end_ms - row[0]) / 1000, row[1:3], row[3:5]) for row in rows]
        found.append(Seen((end_ms - start_ms) // 1000, _sound(samples)))
    return [it for it in found if it.samples]


def read_messages(folder: Path, windows_max: int) -> list[Seen]:
    """5-minute windows of `*.jsonl.xz`: complete ones, main token (the mirror of Up) only."""
    with (folder / "index.csv").open(newline="") as file:
        index = [it for it in csv.DictReader(file) if _is_complete(it)]
    found = []
    for number in spread_over(len(index), windows_max):
        row = index[number]
        end_s = int(row["market_start"]) + 300
        path = folder / f"{row['slug']}.jsonl.xz"
        samples = list(_messages(path, row["main_asset_id"], end_s))
        found.append(Seen(300, _sound(samples)))
    return [it for it in found if it.samples]


READERS: dict[str, Callable[[Path, int], list[Seen]]] = {
    "books.parquet": read_parquet,
    "index.csv": read_messages,
}


def _is_complete(row: dict[str, str]) -> bool:
    return int(row["rows_main"]) > 1_500 and float(row["first_offset_s"]) < 20


def _messages(path: Path, asset_id: str, end_s: int) -> Iterator[Sample]:
    with lzma.open(path, "rt") as file:
        for line in file:
            message = json.loads(line)["msg"]
            if message["asset_id"] == asset_id:
                left_s = end_s - int(message["timestamp"]) / 1000
                bid, ask = (_last(message[side]) for side in ("bids", "asks"))
                yield _sample(left_s, bid, ask)


def _last(levels: list[dict[str, str]]) -> tuple[float | None, float | None]:
    """The best level, which comes last."""
    if not levels:
        return None, None
    return float(levels[-1]["price"]), float(levels[-1]["size"])


def _sample(left_s: float, bid: Sequence[float | None], ask: Sequence[float | None]) -> Sample:
    return Sample(
        left_s,
        None if bid[0] is None else round(bid[0] * 10_000),
        None if ask[0] is None else round(ask[0] * 10_000),
        float(bid[1] or 0) if bid[0] is not None else 0.0,
        float(ask[1] or 0) if ask[0] is not None else 0.0,
    )


def _sound(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """Without the books that are crossed, which is damage."""
    return tuple(it for it in samples if it.spread_e4 is None or it.spread_e4 > 0)


HEADS = ("series", "phase", "statistic", "unit", "recorded", "simulated", "ratio", "within 2x")


def table(rows: Sequence[Row]) -> str:
    """The comparison as text, and how many statistics are met."""
    cells = [HEADS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADS))]
    lines = [
        "| " + " | ".join(it.ljust(width) for it, width in zip(line, widths, strict=True)) + " |"
        for line in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    met = sum(row.is_within for row in rows)
    return "\n".join([*lines, "", f"{met} of {len(rows)} statistics within a factor of two"])


def _cells(row: Row) -> tuple[str, ...]:
    simulated = "none" if row.simulated is None else f"{row.simulated:.4g}"
    ratio = "-" if row.ratio is None else f"{row.ratio:.2f}"
    verdict = "yes" if row.is_within else "no"
    recorded = f"{row.recorded:.4g}"
    return row.series, row.phase, row.name, row.unit, recorded, simulated, ratio, verdict


def main(argv: Sequence[str]) -> int:
    """`DIR [--seed N] [--windows N]`: print the comparison. 0, or 2 for a bad call or folder."""
    try:
        path, seed, windows_max = _arguments(argv)
        rows = calibrate(path, seed=seed, windows_max=windows_max)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"calibrate: {error}\n")
        return 2
    sys.stdout.write(table(rows) + "\n")
    return 0


def _arguments(argv: Sequence[str]) -> tuple[Path, int, int]:
    usage = "usage is DIR [--seed N] [--windows N]"
    values = {"--seed": 1, "--windows": 24}
    rest = list(argv)
    folder = rest.pop(0) if rest and not rest[0].startswith("--") else ""
    while rest:
        name = rest.pop(0)
        if name not in values or not rest or not rest[0].isdecimal():
            raise ValueError(f"{name} is not understood: {usage}, N a whole number")
        values[name] = int(rest.pop(0))
    if not folder or not values["--windows"]:
        raise ValueError(f"a folder and at least one window are needed: {usage}")
    return Path(folder), values["--seed"], values["--windows"]
