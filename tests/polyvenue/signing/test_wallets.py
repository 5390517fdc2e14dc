"""Addresses, and the wallets at the addresses that the official SDK derives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvenue.signing.accounts import account_of, make_account
from polyvenue.signing.addresses import Address, address_bytes, address_text, read_address
from polyvenue.signing.keccak import keccak256
from polyvenue.signing.orders import SignatureType
from polyvenue.signing.wallets import (
    SIGNATURE_TYPES,
    WalletKind,
    deposit_wallet,
    deposit_wallet_legacy,
    owns,
    proxy_wallet,
    safe_wallet,
)
from tests.polyvenue.signing.orders_made import SECRET

OWNER = Address("0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A")


def test_the_hash_is_that_of_ethereum() -> None:
    assert keccak256(b"").hex() == (
        "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    )


# Computed with polymarket-client 0.14.0; test_official.py compares more when it is installed.
def test_the_wallets_of_a_key() -> None:
    assert proxy_wallet(OWNER) == "0x6Cd089333445c89b55B7693c6009DCc229613738"
    assert safe_wallet(OWNER) == "0x75F00B003FBBBA193FABEB06284c3187a4C1232E"
    assert deposit_wallet(OWNER) == "0x8154deDBDAAA46c07453E47b5b6C0Ff60B8542b9"
    assert deposit_wallet_legacy(OWNER) == "0x7a57144fAfde87F5cE4a880D570BAe58eeBC83f2"


def test_a_wallet_belongs_to_its_owner_only_under_its_own_type() -> None:
    wallets = {
        SignatureType.EOA: [OWNER],
        SignatureType.POLY_PROXY: [proxy_wallet(OWNER)],
        SignatureType.GNOSIS_SAFE: [safe_wallet(OWNER)],
        SignatureType.POLY_1271: [deposit_wallet(OWNER), deposit_wallet_legacy(OWNER)],
    }
    stranger = make_account(b"stranger", WalletKind.EOA).address
    for kind in wallets:
        for other, found in wallets.items():
            for wallet in found:
                assert owns(OWNER, wallet, kind) == (kind == other)
                assert not owns(stranger, wallet, kind)


@given(st.binary(min_size=20, max_size=20))
def test_an_address_reads_back_in_each_plain_spelling(raw: bytes) -> None:
    address = address_text(raw)
    assert address_bytes(address) == raw
    assert read_address(address) == address
    assert read_address(address.lower()) == address
    assert read_address("0x" + address[2:].upper()) == address


def test_each_wrong_letter_case_is_refused() -> None:
    for at in range(2, len(OWNER)):
        swapped = OWNER[:at] + OWNER[at].swapcase() + OWNER[at + 1 :]
        assert read_address(swapped) == (OWNER if swapped == OWNER else None)


@pytest.mark.parametrize("text", ["", "0x", OWNER[:-1], OWNER + "0", OWNER[2:], "0x" + "g" * 40])
def test_what_is_no_address_is_refused(text: str) -> None:
    assert read_address(text) is None


def test_an_address_has_20_bytes() -> None:
    with pytest.raises(ValueError, match="20 bytes, not 19"):
        address_text(bytes(19))


@pytest.mark.parametrize("kind", list(WalletKind))
def test_an_account_says_what_a_client_needs(kind: WalletKind) -> None:
    made = account_of(SECRET, kind)
    assert made.describe() == {
        "private_key": SECRET,
        "address": OWNER,
        "wallet": made.wallet,
        "signature_type": SIGNATURE_TYPES[kind].value,
    }
    assert owns(made.address, made.wallet, made.signature_type)


def test_the_same_bytes_make_the_same_key() -> None:
    first, again = make_account(b"a", WalletKind.EOA), make_account(b"a", WalletKind.DEPOSIT)
    assert first.private_key == again.private_key
    assert first.wallet != again.wallet
    assert make_account(b"b", WalletKind.EOA).private_key != first.private_key


@pytest.mark.parametrize("secret", ["", "0x", "11" * 31, "00" * 32, "ff" * 32, "zz" * 32])
def test_what_is_no_private_key_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        account_of(secret, WalletKind.EOA)


def test_an_account_needs_a_seed() -> None:
    with pytest.raises(ValueError, match="at least one byte"):
        make_account(b"", WalletKind.EOA)
