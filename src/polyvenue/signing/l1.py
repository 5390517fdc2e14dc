"""L1: a wallet signature that proves the key, used only to manage API keys (polymarket.md 3.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from polyvenue.signing.addresses import Address, address_word, read_address
from polyvenue.signing.eip712 import domain_separator, hash_text, typed_digest, word
from polyvenue.signing.keccak import keccak256
from polyvenue.signing.keys import recover
from polyvenue.signing.refusal import INVALID_L1, Refusal

L1_ADDRESS = "POLY_ADDRESS"
L1_TIMESTAMP = "POLY_TIMESTAMP"
L1_NONCE = "POLY_NONCE"
L1_SIGNATURE = "POLY_SIGNATURE"

NS_PER_S = 1_000_000_000

_SEPARATOR = domain_separator("ClobAuthDomain", "1")
_TYPE_HASH = hash_text("ClobAuth(address address,string timestamp,uint256 nonce,string message)")
_MESSAGE_HASH = hash_text("This message attests that I control the given wallet")
_SECONDS = re.compile(r"0|[1-9][0-9]{0,11}", re.ASCII)
_NONCE = re.compile(r"0|[1-9][0-9]{0,77}", re.ASCII)
_SIGNATURE = re.compile(r"0x[0-9a-fA-F]{130}", re.ASCII)


class AuthWindow(msgspec.Struct, frozen=True, kw_only=True):
    """How far a request's timestamp may be from the venue's clock; None: not checked.

    The venue does not say what it accepts (polymarket.md 11, point 10): the default is UNVERIFIED.
    """

    past_s_max: int | None = 60
    future_s_max: int | None = 60

    def holds(self, timestamp_s: int, now_ns: int) -> bool:
        """True if the timestamp is near enough to now; both ends are inside."""
        age_ns = now_ns - timestamp_s * NS_PER_S
        if self.past_s_max is not None and age_ns > self.past_s_max * NS_PER_S:
            return False
        return self.future_s_max is None or -age_ns <= self.future_s_max * NS_PER_S


class Login(msgspec.Struct, frozen=True, gc=False):
    """A proven wallet address, and the nonce that chooses one of its API keys."""

    address: Address
    nonce: int


def login_digest(address: Address, timestamp: str, nonce: int) -> bytes:
    """What a wallet signs to log in; the timestamp is signed as the text of the header."""
    struct = _TYPE_HASH + address_word(address) + hash_text(timestamp) + word(nonce) + _MESSAGE_HASH
    return typed_digest(_SEPARATOR, keccak256(struct))


def read_timestamp(text: str) -> int | None:
    """Unix seconds in plain decimal text, else None."""
    return int(text) if _SECONDS.fullmatch(text) else None


def verify_login(headers: Mapping[str, str], now_ns: int, window: AuthWindow) -> Login | Refusal:
    """Who logs in, if all four headers are there, in time and signed by that address."""
    address = read_address(headers.get(L1_ADDRESS, ""))
    timestamp = headers.get(L1_TIMESTAMP, "")
    timestamp_s = read_timestamp(timestamp)
    nonce, signature = headers.get(L1_NONCE, ""), headers.get(L1_SIGNATURE, "")
    if address is None or timestamp_s is None or not window.holds(timestamp_s, now_ns):
        return INVALID_L1
    if not _NONCE.fullmatch(nonce) or int(nonce) >> 256 or not _SIGNATURE.fullmatch(signature):
        return INVALID_L1
    digest = login_digest(address, timestamp, int(nonce))
    if recover(digest, bytes.fromhex(signature[2:])) != address:
        return INVALID_L1
    return Login(address, int(nonce))
