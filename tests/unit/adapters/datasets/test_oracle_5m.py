"""The settlement oracle recording."""

from __future__ import annotations

from pathlib import Path

from polybawt.adapters.datasets.detect import open_source
from polybawt.domain.events import Evidence, MarketListed, MarketResolved, OracleReported
from polybawt.domain.fees import FeeSchedule
from polybawt.domain.units import MS_NS, S_NS
from tests.recordings import settled_row, write_oracle

FIRST_MS = 1_784_851_200_000
PRICES = [
    (FIRST_MS, 65048078902260626000001, FIRST_MS + 1377),
    (FIRST_MS + 1000, 65051920000000000000000, FIRST_MS + 2534),
    (FIRST_MS + 1000, 65051920000000000000000, FIRST_MS + 2600),
    (FIRST_MS + 2000, 65051920000000000000000, FIRST_MS + 2400),
]


def test_reports_listings_and_outcomes_come_in_time_order(tmp_path: Path) -> None:
    source = open_source(write_oracle(tmp_path, PRICES))
    batches = list(source.batches())
    listed, first, second, clamped, resolved = [batch.events[0] for batch in batches]
    assert isinstance(listed, MarketListed)
    assert listed.market.fees == FeeSchedule(rate_ppm=70_000, exponent=1, rebate_ppm=200_000)
    assert (listed.market.tick_e4, listed.market.token_down) == (10, "222")
    assert batches[0].now_ns == listed.market.open_ns
    assert first == OracleReported(
        asset="btc",
        source="chainlink",
        price_e18=65048078902260626000001,
        observed_ns=FIRST_MS * MS_NS,
    )
    assert batches[1].now_ns == (FIRST_MS + 1377) * MS_NS
    assert batches[3].now_ns == (FIRST_MS + 2600) * MS_NS
    assert second != clamped
    assert isinstance(resolved, MarketResolved)
    assert resolved.payouts_ppm == (1_000_000, 0)
    assert resolved.evidence is Evidence.OFFICIAL
    assert batches[4].now_ns == listed.market.close_ns + 60 * S_NS
    assert source.quality.set_aside == {"duplicate": 1}
    assert source.quality.repaired == {"time_clamped": 1}


def test_an_unresolved_market_has_no_outcome(tmp_path: Path) -> None:
    row = settled_row(resolved=False, outcome_prices=["0.5", "0.5"])
    batches = list(open_source(write_oracle(tmp_path, PRICES, [row])).batches())
    assert not any(isinstance(batch.events[0], MarketResolved) for batch in batches)
