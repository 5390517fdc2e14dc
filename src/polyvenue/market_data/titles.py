"""The words of a market: its title in New York time and its rules. The prose is our own."""

from datetime import UTC, datetime, timedelta

from polyvenue.market_data.oracle import TwapRule
from polyvenue.market_data.text import NS
from polyvenue.market_data.windows import DURATIONS, Series, Window

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def new_york(time_ns: int) -> datetime:
    """New York wall time, by the United States rule since 2007 (no time zone data needed)."""
    utc = datetime.fromtimestamp(time_ns // NS, UTC).replace(tzinfo=None)
    starts = _sunday(utc.year, 3, 2) + timedelta(hours=7)  # 2:00 standard time is 7:00 UTC
    ends = _sunday(utc.year, 11, 1) + timedelta(hours=6)  # 2:00 summer time is 6:00 UTC
    return utc - timedelta(hours=4 if starts <= utc < ends else 5)


def _sunday(year: int, month: int, count: int) -> datetime:
    first = datetime(year, month, 1)  # noqa: DTZ001 (a wall time: the zone is the function's point)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (count - 1))


def _clock(moment: datetime) -> str:
    half = "AM" if moment.hour < 12 else "PM"
    return f"{moment.hour % 12 or 12}:{moment.minute:02d}{half}"


def question_of(window: Window) -> str:
    """ "Bitcoin Up or Down - November 22, 12:00PM-12:15PM ET"."""
    start, end = new_york(window.start_ns), new_york(window.end_ns)
    day = f"{_MONTHS[start.month - 1]} {start.day}"
    return f"{window.series.asset.name} Up or Down - {day}, {_clock(start)}-{_clock(end)} ET"


def source_of(series: Series) -> str:
    """The settlement stream's page; a scaled look-back shows in the name."""
    name = f"{series.asset.code}-usd-twap-{series.rule.lookback_s}s-streams"
    return f"https://data.chain.link/streams/{name}"


def config_id_of(series: Series) -> str:
    """The id of the market configuration: "btc-15m-twap-60"; scaled ones say so."""
    mark = "-scaled" if series.rule.scaled else ""
    name = f"{series.asset.code}-{DURATIONS[series.window_s]}"
    return f"{name}-twap-{series.rule.lookback_s}{mark}"


def description_of(window: Window) -> str:
    """The rules of a market, and that it is not a real one."""
    rule: TwapRule = window.series.rule
    scaled = " (scaled down for this short window)" if rule.scaled else ""
    return (
        f"Synthetic market of a local venue; no value is at stake. Resolves to Up if the "
        f"{rule.lookback_s}-second time-weighted average{scaled} of {window.series.asset.name} "
        f"at the end of the window is at or above the one at its start, otherwise to Down. "
        f"Resolution source: {source_of(window.series)}"
    )
