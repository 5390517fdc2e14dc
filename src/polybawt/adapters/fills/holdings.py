"""Tokens that our account holds at the simulated venue, and what is promised of them."""

from __future__ import annotations

from polybawt.domain.errors import InvariantError
from polybawt.domain.ids import BUY, Outcome, Side
from polybawt.domain.units import PPM


class Holdings:
    """Balances of one market. Provisional fills count: the venue lets matched tokens be sold.

    Cash is not kept: what the account may spend is the business of the bot's ledger.
    """

    __slots__ = ("balances_e6", "jobs", "merging_e6")

    def __init__(self) -> None:
        self.balances_e6 = [0, 0]
        self.merging_e6 = 0
        self.jobs = 0

    def fill(self, outcome: Outcome, side: Side, qty_e6: int) -> None:
        """Add bought or remove sold tokens. InvariantError below zero: the venue has no shorts."""
        self.balances_e6[outcome] += qty_e6 if side is BUY else -qty_e6
        if self.balances_e6[outcome] < 0:
            raise InvariantError(f"sold {-self.balances_e6[outcome]} e-6 {outcome.text} not held")

    def add_pairs(self, qty_e6: int) -> None:
        """Add pairs of a split; negative for a merge."""
        self.balances_e6[0] += qty_e6
        self.balances_e6[1] += qty_e6

    def worth_e6(self, payouts_ppm: tuple[int, int]) -> int:
        """Cash that a redeem brings, floored."""
        up_e6, down_e6 = self.balances_e6
        return (up_e6 * payouts_ppm[0] + down_e6 * payouts_ppm[1]) // PPM
