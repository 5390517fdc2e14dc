"""polymarket-client 0.14.0 trades here with only its environment replaced."""

import asyncio
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from polyvenue.exchange.orders import TradeStatus
from polyvenue.exchange.records import TradePath, TradeStep
from polyvenue.market_data.records import MarketRecord
from polyvenue.signing.accounts import make_account
from polyvenue.signing.wallets import WalletKind
from tests.polyvenue.server.running import E6, Running, collect, polymarket, running, until

streams: Any = pytest.importorskip("polymarket.streams", reason="official SDK not installed")

KINDS = [WalletKind.EOA, WalletKind.DEPOSIT]
SURE = TradePath(
    steps=(
        TradeStep(status=TradeStatus.MINED, delay_ns=2 * 10**9),
        TradeStep(status=TradeStatus.CONFIRMED, delay_ns=2 * 10**9),
    )
)
FAILS = TradePath(steps=(TradeStep(status=TradeStatus.FAILED, delay_ns=2 * 10**9),))


async def placed(client: Any, **order: Any) -> Any:
    """The reply to a limit order."""
    return await client.post_order(await client.create_limit_order(**order))


def test_it_discovers_windows_and_reads_public_routes() -> None:
    async def scenario() -> None:
        async with running() as at:
            record = at.market()
            window = record.window
            async with polymarket.AsyncPublicClient(environment=at.environment) as public:
                found = await public.get_market(slug=window.slug)
                assert found.condition_id == window.condition_id
                assert found.outcomes.yes.token_id == window.token_ids[0]
                event = await public.get_event(slug=window.slug)
                assert event.slug == window.slug
                book = await public.get_order_book(token_id=window.token_ids[0])
                assert book.bids == ()
                listed = await public.list_markets(condition_ids=[window.condition_id]).first_page()
                assert [it.slug for it in listed.items] == [window.slug]

    asyncio.run(scenario())


@pytest.mark.parametrize("kind", KINDS)
def test_it_places_every_kind_of_order_and_cancels(kind: WalletKind) -> None:
    async def scenario() -> None:
        async with running() as at:
            client = await at.client(kind)
            up, down = at.market().window.token_ids
            money = await client.get_balance_allowance(asset_type="COLLATERAL")
            assert money.balance == 1_000 * E6
            assert len(await client.fetch_api_keys()) == 1
            assert await client.get_closed_only_mode() is False
            resting = await placed(client, token_id=up, price="0.40", size=10, side="BUY")
            assert (resting.ok, resting.status) == (True, "live")
            quiet = await placed(
                client, token_id=up, price="0.41", size=10, side="BUY", post_only=True
            )
            assert quiet.status == "live"
            now_s = at.venue.exchange.now_ns // 10**9
            timed = await placed(
                client, token_id=up, price="0.30", size=10, side="BUY", expiration=now_s + 400
            )
            assert timed.status == "live"
            batch = await client.post_orders(
                [
                    await client.create_limit_order(
                        token_id=down, price=price, size=size, side="BUY"
                    )
                    for price, size in (("0.20", 10), ("0.21", 2), ("0.22", 12))
                ]
            )
            assert [it.ok for it in batch] == [True, False, True]
            assert "lower than the minimum" in batch[1].message
            page = await client.list_open_orders().first_page()
            assert len(page.items) == 5
            assert (await client.get_order(order_id=timed.order_id)).status == "LIVE"
            assert await client.get_order_scoring(order_id=timed.order_id) is True
            one = await client.cancel_order(order_id=resting.order_id)
            assert one.canceled == (resting.order_id,)
            again = await client.cancel_orders(order_ids=[resting.order_id, quiet.order_id])
            assert again.canceled == (quiet.order_id,)
            assert list(again.not_canceled) == [resting.order_id]
            assert len((await client.cancel_market_orders(token_id=down)).canceled) == 2
            assert (await client.cancel_all()).canceled == (timed.order_id,)

    asyncio.run(scenario())


@pytest.mark.parametrize("kind", KINDS)
def test_market_orders_meet_the_book_or_are_killed(kind: WalletKind) -> None:
    async def scenario() -> None:
        async with running() as at:
            client, other = await at.client(kind), await at.client(WalletKind.DEPOSIT)
            record = at.market()
            up, down = record.window.token_ids
            at.venue.exchange.script_trades(SURE, count=10)
            for order_type in ("FAK", "FOK"):
                order = await client.create_market_order(
                    token_id=up, side="BUY", amount=5, max_price="0.50", order_type=order_type
                )
                with pytest.raises(polymarket.RequestRejectedError, match=f"{order_type} order"):
                    await client.post_order(order)
            maker = await placed(other, token_id=down, price="0.50", size=30, side="BUY")
            assert maker.status == "live"
            for order_type in ("FAK", "FOK"):
                order = await client.create_market_order(
                    token_id=up, side="BUY", amount=5, max_price="0.50", order_type=order_type
                )
                taken = await client.post_order(order)
                assert (taken.ok, taken.status) == (True, "delayed")
            await at_confirmed(client, 2)
            held = await client.get_balance_allowance(asset_type="CONDITIONAL", token_id=up)
            assert held.balance == 20 * E6
            money = await client.get_balance_allowance(asset_type="COLLATERAL")
            assert money.balance == (1_000 - 10) * E6 - 2 * 175_000

    asyncio.run(scenario())


def ends_as(status: str, found: list[Any]) -> bool:
    """True when the last event is a trade of this status."""
    return bool(found[-1].type == "trade" and found[-1].payload.status == status)


async def at_confirmed(client: Any, count: int) -> None:
    """Wait until so many trades are final."""

    async def done() -> bool:
        page = await client.list_account_trades().first_page()
        return [trade.status for trade in page.items] == ["CONFIRMED"] * count

    await until(done)


@pytest.mark.parametrize("kind", KINDS)
def test_the_streams_show_a_fill_to_its_end(kind: WalletKind) -> None:
    async def scenario() -> None:
        async with running() as at:
            client, other = await at.client(kind), await at.client(WalletKind.EOA)
            record = at.market()
            up, _ = record.window.token_ids
            market = await client.subscribe(
                streams.MarketSpec(token_ids=[up], custom_feature_enabled=True)
            )
            user = await client.subscribe(streams.UserSpec())
            await collect(market, lambda found: found[-1].type == "book")
            at.give_pairs(other, record, 50 * E6)
            for path, end in ((SURE, "CONFIRMED"), (FAILS, "FAILED")):
                at.venue.exchange.script_trades(path)
                await placed(other, token_id=up, price="0.52", size=10, side="SELL")
                mine = await placed(client, token_id=up, price="0.52", size=10, side="BUY")
                assert mine.status == "delayed"
                events = await collect(user, partial(ends_as, end))
                statuses = [it.payload.status for it in events if it.type == "trade"]
                assert statuses[0] == "MATCHED"
                changes = [it.payload.order_event_type for it in events if it.type == "order"]
                assert changes[:2] == ["PLACEMENT", "UPDATE"]
            seen = await collect(
                market, lambda found: sum(it.type == "last_trade_price" for it in found) == 2
            )
            kinds = {it.type for it in seen}
            assert {"price_change", "best_bid_ask", "book", "last_trade_price"} <= kinds
            held = await client.get_balance_allowance(asset_type="CONDITIONAL", token_id=up)
            assert held.balance == 10 * E6  # the failed fill was taken back

    asyncio.run(scenario())


def test_prices_stream_with_a_snapshot_of_two_minutes() -> None:
    async def scenario() -> None:
        async with running() as at:
            client = await at.client(WalletKind.EOA)
            handle = await client.subscribe(streams.CryptoTwapPriceSpec(symbols=["btcusd"]))
            events = await collect(handle, lambda found: len(found) >= 4)
            assert events[0].type != events[-1].type
            spot = await client.subscribe(streams.CryptoPriceSpec(symbols=["btcusd"]))
            assert len(await collect(spot, lambda found: len(found) >= 3)) == 3

    asyncio.run(scenario())


@pytest.mark.parametrize("kind", KINDS)
def test_splits_merges_and_redeems_through_the_chain(kind: WalletKind) -> None:
    async def scenario() -> None:
        async with running() as at:
            client = await at.client(kind)
            window = at.market(60).window
            condition_id = window.condition_id
            split = await client.split_position(condition_id=condition_id, amount=50 * E6)
            await split.wait()
            await (await client.merge_positions(condition_id=condition_id, amount=20 * E6)).wait()
            held = await client.get_balance_allowance(
                asset_type="CONDITIONAL", token_id=window.token_ids[0]
            )
            assert held.balance == 30 * E6
            positions = await client.list_positions(user=client._ctx.wallet).first_page()
            assert {it.current_size for it in positions.items} == {Decimal(30)}
            await gamma_closed(at, window.slug)
            await (await client.redeem_positions(condition_id=condition_id)).wait()
            money = await client.get_balance_allowance(asset_type="COLLATERAL")
            assert money.balance == 1_000 * E6

    asyncio.run(scenario())


async def gamma_closed(at: Running, slug: str) -> None:
    """Wait, in steps, until Gamma shows the outcome of a window."""
    async with polymarket.AsyncPublicClient(environment=at.environment) as public:

        async def closed() -> bool:
            at.advance(20)
            found = await public.get_market(slug=slug)
            return bool(found.state.closed)

        await until(closed)


def test_a_resolution_is_told_on_the_stream_and_empties_the_book() -> None:
    async def scenario() -> None:
        async with running() as at:
            client = await at.client(WalletKind.EOA)
            record: MarketRecord = at.market(60)
            window = record.window
            market = await client.subscribe(
                streams.MarketSpec(token_ids=list(window.token_ids), custom_feature_enabled=True)
            )
            user = await client.subscribe(streams.UserSpec(markets=[window.condition_id]))
            await placed(client, token_id=window.token_ids[0], price="0.10", size=10, side="BUY")
            left_s = (window.resolved_ns - at.venue.exchange.now_ns) / 1e9
            at.advance(left_s)
            found = await collect(market, lambda it: it[-1].type == "market_resolved")
            settled = at.venue.markets.market(window.condition_id)
            assert settled is not None
            assert settled.winner is not None
            assert found[-1].payload.winning_asset_id == window.token_ids[settled.winner]
            events = await collect(
                user, lambda it: it[-1].payload.status == "CANCELED_MARKET_RESOLVED"
            )
            assert events[-1].payload.order_event_type == "CANCELLATION"
            at.advance((window.book_removed_ns - at.venue.exchange.now_ns) / 1e9)
            with pytest.raises(polymarket.RequestRejectedError, match="No orderbook exists"):
                await client.get_order_book(token_id=window.token_ids[0])

    asyncio.run(scenario())


def test_a_heartbeat_that_stops_cancels_the_orders_of_its_key() -> None:
    async def scenario() -> None:
        async with running() as at:
            client = await at.client(WalletKind.EOA)
            up, _ = at.market().window.token_ids
            first = await client.send_order_heartbeat()
            await client.send_order_heartbeat(heartbeat_id=first.heartbeat_id)
            with pytest.raises(polymarket.OrderHeartbeatMismatchError) as wrong:
                await client.send_order_heartbeat(heartbeat_id="hb-wrong")
            assert wrong.value.heartbeat_id
            order = await placed(client, token_id=up, price="0.40", size=10, side="BUY")
            at.advance(20)
            assert (await client.get_order(order_id=order.order_id)).status == "CANCELED"

    asyncio.run(scenario())


def test_a_deposit_wallet_is_deployed_by_the_client_itself() -> None:
    async def scenario() -> None:
        async with running() as at:
            account = make_account(b"nobody has seen this key", WalletKind.DEPOSIT)
            client = await polymarket.AsyncSecureClient.create(
                private_key=account.private_key,
                environment=at.environment,
                api_key=polymarket.RelayerApiKey(key="relayer-key", address=account.address),
            )
            at.clients.append(client)
            assert client._ctx.wallet == account.wallet
            at.venue.exchange.deposit(at.venue.catch_up(), account.wallet, 100 * E6)
            up, _ = at.market().window.token_ids
            with pytest.raises(polymarket.RequestRejectedError, match="allowance is not enough"):
                await placed(client, token_id=up, price="0.40", size=10, side="BUY")
            # approves through the relayer, then posts again
            done = await client.place_limit_order(token_id=up, price="0.40", size=10, side="BUY")
            assert (done.ok, done.status) == (True, "live")

    asyncio.run(scenario())
