"""Throw-away accounts, and what a client does with one: sign orders, log in, sign requests."""

from __future__ import annotations

from coincurve import PrivateKey

from polyvenue.signing.addresses import Address
from polyvenue.signing.eip712 import typed_digest
from polyvenue.signing.keccak import keccak256
from polyvenue.signing.keys import is_secret, private_key, public_address, sign
from polyvenue.signing.l1 import L1_ADDRESS, L1_NONCE, L1_SIGNATURE, L1_TIMESTAMP, login_digest
from polyvenue.signing.orders import (
    STANDARD_EXCHANGE,
    Exchange,
    Order,
    Side,
    SignatureType,
    SignedOrder,
    struct_hash,
)
from polyvenue.signing.signatures import wrap, wrapped_digest
from polyvenue.signing.wallets import SIGNATURE_TYPES, WalletKind, wallet_of


class Account:
    """A key and the wallet that it owns. Never for real money: the key prints in the clear."""

    __slots__ = ("address", "key", "kind", "signature_type", "wallet")

    def __init__(self, key: PrivateKey, kind: WalletKind) -> None:
        """The account of a key; the address, the wallet and the signature type follow from it."""
        self.key = key
        self.kind = kind
        self.address: Address = public_address(key.public_key)
        self.wallet: Address = wallet_of(self.address, kind)
        self.signature_type: SignatureType = SIGNATURE_TYPES[kind]

    @property
    def private_key(self) -> str:
        """The key as clients take it: `0x` and 64 hex digits."""
        return "0x" + self.key.secret.hex()

    def describe(self) -> dict[str, str | int]:
        """What `POST /accounts` of the control API answers."""
        return {
            "private_key": self.private_key,
            "address": self.address,
            "wallet": self.wallet,
            "signature_type": int(self.signature_type),
        }


def make_account(seed: bytes, kind: WalletKind) -> Account:
    """The account that these bytes name: random bytes for a new one, fixed bytes for a known one.

    Same bytes, same key, whatever the kind. ValueError for no bytes.
    """
    if not seed:
        raise ValueError("the seed of an account is empty: give at least one byte")
    secret = keccak256(b"polyvenue account:" + seed)
    while not is_secret(secret):  # one digest in 2^127 is no key
        secret = keccak256(secret)
    return Account(private_key(secret), kind)


def account_of(secret_hex: str, kind: WalletKind) -> Account:
    """The account of a private key in hex, with or without `0x`. ValueError if it is no key."""
    return Account(private_key(bytes.fromhex(secret_hex.removeprefix("0x"))), kind)


class OrderSigner:
    """Signs orders of one account on one exchange."""

    __slots__ = ("account", "exchange", "signer")

    def __init__(self, account: Account, exchange: Exchange = STANDARD_EXCHANGE) -> None:
        """What all orders of the account share is taken from it once."""
        self.account = account
        self.exchange = exchange
        wrapped = account.signature_type is SignatureType.POLY_1271
        self.signer = account.wallet if wrapped else account.address

    def sign(
        self,
        *,
        token_id: int,
        side: Side,
        maker_amount_e6: int,
        taker_amount_e6: int,
        salt: int,
        timestamp_ms: int,
        expiration_s: int = 0,
    ) -> SignedOrder:
        """A signed order of the account. Salt below 2^53: it travels as a JSON number."""
        order = Order(
            salt=salt,
            maker=self.account.wallet,
            signer=self.signer,
            token_id=token_id,
            maker_amount_e6=maker_amount_e6,
            taker_amount_e6=taker_amount_e6,
            side=side,
            signature_type=self.account.signature_type,
            timestamp_ms=timestamp_ms,
        )
        signature = sign_order(order, self.exchange, self.account.key)
        return SignedOrder(order=order, signature=signature, expiration_s=expiration_s)


def sign_order(order: Order, exchange: Exchange, key: PrivateKey) -> bytes:
    """The signature bytes that this key sends for the order, wrapped if its type says so."""
    contents = struct_hash(order)
    if order.signature_type is SignatureType.POLY_1271:
        return wrap(sign(wrapped_digest(order, exchange, contents), key), exchange, contents)
    return sign(typed_digest(exchange.separator, contents), key)


def sign_login(account: Account, timestamp_s: int, nonce: int = 0) -> dict[str, str]:
    """The headers of an L1 call, as a client sends them."""
    digest = login_digest(account.address, str(timestamp_s), nonce)
    return {
        L1_ADDRESS: account.address,
        L1_TIMESTAMP: str(timestamp_s),
        L1_NONCE: str(nonce),
        L1_SIGNATURE: "0x" + sign(digest, account.key).hex(),
    }
