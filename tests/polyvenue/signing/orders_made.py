"""Accounts and orders for the tests of signatures: the key of the specification's vectors."""

from polyvenue.signing.accounts import Account, OrderSigner, account_of
from polyvenue.signing.orders import STANDARD_EXCHANGE, Exchange, Side, SignedOrder
from polyvenue.signing.wallets import WalletKind

SECRET = "0x" + "11" * 32
TIMESTAMP_S = 1795367105


def account(kind: WalletKind) -> Account:
    """The account of the vectors' key with a wallet of this kind."""
    return account_of(SECRET, kind)


def order_of(kind: WalletKind, exchange: Exchange = STANDARD_EXCHANGE) -> SignedOrder:
    """The order of the vectors, signed for a wallet of this kind."""
    return OrderSigner(account(kind), exchange).sign(
        token_id=1111111111,
        side=Side.BUY,
        maker_amount_e6=5_200_000,
        taker_amount_e6=10_000_000,
        salt=4839201774652,
        timestamp_ms=TIMESTAMP_S * 1000 + 123,
    )
