"""L2: keys are made and found as the venue does it, and each byte of a request is signed."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvenue.signing.accounts import make_account
from polyvenue.signing.l1 import NS_PER_S, AuthWindow, Login
from polyvenue.signing.l2 import (
    ApiKey,
    ApiKeys,
    Request,
    make_api_key,
    sign_request,
    signed_path,
)
from polyvenue.signing.refusal import INVALID_L2, KEY_ABSENT, KEY_EXISTS
from polyvenue.signing.wallets import WalletKind
from tests.polyvenue.signing.orders_made import TIMESTAMP_S

NOW_NS = TIMESTAMP_S * NS_PER_S
WINDOW = AuthWindow()
OPEN = AuthWindow(past_s_max=None, future_s_max=None)
FIRST = Login(make_account(b"first", WalletKind.EOA).address, 0)
OTHER = Login(make_account(b"other", WalletKind.EOA).address, 0)
POST = Request(method="POST", path="/order", body=b'{"orderType":"GTC","owner":"me"}')


def made(keys: ApiKeys, login: Login = FIRST) -> ApiKey:
    """A key that must be new."""
    key = keys.create(login)
    assert isinstance(key, ApiKey)
    return key


def test_a_key_is_created_once_then_derived() -> None:
    keys = ApiKeys(b"seed")
    assert keys.derive(FIRST) == KEY_ABSENT
    key = made(keys)
    assert keys.create(FIRST) == KEY_EXISTS
    assert keys.derive(FIRST) == key
    assert keys.derive(Login(FIRST.address, 1)) == KEY_ABSENT
    assert keys.owned(FIRST.address) == (key,)
    assert keys.owned(OTHER.address) == ()
    assert keys.find(key.key) == key
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-.{12}", key.key)
    assert len(key.secret_bytes) == 32
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}=", key.secret)
    assert re.fullmatch(r"[0-9a-f]{64}", key.passphrase)
    assert set(key.describe()) == {"apiKey", "secret", "passphrase"}


def test_credentials_follow_from_seed_address_nonce_and_generation() -> None:
    key = make_api_key(b"seed", FIRST.address, 0)
    assert made(ApiKeys(b"seed")) == key
    others = [
        make_api_key(b"another seed", FIRST.address, 0),
        make_api_key(b"seed", OTHER.address, 0),
        make_api_key(b"seed", FIRST.address, 1),
        make_api_key(b"seed", FIRST.address, 0, generation=1),
    ]
    for field in ("key", "secret", "passphrase"):
        assert len({getattr(each, field) for each in [key, *others]}) == 5


def test_a_deleted_key_never_works_again() -> None:
    keys = ApiKeys(b"seed")
    key = made(keys)
    headers = sign_request(key, TIMESTAMP_S, POST)
    assert keys.verify(headers, POST, NOW_NS, WINDOW) == key
    assert keys.delete(key)
    assert not keys.delete(key)
    assert keys.derive(FIRST) == KEY_ABSENT
    assert made(keys) != key
    assert keys.verify(headers, POST, NOW_NS, WINDOW) == INVALID_L2


def test_an_address_has_a_bounded_number_of_nonces() -> None:
    keys = ApiKeys(b"seed", nonces_max=2)
    keys.delete(made(keys))
    made(keys, Login(FIRST.address, 1))
    assert keys.create(Login(FIRST.address, 2)) == KEY_EXISTS
    assert isinstance(keys.create(FIRST), ApiKey)
    assert isinstance(keys.create(OTHER), ApiKey)


@given(
    method=st.sampled_from(["GET", "POST", "DELETE"]),
    path=st.text(st.characters(min_codepoint=33, max_codepoint=126)),
    body=st.binary(),
)
def test_what_a_client_signs_passes(method: str, path: str, body: bytes) -> None:
    keys = ApiKeys(b"seed")
    key = made(keys)
    request = Request(method=method, path="/" + path, body=body)
    assert keys.verify(sign_request(key, TIMESTAMP_S, request), request, NOW_NS, WINDOW) == key


@given(body=st.binary(min_size=1), at=st.integers(0), mask=st.integers(1, 255))
def test_a_flipped_byte_of_the_body_is_refused(body: bytes, at: int, mask: int) -> None:
    keys = ApiKeys(b"seed")
    headers = sign_request(made(keys), TIMESTAMP_S, Request(method="POST", path="/x", body=body))
    wrong = bytearray(body)
    wrong[at % len(wrong)] ^= mask
    request = Request(method="POST", path="/x", body=bytes(wrong))
    assert keys.verify(headers, request, NOW_NS, WINDOW) == INVALID_L2


@pytest.mark.parametrize(
    "request_",
    [
        Request(method="DELETE", path=POST.path, body=POST.body),
        Request(method="POST", path="/orders", body=POST.body),
        Request(method="POST", path="/clob/order", body=POST.body),
        Request(method="POST", path="/order?a=1", body=POST.body),
        Request(method="POST", path="/order/", body=POST.body),
        Request(method="POST", path=POST.path, body=POST.body + b"\n"),
        Request(method="POST", path=POST.path, body=POST.body.replace(b":", b": ")),
        Request(method="POST", path=POST.path),
    ],
)
def test_another_request_is_refused(request_: Request) -> None:
    keys = ApiKeys(b"seed")
    headers = sign_request(made(keys), TIMESTAMP_S, POST)
    assert keys.verify(headers, request_, NOW_NS, WINDOW) == INVALID_L2


HEADERS = sign_request(make_api_key(b"seed", FIRST.address, 0), TIMESTAMP_S, POST)


@pytest.mark.parametrize("header", list(HEADERS))
def test_each_changed_letter_of_a_header_is_refused(header: str) -> None:
    keys = ApiKeys(b"seed")
    made(keys)
    text = HEADERS[header]
    assert keys.verify(HEADERS, POST, NOW_NS, OPEN) == keys.derive(FIRST)
    for at, letter in enumerate(text):
        for other in {"1", "2", letter.swapcase()} - {letter}:
            changed = HEADERS | {header: text[:at] + other + text[at + 1 :]}
            assert keys.verify(changed, POST, NOW_NS, OPEN) == INVALID_L2, at


@pytest.mark.parametrize("header", list(HEADERS))
def test_each_header_is_needed(header: str) -> None:
    keys = ApiKeys(b"seed")
    made(keys)
    headers = {name: value for name, value in HEADERS.items() if name != header}
    assert keys.verify(headers, POST, NOW_NS, WINDOW) == INVALID_L2


@given(header=st.sampled_from(list(HEADERS)), text=st.text(st.characters()))
def test_no_text_breaks_the_check(header: str, text: str) -> None:
    keys = ApiKeys(b"seed")
    made(keys)
    if text != HEADERS[header]:
        assert keys.verify(HEADERS | {header: text}, POST, NOW_NS, WINDOW) == INVALID_L2


def test_bytes_that_are_no_text_are_refused() -> None:
    keys = ApiKeys(b"seed")
    made(keys)
    for header in HEADERS:
        for text in ("\udcff", "\ud800"):
            assert keys.verify(HEADERS | {header: text}, POST, NOW_NS, WINDOW) == INVALID_L2


def test_the_key_of_another_signs_nothing_for_me() -> None:
    keys = ApiKeys(b"seed")
    mine, others = made(keys), made(keys, OTHER)
    headers = sign_request(others, TIMESTAMP_S, POST)
    for stolen in ({"POLY_ADDRESS": mine.address}, {"POLY_API_KEY": mine.key}):
        assert keys.verify(headers | stolen, POST, NOW_NS, WINDOW) == INVALID_L2


@pytest.mark.parametrize(
    ("shift_s", "passes"), [(60, True), (61, False), (-60, True), (-61, False)]
)
def test_an_old_or_early_request_is_refused(shift_s: int, passes: bool) -> None:
    keys = ApiKeys(b"seed")
    key = made(keys)
    found = keys.verify(HEADERS, POST, NOW_NS + shift_s * NS_PER_S, WINDOW)
    assert found == (key if passes else INVALID_L2)


def test_a_socket_logs_in_with_all_three_credentials() -> None:
    keys = ApiKeys(b"seed")
    key = made(keys)
    assert keys.authenticate(key.key, key.secret, key.passphrase) == key
    assert keys.authenticate(key.key + "0", key.secret, key.passphrase) is None
    assert keys.authenticate(key.key, key.secret[:-1], key.passphrase) is None
    assert keys.authenticate(key.key, key.secret, "\ud800") is None


@pytest.mark.parametrize(
    ("target", "prefix", "path"),
    [
        ("/auth/api-keys", "", "/auth/api-keys"),
        ("/clob/auth/api-keys", "/clob", "/auth/api-keys"),
        ("/clob/data/orders?market=0x1&next_cursor=a%3D%3D", "/clob", "/data/orders"),
        ("/data/order/0x%41?", "", "/data/order/0x%41"),
        ("/clob/?a=/b", "/clob", "/"),
    ],
)
def test_the_signed_path_has_no_prefix_and_no_query(target: str, prefix: str, path: str) -> None:
    assert signed_path(target, prefix) == path


@pytest.mark.parametrize("target", ["", "/gamma/x", "/clobber/x", "/clob", "?/clob/"])
def test_a_target_outside_the_prefix_is_an_error(target: str) -> None:
    with pytest.raises(ValueError, match="not below the prefix '/clob'"):
        signed_path(target, "/clob")
