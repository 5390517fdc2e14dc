"""Verify the signature of an order: the key that made it must own the maker's wallet.

A deposit wallet (type 3) is a contract, so what it signs is wrapped as ERC-7739 says: the key signs
a struct that names the wallet and contains the order, and the bytes sent let the wallet rebuild it:

    65 signature | 32 exchange separator | 32 struct hash | 186 type string | 2 its length

Every one of these bytes is compared with what the order says. A session key's signature has another
form (SDK only, section 3.3) and is refused.
"""

from __future__ import annotations

import msgspec

from polyvenue.signing.addresses import Address, address_word
from polyvenue.signing.eip712 import CHAIN_ID, hash_text, typed_digest, word
from polyvenue.signing.keccak import keccak256
from polyvenue.signing.keys import SIGNATURE_BYTES, recover
from polyvenue.signing.l2 import ApiKey
from polyvenue.signing.orders import (
    ORDER_TYPE,
    Exchange,
    Order,
    SignatureType,
    SignedOrder,
    order_id,
    struct_hash,
)
from polyvenue.signing.refusal import FOREIGN_OWNER, FOREIGN_SIGNER, INVALID_SIGNATURE, Refusal
from polyvenue.signing.wallets import owns

_WRAPPED_TYPE_HASH = hash_text(
    "TypedDataSign(Order contents,string name,string version,uint256 chainId,"
    f"address verifyingContract,bytes32 salt){ORDER_TYPE}"
)
_WALLET_NAME = hash_text("DepositWallet")
_WALLET_VERSION = hash_text("1")
_TYPE_BYTES = ORDER_TYPE.encode()
_TYPE_TRAILER = _TYPE_BYTES + len(_TYPE_BYTES).to_bytes(2, "big")


class Verified(msgspec.Struct, frozen=True, gc=False):
    """A signature that holds: the order id and the address of the key that signed."""

    order_id: str
    owner: Address


def verify(signed: SignedOrder, exchange: Exchange) -> Verified | Refusal:
    """The order id and the owner if the owner of the maker's wallet signed, else the refusal.

    Types 0, 1 and 2: the order's signer is the key. Type 3: the signer is the wallet itself.
    """
    order = signed.order
    contents = struct_hash(order)
    digest = typed_digest(exchange.separator, contents)
    if order.signature_type is SignatureType.POLY_1271:
        owner = _recover_wrapped(signed, exchange, contents)
        signer = order.maker
    else:
        owner = recover(digest, signed.signature)
        signer = owner or order.signer
    if owner is None or order.signer != signer:
        return INVALID_SIGNATURE
    if not owns(owner, order.maker, order.signature_type):
        return INVALID_SIGNATURE
    return Verified(order_id(digest), owner)


def authorize(
    signed: SignedOrder, exchange: Exchange, owner: str, key: ApiKey
) -> Verified | Refusal:
    """As `verify`, for an order posted with this API key.

    `owner` is the field beside the order and must name the key; the wallet key that signed the
    order must be the one that the API key belongs to.
    """
    if owner != key.key:
        return FOREIGN_OWNER
    verified = verify(signed, exchange)
    if isinstance(verified, Verified) and verified.owner != key.address:
        return FOREIGN_SIGNER
    return verified


def recover_wrapped(signed: SignedOrder, exchange: Exchange) -> Address | None:
    """The key that signed for a deposit wallet; whether it owns that wallet is not asked here."""
    return _recover_wrapped(signed, exchange, struct_hash(signed.order))


def wrapped_digest(order: Order, exchange: Exchange, contents: bytes) -> bytes:
    """What the owner of a deposit wallet signs for an order with the struct hash `contents`."""
    wrapped = (
        _WRAPPED_TYPE_HASH
        + contents
        + _WALLET_NAME
        + _WALLET_VERSION
        + word(CHAIN_ID)
        + address_word(order.signer)
        + bytes(32)
    )
    return typed_digest(exchange.separator, keccak256(wrapped))


def wrap(signature: bytes, exchange: Exchange, contents: bytes) -> bytes:
    """The bytes sent for a deposit wallet: the owner's signature and what it is made over."""
    return signature + exchange.separator + contents + _TYPE_TRAILER


def _recover_wrapped(signed: SignedOrder, exchange: Exchange, contents: bytes) -> Address | None:
    inner = signed.signature[:SIGNATURE_BYTES]
    if signed.signature != wrap(inner, exchange, contents):
        return None
    return recover(wrapped_digest(signed.order, exchange, contents), inner)
