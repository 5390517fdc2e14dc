"""What happens to a wallet without an order: funding, draining, gifts, rebates.

A drained wallet is how ghost fills come about: its orders stay, are matched, and fail on chain.
"""

from polyvenue.exchange import chain
from polyvenue.exchange.accounts import FEES, Account
from polyvenue.exchange.events import RebatePaid
from polyvenue.exchange.market import Market
from polyvenue.exchange.orders import PUSD
from polyvenue.exchange.state import Core


def find(core: Core, maker: str) -> Account:
    """The wallet. ValueError when there is none."""
    found = core.ledger.accounts.get(maker)
    if found is None:
        raise ValueError(f"wallet {maker} does not exist: create it first")
    return found


def add_key(core: Core, maker: str, api_key: str) -> None:
    """Let a key act for a wallet. ValueError when it is known already."""
    find(core, maker)
    if api_key in core.ledger.owners:
        raise ValueError(f"API key {api_key} exists: add it once")
    core.ledger.owners[api_key] = maker


def deposit(core: Core, account: Account, qty_e6: int) -> None:
    """Bring collateral in. ValueError for a negative amount."""
    if qty_e6 < 0:
        raise ValueError(f"a deposit is {qty_e6}: at least 0")
    core.ledger.move(account.maker, PUSD, qty_e6)
    core.ledger.deposited_e6 += qty_e6


def withdraw(core: Core, account: Account, qty_e6: int) -> None:
    """Take collateral out. ValueError for more than the chain lets go."""
    _check_spend(account, PUSD, qty_e6)
    core.ledger.move(account.maker, PUSD, -qty_e6)
    core.ledger.deposited_e6 -= qty_e6


def transfer(core: Core, sender: Account, receiver: Account, asset: str, qty_e6: int) -> None:
    """Move an asset between wallets. ValueError for more than the chain lets go."""
    _check_spend(sender, asset, qty_e6)
    core.ledger.move(sender.maker, asset, -qty_e6)
    core.ledger.move(receiver.maker, asset, qty_e6)


def _check_spend(account: Account, asset: str, qty_e6: int) -> None:
    most_e6 = account.spendable_e6(asset)
    if not 0 <= qty_e6 <= most_e6:
        raise ValueError(f"{account.maker} can give 0 to {most_e6} of {asset}, not {qty_e6}")


def split_now(core: Core, account: Account, market: Market, qty_e6: int) -> None:
    """Make pairs at once. ValueError without collateral."""
    if qty_e6 <= 0:
        raise ValueError(f"a split is {qty_e6}: more than 0")
    done = chain.move_pairs(core, market, account, qty_e6)
    if isinstance(done, str):
        raise ValueError(f"{account.maker} cannot split {qty_e6}: {done}")


def pay_rebates(core: Core, day: int) -> dict[str, int]:
    """Pay each maker its rebates of a day (days since 1970, UTC), if they reach the minimum.

    The minimum counts over all markets of the day; what is below it is never paid.
    """
    paid: dict[str, int] = {}
    for maker, due_e6 in core.rebates.take_day(day).items():
        if due_e6 and due_e6 >= core.config.rebate_min_e6:
            core.ledger.move(FEES, PUSD, -due_e6)
            core.ledger.move(maker, PUSD, due_e6)
            core.emit(RebatePaid(at_ns=core.now_ns, maker=maker, day=day, amount_e6=due_e6))
            paid[maker] = due_e6
    return paid
