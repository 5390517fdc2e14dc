"""What private and public reads show, whole; pages and filters are the server's."""

from polyvenue.exchange.events import BookSnapshot, TradeView
from polyvenue.exchange.market import Phase
from polyvenue.exchange.orders import OrderView, Refusal
from polyvenue.exchange.state import Core


def book(core: Core, token_id: str) -> BookSnapshot | Refusal:
    """The book of a token, or 404 when there is none (any more)."""
    found = core.tokens.get(token_id)
    if found is None or found[0].phase in (Phase.CREATED, Phase.REMOVED):
        return Refusal(status=404, text="No orderbook exists for the requested token id")
    market, outcome = found
    return market.snapshot(outcome, core.now_ns)


def open_orders(core: Core, api_key: str) -> tuple[OrderView, ...]:
    """Resting and held orders of a key, oldest first."""
    return tuple(core.orders[it].view() for it in core.open_by_owner.get(api_key, ()))


def trades(core: Core, maker: str) -> tuple[TradeView, ...]:
    """Trades of a wallet on either side, oldest first."""
    return tuple(core.trades[it].view for it in core.trades_of.get(maker, ()))
