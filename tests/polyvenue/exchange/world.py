"""A small venue to test with: one market, three funded wallets, short ways to place and look."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from polyvenue.exchange import Exchange, ExchangeConfig, MarketTerms
from polyvenue.exchange.config import ChainConfig, Delay, SettlementConfig
from polyvenue.exchange.events import Event
from polyvenue.exchange.orders import OrderRequest, OrderType, Placed, Refusal, Side
from polyvenue.exchange.units import MS_NS, S_NS

UP, DOWN = "1111", "2222"
MARKET = "0xc0"
START_NS = 1_795_366_800 * S_NS
PUSD = "pUSD"
BUY, SELL = Side.BUY, Side.SELL
GTC, GTD, FOK, FAK = OrderType.GTC, OrderType.GTD, OrderType.FOK, OrderType.FAK

AT_ONCE = Delay(low_ns=0, high_ns=0)
CERTAIN = SettlementConfig(
    mined=Delay(low_ns=2 * S_NS, high_ns=2 * S_NS),
    confirmed=Delay(low_ns=3 * S_NS, high_ns=3 * S_NS),
    retried=Delay(low_ns=S_NS, high_ns=S_NS),
    retry_ppm=0,
    fail_ppm=0,
)
SURE_CHAIN = ChainConfig(
    executed=Delay(low_ns=S_NS, high_ns=S_NS),
    mined=Delay(low_ns=2 * S_NS, high_ns=2 * S_NS),
    confirmed=Delay(low_ns=3 * S_NS, high_ns=3 * S_NS),
)
CONFIG = ExchangeConfig(settlement=CERTAIN, chain=SURE_CHAIN)


def order_id(number: int) -> str:
    """An order id by number."""
    return "0x" + f"{number:064x}"


def e6(value: str | int) -> int:
    """10^-6 units of a decimal text."""
    scaled = Decimal(value) * 1_000_000
    assert scaled == int(scaled), f"{value} has more than six decimals"
    return int(scaled)


@dataclass
class World:
    """An exchange with wallets a, b and c (API keys key-a ...) and one market that trades."""

    venue: Exchange
    now_ns: int = START_NS
    count: int = 0
    events: list[Event] = field(default_factory=list)

    def request(
        self,
        who: str,
        side: Side,
        token: str,
        price: str,
        qty: str,
        kind: OrderType = GTC,
        *,
        post_only: bool = False,
        expiration_s: int = 0,
    ) -> OrderRequest:
        """A limit order at a price; collateral is price times quantity."""
        collateral_e6, qty_e6 = e6(str(Decimal(price) * Decimal(qty))), e6(qty)
        self.count += 1
        return OrderRequest(
            order_id=order_id(self.count),
            owner=f"key-{who}",
            maker=who,
            token_id=token,
            side=side,
            maker_amount_e6=collateral_e6 if side is BUY else qty_e6,
            taker_amount_e6=qty_e6 if side is BUY else collateral_e6,
            order_type=kind,
            post_only=post_only,
            expiration_s=expiration_s,
        )

    def send(self, request: OrderRequest) -> Placed | Refusal:
        """Place with the owner's key."""
        result = self.venue.place(self.now_ns, request, request.owner)
        self.check()
        return result

    def buy(self, who: str, token: str, price: str, qty: str, kind: OrderType = GTC) -> str:
        """Place a BUY that must be accepted; its id."""
        return self.accepted(self.request(who, BUY, token, price, qty, kind))

    def sell(self, who: str, token: str, price: str, qty: str, kind: OrderType = GTC) -> str:
        """Place a SELL that must be accepted; its id."""
        return self.accepted(self.request(who, SELL, token, price, qty, kind))

    def accepted(self, request: OrderRequest) -> str:
        """Place an order that must be accepted; its id."""
        result = self.send(request)
        assert isinstance(result, Placed), result
        return result.order_id

    def wait(self, seconds: float) -> None:
        """Let time pass, checking every law after each thing that is due."""
        until_ns = self.now_ns + round(seconds * 1000) * MS_NS
        while (due_ns := self.venue.next_ns()) is not None and due_ns <= until_ns:
            self.venue.advance(max(due_ns, self.venue.now_ns))
            self.check()
        self.now_ns = until_ns
        self.venue.advance(until_ns)
        self.check()

    def check(self) -> None:
        """Every law holds; events are kept."""
        assert self.venue.problems() == []
        self.events.extend(self.venue.take_events())

    def held(self, who: str, asset: str) -> int:
        """What a wallet holds on chain."""
        return self.venue.account(who).held.get(asset, 0)

    def status(self, order: str) -> str:
        """Status of an order."""
        view = self.venue.order(order)
        assert view is not None
        return view.status

    def take(self, kind: type[Event]) -> list[Event]:
        """Events of one kind so far."""
        return [event for event in self.events if isinstance(event, kind)]


def make_world(
    config: ExchangeConfig = CONFIG,
    *,
    terms: MarketTerms | None = None,
    pairs: int = 1000,
    wallets: Iterable[str] = "abc",
    hold_ns: int = 0,
    seed: int = 7,
) -> World:
    """Wallets with 10,000 pUSD and as many pairs as asked for; no hold unless asked for."""
    venue = Exchange(config, seed)
    terms = terms or MarketTerms(
        market_id=MARKET, token_ids=(UP, DOWN), hold_ns=hold_ns, refine_e4=0
    )
    venue.list_market(START_NS, terms)
    for who in wallets:
        venue.create_account(START_NS, who, collateral_e6=e6(10_000) + e6(pairs))
        venue.add_api_key(START_NS, who, f"key-{who}")
        if pairs:
            venue.split_now(START_NS, who, MARKET, e6(pairs))
    venue.take_events()
    return World(venue)
