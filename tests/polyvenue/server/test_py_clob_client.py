"""py-clob-client-v2 1.2.1 trades here with only its host replaced."""

import asyncio
from typing import Any

import pytest

from polyvenue.signing.accounts import Account
from polyvenue.signing.wallets import WalletKind
from tests.polyvenue.server.running import running

REASON = "py-clob-client-v2 not installed"
client_module: Any = pytest.importorskip("py_clob_client_v2.client", reason=REASON)
types: Any = pytest.importorskip("py_clob_client_v2.clob_types", reason=REASON)


def trade(host: str, account: Account, token_id: str) -> list[Any]:
    """Key, order, read, cancel, as a script of a user would do it (it blocks)."""
    client = client_module.ClobClient(
        host,
        chain_id=137,
        key=account.private_key,
        signature_type=int(account.signature_type),
        funder=account.wallet,
    )
    client.set_api_creds(client.create_or_derive_api_key())
    order = client.create_order(
        types.OrderArgsV2(token_id=token_id, price=0.42, size=10, side="BUY")
    )
    posted = client.post_order(order, "GTC", post_only=True)
    seen = client.get_open_orders()
    gone = client.cancel_order(types.OrderPayload(orderID=posted["orderID"]))
    return [client.get_version(), posted, seen, gone, client.get_open_orders()]


@pytest.mark.parametrize("kind", [WalletKind.EOA, WalletKind.DEPOSIT])
def test_it_creates_posts_reads_and_cancels(kind: WalletKind) -> None:
    async def scenario() -> None:
        async with running() as at:
            account = at.venue.new_account(kind, 100_000_000)
            token_id = at.market().window.token_ids[0]
            version, posted, seen, gone, left = await asyncio.to_thread(
                trade, at.at.clob, account, token_id
            )
            assert version == 2
            assert (posted["success"], posted["status"]) == (True, "live")
            assert [order["id"] for order in seen] == [posted["orderID"]]
            assert gone == {"canceled": [posted["orderID"]], "not_canceled": {}}
            assert left == []

    asyncio.run(scenario())
