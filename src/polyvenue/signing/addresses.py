"""Ethereum addresses: 20 bytes inside a hash, EIP-55 text everywhere else.

Two spellings of one address are the same key of a dictionary only after `read_address`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NewType

from polyvenue.signing.keccak import keccak256

Address = NewType("Address", str)
"""`0x` and 40 hex digits with the letter case of EIP-55."""

_HEX = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
_CACHED = 16_384


@lru_cache(maxsize=_CACHED)
def address_text(raw: bytes) -> Address:
    """The EIP-55 spelling of a 20-byte address. ValueError for another length."""
    if len(raw) != 20:
        raise ValueError(f"an address has 20 bytes, not {len(raw)}")
    digits = raw.hex()
    marks = keccak256(digits.encode()).hex()
    cased = (d.upper() if m >= "8" else d for d, m in zip(digits, marks, strict=False))
    return Address("0x" + "".join(cased))


@lru_cache(maxsize=_CACHED)
def read_address(text: str) -> Address | None:
    """The address that `text` spells, else None.

    All lower and all upper case carry no checksum and pass; mixed case must be the EIP-55 spelling,
    so that one wrong letter is not taken for another spelling.
    """
    if not _HEX.fullmatch(text):
        return None
    address = address_text(bytes.fromhex(text[2:]))
    digits = text[2:]
    plain = digits in (digits.lower(), digits.upper())
    return address if plain or text == address else None


def address_bytes(address: Address) -> bytes:
    """The 20 bytes of an address."""
    return bytes.fromhex(address[2:])


def address_word(address: Address) -> bytes:
    """The address as a 32-byte word of the contract ABI."""
    return bytes.fromhex("000000000000000000000000" + address[2:])
