"""Window after window on one exchange: what is finished and forgotten leaves no trace in memory."""

from random import Random

import msgspec

from polyvenue.exchange import MarketTerms
from polyvenue.exchange.chain import JobRequest
from polyvenue.exchange.events import JobKind
from polyvenue.exchange.orders import OrderRequest
from polyvenue.exchange.units import DAY_NS, MS_NS, S_NS
from tests.polyvenue.exchange.campaign import WALLETS, draw_request
from tests.polyvenue.exchange.world import PUSD, UP, World, e6, make_world


def run_window(world: World, rng: Random, number: int) -> None:
    """List, trade, end, resolve, redeem and forget one market."""
    venue, market_id = world.venue, f"0xw{number}"
    tokens = (f"{number}-up", f"{number}-down")
    terms = MarketTerms(market_id=market_id, token_ids=tokens)
    venue.list_market(world.now_ns, terms)
    for who in WALLETS:
        venue.split_now(world.now_ns, who, market_id, e6(200))
    for _ in range(60):
        world.count += 1
        request = draw_request(rng, world.count)
        world.send(in_market(request, tokens))
        world.now_ns += 50 * MS_NS
    world.wait(1)
    venue.end_market(world.now_ns, market_id)
    venue.resolve_market(world.now_ns, market_id, (1_000_000, 0))
    venue.remove_book(world.now_ns, market_id)
    world.wait(120)
    for who in WALLETS:
        job = JobRequest(maker=who, kind=JobKind.REDEEM, market_id=market_id)
        venue.submit_job(world.now_ns, job)
    world.wait(30)
    venue.forget_market(world.now_ns, market_id)
    venue.pay_rebates(world.now_ns, world.now_ns // DAY_NS)
    world.check()


def in_market(request: OrderRequest, tokens: tuple[str, str]) -> OrderRequest:
    """The same order for a token of another market."""
    return msgspec.structs.replace(request, token_id=tokens[0 if request.token_id == UP else 1])


def sizes(world: World) -> list[int]:
    """How much the exchange remembers."""
    core = world.venue.core
    kept = (core.markets, core.tokens, core.orders, core.open_by_owner, core.trades, core.jobs)
    listed = sum(len(ids) for ids in core.trades_of.values())
    balances = sum(len(account.held) for account in core.ledger.accounts.values())
    return [*(len(it) for it in (*kept, core.jobs_of)), listed, balances]


def test_memory_stays_flat_over_windows() -> None:
    world, rng = make_world(wallets=WALLETS), Random(3)
    seen = []
    for number in range(6):
        run_window(world, rng, number)
        seen.append(sizes(world))
    assert seen[1:] == [seen[1]] * 5
    assert world.venue.next_ns() is None
    assert sum(world.held(who, PUSD) for who in (*WALLETS, "fees")) == e6(50_000)
    assert world.now_ns > 6 * 150 * S_NS
