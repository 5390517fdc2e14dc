"""Who listens: the connections of the market and user channels, and of the price streams."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Protocol

from polyvenue.market_data.frames import Out
from polyvenue.market_data.market_channel import MarketConnection
from polyvenue.market_data.market_messages import Message
from polyvenue.market_data.user_channel import UserConnection
from polyvenue.market_data.user_messages import UserMessage


class Sink(Protocol):
    """Where frames for one client go."""

    def put(self, out: Out) -> None:
        """Send, ping or close."""

    @property
    def room(self) -> int:
        """How many frames fit before the client counts as slow."""


Publish = Callable[[int, int], list[Out]]
"""(venue time, room for so many frames) -> what a price stream sends now."""


class Channels:
    """The listening connections, in the order in which they came."""

    def __init__(self) -> None:
        self._market: dict[Sink, MarketConnection] = {}
        self._user: dict[Sink, UserConnection] = {}
        self._prices: dict[Sink, Publish] = {}
        self._tokens: Counter[str] = Counter()
        self._held: dict[Sink, tuple[str, ...]] = {}

    def add_market(self, sink: Sink, connection: MarketConnection) -> None:
        """A client of the market channel."""
        self._market[sink] = connection

    def add_user(self, sink: Sink, connection: UserConnection) -> None:
        """A client of the user channel."""
        self._user[sink] = connection

    def add_prices(self, sink: Sink, publish: Publish) -> None:
        """A client of a price stream."""
        self._prices[sink] = publish

    def recount(self, sink: Sink) -> None:
        """The subscriptions of a market connection may have changed."""
        connection = self._market.get(sink)
        self._tokens.subtract(self._held.pop(sink, ()))
        if connection is not None:
            self._held[sink] = connection.token_ids
            self._tokens.update(connection.token_ids)
        self._tokens += Counter()  # drop what nobody holds

    def remove(self, sink: Sink) -> None:
        """A client is gone."""
        self._market.pop(sink, None)
        self._user.pop(sink, None)
        self._prices.pop(sink, None)
        self.recount(sink)

    def wants(self, token_id: str) -> bool:
        """True if anybody subscribed to the token."""
        return token_id in self._tokens

    def wants_user(self, api_keys: Iterable[str]) -> bool:
        """True if the owner of one of these keys listens."""
        if not self._user:
            return False
        listening = {connection.api_key for connection in self._user.values()}
        return not listening.isdisjoint(api_keys)

    def market(self, message: Message) -> None:
        """Deliver a message of the market channel."""
        for sink, connection in list(self._market.items()):
            if out := connection.deliver(message):
                sink.put(out)

    def user(self, message: UserMessage) -> None:
        """Deliver a message of the user channel."""
        for sink, connection in list(self._user.items()):
            if out := connection.deliver(message):
                sink.put(out)

    def prices(self, now_ns: int) -> None:
        """Let every price stream send what has become visible."""
        for sink, publish in list(self._prices.items()):
            for out in publish(now_ns, sink.room):
                sink.put(out)

    @property
    def has_prices(self) -> bool:
        """True if a price stream has a client."""
        return bool(self._prices)
