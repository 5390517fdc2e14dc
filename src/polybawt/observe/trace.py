"""The audit trace, one JSON line per order, cancel, fill, conversion, settlement; and the digest.

An outsider who sums the lines gets the summary to the unit, without any of our code: the `cash_e6`
of all lines is the change of cash, `fee_e6` of the fills is the fees. Format: docs/trace.md.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import IO

import msgspec

from polybawt.domain import events as ev
from polybawt.domain.actions import Action, Cancel, Place
from polybawt.domain.errors import BadInput
from polybawt.domain.ids import (
    Instrument,
    OrderId,
    Outcome,
    Side,
    StrategyName,
    outcome_of,
)
from polybawt.domain.units import E4, PPM, Rounding, notional_e6
from polybawt.portfolio.account import AccountState, LiveMarket

PRUNE_MIN = 1_024
"""Orders whose times are remembered before those of finished markets are forgotten."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line. Fields that a kind does not have are null; all amounts are integers."""

    kind: str
    ts_ns: int
    decided_ns: int | None = None
    arrived_ns: int | None = None
    frame_seq: int
    order_id: str | None = None
    strategy: str
    instrument: str
    side: str | None = None
    price_e4: int | None = None
    qty_e6: int
    fee_e6: int = 0
    cash_e6: int = 0
    liquidity: str | None = None
    state: str
    reason: str = ""


class ActionDigest:
    """SHA-256 over every action and the time it was decided: equal runs have equal digests."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._encode = msgspec.json.Encoder().encode

    def add(self, now_ns: int, actions: Iterable[Action]) -> None:
        """Add the actions of one step, in order."""
        for action in actions:
            self._hash.update(self._encode((now_ns, action)))

    def hexdigest(self) -> str:
        """The digest so far."""
        return self._hash.hexdigest()


class TraceWriter:
    """Writes lines as things are decided and become known to the bot; whole or not at all.

    The file appears under its name when the run has ended; until then it is a `.part` beside it.
    """

    def __init__(
        self, path: Path, account: AccountState, order_delay_ns: Callable[[int], int]
    ) -> None:
        """`order_delay_ns` says how long what was decided then takes to reach the venue."""
        self._path = path
        self._account = account
        self._order_delay_ns = order_delay_ns
        self._encode = msgspec.json.Encoder().encode
        self._orders: dict[OrderId, tuple[int, int]] = {}
        self._prune_at = PRUNE_MIN
        self._part = path.with_name(path.name + ".part")
        try:
            self._file: IO[bytes] = self._part.open("wb")
        except OSError as error:
            raise BadInput(
                f"trace file {path}: {error.strerror}; give a path in a folder you can write to"
            ) from None

    def actions(self, now_ns: int, frame_seq: int, actions: Iterable[Action]) -> None:
        """Orders, cancels and conversions as decided."""
        arrived_ns = now_ns + self._order_delay_ns(now_ns)
        for action in actions:
            match action:
                case Place():
                    self._place(action, now_ns, arrived_ns, frame_seq)
                case Cancel():
                    leg = self._account.orders.by_id[action.order_id].leg
                    self._write(
                        Line(
                            kind="cancel",
                            ts_ns=now_ns,
                            decided_ns=now_ns,
                            arrived_ns=arrived_ns,
                            frame_seq=frame_seq,
                            order_id=action.order_id,
                            strategy=action.strategy,
                            instrument=self._text(leg.instrument),
                            side=leg.side.name,
                            price_e4=leg.limit_e4,
                            qty_e6=self._account.orders.by_id[action.order_id].rest_e6,
                            state="CANCEL_SENT",
                            reason=action.reason,
                        )
                    )
                case _:
                    pass

    def _place(self, action: Place, now_ns: int, arrived_ns: int, frame_seq: int) -> None:
        leg = action.leg
        if len(self._orders) >= self._prune_at:
            known = self._account.orders.by_id
            self._orders = {k: v for k, v in self._orders.items() if k in known}
            self._prune_at = 2 * len(self._orders) + PRUNE_MIN
        self._orders[action.order_id] = (now_ns, arrived_ns)
        self._write(
            Line(
                kind="order",
                ts_ns=now_ns,
                decided_ns=now_ns,
                arrived_ns=arrived_ns,
                frame_seq=frame_seq,
                order_id=action.order_id,
                strategy=action.strategy,
                instrument=self._text(leg.instrument),
                side=leg.side.name,
                price_e4=leg.limit_e4,
                qty_e6=leg.qty_e6,
                state="SENT",
                reason=action.reason,
            )
        )

    def before(self, batch: ev.Batch) -> None:
        """Fills, ends of orders, conversions and settlements, before the account forgets them.

        The account knows none of the batch yet, so what an order matched in it is counted here.
        """
        matched: dict[OrderId, int] = {}
        for event in batch.events:
            match event:
                case ev.Filled():
                    if self._fill(event, batch.frame_seq):
                        just_e6 = matched.get(event.order_id, 0)
                        matched[event.order_id] = just_e6 + event.qty_e6
                case ev.OrderRejected():
                    self._close(event, "REJECTED", event.code, batch.frame_seq, 0)
                case ev.OrderClosed():
                    just_e6 = matched.get(event.order_id, 0)
                    self._close(event, event.state, event.reason, batch.frame_seq, just_e6)
                case ev.PairMerged() | ev.PairSplit():
                    self._conversion(event, batch.frame_seq)
                case ev.MarketResolved():
                    self._settlement(event, batch)
                case ev.CashMoved():
                    self._cash(event, batch.frame_seq)
                case _:
                    pass

    def _fill(self, event: ev.Filled, frame_seq: int) -> bool:
        """Write a fill; False if it is known and nothing is written."""
        order = self._account.orders.by_id[event.order_id]
        if event.fill_id in order.fill_ids:
            return False
        leg = order.leg
        decided_ns, arrived_ns = self._orders[event.order_id]
        is_buy = leg.side is Side.BUY
        notional = notional_e6(
            event.price_e4, event.qty_e6, Rounding.CEIL if is_buy else Rounding.FLOOR
        )
        self._write(
            Line(
                kind="fill",
                ts_ns=event.venue_ns,
                decided_ns=decided_ns,
                arrived_ns=arrived_ns,
                frame_seq=frame_seq,
                order_id=event.order_id,
                strategy=order.strategy,
                instrument=self._text(leg.instrument),
                side=leg.side.name,
                price_e4=event.price_e4,
                qty_e6=event.qty_e6,
                fee_e6=event.fee_e6,
                cash_e6=(-notional if is_buy else notional) - event.fee_e6,
                liquidity=event.liquidity,
                state="PROVISIONAL",
                reason=event.fill_id,
            )
        )
        return True

    def _close(
        self,
        event: ev.OrderRejected | ev.OrderClosed,
        state: str,
        reason: str,
        frame_seq: int,
        just_matched_e6: int,
    ) -> None:
        order_id = event.order_id
        order = self._account.orders.by_id.get(order_id)
        if order is None or not order.is_open:
            return
        decided_ns, arrived_ns = self._orders.pop(order_id, (None, None))
        self._write(
            Line(
                kind="close",
                ts_ns=event.venue_ns,
                decided_ns=decided_ns,
                arrived_ns=arrived_ns,
                frame_seq=frame_seq,
                order_id=order_id,
                strategy=order.strategy,
                instrument=self._text(order.leg.instrument),
                side=order.leg.side.name,
                price_e4=order.leg.limit_e4,
                qty_e6=order.rest_e6 - just_matched_e6,
                state=str(state),
                reason=reason,
            )
        )

    def _conversion(self, event: ev.JobDone, frame_seq: int) -> None:
        live = self._account.markets.get(event.market_id)
        job = None if live is None else live.jobs.get(event.job_id)
        if live is None or job is None:
            return
        is_merge = isinstance(event, ev.PairMerged)
        self._write(
            Line(
                kind="conversion",
                ts_ns=event.venue_ns,
                frame_seq=frame_seq,
                order_id=event.job_id,
                strategy=job.strategy,
                instrument=f"{live.market.slug} pair",
                price_e4=E4,
                qty_e6=event.qty_e6,
                cash_e6=event.qty_e6 if is_merge else -event.qty_e6,
                state="CONFIRMED",
                reason="MERGE" if is_merge else "SPLIT",
            )
        )

    def _cash(self, event: ev.CashMoved, frame_seq: int) -> None:
        is_out = event.kind is ev.TransferKind.WITHDRAWAL
        self._write(
            Line(
                kind=event.kind,
                ts_ns=event.venue_ns,
                frame_seq=frame_seq,
                order_id=event.transfer_id,
                strategy="",
                instrument="",
                qty_e6=0,
                cash_e6=-event.cash_e6 if is_out else event.cash_e6,
                state="CONFIRMED",
            )
        )

    def _settlement(self, event: ev.MarketResolved, batch: ev.Batch) -> None:
        """One line per strategy and token held, and one per market if nothing is held."""
        live = self._account.markets.get(event.market_id)
        if live is None or live.payouts_ppm is not None:
            return
        held = [
            (strategy, outcome, position.down_e6 if outcome else position.up_e6)
            for strategy, position in self._account.positions(event.market_id)
            for outcome in (Outcome.UP, Outcome.DOWN)
        ]
        for strategy, outcome, qty_e6 in held:
            if qty_e6:
                self._settle(live, event, batch, strategy, outcome, qty_e6)
        if not any(qty for _, _, qty in held):
            winner = Outcome.UP if event.payouts_ppm[0] else Outcome.DOWN
            self._settle(live, event, batch, StrategyName(""), winner, 0)

    def _settle(
        self,
        live: LiveMarket,
        event: ev.MarketResolved,
        batch: ev.Batch,
        strategy: StrategyName,
        outcome: Outcome,
        qty_e6: int,
    ) -> None:
        payout_ppm = event.payouts_ppm[outcome]
        self._write(
            Line(
                kind="settlement",
                ts_ns=batch.now_ns,
                frame_seq=batch.frame_seq,
                strategy=strategy,
                instrument=f"{live.market.slug} {outcome.text}",
                price_e4=payout_ppm * E4 // PPM,
                qty_e6=qty_e6,
                cash_e6=qty_e6 * payout_ppm // PPM,
                state=event.evidence.upper(),
            )
        )

    def _text(self, instrument: Instrument) -> str:
        market_id = self._account.instruments.market_id(instrument)
        return f"{self._account.markets[market_id].market.slug} {outcome_of(instrument).text}"

    def _write(self, line: Line) -> None:
        try:
            self._file.write(self._encode(line) + b"\n")
        except OSError as error:
            raise self._failed(error) from None

    def _failed(self, error: OSError) -> BadInput:
        return BadInput(f"trace file {self._path}: cannot be written: {error.strerror}")

    def __enter__(self) -> TraceWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Put the file in its place; after an error remove it: nothing half-written is left."""
        if kind is not None:
            self._file.close()
            self._part.unlink(missing_ok=True)
            return
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._part.replace(self._path)
        except OSError as error:
            self._part.unlink(missing_ok=True)
            raise self._failed(error) from None
