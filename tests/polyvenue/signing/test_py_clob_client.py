"""Our hashes and signatures equal those of py-clob-client-v2 1.2.1."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyvenue.signing.accounts import Account, OrderSigner, make_account, sign_login
from polyvenue.signing.l2 import Request as SignedRequest
from polyvenue.signing.l2 import make_api_key, request_signature, sign_request
from polyvenue.signing.orders import (
    Side,
    SignatureType,
    SignedOrder,
    decode_order,
    exchange_of,
    order_hash,
)
from polyvenue.signing.signatures import Verified, verify
from polyvenue.signing.wallets import WalletKind

REASON = "official SDK not installed"

builder = pytest.importorskip(
    "py_clob_client_v2.order_utils.exchange_order_builder_v2", reason=REASON
)
data = pytest.importorskip("py_clob_client_v2.order_utils.model.order_data_v2", reason=REASON)
sides = pytest.importorskip("py_clob_client_v2.order_utils.model.side", reason=REASON)
signers = pytest.importorskip("py_clob_client_v2.signer", reason=REASON)
headers = pytest.importorskip("py_clob_client_v2.headers.headers", reason=REASON)
types = pytest.importorskip("py_clob_client_v2.clob_types", reason=REASON)

accounts = st.builds(make_account, st.binary(min_size=1), st.sampled_from(WalletKind))
few = settings(max_examples=20)


@few
@given(account=accounts, neg_risk=st.booleans(), token_id=st.integers(0, 2**256 - 1))
def test_an_order_of_the_client_passes_and_is_ours_byte_by_byte(
    account: Account, neg_risk: bool, token_id: int
) -> None:
    exchange = exchange_of(neg_risk=neg_risk)
    build = builder.ExchangeOrderBuilderV2(
        exchange.address, 137, signers.Signer(account.private_key, 137)
    )
    wrapped = account.signature_type is SignatureType.POLY_1271
    theirs = build.build_signed_order(
        data.OrderDataV2(
            maker=account.wallet,
            tokenId=str(token_id),
            makerAmount="5200000",
            takerAmount="10000000",
            side=sides.Side.BUY,
            signer=account.wallet if wrapped else account.address,
            signatureType=int(account.signature_type),
        )
    )
    wire = data.order_to_json_v2(theirs, "key", "GTC")["order"]
    signed = decode_order(wire)
    assert isinstance(signed, SignedOrder)
    assert isinstance(verify(signed, exchange), Verified)
    typed = build.build_order_typed_data(theirs)
    assert "0x" + order_hash(signed.order, exchange).hex() == build.build_order_hash(typed)
    ours = OrderSigner(account, exchange).sign(
        token_id=token_id,
        side=Side.BUY,
        maker_amount_e6=5_200_000,
        taker_amount_e6=10_000_000,
        salt=int(theirs.salt),
        timestamp_ms=int(theirs.timestamp),
    )
    assert ours == signed


@few
@given(account=accounts, timestamp_s=st.integers(1, 10**11), nonce=st.integers(0, 2**64))
def test_the_login_is_that_of_the_client(account: Account, timestamp_s: int, nonce: int) -> None:
    signer = signers.Signer(account.private_key, 137)
    theirs = headers.create_level_1_headers(signer, nonce, timestamp_s)
    assert sign_login(account, timestamp_s, nonce) == theirs


@few
@given(account=accounts, body=st.binary().map(bytes.hex))
def test_the_request_headers_are_those_of_the_client(account: Account, body: str) -> None:
    key = make_api_key(b"seed", account.address, 0)
    theirs = headers.create_level_2_headers(
        signers.Signer(account.private_key, 137),
        types.ApiCreds(key.key, key.secret, key.passphrase),
        types.RequestArgs("POST", "/order", serialized_body=body),
        1795367105,
    )
    request = SignedRequest(method="POST", path="/order", body=body.encode())
    assert sign_request(key, 1795367105, request) == theirs
    assert theirs["POLY_SIGNATURE"] == request_signature(key.secret_bytes, "1795367105", request)
