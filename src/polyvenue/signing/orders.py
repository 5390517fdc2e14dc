"""The signed order of protocol version 2: its wire form, its hash, its id.

Not signed, though sent beside it: the expiration. The order id is the EIP-712 hash under the domain
of the exchange contract that settles the market, so a client knows it before it sends.
"""

from __future__ import annotations

import re
from enum import IntEnum

import msgspec

from polyvenue.signing.addresses import Address, address_word, read_address
from polyvenue.signing.eip712 import domain_separator, hash_text, typed_digest, word
from polyvenue.signing.keccak import keccak256
from polyvenue.signing.refusal import INVALID_PAYLOAD, VERSION_MISMATCH, Refusal

ORDER_TYPE = (
    "Order(uint256 salt,address maker,address signer,uint256 tokenId,uint256 makerAmount,"
    "uint256 takerAmount,uint8 side,uint8 signatureType,uint256 timestamp,bytes32 metadata,"
    "bytes32 builder)"
)
ORDER_TYPE_HASH = hash_text(ORDER_TYPE)
BYTES32_ZERO = bytes(32)

_UINT256_END = 1 << 256
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,77}", re.ASCII)
_BYTES32 = re.compile(r"0x[0-9a-fA-F]{64}", re.ASCII)
_SIGNATURE = re.compile(r"0x(?:[0-9a-fA-F]{2}){1,4096}", re.ASCII)
_V1_ONLY = ("nonce", "feeRateBps", "taker")


class Side(IntEnum):
    """As in the struct; on the wire it is the name."""

    BUY = 0
    SELL = 1


class SignatureType(IntEnum):
    """Whose signature stands for the maker (polymarket.md 3.3)."""

    EOA = 0
    POLY_PROXY = 1
    GNOSIS_SAFE = 2
    POLY_1271 = 3


class Order(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is signed. Amounts in 10^-6: a BUY gives pUSD for shares, a SELL shares for pUSD."""

    salt: int
    maker: Address
    signer: Address
    token_id: int
    maker_amount_e6: int
    taker_amount_e6: int
    side: Side
    signature_type: SignatureType
    timestamp_ms: int
    metadata: bytes = BYTES32_ZERO
    builder: bytes = BYTES32_ZERO


class SignedOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An order, its signature bytes (unverified) and the unsigned expiration (0: none)."""

    order: Order
    signature: bytes
    expiration_s: int = 0


class WireOrder(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The field `order` of `POST /order`, typed but not read yet."""

    salt: int
    maker: str
    signer: str
    token_id: str
    maker_amount: str
    taker_amount: str
    side: str
    signature_type: int
    timestamp: str
    expiration: str
    metadata: str
    builder: str
    signature: str


class Exchange(msgspec.Struct, frozen=True):
    """A contract that settles orders, and the separator of its domain."""

    address: Address
    separator: bytes


def _exchange(address: str) -> Exchange:
    contract = Address(address)
    return Exchange(contract, domain_separator("Polymarket CTF Exchange", "2", contract))


STANDARD_EXCHANGE = _exchange("0xE111180000d2663C0091e4f400237545B87B996B")
NEG_RISK_EXCHANGE = _exchange("0xe2222d279d744050d28e00520010520000310F59")


def exchange_of(*, neg_risk: bool) -> Exchange:
    """The exchange of a market."""
    return NEG_RISK_EXCHANGE if neg_risk else STANDARD_EXCHANGE


def decode_order(raw: object) -> SignedOrder | Refusal:
    """Read the decoded JSON of the field `order`; a field of the wrong type or range is refused.

    An order of protocol version 1 has no timestamp but fields that version 2 dropped: it gets the
    text that names the version.
    """
    try:
        wire = msgspec.convert(raw, WireOrder)
    except msgspec.ValidationError:
        old = isinstance(raw, dict) and "timestamp" not in raw and any(k in raw for k in _V1_ONLY)
        return VERSION_MISMATCH if old else INVALID_PAYLOAD
    return read_order(wire)


def read_order(wire: WireOrder) -> SignedOrder | Refusal:
    """The order that a wire object says; numbers must be plain decimal text inside uint256."""
    maker, signer = read_address(wire.maker), read_address(wire.signer)
    token_id, timestamp_ms = _read_decimal(wire.token_id), _read_decimal(wire.timestamp)
    maker_e6, taker_e6 = _read_decimal(wire.maker_amount), _read_decimal(wire.taker_amount)
    expiration_s = _read_decimal(wire.expiration)
    metadata, builder = _read_bytes32(wire.metadata), _read_bytes32(wire.builder)
    if maker is None or signer is None or metadata is None or builder is None:
        return INVALID_PAYLOAD
    if (
        token_id is None
        or maker_e6 is None
        or taker_e6 is None
        or timestamp_ms is None
        or expiration_s is None
        or not 0 <= wire.salt < _UINT256_END
        or wire.side not in Side.__members__
        or wire.signature_type not in range(len(SignatureType))
        or not _SIGNATURE.fullmatch(wire.signature)
    ):
        return INVALID_PAYLOAD
    order = Order(
        salt=wire.salt,
        maker=maker,
        signer=signer,
        token_id=token_id,
        maker_amount_e6=maker_e6,
        taker_amount_e6=taker_e6,
        side=Side[wire.side],
        signature_type=SignatureType(wire.signature_type),
        timestamp_ms=timestamp_ms,
        metadata=metadata,
        builder=builder,
    )
    signature = bytes.fromhex(wire.signature[2:])
    return SignedOrder(order=order, signature=signature, expiration_s=expiration_s)


def write_order(signed: SignedOrder) -> dict[str, str | int]:
    """The field `order` of `POST /order` as a client sends it."""
    order = signed.order
    return {
        "salt": order.salt,
        "maker": order.maker,
        "signer": order.signer,
        "tokenId": str(order.token_id),
        "makerAmount": str(order.maker_amount_e6),
        "takerAmount": str(order.taker_amount_e6),
        "side": order.side.name,
        "signatureType": int(order.signature_type),
        "timestamp": str(order.timestamp_ms),
        "expiration": str(signed.expiration_s),
        "metadata": "0x" + order.metadata.hex(),
        "builder": "0x" + order.builder.hex(),
        "signature": "0x" + signed.signature.hex(),
    }


def write_post(
    signed: SignedOrder, *, owner: str, order_type: str = "GTC", post_only: bool = False
) -> bytes:
    """The body of `POST /order` as a client sends it; `owner` is the UUID of its API key."""
    body = {
        "deferExec": False,
        "order": write_order(signed),
        "owner": owner,
        "orderType": order_type,
    }
    return msgspec.json.encode(body | {"postOnly": True} if post_only else body)


def struct_hash(order: Order) -> bytes:
    """The EIP-712 hash of the struct alone, the same on every exchange."""
    return keccak256(
        b"".join(
            (
                ORDER_TYPE_HASH,
                word(order.salt),
                address_word(order.maker),
                address_word(order.signer),
                word(order.token_id),
                word(order.maker_amount_e6),
                word(order.taker_amount_e6),
                word(order.side),
                word(order.signature_type),
                word(order.timestamp_ms),
                order.metadata,
                order.builder,
            )
        )
    )


def order_hash(order: Order, exchange: Exchange) -> bytes:
    """The 32 bytes that identify the order on this exchange."""
    return typed_digest(exchange.separator, struct_hash(order))


def order_id(digest: bytes) -> str:
    """How the venue writes an order hash."""
    return "0x" + digest.hex()


def _read_decimal(text: str) -> int | None:
    if not _DECIMAL.fullmatch(text):
        return None
    number = int(text)
    return number if number < _UINT256_END else None


def _read_bytes32(text: str) -> bytes | None:
    return bytes.fromhex(text[2:]) if _BYTES32.fullmatch(text) else None
