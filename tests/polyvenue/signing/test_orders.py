"""The wire form of an order: what a client sends is read exactly or refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvenue.signing.orders import (
    STANDARD_EXCHANGE,
    SignedOrder,
    decode_order,
    write_order,
    write_post,
)
from polyvenue.signing.refusal import INVALID_PAYLOAD, INVALID_SIGNATURE, VERSION_MISMATCH, Refusal
from polyvenue.signing.signatures import Verified, verify
from polyvenue.signing.wallets import WalletKind
from tests.polyvenue.signing.orders_made import order_of

KINDS = list(WalletKind)
SIGNED_TEXTS = [
    "maker",
    "signer",
    "tokenId",
    "makerAmount",
    "takerAmount",
    "timestamp",
    "metadata",
    "builder",
    "signature",
]


@pytest.mark.parametrize("kind", KINDS)
def test_an_order_survives_the_wire(kind: WalletKind) -> None:
    signed = order_of(kind)
    assert decode_order(json.loads(json.dumps(write_order(signed)))) == signed


@pytest.mark.parametrize("post_only", [False, True])
def test_the_body_of_a_post_is_compact_json(post_only: bool) -> None:
    signed = order_of(WalletKind.DEPOSIT)
    body = write_post(signed, owner="key", order_type="GTD", post_only=post_only)
    assert b" " not in body
    found = json.loads(body)
    assert decode_order(found.pop("order")) == signed
    expected = {"deferExec": False, "owner": "key", "orderType": "GTD"}
    assert found == (expected | {"postOnly": True} if post_only else expected)


def judge(raw: object) -> Verified | Refusal:
    """Read and verify as the venue does."""
    signed = decode_order(raw)
    return verify(signed, STANDARD_EXCHANGE) if isinstance(signed, SignedOrder) else signed


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("field", SIGNED_TEXTS)
def test_each_changed_letter_of_a_signed_field_is_refused(kind: WalletKind, field: str) -> None:
    wire = write_order(order_of(kind))
    text = str(wire[field])
    for at, letter in enumerate(text):
        other = "1" if letter != "1" else "2"
        changed = wire | {field: text[:at] + other + text[at + 1 :]}
        assert judge(changed) in (INVALID_PAYLOAD, INVALID_SIGNATURE), (field, at)


@given(field=st.sampled_from(SIGNED_TEXTS), at=st.integers(0, 10**4), bit=st.integers(0, 6))
def test_a_flipped_bit_of_a_number_or_address_is_refused(field: str, at: int, bit: int) -> None:
    wire = write_order(order_of(WalletKind.DEPOSIT))
    raw = bytearray(str(wire[field]).encode())
    at %= len(raw)
    raw[at] ^= 1 << bit
    text = raw.decode()
    if text.lower() == str(wire[field]).lower() and field in ("metadata", "builder", "signature"):
        return  # the same bytes in another letter case
    assert judge(wire | {field: text}) in (INVALID_PAYLOAD, INVALID_SIGNATURE)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("salt", "4839201774652"),
        ("salt", -1),
        ("salt", 1.5),
        ("salt", True),
        ("salt", 2**256),
        ("maker", "0x19e7e376E7C213B7E7e7e46cc70A5dD086DAff2A"),
        ("maker", "19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"),
        ("signer", None),
        ("tokenId", 1111111111),
        ("tokenId", "01111111111"),
        ("tokenId", "+1111111111"),
        ("tokenId", "1_111_111_111"),
        ("tokenId", "\u0661\u0662"),
        ("tokenId", ""),
        ("tokenId", str(2**256)),
        ("makerAmount", "5200000.0"),
        ("takerAmount", "-1"),
        ("side", "buy"),
        ("side", 0),
        ("signatureType", 4),
        ("signatureType", -1),
        ("signatureType", "0"),
        ("timestamp", 1795367105123),
        ("expiration", 0),
        ("expiration", "soon"),
        ("metadata", "0x00"),
        ("builder", "0x" + "0g" * 32),
        ("signature", "0x"),
        ("signature", "0xabc"),
        ("signature", "0x" + "ab " * 65),
    ],
)
def test_a_bad_field_is_refused(field: str, value: object) -> None:
    assert decode_order(write_order(order_of(WalletKind.EOA)) | {field: value}) == INVALID_PAYLOAD


@pytest.mark.parametrize("raw", [None, [], "order", 7, {}, {"salt": 1}])
def test_what_is_no_order_is_refused(raw: object) -> None:
    assert decode_order(raw) == INVALID_PAYLOAD


@pytest.mark.parametrize("field", list(write_order(order_of(WalletKind.EOA))))
def test_each_field_is_needed(field: str) -> None:
    wire = write_order(order_of(WalletKind.EOA))
    del wire[field]
    assert decode_order(wire) == INVALID_PAYLOAD


def test_an_order_of_version_1_is_told_so() -> None:
    wire: dict[str, object] = dict(write_order(order_of(WalletKind.EOA)))
    for field in ("timestamp", "metadata", "builder"):
        del wire[field]
    wire |= {"nonce": "0", "feeRateBps": "0", "taker": "0x" + "00" * 20}
    assert decode_order(wire) == VERSION_MISMATCH


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_no_json_breaks_the_reader(raw: object) -> None:
    assert decode_order(raw) in (INVALID_PAYLOAD, VERSION_MISMATCH)


@given(
    field=st.sampled_from(sorted(write_order(order_of(WalletKind.EOA)))),
    value=st.text() | st.integers() | st.none(),
)
def test_no_field_breaks_the_reader(field: str, value: object) -> None:
    wire = write_order(order_of(WalletKind.EOA)) | {field: value}
    assert isinstance(decode_order(wire), SignedOrder | Refusal)
