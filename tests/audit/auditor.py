"""An outsider's audit of one run: the trace, the raw recording and the summary against each other.

It shares no code with the product. The rules are those of docs/trace.md, of the venue (taker fee
0.07 p (1 - p) per share, half-up at five decimals per match, makers free; nothing is traded in the
last 5 s) and of the pessimistic queue: a resting order fills when, and as soon as, a recorded book
stands with its opposite best strictly through the price. Every finding is one line of text.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.audit.raw import ONE_E4, RESOLVED_AFTER_NS, S_NS, Book, Levels, Recording, Window

MS_NS = 1_000_000
FEED_NS, ORDER_NS, HOLD_NS, GAP_MAX_NS = 50 * MS_NS, 80 * MS_NS, 150 * MS_NS, 2_000 * MS_NS
CUTOFF_NS = 5 * S_NS
RATE = Decimal("0.07")
QTY_MIN_E6, LOT_E6 = 5_000_000, 10_000
Line = dict[str, Any]


@dataclass
class Order:
    """All lines of one order."""

    line: Line
    fills: list[Line] = field(default_factory=list)
    cancels: list[Line] = field(default_factory=list)
    closes: list[Line] = field(default_factory=list)

    @property
    def id(self) -> str:
        return str(self.line["order_id"])

    @property
    def slug(self) -> str:
        return str(self.line["instrument"].split(" ")[0])

    @property
    def is_up_bid(self) -> bool:
        """Buying Down at p is selling Up at 1 - p."""
        return (self.line["side"] == "BUY") == self.line["instrument"].endswith(" Up")

    @property
    def filled_e6(self) -> int:
        return sum(fill["qty_e6"] for fill in self.fills)

    @property
    def is_filled(self) -> bool:
        return self.filled_e6 == self.line["qty_e6"]

    def in_up(self, price_e4: int) -> int:
        """A price of the order's own token in Up's prices."""
        return price_e4 if self.line["instrument"].endswith(" Up") else ONE_E4 - price_e4

    def is_through(self, book: Book) -> bool:
        """Whether the opposite best stands strictly beyond the limit."""
        limit = self.in_up(self.line["price_e4"])
        return book.ask_e4 < limit if self.is_up_bid else book.bid_e4 > limit

    def crosses(self, book: Book) -> bool:
        """Whether the order would match at once."""
        limit = self.in_up(self.line["price_e4"])
        if self.is_up_bid:
            return bool(book.asks) and book.ask_e4 <= limit
        return bool(book.bids) and book.bid_e4 >= limit


def read_trace(path: Path) -> list[Line]:
    """The lines of a trace file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def audit(
    recording: Recording,
    lines: list[Line],
    summary: dict[str, Any],
    queue: str = "pessimistic",
    takers: Container[str] = (),
) -> list[str]:
    """Everything that does not add up; an empty list is a clean run.

    All orders are post-only, except those of the strategies named in `takers`.
    """
    orders: dict[str, Order] = {}
    findings = [*sorted_into_orders(lines, orders), *fees(lines), *cash(lines)]
    for order in orders.values():
        findings += life(order, recording)
    depth = Depth(recording, orders.values())
    for order in orders.values():
        findings += fills_justified(order, depth, queue)
        findings += crossings(order, depth, order.line["strategy"] in takers)
    findings += times(lines, recording)
    findings += holdings(lines)
    findings += settlements(lines, recording)
    findings += sums(lines, recording, summary)
    return findings


def sorted_into_orders(lines: list[Line], orders: dict[str, Order]) -> Iterator[str]:
    """Collects the lines of each order; every line must belong to one that came before it."""
    for number, line in enumerate(lines, 1):
        kind, order_id = line["kind"], line["order_id"]
        if kind == "order":
            if order_id in orders:
                yield f"line {number}: order {order_id} is placed twice"
            orders[order_id] = Order(line)
        elif kind in ("fill", "cancel", "close"):
            order = orders.get(order_id)
            if order is None:
                yield f"line {number}: {kind} of {order_id}, which was never placed"
                continue
            {"fill": order.fills, "cancel": order.cancels, "close": order.closes}[kind].append(line)
            for key in ("strategy", "instrument", "side"):
                if line[key] != order.line[key]:
                    yield f"line {number}: {kind} of {order_id}: {key} is {line[key]}"
        elif kind not in ("conversion", "settlement", "rebate"):
            yield f"line {number}: unknown kind {kind}"


# --- money ---------------------------------------------------------------------------------------


def fee_e6(qty_e6: int, price_e4: int) -> int:
    """Taker fee of one match in 10^-6 pUSD."""
    qty, price = Decimal(qty_e6).scaleb(-6), Decimal(price_e4).scaleb(-4)
    fee = (qty * RATE * price * (1 - price)).quantize(Decimal("0.00001"), ROUND_HALF_UP)
    return int(fee.scaleb(6))


def fees(lines: Iterable[Line]) -> Iterator[str]:
    """Takers pay by the formula, makers nothing, nobody else anything; fill ids are unique."""
    seen: set[str] = set()
    for line in lines:
        expected = 0
        if line["kind"] == "fill":
            if line["liquidity"] == "TAKER":
                expected = fee_e6(line["qty_e6"], line["price_e4"])
            elif line["liquidity"] != "MAKER":
                yield f"fill {line['reason']}: liquidity is {line['liquidity']}"
            if line["reason"] in seen:
                yield f"fill {line['reason']} is booked twice"
            seen.add(line["reason"])
        if line["fee_e6"] != expected:
            yield f"{line['kind']} {line['reason']}: fee is {line['fee_e6']}, not {expected}"


def cash_e6(line: Line) -> Fraction:
    """What a line moves, from its other fields."""
    match line["kind"]:
        case "fill":
            worth = Fraction(line["price_e4"] * line["qty_e6"], ONE_E4)
            return (-worth if line["side"] == "BUY" else worth) - line["fee_e6"]
        case "conversion":
            return Fraction(line["qty_e6"] if line["reason"] == "MERGE" else -line["qty_e6"])
        case "settlement":
            return Fraction(line["price_e4"] * line["qty_e6"], ONE_E4)
        case "rebate":
            return Fraction(line["cash_e6"])
        case _:
            return Fraction(0)


def cash(lines: Iterable[Line]) -> Iterator[str]:
    """Every line moves the cash that its own fields say."""
    for line in lines:
        if line["cash_e6"] != cash_e6(line):
            yield f"{line['kind']} {line['order_id']} {line['reason']}: cash {line['cash_e6']}"


def holdings(lines: Iterable[Line]) -> Iterator[str]:
    """Nobody sells, merges or settles more than was bought or split, at any time."""
    held: Counter[tuple[str, str]] = Counter()
    for line in lines:
        instrument, owner, qty = line["instrument"], line["strategy"], line["qty_e6"]
        if line["kind"] == "fill":
            held[owner, instrument] += qty if line["side"] == "BUY" else -qty
        elif line["kind"] == "conversion":
            slug = instrument.removesuffix(" pair")
            for token in (f"{slug} Up", f"{slug} Down"):
                held[owner, token] += qty if line["reason"] == "SPLIT" else -qty
        elif line["kind"] == "settlement":
            if held[owner, instrument] != qty:
                yield f"settlement of {instrument}: {qty}, held {held[owner, instrument]}"
            held[owner, instrument] = 0
        if any(rest < 0 for rest in held.values()):
            yield f"{line['kind']} {line['order_id']}: more than was held"
            held = +held


# --- the life of an order ------------------------------------------------------------------------


def life(order: Order, recording: Recording) -> Iterator[str]:
    """Placed in its window, matched up to its size after it arrived, ended exactly once."""
    line, window = order.line, recording.windows[order.slug]
    if not window.open_ns <= line["decided_ns"] < window.close_ns - CUTOFF_NS:
        yield f"{order.id}: decided outside the window or in its last 5 s"
    if line["arrived_ns"] < line["decided_ns"] + ORDER_NS:
        yield f"{order.id}: arrived before the order delay was over"
    if line["qty_e6"] < QTY_MIN_E6 or line["qty_e6"] % LOT_E6:
        yield f"{order.id}: size {line['qty_e6']}"
    if not 0 < line["price_e4"] < ONE_E4 or line["price_e4"] % window.tick_e4:
        yield f"{order.id}: price {line['price_e4']} is on no grid of this market"
    yield from _matches(order, window)
    ends, last_ns = len(order.closes) + order.is_filled, window.books[-1].ns
    if ends != 1 and (ends or last_ns >= window.close_ns - S_NS):
        yield f"{order.id}: ends {ends} times"
    for cancel in order.cancels:
        if cancel["arrived_ns"] < cancel["decided_ns"] + ORDER_NS:
            yield f"{order.id}: cancel arrived before the order delay was over"
    yield from _end(order, window)


def _matches(order: Order, window: Window) -> Iterator[str]:
    line = order.line
    if order.filled_e6 > line["qty_e6"]:
        yield f"{order.id}: filled {order.filled_e6} of {line['qty_e6']}"
    for fill in order.fills:
        if not line["arrived_ns"] < fill["ts_ns"] < window.close_ns:
            yield f"{order.id}: fill before it arrived or after the close"
        if (fill["decided_ns"], fill["arrived_ns"]) != (line["decided_ns"], line["arrived_ns"]):
            yield f"{order.id}: fill has other times than its order"
        if any(fill["ts_ns"] > close["ts_ns"] for close in order.closes):
            yield f"{order.id}: fill after its end"


def _end(order: Order, window: Window) -> Iterator[str]:
    line = order.line
    for close in order.closes:
        why = f"{close['state']} {close['reason']}"
        at = close["ts_ns"]
        if close["qty_e6"] != line["qty_e6"] - order.filled_e6:
            yield f"{order.id}: closed with {close['qty_e6']} left"
        if close["state"] == "REJECTED" and (order.fills or at != line["arrived_ns"]):
            yield f"{order.id}: rejected at {at}, arrived at {line['arrived_ns']}"
        if close["reason"] == "BY_USER" and at not in {c["arrived_ns"] for c in order.cancels}:
            yield f"{order.id}: {why} without a cancel that arrived then"
        if close["reason"] == "MARKET_CLOSED" and at < window.close_ns:
            yield f"{order.id}: {why} before the window closed"
    ended_ns = max([*(f["ts_ns"] for f in order.fills), *(c["ts_ns"] for c in order.closes), 0])
    rests = order.is_filled or any(c["reason"] == "BY_USER" for c in order.closes)
    if rests and any(cancel["arrived_ns"] < ended_ns for cancel in order.cancels):
        yield f"{order.id}: still stood after a cancel had arrived"


Level = tuple[int, bool, int]
"""(instant, whether a bid of Up was taken, price in Up's prices)"""


class Depth:
    """The recorded books less what we took: it stays taken until the level's size changes.

    `before` has each book as it stood for us when it was received, `after` when our own takers had
    matched on it.
    """

    def __init__(self, recording: Recording, orders: Iterable[Order]) -> None:
        self.taken: dict[str, Counter[Level]] = defaultdict(Counter)
        for order in orders:
            for fill in order.fills:
                if fill["liquidity"] == "TAKER":
                    level = (fill["ts_ns"], not order.is_up_bid, order.in_up(fill["price_e4"]))
                    self.taken[order.slug][level] += fill["qty_e6"]
        self.before: dict[str, Window] = {}
        self.after: dict[str, Window] = {}
        for slug, window in recording.windows.items():
            self.before[slug] = self.after[slug] = window
            if slug in self.taken:
                self._subtract(window, self.taken[slug])

    def _subtract(self, window: Window, taken: Counter[Level]) -> None:
        before, after = (
            Window(window.slug, window.open_ns, window.close_ns) for _ in ("before", "after")
        )
        gone: dict[tuple[bool, int], tuple[int, int]] = {}
        at_ns: dict[int, list[Level]] = defaultdict(list)
        for level in taken:
            at_ns[level[0]].append(level)
        for book in window.books:
            sides = {True: dict(book.bids), False: dict(book.asks)}
            gone = {k: v for k, v in gone.items() if sides[k[0]].get(k[1], 0) == v[0]}
            before.add(_less(book, gone))
            for level in at_ns[book.ns]:
                key, shown = level[1:], sides[level[1]].get(level[2], 0)
                gone[key] = (shown, gone.get(key, (0, 0))[1] + taken[level])
            after.add(_less(book, gone))
        self.before[window.slug], self.after[window.slug] = before, after


def _less(book: Book, gone: dict[tuple[bool, int], tuple[int, int]]) -> Book:
    def left(levels: Levels, is_bid: bool) -> Levels:
        rest = ((price, qty - gone.get((is_bid, price), (0, 0))[1]) for price, qty in levels)
        return tuple((price, qty) for price, qty in rest if qty >= LOT_E6)

    return Book(book.ns, left(book.bids, True), left(book.asks, False)) if gone else book


def fills_justified(order: Order, depth: Depth, queue: str) -> Iterator[str]:
    """Every fill has a recorded book that justifies it."""
    for fill in order.fills:
        books = [b for b in depth.before[order.slug].since(fill["ts_ns"]) if b.ns == fill["ts_ns"]]
        if not books:
            yield f"{order.id}: fill at {fill['ts_ns']}, when no book was recorded"
        elif fill["liquidity"] == "TAKER":
            yield from _taken(order, fill, books, depth)
        elif fill["price_e4"] != order.line["price_e4"]:
            yield f"{order.id}: maker fill at {fill['price_e4']}, its limit is another"
        elif queue == "pessimistic" and not any(order.is_through(book) for book in books):
            yield f"{order.id}: maker fill, but no book at {fill['ts_ns']} is through its price"


def _taken(order: Order, fill: Line, books: list[Book], depth: Depth) -> Iterator[str]:
    """The first book after the hold, soon enough, with that price within the limit on show."""
    due_ns = order.line["arrived_ns"] + HOLD_NS
    book = next(iter(depth.before[order.slug].since(due_ns)))
    if not book.ns == fill["ts_ns"] <= due_ns + GAP_MAX_NS:
        yield f"{order.id}: taker fill at {fill['ts_ns']}, not at the first book after its hold"
    price, limit = order.in_up(fill["price_e4"]), order.in_up(order.line["price_e4"])
    if price > limit if order.is_up_bid else price < limit:
        yield f"{order.id}: taker fill at {fill['price_e4']}, worse than its limit"
    shown = [dict(one.asks if order.is_up_bid else one.bids).get(price, 0) for one in books]
    took = depth.taken[order.slug][fill["ts_ns"], not order.is_up_bid, price]
    if max(shown) < took:
        yield f"{order.id}: took {took} at {fill['price_e4']}, shown were {max(shown)}"


def crossings(order: Order, depth: Depth, may_take: bool) -> Iterator[str]:
    """Post-only never crosses at its arrival; no order rests through a book that crosses it."""
    window = depth.before[order.slug]
    rests_ns = arrived_ns = order.line["arrived_ns"]
    book = depth.after[order.slug].at(arrived_ns)
    crosses = book is not None and order.crosses(book)
    states = {close["state"] for close in order.closes}
    if "POST_ONLY_CROSS" in {close["reason"] for close in order.closes} and not crosses:
        yield f"{order.id}: rejected as crossing, but no book at its arrival says so"
    if states & {"REJECTED", "UNMATCHED"}:
        return
    if crosses and not may_take:
        yield f"{order.id}: post-only, accepted although the book at its arrival crossed it"
    elif crosses:
        after_hold = next(iter(window.since(arrived_ns + HOLD_NS)), None)
        rests_ns = after_hold.ns if after_hold is not None else window.close_ns
        if any(f["liquidity"] == "MAKER" and f["ts_ns"] <= rests_ns for f in order.fills):
            yield f"{order.id}: filled as a maker before its hold was over"
    ended_ns = min([close["ts_ns"] for close in order.closes] or [window.close_ns])
    for later in window.after(rests_ns):
        if later.ns > ended_ns or later.ns >= window.close_ns:
            return
        if order.is_through(later):
            done_e6 = sum(f["qty_e6"] for f in order.fills if f["ts_ns"] <= later.ns)
            if done_e6 < order.line["qty_e6"]:
                yield f"{order.id}: rested through a book that crossed it at {later.ns}"
            return


def times(lines: list[Line], recording: Recording) -> Iterator[str]:
    """Nothing is decided on a frame that the bot cannot have seen yet; frames only go forward."""
    seen = recording.frame_times_ns()
    for one, two in pairwise(lines):
        if two["frame_seq"] < one["frame_seq"]:
            yield f"frame {two['frame_seq']} comes after {one['frame_seq']}"
    for line in lines:
        if line["kind"] in ("order", "cancel"):
            if seen[line["frame_seq"] - 1] + FEED_NS > line["decided_ns"]:
                yield f"{line['kind']} {line['order_id']}: decided on a frame not yet received"
            if line["ts_ns"] != line["decided_ns"]:
                yield f"{line['kind']} {line['order_id']}: ts_ns is not when it was decided"


# --- settlement and sums -------------------------------------------------------------------------


def settlements(lines: Iterable[Line], recording: Recording) -> Iterator[str]:
    """Every market with a payout settles to it, once per strategy and token, after its close."""
    paid: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        if line["kind"] == "settlement":
            paid[line["instrument"].split(" ")[0]].append(line)
    for window in recording.listed:
        settled = paid.pop(window.slug, [])
        if bool(settled) != (window.payouts_e6 is not None):
            yield f"{window.slug}: {len(settled)} settlements, payout {window.payouts_e6}"
            continue
        keys = [(line["strategy"], line["instrument"]) for line in settled]
        if len(set(keys)) != len(keys):
            yield f"{window.slug}: a token settles twice"
        yield from _payouts(settled, window, recording.evidence)
    for slug in paid:
        yield f"{slug}: settled, but not in the recording"


def _payouts(settled: list[Line], window: Window, evidence: str) -> Iterator[str]:
    for line in settled:
        assert window.payouts_e6 is not None
        payout = window.payouts_e6[line["instrument"].endswith(" Down")]
        if line["price_e4"] * 100 != payout:
            yield f"{line['instrument']}: paid {line['price_e4']} a share, officially {payout}"
        if line["ts_ns"] < window.close_ns + RESOLVED_AFTER_NS + FEED_NS:
            yield f"{window.slug}: settled before its resolution was known"
        if line["state"] != evidence:
            yield f"{window.slug}: settled on evidence {line['state']}"


def sums(lines: list[Line], recording: Recording, summary: dict[str, Any]) -> Iterator[str]:
    """The figures of the summary, for the account and for each strategy."""
    expected = _figures(lines, recording, summary["opening_cash_e6"])
    expected["markets"] = len(recording.listed)
    expected["settled"] = sum(window.payouts_e6 is not None for window in recording.listed)
    expected["set_aside"] = recording.set_aside
    expected["identity_ok"] = True
    if any(window.books for window in recording.listed):
        expected["frames"] = len(recording.frame_times_ns())
    yield from _compared("run", expected, summary)
    names = {line["strategy"] for line in lines if line["kind"] in ("order", "conversion")}
    if not names <= set(summary["strategies"]):
        yield f"strategies are {sorted(summary['strategies'])}, traded by {sorted(names)}"
    for name in sorted(names & set(summary["strategies"])):
        own = [line for line in lines if line["strategy"] == name]
        figures = _figures(own, recording, 0)
        traded = {line["instrument"].split(" ")[0] for line in own if line["kind"] == "fill"}
        figures["markets"] = len(traded)
        figures["settled"] = sum(recording.windows[slug].payouts_e6 is not None for slug in traded)
        yield from _compared(name, figures, summary["strategies"][name])


def _compared(who: str, expected: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    for key, value in expected.items():
        if found[key] != value:
            yield f"{who}: {key} is {found[key]}, the trace and the raw file say {value}"


def _figures(lines: list[Line], recording: Recording, opening_e6: int) -> dict[str, Any]:
    kinds = Counter(line["kind"] for line in lines)
    left, realized = _worked(lines)
    marks = sum((_mark(slug, qtys, recording) for slug, qtys in left.items()), Fraction(0))
    moved = sum((cash_e6(line) for line in lines), Fraction(0))
    return {
        "orders": kinds["order"],
        "fills": kinds["fill"],
        "fees_e6": sum(line["fee_e6"] for line in lines),
        "opening_cash_e6": opening_e6,
        "equity_e6": int((opening_e6 + moved + marks) // 1),
        "realized_e6": round(realized),
    }


def _worked(lines: Iterable[Line]) -> tuple[dict[str, list[Fraction]], Fraction]:
    """Tokens left by slug, and the result that is realised at average cost."""
    lots: dict[tuple[str, str], list[Fraction]] = defaultdict(lambda: [Fraction(0), Fraction(0)])
    realized = Fraction(0)

    def give(key: tuple[str, str], qty: int) -> Fraction:
        lot = lots[key]
        basis = lot[1] * qty / lot[0] if lot[0] else Fraction(0)
        lot[0], lot[1] = lot[0] - qty, lot[1] - basis
        return basis

    def get(key: tuple[str, str], qty: int, cost: Fraction) -> None:
        lots[key][0] += qty
        lots[key][1] += cost

    for line in lines:
        owner, instrument, qty = line["strategy"], line["instrument"], line["qty_e6"]
        moved = cash_e6(line)
        slug = instrument.split(" ")[0]
        pair = [(owner, f"{slug} Up"), (owner, f"{slug} Down")]
        match line["kind"], line["side"], line["reason"]:
            case "fill", "BUY", _:
                get((owner, instrument), qty, -moved)
            case ("fill", "SELL", _) | ("settlement", _, _):
                realized += moved - give((owner, instrument), qty)
            case "conversion", _, "SPLIT":
                get(pair[0], qty, -moved / 2)
                get(pair[1], qty, -moved / 2)
            case "conversion", _, "MERGE":
                realized += moved - give(pair[0], qty) - give(pair[1], qty)
            case "rebate", _, _:
                realized += moved
            case _:
                pass
    left: dict[str, list[Fraction]] = defaultdict(lambda: [Fraction(0), Fraction(0)])
    for (_, instrument), (qty_left, _) in lots.items():
        left[instrument.split(" ")[0]][instrument.endswith(" Down")] += qty_left
    return left, realized


def _mark(slug: str, qtys: list[Fraction], recording: Recording) -> Fraction:
    """Pairs at 1, the rest at its own token's last bid before the close."""
    up, down = qtys
    book = recording.windows[slug].last_open
    if book is None:
        return min(up, down)
    bid_e4 = book.bid_e4 if up > down else ONE_E4 - book.ask_e4
    return min(up, down) + abs(up - down) * bid_e4 / ONE_E4
