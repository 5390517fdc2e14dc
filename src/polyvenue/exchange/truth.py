"""What really happened, for the judge: no frame, no delay and no fault touches it."""

import msgspec

from polyvenue.exchange.accounts import FEES, Balance
from polyvenue.exchange.events import JobView, SelfTradeDetected, TradeView
from polyvenue.exchange.orders import PUSD, OrderView, Side, TradeStatus
from polyvenue.exchange.state import Core, RequestNote


class FillTruth(msgspec.Struct, frozen=True, kw_only=True):
    """One order's part of a trade, in its own token, side and price; `cash_e6` is unsigned."""

    trade_id: str
    order_id: str
    owner: str
    maker: str
    is_taker: bool
    market_id: str
    token_id: str
    side: Side
    price_e4: int
    qty_e6: int
    cash_e6: int
    fee_e6: int
    status: TradeStatus
    matched_ns: int


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """Everything, in 10^-6 units. `non_faithful` names markets that do not match as the venue."""

    now_ns: int
    mode: str
    orders: tuple[OrderView, ...]
    fills: tuple[FillTruth, ...]
    balances: tuple[Balance, ...]
    jobs: tuple[JobView, ...]
    requests: tuple[RequestNote, ...]
    requests_dropped: int
    self_trades: tuple[SelfTradeDetected, ...]
    fees_e6: int
    non_faithful: tuple[str, ...]


def tell(core: Core) -> Truth:
    """The truth at this moment."""
    return Truth(
        now_ns=core.now_ns,
        mode=core.mode,
        orders=tuple(order.view() for order in core.orders.values()),
        fills=tuple(fill for trade in core.trades.values() for fill in fills_of(trade.view)),
        balances=core.ledger.balances(),
        jobs=tuple(job.view for job in core.jobs.values()),
        requests=tuple(core.requests),
        requests_dropped=core.requests_dropped,
        self_trades=tuple(core.self_trades),
        fees_e6=core.ledger.accounts[FEES].held.get(PUSD, 0),
        non_faithful=tuple(
            market_id
            for market_id, market in core.markets.items()
            if not market.terms.cross_outcome_match
        ),
    )


def note_request(core: Core, note: RequestNote) -> None:
    """Remember a request; the oldest goes when there are too many, and is counted."""
    if len(core.requests) == core.requests.maxlen:
        core.requests_dropped += 1
    core.requests.append(note)


def fills_of(view: TradeView) -> tuple[FillTruth, ...]:
    """The taker's fill of a trade, then the makers' in order."""
    taker = FillTruth(
        trade_id=view.trade_id,
        order_id=view.taker_order_id,
        owner=view.owner,
        maker=view.maker,
        is_taker=True,
        market_id=view.market_id,
        token_id=view.token_id,
        side=view.side,
        price_e4=view.price_e4,
        qty_e6=view.qty_e6,
        cash_e6=view.cash_e6,
        fee_e6=view.fee_e6,
        status=view.status,
        matched_ns=view.matched_ns,
    )
    makers = (
        FillTruth(
            trade_id=view.trade_id,
            order_id=fill.order_id,
            owner=fill.owner,
            maker=fill.maker,
            is_taker=False,
            market_id=view.market_id,
            token_id=fill.token_id,
            side=fill.side,
            price_e4=fill.price_e4,
            qty_e6=fill.qty_e6,
            cash_e6=fill.cash_e6,
            fee_e6=0,
            status=view.status,
            matched_ns=view.matched_ns,
        )
        for fill in view.makers
    )
    return (taker, *makers)
