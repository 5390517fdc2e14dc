"""A second matcher, as plain as can be: lists and fractions, no book, no axis, no code in common.

It looks at every resting order for each new one, asks what the two would pay each other, and takes
the best ones in turn.
"""

from dataclasses import dataclass
from fractions import Fraction


@dataclass
class Resting:
    """An order as a person would write it down. `up` is the outcome, `buy` the side."""

    name: str
    who: str
    buy: bool
    up: bool
    price: Fraction
    left: Fraction


@dataclass(frozen=True)
class Fill:
    """What one maker gave to a taker; prices are each one's own."""

    taker: str
    maker: str
    qty: Fraction
    taker_price: Fraction
    maker_price: Fraction


def half_up(value: Fraction, digits: int) -> Fraction:
    """Round a number that is not negative, halves up."""
    scale = 10**digits
    return Fraction((value * scale + Fraction(1, 2)).__floor__(), scale)


class Brute:
    """The market as lists. `cross` allows mint and merge; `rate` is that of the fee."""

    def __init__(self, *, cross: bool = True, rate: Fraction = Fraction(7, 100)) -> None:
        self.cross = cross
        self.rate = rate
        self.resting: list[Resting] = []
        self.fills: list[Fill] = []
        self.cash: dict[str, Fraction] = {}
        self.shares: dict[tuple[str, bool], Fraction] = {}
        self.fees = Fraction(0)

    def pays(self, taker: Resting, maker: Resting) -> Fraction | None:
        """The taker's own price against this maker, or None if they do not meet."""
        if taker.up == maker.up and taker.buy != maker.buy:
            price = maker.price
        elif taker.up != maker.up and taker.buy == maker.buy and self.cross:
            price = 1 - maker.price
        else:
            return None
        meets = price <= taker.price if taker.buy else price >= taker.price
        return price if meets else None

    def candidates(self, taker: Resting) -> list[tuple[Fraction, Resting]]:
        """Whom the taker meets, best price first, then oldest first (sorting is stable)."""
        met = [(price, it) for it in self.resting if (price := self.pays(taker, it)) is not None]
        return sorted(met, key=lambda pair: pair[0] if taker.buy else -pair[0])

    def arrive(self, order: Resting, kind: str, *, post_only: bool = False) -> str:
        """Match a new order: `refused`, `killed`, `matched`, `partly` or `rests`."""
        met = self.candidates(order)
        if post_only and met:
            return "refused"
        offered = sum((it.left for _, it in met), Fraction(0))
        if (kind == "FOK" and offered < order.left) or (kind == "FAK" and not met):
            return "killed"
        by_price: dict[Fraction, Fraction] = {}
        for price, maker in met:
            qty = min(order.left, maker.left)
            if qty == 0:
                break
            self.book(order, maker, qty, price)
            by_price[price] = by_price.get(price, Fraction(0)) + qty
        for price, qty in by_price.items():
            fee = half_up(qty * self.rate * price * (1 - price), 5)
            self.fees += fee
            self.add_cash(order.who, -fee)
        self.resting = [it for it in self.resting if it.left]
        if order.left == 0:
            return "matched"
        if kind in ("GTC", "GTD"):
            self.resting.append(order)
            return "partly" if by_price else "rests"
        return "partly"

    def book(self, taker: Resting, maker: Resting, qty: Fraction, price: Fraction) -> None:
        """Write one fill down on both sides."""
        taker.left -= qty
        maker.left -= qty
        self.fills.append(Fill(taker.name, maker.name, qty, price, maker.price))
        for order, paid in ((taker, price), (maker, maker.price)):
            sign = 1 if order.buy else -1
            self.add_cash(order.who, -sign * qty * paid)
            key = (order.who, order.up)
            self.shares[key] = self.shares.get(key, Fraction(0)) + sign * qty

    def add_cash(self, who: str, delta: Fraction) -> None:
        """Change what a wallet has gained."""
        self.cash[who] = self.cash.get(who, Fraction(0)) + delta

    def cancel(self, name: str) -> bool:
        """Take a resting order away; False when there is none."""
        before = len(self.resting)
        self.resting = [it for it in self.resting if it.name != name]
        return len(self.resting) < before
