"""EIP-712: words, domain separators, digests. The structs themselves are beside their meaning."""

from __future__ import annotations

from polyvenue.signing.addresses import Address, address_word
from polyvenue.signing.keccak import keccak256

CHAIN_ID = 137

_DOMAIN = "EIP712Domain(string name,string version,uint256 chainId"


def word(number: int) -> bytes:
    """A non-negative integer as a 32-byte word. OverflowError outside uint256."""
    return number.to_bytes(32, "big")


def hash_text(text: str) -> bytes:
    """How a string stands in a struct: the hash of its UTF-8 bytes."""
    return keccak256(text.encode())


def domain_separator(name: str, version: str, contract: Address | None = None) -> bytes:
    """The separator of a domain on the venue's chain; the login domain has no contract."""
    kind = _DOMAIN + (")" if contract is None else ",address verifyingContract)")
    parts = [hash_text(kind), hash_text(name), hash_text(version), word(CHAIN_ID)]
    if contract is not None:
        parts.append(address_word(contract))
    return keccak256(b"".join(parts))


def typed_digest(separator: bytes, struct_hash: bytes) -> bytes:
    """The 32 bytes that a wallet signs."""
    return keccak256(b"\x19\x01" + separator + struct_hash)
