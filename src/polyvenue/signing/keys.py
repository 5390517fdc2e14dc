"""secp256k1: sign a digest, recover the address that signed it."""

from __future__ import annotations

from coincurve import PrivateKey, PublicKey

from polyvenue.signing.addresses import Address, address_text
from polyvenue.signing.keccak import keccak256

SIGNATURE_BYTES = 65

_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_HALF_ORDER = (_ORDER // 2).to_bytes(32, "big")
_V_BASE = 27
_RECOVERY_IDS = {_V_BASE: b"\0", _V_BASE + 1: b"\1"}


def recover(digest: bytes, signature: bytes) -> Address | None:
    """The address whose key signed the 32-byte digest; None if the signature names no key.

    The signature is r, s and v (27 or 28), 65 bytes. The upper half of s is refused as the exchange
    contract does: each signature has a twin there, and one order must have one signature.
    """
    if len(signature) != SIGNATURE_BYTES or signature[32:64] > _HALF_ORDER:
        return None
    recovery_id = _RECOVERY_IDS.get(signature[64])
    if recovery_id is None:
        return None
    try:
        key = PublicKey.from_signature_and_message(signature[:64] + recovery_id, digest, None)
    except ValueError:  # r is no point of the curve, or r or s is out of range
        return None
    return public_address(key)


def public_address(key: PublicKey) -> Address:
    """The address of a public key: the last 20 bytes of the hash of its coordinates."""
    return address_text(keccak256(key.format(compressed=False)[1:])[12:])


def private_key(secret: bytes) -> PrivateKey:
    """The private key of 32 secret bytes. ValueError unless 0 < key < group order."""
    if len(secret) != 32:
        raise ValueError(f"a private key has 32 bytes, not {len(secret)}")
    return PrivateKey(secret)


def is_secret(secret: bytes) -> bool:
    """True if the 32 bytes are a private key."""
    return len(secret) == 32 and 0 < int.from_bytes(secret, "big") < _ORDER


def sign(digest: bytes, key: PrivateKey) -> bytes:
    """The 65-byte signature r, s, v of a 32-byte digest; deterministic (RFC 6979), low s."""
    raw = key.sign_recoverable(digest, hasher=None)
    return raw[:64] + bytes((raw[64] + _V_BASE,))
