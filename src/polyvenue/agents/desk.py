"""An agent's hand on the exchange: one wallet, one API key, one generator, numbered orders.

Wallets belong to the lane and are used again by later markets; a key lives as long as its market.
"""

from hashlib import sha256
from random import Random  # noqa: TID251 (seeded by the caller)

from polyvenue.agents.scene import Scene
from polyvenue.exchange import Exchange
from polyvenue.exchange.orders import (
    PUSD,
    Order,
    OrderRequest,
    OrderStatus,
    OrderType,
    Placed,
    Refusal,
    Side,
)
from polyvenue.exchange.units import E4, E6

CENT_E6 = 10_000
_FAK_QTY_STEP_E6 = 100


def _digest(text: str) -> str:
    return sha256(f"polyvenue:agent:{text}".encode()).hexdigest()


class Desk:
    """What every agent has. `outcome` 0 is Up, 1 is Down; quantities in 10^-6 shares."""

    def __init__(self, scene: Scene, seed: int, role: str, *, collateral: int) -> None:
        self.scene = scene
        self.rng = Random(f"{seed}:{scene.market_id}:{role}")
        self.wallet = "0x" + _digest(f"wallet:{scene.lane}:{role}")[:40]
        self.api_key = _digest(f"key:{scene.market_id}:{role}")[:32]
        self._orders = f"order:{seed}:{scene.market_id}:{role}"
        self._collateral_e6 = collateral * E6
        self._count = 0

    def enter(self, exchange: Exchange, now_ns: int) -> None:
        """Be known: a wallet filled up to its collateral, and a key."""
        if self.wallet not in exchange.core.ledger.accounts:
            exchange.create_account(now_ns, self.wallet)
        self.fill_up(exchange, now_ns)
        exchange.add_api_key(now_ns, self.wallet, self.api_key)

    def leave(self, exchange: Exchange, now_ns: int) -> None:
        """Withdraw every order and be forgotten. What is held or matched goes its way."""
        exchange.cancel_all(now_ns, self.api_key)
        exchange.remove_api_key(now_ns, self.api_key)

    def fill_up(self, exchange: Exchange, now_ns: int) -> None:
        """Bring the wallet's usable collateral up to what the agent starts with."""
        missing_e6 = self._collateral_e6 - exchange.usable_e6(self.wallet, PUSD)
        exchange.deposit(now_ns, self.wallet, max(0, missing_e6))

    def orders(self, exchange: Exchange) -> list[Order]:
        """Our open orders, oldest first; to be read only."""
        core = exchange.core
        return [core.orders[it] for it in core.open_by_owner.get(self.api_key, ())]

    def resting(self, exchange: Exchange) -> list[Order]:
        """Those of them that can be cancelled."""
        return [it for it in self.orders(exchange) if it.status is OrderStatus.LIVE]

    def draw_qty_e6(self, median: float, sd_pct: int) -> int:
        """A log-normal quantity in whole shares, at least the venue's minimum of five."""
        shares = median * self.rng.lognormvariate(0.0, sd_pct / 100) if sd_pct else median
        return max(5, round(shares)) * E6

    def wait_ns(self, mean_ms: int) -> int:
        """An exponential waiting time in ns, at least 1 ms."""
        return max(1, round(self.rng.expovariate(1.0) * mean_ms)) * 1_000_000

    def quote(
        self, exchange: Exchange, now_ns: int, outcome: int, price_e4: int, qty_e6: int
    ) -> Placed | Refusal:
        """Bid for an outcome with a post-only order; whole shares, so every price is exact."""
        return exchange.place(
            now_ns,
            self._request(outcome, Side.BUY, OrderType.GTC, price_e4 * qty_e6 // E4, qty_e6),
            self.api_key,
        )

    def buy(
        self, exchange: Exchange, now_ns: int, outcome: int, price_e4: int, qty_e6: int
    ) -> Placed | Refusal | None:
        """Take with a FAK order up to a price; None when it would be too small for the venue.

        Its collateral is whole cents and its shares are floored, as the venue wants them.
        """
        cash_e6 = price_e4 * qty_e6 // E4 // CENT_E6 * CENT_E6
        step_e4 = price_e4 * _FAK_QTY_STEP_E6
        shares_e6 = cash_e6 * E4 // step_e4 * _FAK_QTY_STEP_E6
        if shares_e6 < 5 * E6 or cash_e6 < E6:
            return None
        request = self._request(outcome, Side.BUY, OrderType.FAK, cash_e6, shares_e6)
        return exchange.place(now_ns, request, self.api_key)

    def sell(
        self, exchange: Exchange, now_ns: int, outcome: int, price_e4: int, qty_e6: int
    ) -> Placed | Refusal:
        """Sell whole shares with a FAK order down to a price."""
        request = self._request(outcome, Side.SELL, OrderType.FAK, price_e4 * qty_e6 // E4, qty_e6)
        return exchange.place(now_ns, request, self.api_key)

    def _request(
        self, outcome: int, side: Side, kind: OrderType, cash_e6: int, qty_e6: int
    ) -> OrderRequest:
        self._count += 1
        is_buy = side is Side.BUY
        return OrderRequest(
            order_id="0x" + _digest(f"{self._orders}:{self._count}"),
            owner=self.api_key,
            maker=self.wallet,
            token_id=self.scene.token_ids[outcome],
            side=side,
            maker_amount_e6=cash_e6 if is_buy else qty_e6,
            taker_amount_e6=qty_e6 if is_buy else cash_e6,
            order_type=kind,
            post_only=kind.rests,
        )
