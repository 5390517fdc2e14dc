"""From events of the exchange to messages of the market and the user channel."""

from polyvenue.exchange import events as ev
from polyvenue.exchange.units import PPM
from polyvenue.market_data import market_messages as mm
from polyvenue.market_data import user_messages as um
from polyvenue.market_data.prices import uniform
from polyvenue.market_data.records import BookView, book_hash
from polyvenue.market_data.windows import OUTCOMES
from polyvenue.server.channels import Channels
from polyvenue.server.config import VenueConfig
from polyvenue.server.markets import MarketTable


class Feed:
    """Turns each event into what clients get of it, and tells the market table."""

    def __init__(self, config: VenueConfig, table: MarketTable, channels: Channels) -> None:
        self._config = config
        self._table = table
        self._channels = channels
        self._best: dict[str, tuple[int | None, int | None]] = {}

    def take(self, event: ev.Event) -> None:
        """Handle one event; what no stream shows is passed over."""
        if isinstance(event, ev.BookChanged):
            self._book_changed(event)
        elif isinstance(event, ev.OrderChanged):
            self._order(event)
        elif isinstance(event, ev.TradeStatusChanged):
            self._trade_moved(event)
        else:
            self._market_event(event)

    def _market_event(self, event: ev.Event) -> None:
        match event:
            case ev.BookSnapshot() if self._channels.wants(event.token_id):
                self._channels.market(mm.book_message(self._table.view(event)))
            case ev.TradePrinted():
                self._print(event)
            case ev.TickSizeChanged():
                self._tick(event)
            case ev.MarketListed() if record := self._table.market(event.market_id):
                self._channels.market(mm.new_market(record, event.at_ns))
            case ev.MarketResolved():
                self._resolved(event)
            case ev.BookRemoved() if record := self._table.market(event.market_id):
                for token_id in record.window.token_ids:
                    self._best.pop(token_id, None)

    def _book_changed(self, event: ev.BookChanged) -> None:
        self._table.note_levels(event.market_id, event.changes, event.at_ns)
        tokens = dict.fromkeys(change.token_id for change in event.changes)
        if not any(map(self._channels.wants, tokens)):
            for change in event.changes:
                self._best[change.token_id] = (change.best_bid_e4, change.best_ask_e4)
            return
        hashes = {token: self._hash(token) for token in tokens}
        rows = [
            mm.LevelChange(
                change.token_id,
                mm.Side.BUY if change.is_bid else mm.Side.SELL,
                change.price_e4,
                change.qty_e6,
                hashes[change.token_id],
                change.best_bid_e4,
                change.best_ask_e4,
            )
            for change in event.changes
        ]
        self._channels.market(mm.price_change(event.market_id, rows, event.at_ns))
        for change in {it.token_id: it for it in event.changes}.values():
            self._best_changed(event, change)

    def _hash(self, token_id: str) -> str:
        book = self._table.book(token_id)
        return "" if book is None else book_hash(book)

    def _best_changed(self, event: ev.BookChanged, change: ev.LevelChange) -> None:
        best = (change.best_bid_e4, change.best_ask_e4)
        if self._best.get(change.token_id) == best:
            return
        self._best[change.token_id] = best
        bid, ask = ((() if price is None else ((price, 1),)) for price in best)
        view = BookView(event.market_id, change.token_id, event.at_ns, bid, ask)
        self._channels.market(mm.best_bid_ask(view))

    def _print(self, event: ev.TradePrinted) -> None:
        self._table.note_print(
            event.token_id, event.side, event.price_e4, event.qty_e6, event.at_ns
        )
        if self._channels.wants(event.token_id):
            done = mm.PublicPrint(
                event.market_id,
                event.token_id,
                mm.Side(event.side.value),
                event.price_e4,
                event.qty_e6,
                event.at_ns,
                event.tx_hash,
            )
            self._channels.market(mm.last_trade_price(done))

    def _tick(self, event: ev.TickSizeChanged) -> None:
        self._table.note_tick(event.market_id, event.new_tick_e4, event.at_ns)
        if record := self._table.market(event.market_id):
            for message in mm.tick_size_change(
                record.window, event.old_tick_e4, event.new_tick_e4, event.at_ns
            ):
                self._channels.market(message)

    def _resolved(self, event: ev.MarketResolved) -> None:
        record = self._table.market(event.market_id)
        if record is None or event.winning_token_id is None:
            return
        chance = uniform(f"{self._config.seed}:{record.window.slug}:resolved-lost")
        if chance * PPM >= self._config.resolved_lost_ppm:
            winner = record.window.outcome_of(event.winning_token_id)
            self._channels.market(mm.market_resolved(record.window, winner, event.at_ns))

    def _trade_moved(self, event: ev.TradeStatusChanged) -> None:
        trade = event.trade
        if self._channels.wants_user((trade.owner, *(part.owner for part in trade.makers))):
            for message in um.trade_messages(user_trade(trade), event.at_ns):
                self._channels.user(message)

    def _order(self, event: ev.OrderChanged) -> None:
        order = event.order
        if not self._channels.wants_user((order.owner,)):
            return
        shown = um.UserOrder(
            order_id=order.order_id,
            api_key=order.owner,
            maker_address=order.maker,
            condition_id=order.market_id,
            token_id=order.token_id,
            outcome=OUTCOMES[order.outcome],
            side=mm.Side(order.side.value),
            price_e4=order.price_e4,
            amount_e6=order.qty_e6,
            matched_e6=order.matched_e6,
            order_type=order.order_type.value,
            status=um.OrderStatus(order.status.value),
            created_ns=order.created_ns,
            expires_s=order.expiration_s,
            trade_ids=order.trade_ids,
        )
        change = um.OrderChange(event.kind.value)
        self._channels.user(um.order_message(shown, change, event.at_ns))


def user_trade(trade: ev.TradeView) -> um.UserTrade:
    """A trade as the user channel shows it; a trade not yet sent is MATCHED there."""
    known = trade.status.value in um.TradeStatus.__members__
    return um.UserTrade(
        trade_id=trade.trade_id,
        status=um.TradeStatus(trade.status.value) if known else um.TradeStatus.MATCHED,
        taker_order_id=trade.taker_order_id,
        api_key=trade.owner,
        maker_address=trade.maker,
        condition_id=trade.market_id,
        token_id=trade.token_id,
        outcome=OUTCOMES[trade.outcome],
        side=mm.Side(trade.side.value),
        price_e4=trade.price_e4,
        amount_e6=trade.qty_e6,
        matched_ns=trade.matched_ns,
        updated_ns=trade.updated_ns,
        makers=tuple(
            um.MakerPart(
                part.order_id,
                part.owner,
                part.maker,
                part.token_id,
                OUTCOMES[part.outcome],
                part.outcome,
                mm.Side(part.side.value),
                part.price_e4,
                part.qty_e6,
            )
            for part in trade.makers
        ),
        transaction_hash=trade.tx_hash,
    )
