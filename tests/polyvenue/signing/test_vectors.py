"""The vectors of the venue's specification (polymarket.md 3.2a), made with py-clob-client-v2."""

import base64

import msgspec
import pytest

from polyvenue.signing.accounts import sign_login, sign_order
from polyvenue.signing.addresses import Address
from polyvenue.signing.l2 import Request, request_signature
from polyvenue.signing.orders import (
    ORDER_TYPE,
    STANDARD_EXCHANGE,
    SignatureType,
    SignedOrder,
    order_hash,
    struct_hash,
)
from polyvenue.signing.signatures import Verified, recover_wrapped, verify
from polyvenue.signing.wallets import WalletKind
from tests.polyvenue.signing.orders_made import TIMESTAMP_S, account, order_of

ADDRESS = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
WALLET = Address("0x" + "22" * 20)
ORDER_ID = "0x9b3185eed583947bbb524c3a62412e2634a5f62b07ea98f15c7635af90a9af76"
SIGNATURE = (
    "0xfcaafb3ad26539327acc59bfe1b918927acff50815248f03cbd152c06bb56f87"
    "68c1d6b00165f2d6e9a133c35c97ad5684344c0a0dc0cb5bcb719bf8807689691c"
)
LOGIN_SIGNATURE = (
    "0x621e87aedf0d94202d0ac73e1f013488c0698c416a4d3cbd0d3f3da870451aad"
    "69fc8f237fd9ab468cc8d0899c2edf52f8c4ecbe39767913d0f612c8989393fa1c"
)
SECRET_BYTES = base64.urlsafe_b64decode("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")


def test_the_address_of_the_key() -> None:
    assert account(WalletKind.EOA).address == ADDRESS


def test_the_login_signature() -> None:
    headers = sign_login(account(WalletKind.EOA), TIMESTAMP_S)
    assert headers == {
        "POLY_ADDRESS": ADDRESS,
        "POLY_TIMESTAMP": "1795367105",
        "POLY_NONCE": "0",
        "POLY_SIGNATURE": LOGIN_SIGNATURE,
    }


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (
            Request(method="GET", path="/data/orders"),
            "pnIg1mpfoBLp8D0sifoAEUY0d1lUwferLOIhqDgDEjY=",
        ),
        (
            Request(method="DELETE", path="/order", body=b'{"orderID":"0xabc"}'),
            "IF9JGvN0m-785LBrTzL_umU_-hY9ux74VkWUSrsPf0M=",
        ),
    ],
)
def test_the_request_signatures(request_: Request, expected: str) -> None:
    assert request_signature(SECRET_BYTES, str(TIMESTAMP_S), request_) == expected


def test_the_order_of_a_plain_key() -> None:
    signed = order_of(WalletKind.EOA)
    assert STANDARD_EXCHANGE.separator.hex() == (
        "3264e159346253e26a64e00b69032db0e7d32f94628de3e6eecb50304d7af3d2"
    )
    assert struct_hash(signed.order).hex() == (
        "ecf38a394a5d7c27e59a029d99a2a2fac2400843df08d50fb7edadad9c419163"
    )
    assert "0x" + order_hash(signed.order, STANDARD_EXCHANGE).hex() == ORDER_ID
    assert "0x" + signed.signature.hex() == SIGNATURE
    assert verify(signed, STANDARD_EXCHANGE) == Verified(ORDER_ID, Address(ADDRESS))


def test_the_order_of_a_deposit_wallet() -> None:
    order = msgspec.structs.replace(
        order_of(WalletKind.EOA).order,
        maker=WALLET,
        signer=WALLET,
        signature_type=SignatureType.POLY_1271,
    )
    contents = "cd8ebfb429e0bb06c7aa591ab2f77213dec69cd58cd7284e8bea7ab71cf753de"
    assert order_hash(order, STANDARD_EXCHANGE).hex() == (
        "fa5427cf5a21569602aed5f73bd9255f6d849208bddd4b386b8bafa22246f813"
    )
    assert struct_hash(order).hex() == contents
    signature = sign_order(order, STANDARD_EXCHANGE, account(WalletKind.DEPOSIT).key)
    assert len(signature) == 317
    assert signature.hex().startswith("bf481b03")
    assert signature[65:97] == STANDARD_EXCHANGE.separator
    assert signature[97:129].hex() == contents
    assert signature[129:315].decode() == ORDER_TYPE
    assert signature[315:].hex() == "00ba"
    signed = SignedOrder(order=order, signature=signature)
    assert recover_wrapped(signed, STANDARD_EXCHANGE) == ADDRESS
