"""The markets as clients see them: the exchange's books and terms joined with their windows."""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from polyvenue.exchange import Exchange
from polyvenue.exchange.events import BookSnapshot, LevelChange
from polyvenue.exchange.market import Market, MarketTerms, Phase
from polyvenue.exchange.orders import Side
from polyvenue.market_data import records
from polyvenue.market_data.gamma import GammaTable
from polyvenue.market_data.oracle import Settlement
from polyvenue.market_data.records import BookView, MarketRecord, Quote
from polyvenue.market_data.text import NS
from polyvenue.market_data.windows import Window

HISTORY_MAX = 2_000


def record_of(window: Window, market: Market) -> MarketRecord:
    """The record of a market that was just listed."""
    fees = market.terms.fees
    terms = records.MarketTerms(
        tick_e4=market.tick_e4,
        min_size_e6=market.terms.min_size_e6,
        fee=records.FeeRule(fees.rate_ppm, fees.exponent, fees.rebate_ppm),
        hold=market.hold_ns > 0,
    )
    return MarketRecord(window, terms)


class MarketTable:
    """All listed markets; what the public CLOB routes read (`clob_meta.Venue`)."""

    def __init__(self, exchange: Exchange, gamma: GammaTable) -> None:
        self._exchange = exchange
        self._gamma = gamma
        self._records: dict[str, MarketRecord] = {}
        self._by_token: dict[str, str] = {}
        self._last_side: dict[str, str] = {}
        self._history: dict[str, deque[tuple[int, int]]] = {}
        self._changed_ns: dict[str, int] = {}
        self._volume_e6: dict[str, int] = {}

    def add(self, window: Window, terms: MarketTerms, now_ns: int) -> MarketRecord:
        """List a window as a market of the exchange. ValueError when it is listed."""
        self._exchange.list_market(now_ns, terms, accepts_orders=False)
        record = record_of(window, self._exchange.market(terms.market_id))
        self._put(record, now_ns)
        for token_id in window.token_ids:
            self._by_token[token_id] = window.condition_id
            self._history[token_id] = deque(maxlen=HISTORY_MAX)
        self._changed_ns[window.condition_id] = now_ns
        return record

    def _put(self, record: MarketRecord, now_ns: int) -> None:
        self._records[record.window.condition_id] = record
        self._gamma.add(record, now_ns)

    def drop(self, window: Window) -> None:
        """Forget a market that the exchange has forgotten."""
        del self._records[window.condition_id]
        for table in (self._changed_ns, self._volume_e6):
            table.pop(window.condition_id, None)
        for token_id in window.token_ids:
            del self._by_token[token_id], self._history[token_id]
            self._last_side.pop(token_id, None)
        self._gamma.drop(window.slug)

    def note_tick(self, condition_id: str, tick_e4: int, now_ns: int) -> None:
        """The price grid changed."""
        record = self._records[condition_id]
        self._put(replace(record, terms=replace(record.terms, tick_e4=tick_e4)), now_ns)

    def note_winner(self, condition_id: str, settlement: Settlement, now_ns: int) -> None:
        """The outcome is known."""
        record = replace(self._records[condition_id], winner=settlement.winner)
        self._put(record, now_ns)
        self._gamma.note_settlement(record.window.slug, settlement)

    def note_print(self, token_id: str, side: Side, price_e4: int, qty_e6: int, at_ns: int) -> None:
        """A public print."""
        self._last_side[token_id] = side.value
        self._history[token_id].append((at_ns // NS, price_e4))
        condition_id = self._by_token[token_id]
        self._volume_e6[condition_id] = self._volume_e6.get(condition_id, 0) + qty_e6

    def note_levels(self, condition_id: str, changes: tuple[LevelChange, ...], at_ns: int) -> None:
        """Levels changed: Gamma hears of the new best prices."""
        self._changed_ns[condition_id] = at_ns
        window = self._records[condition_id].window
        for change in changes:
            if change.token_id == window.token_ids[0]:
                market = self._exchange.market(condition_id)
                quote = Quote(
                    change.best_bid_e4,
                    change.best_ask_e4,
                    market.last_e4[0],
                    self._volume_e6.get(condition_id, 0),
                )
                self._gamma.note_quote(window.slug, quote, at_ns)

    def view(self, snapshot: BookSnapshot) -> BookView:
        """A snapshot of the exchange as the market channel and REST show it."""
        record = self._records[snapshot.market_id]
        return BookView(
            snapshot.market_id,
            snapshot.token_id,
            self._changed_ns[snapshot.market_id],
            snapshot.bids,
            snapshot.asks,
            snapshot.tick_e4,
            record.terms.min_size_e6,
            record.terms.neg_risk,
            snapshot.last_e4,
            self._last_side.get(snapshot.token_id, ""),
        )

    # clob_meta.Venue

    def market(self, condition_id: str) -> MarketRecord | None:
        """A market by condition id."""
        return self._records.get(condition_id)

    def market_of(self, token_id: str) -> MarketRecord | None:
        """The market of a token."""
        return self._records.get(self._by_token.get(token_id, ""))

    def markets(self) -> Sequence[MarketRecord]:
        """Every market, in the order of listing."""
        return tuple(self._records.values())

    def book(self, token_id: str) -> BookView | None:
        """The book of a token; None before it opens and after it is removed."""
        condition_id = self._by_token.get(token_id)
        if condition_id is None:
            return None
        market = self._exchange.market(condition_id)
        if market.phase in (Phase.CREATED, Phase.REMOVED):
            return None
        outcome = market.terms.token_ids.index(token_id)
        return self.view(market.snapshot(outcome, self._exchange.now_ns))

    def history(self, token_id: str) -> Sequence[tuple[int, int]]:
        """Past prints of a token, oldest first: (Unix seconds, price_e4). Bounded."""
        return tuple(self._history.get(token_id, ()))
