"""The relayer: gasless transactions of deposit wallets, as polymarket-client 0.14.0 calls it.

`GET /deployed`, `GET /v1/account/transactions/params`, `POST /submit` (types WALLET and
WALLET-CREATE) and `GET /v1/account/transactions/{id}`; the documented older `GET /transaction?id=`
too. Keys are not registered anywhere: any relayer or builder key is taken (UNVERIFIED texts).
"""

import msgspec

from polyvenue.exchange.orders import Refusal
from polyvenue.server import http
from polyvenue.server.chain import Chain, ChainCall, Transaction
from polyvenue.server.gate import Call, Reply
from polyvenue.server.venue import Venue
from polyvenue.signing.addresses import Address, address_word, read_address
from polyvenue.signing.eip712 import domain_separator, hash_text, typed_digest, word
from polyvenue.signing.keccak import keccak256
from polyvenue.signing.keys import recover
from polyvenue.signing.orders import SignatureType
from polyvenue.signing.wallets import deposit_wallet, owns

CALLS_MAX = 100
_CALL = "Call(address target,uint256 value,bytes data)"
_CALL_HASH = hash_text(_CALL)
_BATCH_HASH = hash_text(f"Batch(address wallet,uint256 nonce,uint256 deadline,Call[] calls){_CALL}")


class WireCall(msgspec.Struct, frozen=True):
    """A call of a batch as sent."""

    target: str
    value: str
    data: str


class WireParams(msgspec.Struct, frozen=True, rename="camel"):
    """The batch as sent."""

    deposit_wallet: str
    deadline: str
    calls: list[WireCall]


class WireBatch(msgspec.Struct, frozen=True, kw_only=True):
    """The body of `POST /submit` for a deposit wallet."""

    sender: str = msgspec.field(name="from")
    nonce: str
    signature: str
    params: WireParams = msgspec.field(name="depositWalletParams")


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch, read."""

    owner: Address
    wallet: Address
    nonce: int
    deadline_s: int
    calls: tuple[ChainCall, ...]
    signature: bytes


class Relayer:
    """Answers every request below the relayer's prefix."""

    def __init__(self, venue: Venue, chain: Chain) -> None:
        self._venue = venue
        self._chain = chain

    async def answer(self, call: Call) -> Reply:
        """One request."""
        match call.method, call.path:
            case "GET", "/deployed":
                return self._deployed(call)
            case "GET", "/v1/account/transactions/params":
                return self._params(call)
            case "GET", "/transaction":
                return self._transaction(http.first(call, "id"))
            case "POST", "/submit":
                return self._submit(call)
            case "GET", path if path.startswith("/v1/account/transactions/"):
                return self._transaction(path.rsplit("/", 1)[1])
            case _:
                return http.error(404, "not found")

    def _deployed(self, call: Call) -> Reply:
        address = read_address(http.first(call, "address"))
        if address is None:
            return http.error(400, "invalid address")
        return http.json_reply({"deployed": address in self._venue.deployed})

    def _params(self, call: Call) -> Reply:
        """The nonce of the deposit wallet of a key."""
        owner = read_address(http.first(call, "address"))
        if owner is None:
            return http.error(400, "invalid address")
        nonce = self._chain.nonce(deposit_wallet(owner))
        return http.json_reply({"address": owner, "nonce": str(nonce)})

    def _transaction(self, number: str) -> Reply:
        found = self._chain.find(number)
        if found is None:
            return http.error(404, "transaction not found")
        view = self._chain.view(found)
        return http.json_reply(
            {
                "transaction_id": found.number,
                "transactionID": found.number,
                "transaction_hash": view.tx_hash,
                "transactionHash": view.tx_hash,
                "state": view.state.value,
                "error_msg": view.error,
                "proxyAddress": found.wallet,
            }
        )

    def _submit(self, call: Call) -> Reply:
        headers = call.headers
        if not (headers.get("RELAYER_API_KEY") or headers.get("POLY_BUILDER_API_KEY")):
            return http.error(401, "invalid authorization")
        try:
            raw = http.read_json(call.body)
        except ValueError:
            raw = None
        kind = raw.get("type") if isinstance(raw, dict) else None
        if kind == "WALLET-CREATE":
            return self._create(raw)
        if kind == "WALLET":
            return self._batch(raw)
        return http.error(400, "invalid transaction type: WALLET or WALLET-CREATE")

    def _create(self, raw: object) -> Reply:
        sender = raw.get("from") if isinstance(raw, dict) else None
        owner = read_address(sender) if isinstance(sender, str) else None
        if owner is None:
            return http.error(400, "invalid address")
        wallet = deposit_wallet(owner)
        if wallet in self._venue.deployed:
            return http.error(400, "wallet already deployed")
        self._venue.open_wallet(wallet, owner)
        return self._taken(self._chain.record(wallet))

    def _batch(self, raw: object) -> Reply:
        try:
            batch = read_batch(raw)
        except ValueError:
            return http.error(400, "invalid payload")
        if recover(batch_digest(batch), batch.signature) != batch.owner:
            return http.error(400, "invalid signature")
        if not owns(batch.owner, batch.wallet, SignatureType.POLY_1271):
            return http.error(400, "invalid signature")
        if batch.wallet not in self._venue.deployed:
            return http.error(400, "wallet is not deployed")
        expected = self._chain.nonce(batch.wallet)
        if batch.nonce != expected:
            text = f"batch nonce {batch.nonce} does not match on-chain nonce {expected}"
            return http.error(400, text)
        now_s = min(self._venue.clock.wall_ns(), self._venue.exchange.now_ns) // 10**9
        if batch.deadline_s < now_s:
            return http.error(400, "batch deadline has passed")
        try:
            made = self._chain.submit(batch.wallet, batch.calls)
        except ValueError:
            return http.error(400, "invalid payload")
        return http.refuse(made) if isinstance(made, Refusal) else self._taken(made)

    def _taken(self, made: Transaction) -> Reply:
        view = self._chain.view(made)
        body = {
            "transactionID": made.number,
            "transactionHash": view.tx_hash,
            "state": view.state.value,
        }
        return http.json_reply(body)


def read_batch(raw: object) -> Batch:
    """The batch that a body holds. ValueError for a field of the wrong type or range."""
    try:
        wire = msgspec.convert(raw, WireBatch)
    except msgspec.ValidationError as wrong:
        raise ValueError("not a batch") from wrong
    owner, wallet = read_address(wire.sender), read_address(wire.params.deposit_wallet)
    if owner is None or wallet is None or len(wire.params.calls) > CALLS_MAX:
        raise ValueError("not a batch")
    calls = []
    for item in wire.params.calls:
        target = read_address(item.target)
        if target is None or item.value != "0":
            raise ValueError("a call has no target, or sends value")
        calls.append(ChainCall(target, bytes.fromhex(item.data.removeprefix("0x"))))
    return Batch(
        owner=owner,
        wallet=wallet,
        nonce=_uint(wire.nonce),
        deadline_s=_uint(wire.params.deadline),
        calls=tuple(calls),
        signature=bytes.fromhex(wire.signature.removeprefix("0x")),
    )


def _uint(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise ValueError("not a number")
    return int(text)


def batch_digest(batch: Batch) -> bytes:
    """What the owner of a deposit wallet signs for a batch of calls (EIP-712)."""
    hashes = b"".join(
        keccak256(_CALL_HASH + address_word(call.to) + word(0) + keccak256(call.data))
        for call in batch.calls
    )
    struct = (
        _BATCH_HASH
        + address_word(batch.wallet)
        + word(batch.nonce)
        + word(batch.deadline_s)
        + keccak256(hashes)
    )
    return typed_digest(domain_separator("DepositWallet", "1", batch.wallet), keccak256(struct))
