"""Keccak-256, the hash of Ethereum (the padding before SHA-3 was standardised)."""

from __future__ import annotations

import sha3  # type: ignore[import-untyped]  # the wheel is one C module without type hints


def keccak256(data: bytes) -> bytes:
    """The 32-byte Keccak-256 digest of `data`."""
    digest: bytes = sha3.keccak_256(data).digest()
    return digest
