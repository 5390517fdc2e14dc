"""L2: API keys and the HMAC of a request (polymarket.md 3.2)."""

from __future__ import annotations

import base64
import hmac
import uuid
from collections.abc import Mapping

import msgspec

from polyvenue.signing.addresses import Address, read_address
from polyvenue.signing.eip712 import word
from polyvenue.signing.l1 import AuthWindow, Login, read_timestamp
from polyvenue.signing.refusal import INVALID_L2, KEY_ABSENT, KEY_EXISTS, Refusal

L2_ADDRESS = "POLY_ADDRESS"
L2_API_KEY = "POLY_API_KEY"
L2_PASSPHRASE = "POLY_PASSPHRASE"
L2_TIMESTAMP = "POLY_TIMESTAMP"
L2_SIGNATURE = "POLY_SIGNATURE"


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """Credentials of one wallet address. `secret` is 32 bytes, base64url with its padding."""

    address: Address
    nonce: int
    key: str
    secret: str
    passphrase: str

    @property
    def secret_bytes(self) -> bytes:
        """The HMAC key."""
        return base64.urlsafe_b64decode(self.secret)

    def describe(self) -> dict[str, str]:
        """What `POST /auth/api-key` and `GET /auth/derive-api-key` answer."""
        return {"apiKey": self.key, "secret": self.secret, "passphrase": self.passphrase}


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What the HMAC covers. `path` is without query and without the server's prefix."""

    method: str
    path: str
    body: bytes = b""


def signed_path(target: str, prefix: str = "") -> str:
    """The path that a client signs for a raw request target: no query, no server prefix.

    The target is taken as sent: percent signs stay. ValueError if the prefix does not lead it.
    """
    path = target.partition("?")[0]
    if not path.startswith(prefix + "/"):
        raise ValueError(f"the target {target!r} is not below the prefix {prefix!r}")
    return path[len(prefix) :]


def request_signature(secret: bytes, timestamp: str, request: Request) -> str:
    """The base64url HMAC-SHA256 of timestamp, method, path and body, with nothing between them."""
    message = (timestamp + request.method + request.path).encode("utf-8", "surrogateescape")
    return base64.urlsafe_b64encode(hmac.digest(secret, message + request.body, "sha256")).decode()


def make_api_key(seed: bytes, address: Address, nonce: int, generation: int = 0) -> ApiKey:
    """The credentials of an address and nonce on a venue with this seed.

    `generation` counts how often the pair was deleted: a deleted key never works again.
    """
    base = seed + address.encode() + word(nonce) + word(generation)

    def derive(label: bytes) -> bytes:
        return hmac.digest(base, label, "sha256")

    return ApiKey(
        address=address,
        nonce=nonce,
        key=str(uuid.UUID(bytes=derive(b"key")[:16], version=4)),
        secret=base64.urlsafe_b64encode(derive(b"secret")).decode(),
        passphrase=derive(b"passphrase").hex(),
    )


class ApiKeys:
    """The API keys that exist: created, derived and deleted by their owners.

    Bound: `nonces_max` nonces per address, deleted ones too; one more is refused as the venue
    refuses a second key for one nonce.
    """

    def __init__(self, seed: bytes, *, nonces_max: int = 100) -> None:
        """An empty set of keys; the seed makes the credentials of this venue its own."""
        self._seed = seed
        self._nonces_max = nonces_max
        self._by_key: dict[str, ApiKey] = {}
        self._by_owner: dict[Address, dict[int, ApiKey]] = {}
        self._generations: dict[Address, dict[int, int]] = {}

    def create(self, login: Login) -> ApiKey | Refusal:
        """A key for the address and nonce; refused if one exists."""
        owned = self._by_owner.setdefault(login.address, {})
        generations = self._generations.setdefault(login.address, {})
        full = login.nonce not in generations and len(generations) >= self._nonces_max
        if login.nonce in owned or full:
            return KEY_EXISTS
        generation = generations.setdefault(login.nonce, 0)
        made = make_api_key(self._seed, login.address, login.nonce, generation)
        owned[login.nonce] = made
        self._by_key[made.key] = made
        return made

    def derive(self, login: Login) -> ApiKey | Refusal:
        """The key of the address and nonce; refused if there is none."""
        return self._by_owner.get(login.address, {}).get(login.nonce, KEY_ABSENT)

    def owned(self, address: Address) -> tuple[ApiKey, ...]:
        """The keys of an address in the order of their creation."""
        return tuple(self._by_owner.get(address, {}).values())

    def delete(self, key: ApiKey) -> bool:
        """Remove a key; False if it is gone already."""
        if self._by_key.pop(key.key, None) is None:
            return False
        del self._by_owner[key.address][key.nonce]
        self._generations[key.address][key.nonce] += 1
        return True

    def find(self, key: str) -> ApiKey | None:
        """The key with this UUID."""
        return self._by_key.get(key)

    def authenticate(self, key: str, secret: str, passphrase: str) -> ApiKey | None:
        """The key, if all three credentials are right: how a WebSocket logs in."""
        known = self._by_key.get(key)
        if known is None:
            return None
        right = _equal(secret, known.secret) & _equal(passphrase, known.passphrase)
        return known if right else None

    def verify(
        self, headers: Mapping[str, str], request: Request, now_ns: int, window: AuthWindow
    ) -> ApiKey | Refusal:
        """The key that signed the request, if all five headers are right and in time."""
        known = self._by_key.get(headers.get(L2_API_KEY, ""))
        timestamp = headers.get(L2_TIMESTAMP, "")
        timestamp_s = read_timestamp(timestamp)
        if known is None or timestamp_s is None or not window.holds(timestamp_s, now_ns):
            return INVALID_L2
        expected = request_signature(known.secret_bytes, timestamp, request)
        right = (
            _equal(headers.get(L2_SIGNATURE, ""), expected)
            & _equal(headers.get(L2_PASSPHRASE, ""), known.passphrase)
            & (read_address(headers.get(L2_ADDRESS, "")) == known.address)
        )
        return known if right else INVALID_L2


def sign_request(key: ApiKey, timestamp_s: int, request: Request) -> dict[str, str]:
    """The headers of a private call, as a client sends them."""
    timestamp = str(timestamp_s)
    return {
        L2_ADDRESS: key.address,
        L2_API_KEY: key.key,
        L2_PASSPHRASE: key.passphrase,
        L2_TIMESTAMP: timestamp,
        L2_SIGNATURE: request_signature(key.secret_bytes, timestamp, request),
    }


def _equal(given: str, expected: str) -> bool:
    """Compare in constant time; text from outside may hold lone surrogates."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())
