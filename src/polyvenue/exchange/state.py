"""Everything the exchange knows: the one value that its parts share."""

from collections import deque
from enum import StrEnum
from random import Random  # noqa: TID251 (seeded by the caller)

import msgspec

from polyvenue.exchange.accounts import Account, Ledger
from polyvenue.exchange.config import ExchangeConfig
from polyvenue.exchange.events import BookChanged, Event, LevelChange, SelfTradeDetected
from polyvenue.exchange.market import Market
from polyvenue.exchange.orders import Order, TradeStatus
from polyvenue.exchange.rebates import Rebates
from polyvenue.exchange.records import Beat, JobRecord, JobScript, TradeRecord, TradeScript
from polyvenue.exchange.schedule import Schedule


class EngineMode(StrEnum):
    """What the matching engine accepts."""

    NORMAL = "normal"
    RESTARTING = "restarting"
    POST_ONLY = "post_only"
    CANCEL_ONLY = "cancel_only"
    DISABLED = "disabled"


class RequestNote(msgspec.Struct, frozen=True, kw_only=True):
    """One request that a server received."""

    at_ns: int
    method: str
    path: str
    body_sha256: str
    status: int


class Core:
    """The state. Its parts (entry, cancels, settlement, chain ...) are functions over it."""

    def __init__(self, config: ExchangeConfig, seed: int) -> None:
        self.config = config
        self.seed = seed
        self.rng = Random(seed)
        self.trade_count = 0
        self.job_count = 0
        self.beat_count = 0
        self.now_ns = 0
        self.mode = EngineMode.NORMAL
        self.mode_mark = 0
        self.mode_until_ns: int | None = None
        self.ledger = Ledger()
        self.markets: dict[str, Market] = {}
        self.tokens: dict[str, tuple[Market, int]] = {}
        self.orders: dict[str, Order] = {}
        self.open_by_owner: dict[str, dict[str, None]] = {}
        self.schedule = Schedule()
        self.events: list[Event] = []
        self.trades: dict[str, TradeRecord] = {}
        self.trades_of: dict[str, list[str]] = {}
        """Wallet -> its trades, oldest first."""
        self.trade_scripts: list[TradeScript] = []
        self.jobs: dict[str, JobRecord] = {}
        self.jobs_of: dict[tuple[str, int], str] = {}
        """(wallet, nonce) -> job."""
        self.job_scripts: list[JobScript] = []
        self.beats: dict[str, Beat] = {}
        self.rebates = Rebates()
        self.requests: deque[RequestNote] = deque(maxlen=config.requests_max)
        self.requests_dropped = 0
        self.self_trades: deque[SelfTradeDetected] = deque(maxlen=config.requests_max)

    def emit(self, event: Event) -> None:
        """Append to the stream."""
        self.events.append(event)

    def usable_e6(self, account: Account, asset: str) -> int:
        """What a new order of this wallet may rest on."""
        with_coming = self.config.settlement.usable_from is TradeStatus.MATCHED
        return self.ledger.usable_e6(account, asset, with_coming=with_coming)

    def publish_levels(self, market: Market, touched: list[tuple[int, bool, int]]) -> None:
        """One event with every touched level, each once, as it is now."""
        if not touched:
            return
        changes: list[LevelChange] = []
        for book, is_bid, price_e4 in dict.fromkeys(touched):
            changes.extend(market.level_changes(book, is_bid=is_bid, price_e4=price_e4))
        self.emit(
            BookChanged(at_ns=self.now_ns, market_id=market.market_id, changes=tuple(changes))
        )

    def publish_books(self, market: Market) -> None:
        """A snapshot of both outcomes, as the venue sends after trades."""
        for outcome in (0, 1):
            self.emit(market.snapshot(outcome, self.now_ns))
