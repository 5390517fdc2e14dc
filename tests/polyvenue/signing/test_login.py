"""L1: a login passes only with its own address, time, nonce and signature."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvenue.signing.accounts import make_account, sign_login
from polyvenue.signing.l1 import NS_PER_S, AuthWindow, Login, verify_login
from polyvenue.signing.refusal import INVALID_L1
from polyvenue.signing.wallets import WalletKind
from tests.polyvenue.signing.orders_made import TIMESTAMP_S, account

NOW_NS = TIMESTAMP_S * NS_PER_S
WINDOW = AuthWindow()
HEADERS = sign_login(account(WalletKind.EOA), TIMESTAMP_S)


@given(seed=st.binary(min_size=1), nonce=st.integers(0, 2**256 - 1))
def test_a_login_says_who_and_which_key(seed: bytes, nonce: int) -> None:
    made = make_account(seed, WalletKind.DEPOSIT)
    headers = sign_login(made, TIMESTAMP_S, nonce)
    assert verify_login(headers, NOW_NS, WINDOW) == Login(made.address, nonce)


@pytest.mark.parametrize("header", list(HEADERS))
def test_each_header_is_needed(header: str) -> None:
    headers = {name: value for name, value in HEADERS.items() if name != header}
    assert verify_login(headers, NOW_NS, WINDOW) == INVALID_L1


@pytest.mark.parametrize("header", list(HEADERS))
def test_each_changed_letter_is_refused(header: str) -> None:
    text = HEADERS[header]
    for at, letter in enumerate(text):
        changed = text[:at] + ("1" if letter != "1" else "2") + text[at + 1 :]
        assert (
            verify_login(
                HEADERS | {header: changed}, NOW_NS, AuthWindow(past_s_max=None, future_s_max=None)
            )
            == INVALID_L1
        ), at


@given(header=st.sampled_from(list(HEADERS)), text=st.text())
def test_no_text_breaks_the_check(header: str, text: str) -> None:
    if text != HEADERS[header]:
        assert verify_login(HEADERS | {header: text}, NOW_NS, WINDOW) == INVALID_L1


@pytest.mark.parametrize("nonce", ["00", "-0", "+0", " 0", "", "\u0660", str(2**256)])
def test_a_nonce_is_plain_decimal_text(nonce: str) -> None:
    assert verify_login(HEADERS | {"POLY_NONCE": nonce}, NOW_NS, WINDOW) == INVALID_L1


@pytest.mark.parametrize(
    ("window", "shift_ns", "passes"),
    [
        (AuthWindow(past_s_max=60), 60 * NS_PER_S, True),
        (AuthWindow(past_s_max=60), 60 * NS_PER_S + 1, False),
        (AuthWindow(future_s_max=10), -10 * NS_PER_S, True),
        (AuthWindow(future_s_max=10), -10 * NS_PER_S - 1, False),
        (AuthWindow(past_s_max=None), 10**9 * NS_PER_S, True),
        (AuthWindow(future_s_max=None), -(10**9) * NS_PER_S, True),
        (AuthWindow(past_s_max=None), -61 * NS_PER_S, False),
        (AuthWindow(future_s_max=None), 61 * NS_PER_S, False),
    ],
)
def test_the_time_window_has_both_ends_inside(
    window: AuthWindow, shift_ns: int, passes: bool
) -> None:
    found = verify_login(HEADERS, NOW_NS + shift_ns, window)
    assert found == (Login(account(WalletKind.EOA).address, 0) if passes else INVALID_L1)
