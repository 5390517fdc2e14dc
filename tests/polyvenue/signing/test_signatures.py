"""An order passes only with the signature of the key that owns the maker's wallet, byte by byte."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvenue.signing.accounts import OrderSigner, make_account, sign_order
from polyvenue.signing.addresses import Address
from polyvenue.signing.l2 import make_api_key
from polyvenue.signing.orders import (
    NEG_RISK_EXCHANGE,
    STANDARD_EXCHANGE,
    Side,
    SignatureType,
    SignedOrder,
    exchange_of,
)
from polyvenue.signing.refusal import FOREIGN_OWNER, FOREIGN_SIGNER, INVALID_SIGNATURE
from polyvenue.signing.signatures import Verified, authorize, verify
from polyvenue.signing.wallets import SIGNATURE_TYPES, WalletKind, deposit_wallet_legacy
from tests.polyvenue.signing.orders_made import account, order_of

KINDS = list(WalletKind)
GROUP_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
OTHER = make_account(b"another key", WalletKind.EOA)

uint256 = st.integers(0, 2**256 - 1)


def altered(signed: SignedOrder, **fields: object) -> SignedOrder:
    """The same signature under another order."""
    order = msgspec.structs.replace(signed.order, **fields)
    return msgspec.structs.replace(signed, order=order)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("neg_risk", [False, True])
def test_each_kind_of_wallet_passes_on_its_exchange(kind: WalletKind, neg_risk: bool) -> None:
    exchange = exchange_of(neg_risk=neg_risk)
    signed = order_of(kind, exchange)
    verified = verify(signed, exchange)
    assert isinstance(verified, Verified)
    assert verified.owner == account(kind).address
    assert verify(signed, exchange_of(neg_risk=not neg_risk)) == INVALID_SIGNATURE


@pytest.mark.parametrize("kind", KINDS)
def test_each_flipped_byte_of_a_signature_is_refused(kind: WalletKind) -> None:
    signed = order_of(kind)
    for at in range(len(signed.signature)):
        for mask in (0x01, 0x80):
            wrong = bytearray(signed.signature)
            wrong[at] ^= mask
            flipped = msgspec.structs.replace(signed, signature=bytes(wrong))
            assert verify(flipped, STANDARD_EXCHANGE) == INVALID_SIGNATURE, (at, mask)


@given(kind=st.sampled_from(KINDS), at=st.integers(0, 316), mask=st.integers(1, 255))
def test_any_flip_of_a_signature_is_refused(kind: WalletKind, at: int, mask: int) -> None:
    signed = order_of(kind)
    wrong = bytearray(signed.signature)
    wrong[at % len(wrong)] ^= mask
    flipped = msgspec.structs.replace(signed, signature=bytes(wrong))
    assert verify(flipped, STANDARD_EXCHANGE) == INVALID_SIGNATURE


@given(kind=st.sampled_from(KINDS), signature=st.binary(max_size=330))
def test_random_bytes_are_refused(kind: WalletKind, signature: bytes) -> None:
    noise = msgspec.structs.replace(order_of(kind), signature=signature)
    assert verify(noise, STANDARD_EXCHANGE) == INVALID_SIGNATURE


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cut", [-1, 1])
def test_a_longer_or_shorter_signature_is_refused(kind: WalletKind, cut: int) -> None:
    signed = order_of(kind)
    wrong = signed.signature[:-1] if cut < 0 else signed.signature + b"\0"
    changed = msgspec.structs.replace(signed, signature=wrong)
    assert verify(changed, STANDARD_EXCHANGE) == INVALID_SIGNATURE


@pytest.mark.parametrize("kind", KINDS)
def test_the_twin_of_a_signature_is_refused(kind: WalletKind) -> None:
    signed = order_of(kind)
    r, s, v, rest = (
        signed.signature[:32],
        int.from_bytes(signed.signature[32:64], "big"),
        signed.signature[64],
        signed.signature[65:],
    )
    twin = r + (GROUP_ORDER - s).to_bytes(32, "big") + bytes((27 + 28 - v,)) + rest
    changed = msgspec.structs.replace(signed, signature=twin)
    assert verify(changed, STANDARD_EXCHANGE) == INVALID_SIGNATURE


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "fields",
    [
        {"salt": 4839201774653},
        {"token_id": 1111111110},
        {"maker_amount_e6": 5_200_001},
        {"taker_amount_e6": 9_999_999},
        {"side": Side.SELL},
        {"timestamp_ms": 1795367105124},
        {"metadata": b"\x01" + bytes(31)},
        {"builder": bytes(31) + b"\x01"},
        {"maker": OTHER.address},
        {"signer": OTHER.address},
        {"maker": OTHER.address, "signer": OTHER.address},
    ],
    ids=lambda fields: "+".join(fields),
)
def test_a_changed_order_is_refused(kind: WalletKind, fields: dict[str, object]) -> None:
    assert verify(altered(order_of(kind), **fields), STANDARD_EXCHANGE) == INVALID_SIGNATURE


@pytest.mark.parametrize(
    ("kind", "signature_type"),
    [
        (kind, other)
        for kind in KINDS
        for other in SignatureType
        if other is not SIGNATURE_TYPES[kind]
    ],
)
def test_another_signature_type_is_refused(kind: WalletKind, signature_type: SignatureType) -> None:
    changed = altered(order_of(kind), signature_type=signature_type)
    assert verify(changed, STANDARD_EXCHANGE) == INVALID_SIGNATURE


@pytest.mark.parametrize("kind", KINDS)
def test_a_stranger_cannot_sign_for_a_wallet(kind: WalletKind) -> None:
    order = order_of(kind).order
    stolen = SignedOrder(order=order, signature=sign_order(order, STANDARD_EXCHANGE, OTHER.key))
    assert verify(stolen, STANDARD_EXCHANGE) == INVALID_SIGNATURE


@pytest.mark.parametrize("kind", KINDS)
def test_the_signer_of_an_order_is_who_signs_it(kind: WalletKind) -> None:
    order = msgspec.structs.replace(order_of(kind).order, signer=OTHER.address)
    key = account(kind).key
    signed = SignedOrder(order=order, signature=sign_order(order, STANDARD_EXCHANGE, key))
    assert verify(signed, STANDARD_EXCHANGE) == INVALID_SIGNATURE


def test_a_plain_key_signs_for_no_other_maker() -> None:
    order = msgspec.structs.replace(order_of(WalletKind.EOA).order, maker=OTHER.address)
    key = account(WalletKind.EOA).key
    signed = SignedOrder(order=order, signature=sign_order(order, STANDARD_EXCHANGE, key))
    assert verify(signed, STANDARD_EXCHANGE) == INVALID_SIGNATURE


def test_a_deposit_wallet_of_the_first_generation_passes() -> None:
    owner = account(WalletKind.DEPOSIT)
    wallet = deposit_wallet_legacy(owner.address)
    order = msgspec.structs.replace(order_of(WalletKind.DEPOSIT).order, maker=wallet, signer=wallet)
    signed = SignedOrder(order=order, signature=sign_order(order, STANDARD_EXCHANGE, owner.key))
    verified = verify(signed, STANDARD_EXCHANGE)
    assert isinstance(verified, Verified)
    assert verified.owner == owner.address


def test_a_deposit_wallet_of_nobody_is_refused() -> None:
    wallet = Address("0x" + "22" * 20)
    order = msgspec.structs.replace(order_of(WalletKind.DEPOSIT).order, maker=wallet, signer=wallet)
    key = account(WalletKind.DEPOSIT).key
    signed = SignedOrder(order=order, signature=sign_order(order, STANDARD_EXCHANGE, key))
    assert verify(signed, STANDARD_EXCHANGE) == INVALID_SIGNATURE


@pytest.mark.parametrize("kind", KINDS)
def test_the_api_key_must_belong_to_the_signing_key(kind: WalletKind) -> None:
    signed = order_of(kind)
    own = make_api_key(b"seed", account(kind).address, 0)
    other = make_api_key(b"seed", OTHER.address, 0)
    assert isinstance(authorize(signed, STANDARD_EXCHANGE, own.key, own), Verified)
    assert authorize(signed, STANDARD_EXCHANGE, other.key, own) == FOREIGN_OWNER
    assert authorize(signed, STANDARD_EXCHANGE, other.key, other) == FOREIGN_SIGNER
    wrong = msgspec.structs.replace(signed, signature=bytes(65))
    assert authorize(wrong, STANDARD_EXCHANGE, own.key, own) == INVALID_SIGNATURE


@given(
    kind=st.sampled_from(KINDS),
    salt=st.integers(0, 2**53 - 1),
    token_id=uint256,
    maker=uint256,
    taker=uint256,
    side=st.sampled_from(Side),
    timestamp_ms=st.integers(0, 2**63),
    seed=st.binary(min_size=1),
)
def test_whatever_an_account_signs_passes(
    kind: WalletKind,
    salt: int,
    token_id: int,
    maker: int,
    taker: int,
    side: Side,
    timestamp_ms: int,
    seed: bytes,
) -> None:
    made = make_account(seed, kind)
    signed = OrderSigner(made, NEG_RISK_EXCHANGE).sign(
        token_id=token_id,
        side=side,
        maker_amount_e6=maker,
        taker_amount_e6=taker,
        salt=salt,
        timestamp_ms=timestamp_ms,
    )
    verified = verify(signed, NEG_RISK_EXCHANGE)
    assert isinstance(verified, Verified)
    assert verified.owner == made.address
    assert signed.order.maker == made.wallet
