"""The object that `polybawt backtest --json` prints."""

from __future__ import annotations

import msgspec


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Totals of a run, and in `strategies` the same keys for each strategy (there itself empty).

    Amounts in 10^-6 pUSD. `frames` is what was read, `set_aside` how many of them were not usable;
    `orders` counts orders placed, `fills` fills that were not voided. `realized_e6` holds settled
    results after fees, `equity_e6` also what is still open. `digest` is that of the action trace.
    """

    markets: int = 0
    settled: int = 0
    frames: int = 0
    set_aside: int = 0
    orders: int = 0
    fills: int = 0
    fees_e6: int = 0
    opening_cash_e6: int = 0
    realized_e6: int = 0
    equity_e6: int = 0
    identity_ok: bool = True
    digest: str = ""
    strategies: dict[str, Summary] = {}

    @property
    def result_e6(self) -> int:
        """What the run made or lost: equity less opening cash."""
        return self.equity_e6 - self.opening_cash_e6


def encode(summary: Summary) -> bytes:
    """The summary as one line of JSON, strategies by name."""
    ordered = {name: summary.strategies[name] for name in sorted(summary.strategies)}
    return msgspec.json.encode(msgspec.structs.replace(summary, strategies=ordered))
