"""Orders: what is asked, what is known of an open one, and the replies.

A refusal is a value with the HTTP status and the exact text of the venue; nothing is raised for a
bad order.
"""

from dataclasses import dataclass
from enum import StrEnum

import msgspec

PUSD = "pUSD"
"""The asset name of collateral; every other asset is a token id."""


class Side(StrEnum):
    """Side of an order as on the wire."""

    BUY = "BUY"
    SELL = "SELL"


class OrderType(StrEnum):
    """How long an order lives."""

    GTC = "GTC"
    GTD = "GTD"
    FOK = "FOK"
    FAK = "FAK"

    @property
    def rests(self) -> bool:
        """True when what is not matched stays in the book."""
        return self in (OrderType.GTC, OrderType.GTD)


class OrderStatus(StrEnum):
    """Status of an order on the user channel and in reads."""

    LIVE = "LIVE"
    MATCHED = "MATCHED"
    DELAYED = "DELAYED"
    UNMATCHED = "UNMATCHED"
    CANCELED = "CANCELED"
    CANCELED_MARKET_RESOLVED = "CANCELED_MARKET_RESOLVED"
    CANCELED_NOT_ENOUGH_BALANCE = "CANCELED_NOT_ENOUGH_BALANCE"
    CANCELED_MARKET_NOT_FOUND = "CANCELED_MARKET_NOT_FOUND"
    CANCELED_EXPIRED_ORDER = "CANCELED_EXPIRED_ORDER"
    CANCELED_ORDER_TIMED_OUT = "CANCELED_ORDER_TIMED_OUT"
    INVALID = "INVALID"

    @property
    def is_open(self) -> bool:
        """True while the order can still match: resting or held."""
        return self in (OrderStatus.LIVE, OrderStatus.DELAYED)


class ReplyStatus(StrEnum):
    """Status in the reply to a placed order."""

    LIVE = "live"
    MATCHED = "matched"
    DELAYED = "delayed"
    UNMATCHED = "unmatched"


class TradeStatus(StrEnum):
    """Status of a trade. CONFIRMED and FAILED are final."""

    MATCHED_NOT_BROADCASTED = "MATCHED_NOT_BROADCASTED"
    MATCHED = "MATCHED"
    MINED = "MINED"
    CONFIRMED = "CONFIRMED"
    RETRYING = "RETRYING"
    FAILED = "FAILED"

    @property
    def is_final(self) -> bool:
        """True when the status can change no more."""
        return self in (TradeStatus.CONFIRMED, TradeStatus.FAILED)


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A signed order as posted; the signature is checked before it comes here.

    `order_id` is the EIP-712 hash. BUY: maker amount is collateral, taker amount shares; SELL the
    other way round. `owner` is the API key named in the body; `maker` the wallet.
    """

    order_id: str
    owner: str
    maker: str
    token_id: str
    side: Side
    maker_amount_e6: int
    taker_amount_e6: int
    order_type: OrderType = OrderType.GTC
    post_only: bool = False
    expiration_s: int = 0
    signature_type: int = 0

    @property
    def qty_e6(self) -> int:
        """Shares asked for."""
        return self.taker_amount_e6 if self.side is Side.BUY else self.maker_amount_e6

    @property
    def collateral_e6(self) -> int:
        """Collateral offered or asked for."""
        return self.maker_amount_e6 if self.side is Side.BUY else self.taker_amount_e6


@dataclass(slots=True)
class Order:
    """An accepted order; only the exchange changes it.

    `book`, `is_bid` and `book_price_e4` say where it stands in the unified book, which counts in
    Up prices: an order for Down at p stands on the other side at 1 - p.
    """

    request: OrderRequest
    market_id: str
    outcome: int
    price_e4: int
    book: int
    is_bid: bool
    book_price_e4: int
    created_ns: int
    remaining_e6: int
    status: OrderStatus = OrderStatus.LIVE
    reserved_e6: int = 0
    is_resting: bool = False
    trade_ids: tuple[str, ...] = ()

    @property
    def order_id(self) -> str:
        """The EIP-712 hash."""
        return self.request.order_id

    @property
    def asset(self) -> str:
        """What the order gives away: collateral or its token."""
        return PUSD if self.request.side is Side.BUY else self.request.token_id

    @property
    def matched_e6(self) -> int:
        """Shares matched so far, whatever became of their settlement."""
        return self.request.qty_e6 - self.remaining_e6

    def view(self) -> "OrderView":
        """The order as it is now, frozen."""
        asked = self.request
        return OrderView(
            order_id=asked.order_id,
            owner=asked.owner,
            maker=asked.maker,
            market_id=self.market_id,
            token_id=asked.token_id,
            outcome=self.outcome,
            side=asked.side,
            price_e4=self.price_e4,
            qty_e6=asked.qty_e6,
            matched_e6=self.matched_e6,
            order_type=asked.order_type,
            post_only=asked.post_only,
            expiration_s=asked.expiration_s,
            status=self.status,
            created_ns=self.created_ns,
            trade_ids=self.trade_ids,
        )


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """What a read or an event shows of an order. `outcome` 0 is Up, 1 is Down."""

    order_id: str
    owner: str
    maker: str
    market_id: str
    token_id: str
    outcome: int
    side: Side
    price_e4: int
    qty_e6: int
    matched_e6: int
    order_type: OrderType
    post_only: bool
    expiration_s: int
    status: OrderStatus
    created_ns: int
    trade_ids: tuple[str, ...]


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why something was refused: HTTP status and the venue's text; nothing has changed."""

    status: int
    text: str
    code: str | None = None
    retry_after_s: int | None = None


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """An accepted order. Amounts are what was matched at once, without the fee."""

    order_id: str
    status: ReplyStatus
    making_e6: int = 0
    taking_e6: int = 0
    trade_ids: tuple[str, ...] = ()


class BatchEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the reply to a batch: accepted only if all three say so.

    The venue reports a refused entry as a success with an empty id and an error text.
    """

    success: bool
    error_text: str
    order_id: str
    placed: Placed | None


def batch_entry(result: Placed | Refusal) -> BatchEntry:
    """The batch form of a single result."""
    if isinstance(result, Refusal):
        return BatchEntry(success=True, error_text=result.text, order_id="", placed=None)
    return BatchEntry(success=True, error_text="", order_id=result.order_id, placed=result)


class CancelReply(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to every cancel call: the ids that were removed, and the others with the reason."""

    canceled: tuple[str, ...] = ()
    not_canceled: tuple[tuple[str, str], ...] = ()
