"""Wallet contracts that belong to a key, at the addresses where their factories create them.

CREATE2: the address is a hash of factory, salt and init code. Each factory derives the salt from
the owner; the init codes are those of polymarket-client 0.14.0 (`environments.py`, the wallet
module) and the tests compare the addresses with it. Deposit wallets come in two generations: the
first points at an implementation (ERC-1967), the present one at a beacon; the SDK takes both for
wallets of the owner, and makes the second.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache

from polyvenue.signing.addresses import Address, address_bytes, address_text, address_word
from polyvenue.signing.eip712 import word
from polyvenue.signing.keccak import keccak256
from polyvenue.signing.orders import SignatureType

PROXY_FACTORY = Address("0xaB45c5A4B0c941a2F231C04C3f49182e1A254052")
PROXY_IMPLEMENTATION = Address("0x44e999d5c2F66Ef0861317f9A4805AC2e90aEB4f")
SAFE_FACTORY = Address("0xaacFeEa03eb1561C4e67d661e40682Bd20E3541b")
DEPOSIT_FACTORY = Address("0x00000000000Fb5C9ADea0298D729A0CB3823Cc07")
DEPOSIT_IMPLEMENTATION = Address("0x58CA52ebe0DadfdF531Cde7062e76746de4Db1eB")
DEPOSIT_BEACON = Address("0x7A18EDfe055488A3128f01F563e5B479D92ffc3a")

_CACHED = 8_192
_SAFE_INIT_CODE_HASH = bytes.fromhex(
    "2bce2127ff07fb632d16c8347c4ebf501f4841168bed00d9e6ef715ddb6fcecf"
)
# Constructor that installs the minimal proxy below it, then calls it with one ABI word 0x20 and an
# empty string; between the pieces stand the factory and the implementation.
_PROXY_HEAD = bytes.fromhex("3d3d606380380380913d393d73")
_PROXY_MIDDLE = bytes.fromhex("5af4602a57600080fd5b602d8060366000396000f3363d3d373d3d3d363d73")
_PROXY_TAIL = bytes.fromhex("5af43d82803e903d91602b57fd5bf352e831dd") + word(0x20) + word(0)
# Solady's ERC-1967 proxies with immutable arguments. The head pushes the length of what follows:
# runtime plus arguments, so it depends on the length of the arguments.
_UUPS_RUNTIME = 0x3D
_UUPS_TAIL = bytes.fromhex(
    "60095155f3363d3d373d3d363d7f360894a13ba1a3210667c828492db98dca3e2076"
    "cc3735a920a3ca505d382bbc545af43d6000803e6038573d6000fd5b3d6000f3"
)
_BEACON_RUNTIME = 0x52
_BEACON_TAIL = bytes.fromhex(
    "60195155f3363d3d373d3d363d602036600436635c60da"
    "1b60e01b36527fa3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6c"
    "b3582b35133d50545afa5036515af43d6000803e604d573d6000fd5b3d6000f3"
)


class WalletKind(StrEnum):
    """What holds the money of an account."""

    EOA = "eoa"
    PROXY = "proxy"
    SAFE = "safe"
    DEPOSIT = "deposit"


SIGNATURE_TYPES = {
    WalletKind.EOA: SignatureType.EOA,
    WalletKind.PROXY: SignatureType.POLY_PROXY,
    WalletKind.SAFE: SignatureType.GNOSIS_SAFE,
    WalletKind.DEPOSIT: SignatureType.POLY_1271,
}


@lru_cache(maxsize=_CACHED)
def proxy_wallet(owner: Address) -> Address:
    """The proxy wallet of old email accounts."""
    code = (
        _PROXY_HEAD
        + address_bytes(PROXY_FACTORY)
        + _PROXY_MIDDLE
        + address_bytes(PROXY_IMPLEMENTATION)
        + _PROXY_TAIL
    )
    return _create2(PROXY_FACTORY, keccak256(address_bytes(owner)), keccak256(code))


@lru_cache(maxsize=_CACHED)
def safe_wallet(owner: Address) -> Address:
    """The Safe of old browser accounts."""
    return _create2(SAFE_FACTORY, keccak256(address_word(owner)), _SAFE_INIT_CODE_HASH)


@lru_cache(maxsize=_CACHED)
def deposit_wallet(owner: Address) -> Address:
    """The deposit wallet that the factory creates today: a beacon proxy."""
    return _deposit(owner, _BEACON_RUNTIME, DEPOSIT_BEACON, _BEACON_TAIL)


@lru_cache(maxsize=_CACHED)
def deposit_wallet_legacy(owner: Address) -> Address:
    """The deposit wallet of the first generation: a proxy of one implementation."""
    return _deposit(owner, _UUPS_RUNTIME, DEPOSIT_IMPLEMENTATION, _UUPS_TAIL)


def wallet_of(owner: Address, kind: WalletKind) -> Address:
    """Where the money of this owner lies."""
    match kind:
        case WalletKind.EOA:
            return owner
        case WalletKind.PROXY:
            return proxy_wallet(owner)
        case WalletKind.SAFE:
            return safe_wallet(owner)
        case WalletKind.DEPOSIT:
            return deposit_wallet(owner)


def owns(owner: Address, wallet: Address, signature_type: SignatureType) -> bool:
    """True if the wallet of that signature type belongs to the key at `owner`."""
    match signature_type:
        case SignatureType.EOA:
            return wallet == owner
        case SignatureType.POLY_PROXY:
            return wallet == proxy_wallet(owner)
        case SignatureType.GNOSIS_SAFE:
            return wallet == safe_wallet(owner)
        case SignatureType.POLY_1271:
            return wallet in (deposit_wallet(owner), deposit_wallet_legacy(owner))


def _deposit(owner: Address, runtime: int, target: Address, tail: bytes) -> Address:
    arguments = address_word(DEPOSIT_FACTORY) + address_word(owner)
    length = (runtime + len(arguments)).to_bytes(2, "big")
    head = b"\x61" + length + bytes.fromhex("3d8160233d3973")
    code = head + address_bytes(target) + tail + arguments
    return _create2(DEPOSIT_FACTORY, keccak256(arguments), keccak256(code))


def _create2(factory: Address, salt: bytes, code_hash: bytes) -> Address:
    return address_text(keccak256(b"\xff" + address_bytes(factory) + salt + code_hash)[12:])
