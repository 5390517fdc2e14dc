"""Wallets: what they hold on chain, and what of it the exchange still lets them use.

`held` is the chain. The other four say what of it is spoken for: `open` by resting and held orders,
`leaving` by matches that are not mined, `frozen` by mined receipts that may not be used yet;
`coming` is what such matches will bring. Cash and tokens move in `Ledger.move` and nowhere else.
"""

from dataclasses import dataclass, field

import msgspec

from polyvenue.exchange.orders import PUSD
from polyvenue.exchange.units import UNLIMITED_E6

FEES = "fees"
"""The wallet of the venue: it collects taker fees and pays rebates."""


def bump(amounts: dict[str, int], key: str, delta_e6: int) -> None:
    """Add to an amount that may never be negative; an amount of zero leaves the dictionary."""
    value = amounts.get(key, 0) + delta_e6
    assert value >= 0, f"{key} would be {value}"
    if value:
        amounts[key] = value
    else:
        amounts.pop(key, None)


@dataclass(slots=True)
class Account:
    """One wallet. `signer` is the key behind it, the wallet itself for signature type 0."""

    maker: str
    signer: str
    allowance_e6: int = UNLIMITED_E6
    tokens_approved: bool = True
    banned: bool = False
    closed_only: bool = False
    auto_redeem: bool = False
    next_nonce: int = 0
    held: dict[str, int] = field(default_factory=dict)
    open: dict[str, int] = field(default_factory=dict)
    leaving: dict[str, int] = field(default_factory=dict)
    coming: dict[str, int] = field(default_factory=dict)
    frozen: dict[str, int] = field(default_factory=dict)

    def allowance_of(self, asset: str) -> int:
        """What the exchange contract may move of an asset."""
        if asset == PUSD:
            return self.allowance_e6
        return UNLIMITED_E6 if self.tokens_approved else 0

    def spendable_e6(self, asset: str) -> int:
        """What the chain would let the wallet spend, whatever the exchange knows of."""
        return self.held.get(asset, 0) - self.frozen.get(asset, 0)


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """One asset of one wallet in the truth."""

    maker: str
    asset: str
    held_e6: int
    open_e6: int
    leaving_e6: int
    coming_e6: int
    frozen_e6: int


class Ledger:
    """All wallets, by address, in order of creation."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.owners: dict[str, str] = {}
        """API key -> wallet."""
        self.deposited_e6 = 0
        self.create(FEES, FEES)

    def create(self, maker: str, signer: str) -> Account:
        """A new wallet. ValueError when the address is taken."""
        if maker in self.accounts:
            raise ValueError(f"wallet {maker} exists: create it once")
        account = self.accounts[maker] = Account(maker, signer)
        return account

    def move(self, maker: str, asset: str, delta_e6: int) -> None:
        """Change what a wallet holds on chain. AssertionError if it would be negative."""
        bump(self.accounts[maker].held, asset, delta_e6)

    def usable_e6(self, account: Account, asset: str, *, with_coming: bool) -> int:
        """What a new order may rest on: the lower of balance and allowance, less what is taken.

        Negative when the wallet gave away what its orders rest on.
        """
        held_e6 = account.held.get(asset, 0)
        if with_coming:
            held_e6 += account.coming.get(asset, 0)
        return (
            min(held_e6, account.allowance_of(asset))
            - account.open.get(asset, 0)
            - account.leaving.get(asset, 0)
            - account.frozen.get(asset, 0)
        )

    def collateral_e6(self) -> int:
        """Collateral in all wallets, the venue's own included."""
        return sum(account.held.get(PUSD, 0) for account in self.accounts.values())

    def tokens_e6(self, token_id: str) -> int:
        """Shares of a token in all wallets."""
        return sum(account.held.get(token_id, 0) for account in self.accounts.values())

    def balances(self) -> tuple[Balance, ...]:
        """Every asset of every wallet, assets by name within a wallet."""
        return tuple(
            Balance(
                maker=account.maker,
                asset=asset,
                held_e6=account.held.get(asset, 0),
                open_e6=account.open.get(asset, 0),
                leaving_e6=account.leaving.get(asset, 0),
                coming_e6=account.coming.get(asset, 0),
                frozen_e6=account.frozen.get(asset, 0),
            )
            for account in self.accounts.values()
            for asset in sorted(
                account.held.keys()
                | account.open.keys()
                | account.leaving.keys()
                | account.coming.keys()
            )
        )
