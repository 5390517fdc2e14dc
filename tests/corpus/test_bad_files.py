"""A corpus of bad files, generated: each ends in one clear line, and never in half a result."""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from polybawt.adapters.datasets.detect import open_source
from polybawt.domain.errors import BadInput
from tests.recordings import (
    OPEN_MS,
    OPEN_S,
    START_5M,
    book_line,
    market_row,
    pair,
    settled_row,
    write_5m,
    write_15m,
    write_oracle,
    write_tape,
)

Case = tuple[str, Callable[[Path], Any], str]
NAN = float("nan")
PRICE = (1_784_851_200_000, 65_048 * 10**18, 1_784_851_201_377)
XZ = f"btc-updown-5m-{START_5M}.jsonl.xz"


def cut(name: str, make: Callable[[Path], Any], keep: float = 0.6) -> Callable[[Path], None]:
    """Truncate one file of a good recording."""

    def case(folder: Path) -> None:
        make(folder)
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: int(len(data) * keep)])

    return case


def garble(name: str, make: Callable[[Path], Any], at: float = 0.5) -> Callable[[Path], None]:
    """Damage one file at a part of its length."""

    def case(folder: Path) -> None:
        make(folder)
        data = bytearray((folder / name).read_bytes())
        start = max(4, int(len(data) * at))
        data[start : start + 8] = b"\xff" * 8
        (folder / name).write_bytes(bytes(data))

    return case


def row_15m(**changes: Any) -> Callable[[Path], None]:
    """One wrong value in the second row."""
    names = ("market_id", "ts", "side", "bid_px", "bid_sz", "ask_px", "ask_sz")

    def case(folder: Path) -> None:
        good = dict(zip(names, pair(OPEN_MS + 1)[1], strict=True)) | changes
        bad: Any = tuple(good[name] for name in names)
        write_15m(folder, [pair(OPEN_MS)[1], bad])

    return case


def good_15m(folder: Path) -> None:
    write_15m(folder, [row for n in range(50) for row in pair(OPEN_MS + n)])


def good_5m(folder: Path) -> None:
    write_5m(folder, [book_line(START_5M + n, timestamp=f"{START_5M}{n:03d}") for n in range(90)])


def good_oracle(folder: Path) -> None:
    first, value, recv = PRICE
    write_oracle(folder, [(first + n * 1000, value + n, recv + n * 1000) for n in range(90)])


def line_5m(*lines: Any) -> Callable[[Path], Any]:
    return lambda folder: write_5m(folder, lines)


def markets_15m(*rows: dict[str, str]) -> Callable[[Path], Any]:
    return lambda folder: write_15m(folder, pair(OPEN_MS), rows)


def prices(*rows: tuple[Any, Any, Any]) -> Callable[[Path], Any]:
    return lambda folder: write_oracle(folder, rows)


def settled(**changes: Any) -> Callable[[Path], Any]:
    return lambda folder: write_oracle(folder, [PRICE], [settled_row(**changes)])


def tape(edit: Callable[[list[bytes]], list[bytes]]) -> Callable[[Path], None]:
    """A tape whose lines were edited."""

    def case(folder: Path) -> None:
        path = write_tape(folder / "a.tape")
        with zstandard.ZstdDecompressor().stream_reader(path.open("rb")) as stream:
            lines = stream.read().splitlines(keepends=True)
        path.write_bytes(zstandard.compress(b"".join(edit(lines))))

    return case


def swap(old: bytes, new: bytes) -> Callable[[Path], None]:
    return tape(lambda lines: [line.replace(old, new) for line in lines])


def write(name: str, data: bytes) -> Callable[[Path], Any]:
    return lambda folder: (folder / name).write_bytes(data)


def overwrite(make: Callable[[Path], Any], name: str, data: bytes) -> Callable[[Path], None]:
    def case(folder: Path) -> None:
        make(folder)
        (folder / name).write_bytes(data)

    return case


def append(make: Callable[[Path], Any], name: str, data: bytes) -> Callable[[Path], None]:
    def case(folder: Path) -> None:
        make(folder)
        (folder / name).write_bytes((folder / name).read_bytes() + data)

    return case


def renamed(make: Callable[[Path], Any], name: str, to: str) -> Callable[[Path], None]:
    def case(folder: Path) -> None:
        make(folder)
        (folder / name).rename(folder / to)

    return case


INDEX = {"slug": XZ.removesuffix(".jsonl.xz"), "condition_id": "0xbb", "main_asset_id": "222"}
BAD_SIZE = [{"price": "0.4", "size": "-1"}]
BAD_PRICE = [{"price": "0.40001", "size": "1"}]

CASES: list[Case] = [
    ("folder empty", lambda folder: None, "empty folder; known recordings"),
    ("folder unknown", write("a.txt", b"hello\n"), "no known recording in this folder"),
    ("folder of an empty file", write("books.parquet", b""), "books.parquet is an empty file"),
    # 15-minute books
    ("parquet truncated", cut("books.parquet", good_15m), "books.parquet: not readable as parquet"),
    ("parquet garbled", garble("books.parquet", good_15m, 0), "books.parquet: "),
    (
        "parquet only magic",
        overwrite(good_15m, "books.parquet", b"PAR1"),
        "books.parquet: not readable as parquet",
    ),
    ("parquet without rows", lambda folder: write_15m(folder, []), "books.parquet: no rows"),
    (
        "column of another type",
        lambda folder: write_15m(folder, pair(OPEN_MS), types={"ts": "VARCHAR"}),
        "column ts is VARCHAR, must be BIGINT",
    ),
    (
        "column missing",
        lambda folder: write_15m(folder, pair(OPEN_MS), types={"ask_sz": ""}),
        "column ask_sz is missing",
    ),
    ("price NaN", row_15m(bid_px=[NAN]), "row 2: bid_px is nan; allowed: 0.0001 to 0.9999"),
    ("price one", row_15m(ask_px=[1.0, 0.9]), "row 2: ask_px is 1.0; allowed"),
    ("price zero", row_15m(bid_px=[0.0]), "row 2: bid_px is 0.0; allowed"),
    ("price off the grid", row_15m(bid_px=[0.48005]), "row 2: bid_px is 0.48005; allowed"),
    ("price missing", row_15m(bid_px=[None]), "row 2: bid_px is None; allowed"),
    ("price infinite", row_15m(bid_px=[float("inf")]), "row 2: bid_px is inf; allowed"),
    ("prices missing", row_15m(bid_px=None), "row 2: bid_px and its _sz must be lists"),
    ("size negative", row_15m(bid_sz=[-5.0]), "row 2: bid_sz is -5.0; allowed: above 0"),
    ("size NaN", row_15m(bid_sz=[NAN]), "row 2: bid_sz is nan; allowed: above 0"),
    ("size zero", row_15m(bid_sz=[0.0]), "row 2: bid_sz is 0.0; allowed: above 0"),
    ("size missing", row_15m(bid_sz=[None]), "row 2: bid_sz is None; allowed: above 0"),
    ("size too fine", row_15m(bid_sz=[0.0000123]), "row 2: bid_sz is 1.23e-05; allowed: at most 6"),
    ("size enormous", row_15m(bid_sz=[1e300]), "row 2: bid_sz is 1e+300; allowed: above 0"),
    ("lists of unequal length", row_15m(bid_sz=[1.0, 2.0]), "row 2: bid_px and its _sz must be"),
    ("levels unordered", row_15m(ask_px=[0.9, 0.51]), "row 2: ask_px is not ordered best first"),
    ("side unknown", row_15m(side="YES"), "row 2: side is 'YES'; allowed: UP, DOWN"),
    ("time backwards", row_15m(ts=OPEN_MS - 1), "row 2: ts 1790585999999 comes after"),
    ("time in seconds", row_15m(ts=OPEN_S), f"row 2: ts is {OPEN_S}; allowed: 1577836800000"),
    ("time missing", row_15m(ts=None), "row 2: ts is None; allowed"),
    ("market unlisted", row_15m(market_id="0xzz"), "market 0xzz is not in markets.csv"),
    ("market twice", markets_15m(market_row(), market_row()), "line 3: market '0xaa' is empty or"),
    ("slug twice", markets_15m(market_row(), market_row(market_id="0xab")), "is empty or listed"),
    ("slug unknown", markets_15m(market_row(slug="btc-hourly")), "line 2: slug is 'btc-hourly'"),
    ("window of another slug", markets_15m(market_row(end_ts="1790586900001")), "end_ts is"),
    ("window not a number", markets_15m(market_row(start_ts="soon")), "start_ts is 'soon'"),
    ("payouts too high", markets_15m(market_row(payout_down="1.0")), "line 2: payouts are '1.0'"),
    ("payout NaN", markets_15m(market_row(payout_up="nan")), "line 2: payouts are 'nan'"),
    ("outcomes exchanged", markets_15m(market_row(outcome_up="Down")), "outcome_up is 'Down'"),
    (
        "before known fees",
        markets_15m(
            market_row(
                slug="btc-updown-15m-1760000400",
                start_ts="1760000400000",
                end_ts="1760001300000",
            )
        ),
        "opens before 2026-03-30",
    ),
    (
        "CSV column missing",
        overwrite(
            good_15m, "markets.csv", b"market_id,slug,start_ts,end_ts,outcome_up,payout_up\n"
        ),
        "no column outcome_down, payout_down in its header",
    ),
    (
        "CSV line too short",
        append(good_15m, "markets.csv", b"0xab,btc\n"),
        "markets.csv: line 3: 2 values for 8 columns",
    ),
    (
        "CSV not UTF-8",
        append(good_15m, "markets.csv", b"\xff\xfe,,,,,,,\n"),
        "markets.csv: line 3: not UTF-8",
    ),
    # 5-minute books
    ("xz truncated", cut(XZ, good_5m), f"{XZ}: truncated"),
    ("xz garbled", garble(XZ, good_5m), f"{XZ}: corrupt"),
    ("xz empty inside", overwrite(good_5m, XZ, lzma.compress(b"")), f"{XZ}: empty file"),
    (
        "xz file missing",
        renamed(good_5m, XZ, "btc-updown-5m-1.jsonl.xz"),
        f"its file {XZ} is missing",
    ),
    (
        "line cut off",
        overwrite(good_5m, XZ, lzma.compress(b'{"recv": 1776081600.5, "msg": {"mark\n')),
        "line 1: not a recorded book message",
    ),
    ("line of another kind", line_5m(book_line(START_5M, event_type="trade")), "line 1: not a"),
    ("recv as text", line_5m(book_line(str(START_5M))), "line 1: not a recorded book message"),
    (
        "recv in milliseconds",
        line_5m(book_line(START_5M * 1000)),
        "recv is 1776081600000.0; allowed",
    ),
    (
        "recv backwards",
        line_5m(book_line(START_5M + 9), book_line(START_5M + 7.9)),
        "line 2: recv goes back by 1.100 s; allowed: at most 1 s",
    ),
    (
        "wire size negative",
        line_5m(book_line(START_5M, bids=BAD_SIZE)),
        "line 1: book: size is '-1'",
    ),
    (
        "wire price off the grid",
        line_5m(book_line(START_5M, asks=BAD_PRICE)),
        "line 1: book: price is '0.40001'; allowed: 0.0001 to 0.9999",
    ),
    (
        "wire price a number",
        line_5m(book_line(START_5M, bids=[{"price": 0.4, "size": "1"}])),
        "Exp",
    ),
    ("wire market of another", line_5m(book_line(START_5M, market="0xzz")), "market is '0xzz'"),
    (
        "index market twice",
        lambda folder: write_5m(
            folder, [book_line(START_5M)], index=[INDEX | {"main_token_won_inferred": "1"}] * 2
        ),
        "index.csv: line 3: market '0xbb' is empty or listed twice",
    ),
    (
        "index winner unknown",
        lambda folder: write_5m(folder, [book_line(START_5M)], won="maybe"),
        "main_token_won_inferred is 'maybe'",
    ),
    # oracle
    ("gzip truncated", cut("BTCUSD-prices.csv.gz", good_oracle), "BTCUSD-prices.csv.gz: truncated"),
    ("gzip garbled", garble("BTCUSD-prices.csv.gz", good_oracle), "BTCUSD-prices.csv.gz: "),
    (
        "gzip list truncated",
        cut("markets.jsonl.gz", good_oracle, 0.9),
        "markets.jsonl.gz: truncated",
    ),
    ("oracle price NaN", prices((PRICE[0], "NaN", PRICE[2])), "full_accuracy_value is 'NaN'"),
    ("oracle price negative", prices((PRICE[0], -5, PRICE[2])), "full_accuracy_value is '-5'"),
    ("oracle price as float", prices((PRICE[0], "6.5e22", PRICE[2])), "is '6.5e22'; allowed"),
    ("oracle second broken", prices((PRICE[0] + 1, 1, PRICE[2])), "allowed: whole seconds"),
    ("oracle time in seconds", prices((1784851200, 1, PRICE[2])), "feed_ts_ms is '1784851200'"),
    (
        "oracle time backwards",
        prices(PRICE, (PRICE[0] + 1000, 1, PRICE[2] - 1001)),
        "line 3: recv_ms goes back by 1.001 s",
    ),
    (
        "settled market twice",
        lambda folder: write_oracle(folder, [PRICE], [settled_row(), settled_row()]),
        "line 2: '0xdd' is empty or listed twice",
    ),
    ("settled outcome unknown", settled(outcome_prices=["0.9", "0.1"]), "outcome_prices is"),
    (
        "settled by another rule",
        settled(raw={"resolutionSource": "https://example.org/eth"}),
        "settlement source 'https://example.org/eth' is not known",
    ),
    ("settled tick unknown", settled(raw={"orderPriceMinTickSize": 0.02}), "MinTickSize is 0.02"),
    ("settled tick too fine", settled(raw={"orderPriceMinTickSize": 1e-9}), "finer than the step"),
    (
        "settled names unknown",
        settled(raw={"outcomes": '["Yes", "No"]'}),
        'allowed: ["Up", "Down"]',
    ),
    (
        "settled line broken",
        overwrite(
            good_oracle, "markets.jsonl.gz", gzip.compress(b'{"slug": 5, "outcome_prices": []}\n')
        ),
        "markets.jsonl.gz: line 1: not a market",
    ),
    # tape
    ("tape truncated", cut("a.tape", lambda folder: write_tape(folder / "a.tape")), "a.tape: "),
    ("tape garbled", garble("a.tape", lambda folder: write_tape(folder / "a.tape")), "broken zstd"),
    (
        "tape without end",
        tape(lambda lines: lines[:-1]),
        "line 5: the tape ends here without its end",
    ),
    (
        "tape cut in a line",
        tape(lambda lines: [*lines[:3], lines[3][:20]]),
        "line 4: the last line",
    ),
    ("tape empty", write("a.tape", zstandard.compress(b"")), "empty tape"),
    (
        "tape of something else",
        write("a.tape", zstandard.compress(b"hello\n")),
        "line 1: not a poly",
    ),
    (
        "tape of another format",
        swap(b"polybawt-tape", b"other"),
        "line 1: not a polybawt-tape header",
    ),
    (
        "tape of another version",
        swap(b'"version":1', b'"version":2'),
        "tape version 2; this program",
    ),
    (
        "tape header incomplete",
        swap(b'"licence"', b'"license"'),
        "missing required field `licence`",
    ),
    (
        "tape line broken",
        tape(lambda lines: [*lines[:2], b"[1,\n", *lines[2:]]),
        "line 3: not a tape",
    ),
    (
        "tape line twice",
        tape(lambda lines: [*lines[:3], *lines[2:]]),
        "line 4: frame 2 where 3 must",
    ),
    ("tape line missing", tape(lambda lines: [*lines[:2], *lines[3:]]), "line 3: frame 3 where 2"),
    (
        "tape time backwards",
        swap(f"{OPEN_MS + 2}000000,".encode(), f"{OPEN_MS}000000,".encode()),
        "line 5: time goes backwards",
    ),
    (
        "tape source unknown",
        swap(b'"lifecycle"', b'"gossip"'),
        "line 2: source is 'gossip'; allowed",
    ),
    ("tape price NaN", swap(b'"0.49"', b'"NaN"'), "line 3: book: price is 'NaN'"),
    ("tape size negative", swap(b'"44.2"', b'"-44.2"'), "line 3: book: size is '-44.2'"),
    (
        "tape tick unknown",
        swap(b'"tick_e4":100', b'"tick_e4":7'),
        "line 2: market 0xc0: needs open",
    ),
    ("tape event unknown", swap(b'"MarketListed"', b'"MarketGuessed"'), "line 2: Invalid value"),
    (
        "tape after its end",
        tape(lambda lines: [*lines, lines[-1]]),
        "line 7: there is a line after",
    ),
    ("tape end miscounted", swap(b'"frames":4', b'"frames":9'), "end mark counts 9 frames"),
]


@pytest.mark.parametrize(("name", "make", "message"), CASES, ids=[case[0] for case in CASES])
def test_bad_file(tmp_path: Path, name: str, make: Callable[[Path], Any], message: str) -> None:
    make(tmp_path)
    with pytest.raises(BadInput) as caught:
        for _ in open_source(tmp_path).batches():
            pass
    text = str(caught.value)
    assert message in text
    assert "\n" not in text
    assert str(tmp_path) in text, "names the file"


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such file or folder"):
        open_source(tmp_path / "nowhere")
