"""Our hashes, signatures, wallets and headers equal those of polymarket-client 0.14.0."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyvenue.signing.accounts import Account, OrderSigner, make_account, sign_login
from polyvenue.signing.l2 import Request, request_signature
from polyvenue.signing.limits import Bucket, LimitMode, Limits
from polyvenue.signing.orders import Side, SignedOrder, decode_order, exchange_of, write_order
from polyvenue.signing.signatures import Verified, verify
from polyvenue.signing.wallets import (
    WalletKind,
    deposit_wallet,
    deposit_wallet_legacy,
    proxy_wallet,
    safe_wallet,
)

REASON = "official SDK not installed"

eth_account = pytest.importorskip("eth_account", reason=REASON)
sdk_auth = pytest.importorskip("polymarket._internal.l1_auth", reason=REASON)
sdk_environment = pytest.importorskip("polymarket._internal.environment", reason=REASON)
sdk_hmac = pytest.importorskip("polymarket._internal.hmac", reason=REASON)
sdk_orders = pytest.importorskip("polymarket._internal.actions.orders.orders", reason=REASON)
sdk_post = pytest.importorskip("polymarket._internal.actions.orders.post", reason=REASON)
sdk_transport = pytest.importorskip("polymarket.clients._transport", reason=REASON)
sdk_typed = pytest.importorskip("polymarket._internal.actions.orders.typed_data", reason=REASON)
sdk_types = pytest.importorskip("polymarket._internal.actions.orders.types", reason=REASON)
sdk_wallet = pytest.importorskip("polymarket._internal.wallet", reason=REASON)
httpx = pytest.importorskip("httpx", reason=REASON)

CONFIG = sdk_environment.PRODUCTION_CONFIG
WALLET_TYPES = {
    WalletKind.EOA: "EOA",
    WalletKind.PROXY: "POLY_PROXY",
    WalletKind.SAFE: "GNOSIS_SAFE",
    WalletKind.DEPOSIT: "DEPOSIT_WALLET",
}

accounts = st.builds(make_account, st.binary(min_size=1), st.sampled_from(WalletKind))
few = settings(max_examples=20)


@few
@given(account=accounts)
def test_the_wallets_are_those_of_the_sdk(account: Account) -> None:
    owner, config = account.address, CONFIG.wallet_derivation
    assert eth_account.Account.from_key(account.private_key).address == owner
    assert proxy_wallet(owner) == sdk_wallet.derive_proxy_wallet_address(owner, config)
    assert safe_wallet(owner) == sdk_wallet.derive_safe_wallet_address(owner, config)
    assert deposit_wallet(owner) == sdk_wallet.derive_beacon_deposit_wallet_address(owner, config)
    assert deposit_wallet_legacy(owner) == sdk_wallet.derive_uups_deposit_wallet_address(
        owner, config
    )
    classified = sdk_wallet.classify_wallet_type(signer=owner, wallet=account.wallet, config=config)
    assert classified == WALLET_TYPES[account.kind]


def sdk_signed(account: Account, *, neg_risk: bool, token_id: int, amounts: tuple[int, int]) -> Any:
    """An order that the SDK built and signed for the account."""
    signer = eth_account.Account.from_key(account.private_key)
    draft = sdk_types.OrderDraft(
        chain_id=CONFIG.chain_id,
        exchange_address=CONFIG.neg_risk_exchange if neg_risk else CONFIG.standard_exchange,
        expiration=0,
        funder_address=account.wallet,
        offered_amount=amounts[0],
        order_type="GTC",
        side="SELL",
        signer=signer.address,
        requested_amount=amounts[1],
        asset_id=str(token_id),
    )
    unsigned = sdk_orders.create_unsigned_order(
        draft, wallet=account.wallet, wallet_type=WALLET_TYPES[account.kind]
    )
    typed = sdk_typed.build_order_typed_data(unsigned, protocol_version="2")
    inner = "0x" + signer.sign_typed_data(full_message=typed).signature.hex()
    signature = sdk_typed.build_order_signature(unsigned, inner, protocol_version="2")
    return sdk_orders.create_signed_order(unsigned, signature)


@few
@given(
    account=accounts,
    neg_risk=st.booleans(),
    token_id=st.integers(0, 2**256 - 1),
    amounts=st.tuples(st.integers(0, 10**15), st.integers(0, 10**15)),
)
def test_an_order_of_the_sdk_passes_and_is_ours_byte_by_byte(
    account: Account, neg_risk: bool, token_id: int, amounts: tuple[int, int]
) -> None:
    theirs = sdk_signed(account, neg_risk=neg_risk, token_id=token_id, amounts=amounts)
    _, payload = sdk_post.build_post_order_request(theirs, owner_api_key="key")
    wire = json.loads(json.dumps(payload))["order"]
    signed = decode_order(wire)
    assert isinstance(signed, SignedOrder)
    exchange = exchange_of(neg_risk=neg_risk)
    verified = verify(signed, exchange)
    assert isinstance(verified, Verified)
    assert verified.owner == account.address
    ours = OrderSigner(account, exchange).sign(
        token_id=token_id,
        side=Side.SELL,
        maker_amount_e6=amounts[0],
        taker_amount_e6=amounts[1],
        salt=theirs.salt,
        timestamp_ms=theirs.timestamp,
    )
    assert ours == signed
    assert write_order(ours) == wire


@few
@given(account=accounts, timestamp_s=st.integers(0, 10**11), nonce=st.integers(0, 2**256 - 1))
def test_the_login_is_that_of_the_sdk(account: Account, timestamp_s: int, nonce: int) -> None:
    signer = eth_account.Account.from_key(account.private_key)
    theirs = sdk_auth.sign_api_key_auth(
        signer, chain_id=CONFIG.chain_id, timestamp=timestamp_s, nonce=nonce
    )
    ours = sign_login(account, timestamp_s, nonce)
    assert ours["POLY_SIGNATURE"] == theirs.signature
    assert ours["POLY_ADDRESS"] == theirs.address


@given(secret=st.binary(min_size=32, max_size=32), path=st.text(), body=st.none() | st.text())
def test_the_request_signature_is_that_of_the_sdk(
    secret: bytes, path: str, body: str | None
) -> None:
    encoded = sdk_hmac.base64.urlsafe_b64encode(secret).decode()
    theirs = sdk_hmac.build_hmac_signature(
        secret=encoded, timestamp=1795367105, method="POST", path=path, body=body
    )
    request = Request(method="POST", path=path, body=(body or "").encode())
    assert request_signature(secret, "1795367105", request) == theirs


def test_the_sdk_reads_our_rate_limit_headers() -> None:
    limits = Limits(LimitMode.WARN)
    signer = make_account(b"signer", WalletKind.EOA).address
    limits.charge(signer, Bucket.ORDER, 60, 10**18)
    headers = httpx.Headers(limits.charge(signer, Bucket.ORDER, 1, 10**18).headers)
    update = sdk_transport._parse_rate_limit_headers(headers)
    assert (update.remaining, update.tier, update.warning) == (0, "standard", True)
    assert update.reset == 1_000_000_001
