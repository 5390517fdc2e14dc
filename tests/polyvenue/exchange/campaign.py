"""Random orders against the exchange, the brute-force matcher and every law.

    python -m tests.polyvenue.exchange.campaign --orders 100000 --seed 1

Two campaigns: `match` compares each fill and the final money with the other matcher; `chaos` runs
everything at once (poor wallets, failing settlements, drains, jobs, modes, holds) and checks every
law after each call.
"""

import argparse
import hashlib
import time
from collections import deque
from collections.abc import Callable
from fractions import Fraction
from random import Random

import msgspec

from polyvenue.exchange import Exchange, ExchangeConfig, MarketTerms
from polyvenue.exchange.chain import JobRequest
from polyvenue.exchange.config import ChainConfig, SettlementConfig
from polyvenue.exchange.events import Event, JobKind
from polyvenue.exchange.orders import OrderRequest, OrderType, Placed, Refusal, ReplyStatus, Side
from polyvenue.exchange.state import EngineMode
from polyvenue.exchange.truth import fills_of
from polyvenue.exchange.units import MS_NS, S_NS
from tests.polyvenue.exchange.brute import Brute, Fill, Resting
from tests.polyvenue.exchange.world import (
    BUY,
    CERTAIN,
    DOWN,
    MARKET,
    PUSD,
    START_NS,
    UP,
    World,
    make_world,
    order_id,
)

WALLETS = "abcde"


def draw_request(rng: Random, number: int, tick_e4: int = 100) -> OrderRequest:
    """An order around the middle of the book, of any type, side and token."""
    who = rng.choice(WALLETS)
    side, token = rng.choice((Side.BUY, Side.SELL)), rng.choice((UP, DOWN))
    price_e4 = min(9900, max(100, round(rng.gauss(5000, 800)) // tick_e4 * tick_e4))
    kind = rng.choices(tuple(OrderType), (70, 0, 10, 20))[0]
    qty_e6 = rng.randint(5, 40) * 1_000_000
    if kind.rests:
        qty_e6 += rng.randrange(100) * 10_000
    collateral_e6 = qty_e6 * price_e4 // 10_000
    is_buy = side is Side.BUY
    return OrderRequest(
        order_id=order_id(number),
        owner=f"key-{who}",
        maker=who,
        token_id=token,
        side=side,
        maker_amount_e6=collateral_e6 if is_buy else qty_e6,
        taker_amount_e6=qty_e6 if is_buy else collateral_e6,
        order_type=kind,
        post_only=kind.rests and rng.random() < 0.2,
    )


def as_resting(request: OrderRequest) -> Resting:
    """The same order for the other matcher."""
    return Resting(
        name=request.order_id,
        who=request.maker,
        buy=request.side is BUY,
        up=request.token_id == UP,
        price=Fraction(request.collateral_e6, request.qty_e6),
        left=Fraction(request.qty_e6, 10**6),
    )


class Match:
    """The exchange and the other matcher side by side; wallets are rich and settlement is sure."""

    def __init__(self, seed: int, *, hold_ns: int, cross: bool) -> None:
        terms = MarketTerms(
            market_id=MARKET,
            token_ids=(UP, DOWN),
            hold_ns=hold_ns,
            cross_outcome_match=cross,
            refine_e4=0,
        )
        config = ExchangeConfig(settlement=CERTAIN)
        self.world: World = make_world(config, terms=terms, pairs=10**7, wallets=WALLETS)
        for who in WALLETS:
            self.world.venue.deposit(START_NS, who, 10**15)
        self.start = self.money()
        self.rng = Random(seed)
        self.brute = Brute(cross=cross)
        self.hold_ns = hold_ns
        self.waiting: deque[tuple[int, Resting, str]] = deque()
        self.names: list[tuple[str, str]] = []

    def money(self) -> dict[tuple[str, str], int]:
        """What each wallet holds."""
        held = self.world.held
        return {(who, it): held(who, it) for who in WALLETS for it in (PUSD, UP, DOWN)}

    def run(self, orders: int, laws_every: int) -> None:
        """Place, cancel and compare; laws are checked every so many steps."""
        venue = self.world.venue
        for number in range(1, orders + 1):
            self.world.now_ns += self.rng.choice((0, 1, 30, 60, 200)) * MS_NS
            self.release()
            venue.advance(self.world.now_ns)
            if self.names and self.rng.random() < 0.3:
                self.cancel()
            if number % 200 == 0:
                self.cancel_all(self.rng.choice(WALLETS))
            self.arrive(draw_request(self.rng, number))
            if number % laws_every == 0:
                self.world.check()
        self.finish()

    def release(self) -> None:
        """The other matcher's held orders, at their time."""
        while self.waiting and self.waiting[0][0] <= self.world.now_ns:
            _, order, kind = self.waiting.popleft()
            self.brute.arrive(order, kind)

    def arrive(self, request: OrderRequest) -> None:
        """One order on both sides, and the same answer."""
        result = self.world.venue.place(self.world.now_ns, request, request.owner)
        order = as_resting(request)
        if self.hold_ns and self.brute.candidates(order) and not request.post_only:
            assert isinstance(result, Placed), result
            assert result.status is ReplyStatus.DELAYED
            self.waiting.append((self.world.now_ns + self.hold_ns, order, request.order_type))
            return
        done = self.brute.arrive(order, request.order_type, post_only=request.post_only)
        if done in ("refused", "killed"):
            assert isinstance(result, Refusal), (done, result)
            return
        assert isinstance(result, Placed), (done, result)
        expected = ReplyStatus.LIVE if done == "rests" else ReplyStatus.MATCHED
        assert result.status is expected
        self.names.append((request.order_id, request.owner))

    def cancel(self) -> None:
        """Cancel any order on both sides, and the same answer."""
        name, owner = self.rng.choice(self.names[-200:])
        reply = self.world.venue.cancel(self.world.now_ns, owner, name)
        assert not isinstance(reply, Refusal)
        assert (reply.canceled == (name,)) is self.brute.cancel(name)

    def cancel_all(self, who: str) -> None:
        """Cancel all of a wallet on both sides, and the same orders go."""
        reply = self.world.venue.cancel_all(self.world.now_ns, f"key-{who}")
        assert not isinstance(reply, Refusal)
        resting = {it.name for it in self.brute.resting if it.who == who}
        assert set(reply.canceled) == resting
        for name in resting:
            self.brute.cancel(name)

    def finish(self) -> None:
        """Let everything settle; fills, resting orders and money agree to the last unit."""
        self.world.now_ns += 3600 * S_NS
        self.release()
        self.world.venue.advance(self.world.now_ns)
        self.world.check()
        assert self.fills() == self.brute.fills
        assert self.resting() == {it.name: it.left * 10**6 for it in self.brute.resting}
        gained = {key: value - self.start[key] for key, value in self.money().items()}
        for who in WALLETS:
            assert gained[who, PUSD] == self.brute.cash.get(who, Fraction(0)) * 10**6
            for token in (UP, DOWN):
                shares = self.brute.shares.get((who, token == UP), Fraction(0))
                assert gained[who, token] == shares * 10**6
        assert self.world.venue.truth().fees_e6 == self.brute.fees * 10**6

    def fills(self) -> list[Fill]:
        """The exchange's fills in the other matcher's words."""
        found = []
        for trade in self.world.venue.core.trades.values():
            taker, *makers = fills_of(trade.view)
            found += [
                Fill(
                    taker=taker.order_id,
                    maker=it.order_id,
                    qty=Fraction(it.qty_e6, 10**6),
                    taker_price=Fraction(taker.price_e4, 10**4),
                    maker_price=Fraction(it.price_e4, 10**4),
                )
                for it in makers
            ]
        return found

    def resting(self) -> dict[str, int]:
        """Orders in the exchange's book and what is left of them."""
        market = self.world.venue.market(MARKET)
        return {it: self.world.venue.core.orders[it].remaining_e6 for it in market.open_ids}


def make_chaos(seed: int, *, cross: bool = True) -> Exchange:
    """Poor wallets, and settlements and jobs that often fail."""
    settlement = SettlementConfig(retry_ppm=100_000, fail_ppm=200_000, fail_mined_ppm=500_000)
    chain = ChainConfig(fail_ppm=200_000, auto_redeem_ns=30 * S_NS)
    venue = Exchange(ExchangeConfig(settlement=settlement, chain=chain), seed)
    terms = MarketTerms(market_id=MARKET, token_ids=(UP, DOWN), cross_outcome_match=cross)
    venue.list_market(START_NS, terms)
    for who in WALLETS:
        venue.create_account(START_NS, who, collateral_e6=300_000_000)
        venue.add_api_key(START_NS, who, f"key-{who}")
        venue.split_now(START_NS, who, MARKET, 100_000_000)
    return venue


def draw_any(rng: Random, number: int, venue: Exchange) -> OrderRequest:
    """An order on the present grid; some live only for a while, or ask to live too short."""
    request = draw_request(rng, number, venue.market(MARKET).tick_e4)
    if request.order_type is not OrderType.GTC or rng.random() < 0.7:
        return request
    dies_s = venue.now_ns // S_NS + rng.randint(170, 240)
    changes = {"order_type": OrderType.GTD, "expiration_s": dies_s}
    return msgspec.structs.replace(request, **changes)


def chaos_step(venue: Exchange, rng: Random, number: int, now_ns: int) -> None:
    """One random call."""
    venue.advance(now_ns)
    who = rng.choice(WALLETS)
    key, dice = f"key-{who}", rng.random()
    if dice < 0.70:
        request = draw_any(rng, number, venue)
        venue.place(now_ns, request, key if number % 50 == 0 else request.owner)
    elif dice < 0.80:
        venue.cancel(now_ns, key, order_id(rng.randint(max(1, number - 50), number)))
    elif dice < 0.81:
        venue.cancel_all(now_ns, key)
    elif dice < 0.83:
        venue.heartbeat(now_ns, key, None)
    elif dice < 0.88:
        kind = rng.choice((JobKind.SPLIT, JobKind.MERGE, JobKind.REDEEM))
        job = JobRequest(maker=who, kind=kind, market_id=MARKET, qty_e6=rng.randint(1, 10**8))
        venue.submit_job(now_ns, job)
    elif dice < 0.92:
        asset = rng.choice((PUSD, UP, DOWN))
        free_e6 = venue.account(who).spendable_e6(asset)
        venue.transfer(now_ns, who, rng.choice(WALLETS), asset, free_e6 * rng.randint(0, 4) // 4)
    elif dice < 0.94:
        venue.recheck_balance(now_ns, who)
    elif dice < 0.945:
        venue.set_mode(now_ns, rng.choice(tuple(EngineMode)), rng.randint(1, 5) * S_NS)
    elif dice < 0.95:
        venue.pay_rebates(now_ns, now_ns // (86_400 * S_NS))


def run_chaos(seed: int, steps: int, *, cross: bool = True, laws: bool = True) -> str:
    """Random calls, then the end of the market; the digest of all events."""
    venue, rng = make_chaos(seed, cross=cross), Random(seed)
    digest, now_ns = hashlib.sha256(), START_NS
    for number in range(1, steps + 1):
        now_ns += rng.choice((0, 1, 20, 100, 400, 1000)) * MS_NS
        chaos_step(venue, rng, number, now_ns)
        note(digest.update, venue.take_events())
        assert not laws or venue.problems() == []
    now_ns = end_chaos(venue, now_ns, laws=laws)
    note(digest.update, venue.take_events())
    venue.forget_market(now_ns, MARKET)
    assert venue.problems() == []
    truth = venue.truth()
    assert (truth.orders, truth.fills, truth.jobs) == ((), (), ())
    assert sum(it.held_e6 for it in truth.balances) == 300_000_000 * len(WALLETS)
    return digest.hexdigest()


def end_chaos(venue: Exchange, now_ns: int, *, laws: bool) -> int:
    """End, resolve, remove the book and let everything settle."""
    venue.set_mode(now_ns, EngineMode.NORMAL)
    venue.end_market(now_ns, MARKET)
    now_ns += 60 * S_NS
    venue.resolve_market(now_ns, MARKET, (1_000_000, 0))
    assert not laws or venue.problems() == []
    for who in WALLETS:
        venue.submit_job(now_ns, JobRequest(maker=who, kind=JobKind.REDEEM, market_id=MARKET))
    now_ns += 600 * S_NS
    venue.advance(now_ns)
    venue.remove_book(now_ns, MARKET)
    assert not laws or venue.problems() == []
    return now_ns


def note(update: Callable[[bytes], None], events: tuple[Event, ...]) -> None:
    """Feed events to a digest."""
    for event in events:
        update(repr(event).encode())


def main() -> None:
    """Run both campaigns at the size asked for and print what was done."""
    parser = argparse.ArgumentParser(description="random orders against the exchange")
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    for hold_ns, cross in ((0, True), (150 * MS_NS, True), (0, False)):
        began = time.perf_counter()
        campaign = Match(args.seed, hold_ns=hold_ns, cross=cross)
        campaign.run(args.orders, laws_every=1000)
        took_s = time.perf_counter() - began
        shown = f"hold {hold_ns // MS_NS} ms, cross {cross}"
        print(f"match  {shown}: {len(campaign.brute.fills)} equal fills in {took_s:.0f} s")
    for cross in (True, False):
        began = time.perf_counter()
        digest = run_chaos(args.seed, args.orders, cross=cross)
        print(f"chaos  cross {cross}: {digest[:16]} in {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
