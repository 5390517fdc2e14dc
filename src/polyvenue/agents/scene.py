"""Where agents act: one market, its window, and the price that decides it."""

from dataclasses import dataclass

from polyvenue.market_data.oracle import Oracle, TwapRule
from polyvenue.market_data.prices import PricePath
from polyvenue.market_data.text import NS
from polyvenue.market_data.windows import Window

LANES = 32
"""Windows of a series take turns with this many sets of wallets, so that memory stays flat."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A market as its agents know it. Instants are Unix ns.

    `lane` names the set of wallets: markets that live at the same time need different ones.
    """

    market_id: str
    token_ids: tuple[str, str]
    lane: str
    start_ns: int
    end_ns: int
    rule: TwapRule
    path: PricePath
    oracle: Oracle

    @property
    def window_s(self) -> int:
        """Length of the window in seconds."""
        return (self.end_ns - self.start_ns) // NS

    def scaled_ns(self, of_900_s: int) -> int:
        """A span that is told for a window of 900 s, scaled to this one, in ns."""
        return of_900_s * self.window_s * NS // 900


def scene_of(window: Window, path: PricePath, oracle: Oracle) -> Scene:
    """The scene of a window of a series; the market is its condition id."""
    series = window.series
    turn = window.start_ns // NS // series.window_s % LANES
    return Scene(
        market_id=window.condition_id,
        token_ids=window.token_ids,
        lane=f"{series.slug}:{turn}",
        start_ns=window.start_ns,
        end_ns=window.end_ns,
        rule=series.rule,
        path=path,
        oracle=oracle,
    )
