"""Numbers and times as the venue writes them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvenue.market_data import text
from polyvenue.market_data.titles import new_york, question_of
from polyvenue.market_data.windows import make_window, series_of
from tests.polyvenue.market_data.samples import SEED, WINDOW

AT_NS = 1_795_366_805_123_456_789


@given(st.integers(-(10**24), 10**24), st.integers(0, 18))
def test_decimals_are_exact_and_plain(value: int, places: int) -> None:
    written = text.decimal_text(value, places)
    assert Decimal(written) == Decimal(value).scaleb(-places)
    assert "e" not in written.lower()
    assert "." not in written or not written.endswith(("0", "."))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (text.price_text(5_000), "0.5"),
        (text.price_text(1), "0.0001"),
        (text.amount_text(44_200_000), "44.2"),
        (text.fixed_text(8_123_456_000_000, 8), "81234.56000000"),
        (text.ms_text(AT_NS), "1795366805123"),
        (text.seconds_text(AT_NS), "1795366805"),
        (text.iso_text(AT_NS), "2026-11-22T17:00:05Z"),
        (text.iso_micros_text(AT_NS), "2026-11-22T17:00:05.123456Z"),
        (text.database_text(AT_NS), "2026-11-22 17:00:05+00"),
        (text.date_text(AT_NS), "2026-11-22"),
        (text.dump(text.price_number(10_000)), "1"),
        (text.dump(text.price_number(5_050)), "0.505"),
        (text.dump(text.amount_number(5_000_000)), "5"),
        (text.dump(text.amount_number(70_000)), "0.07"),
    ],
)
def test_golden_texts(written: str, expected: str) -> None:
    assert written == expected


@given(st.text(max_size=30))
def test_a_time_is_read_or_refused(value: str) -> None:
    assert text.parse_iso(value) is None or isinstance(text.parse_iso(value), int)


@pytest.mark.parametrize("value", ["2026-11-22T17:00:05Z", "2026-11-22T18:00:05+01:00"])
def test_a_time_is_read(value: str) -> None:
    assert text.parse_iso(value) == 1_795_366_805 * text.NS


@pytest.mark.parametrize(
    ("utc_s", "expected"),
    [
        (1_795_366_800, "2026-11-22 12:00"),
        (1_772_953_199, "2026-03-08 01:59"),  # the last minute of winter time
        (1_772_953_200, "2026-03-08 03:00"),
        (1_793_512_799, "2026-11-01 01:59"),  # the last minute of summer time
        (1_793_512_800, "2026-11-01 01:00"),
        (1_784_850_900, "2026-07-23 19:55"),
    ],
)
def test_new_york_time(utc_s: int, expected: str) -> None:
    assert f"{new_york(utc_s * text.NS):%Y-%m-%d %H:%M}" == expected


def test_titles_are_in_new_york_time() -> None:
    assert question_of(WINDOW) == "Bitcoin Up or Down - November 22, 12:00PM-12:15PM ET"
    summer = make_window(SEED, series_of("hype", 300), 1_782_287_400)
    assert question_of(summer) == "Hyperliquid Up or Down - June 24, 3:50AM-3:55AM ET"
