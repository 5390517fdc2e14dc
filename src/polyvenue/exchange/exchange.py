"""The exchange as its servers use it: every call takes `now_ns`, which never goes back.

A call first does what is due by then, so that the order of everything is the order of time. Nothing
here waits: `next_ns` says when something is due, `advance` does it. Same seed and same calls give
the same events.
"""

from collections.abc import Sequence

from polyvenue.exchange import (
    cancels,
    chain,
    conservation,
    entry,
    forgetting,
    heartbeats,
    lifecycle,
    reads,
    settlement,
    ticks,
    truth,
    wallets,
)
from polyvenue.exchange.accounts import Account
from polyvenue.exchange.chain import JobRequest
from polyvenue.exchange.config import ExchangeConfig
from polyvenue.exchange.events import BookSnapshot, Event, JobView, TradeView
from polyvenue.exchange.heartbeats import HeartbeatReply
from polyvenue.exchange.market import Market, MarketTerms, Phase
from polyvenue.exchange.orders import (
    BatchEntry,
    CancelReply,
    OrderRequest,
    OrderView,
    Placed,
    Refusal,
    batch_entry,
)
from polyvenue.exchange.records import JobPath, JobScript, TradePath, TradeScript, Wants
from polyvenue.exchange.schedule import Duty, Task
from polyvenue.exchange.state import Core, EngineMode, RequestNote
from polyvenue.exchange.truth import Truth
from polyvenue.exchange.validate import bad, check_mode


class Exchange:
    """One venue with its markets, wallets and chain. Not thread safe, never blocks."""

    def __init__(self, config: ExchangeConfig, seed: int) -> None:
        self.core = Core(config, seed)

    # Time

    @property
    def now_ns(self) -> int:
        """The time of the last call."""
        return self.core.now_ns

    def next_ns(self) -> int | None:
        """When something is due without anybody's call; None when nothing is."""
        return self.core.schedule.next_ns()

    def advance(self, now_ns: int) -> None:
        """Do what is due by `now_ns`, each thing at its own time. ValueError when time goes back.

        Every other call that takes `now_ns` begins with this.
        """
        core = self.core
        if now_ns < core.now_ns:
            raise ValueError(f"now_ns is {now_ns}, before {core.now_ns}: time does not go back")
        while (task := core.schedule.pop_due(now_ns)) is not None:
            core.now_ns = max(core.now_ns, task.at_ns)
            self._do(task)
        core.now_ns = now_ns

    def _do(self, task: Task) -> None:
        core = self.core
        match task.duty:
            case Duty.RELEASE_HOLD:
                entry.release(core, task.key)
            case Duty.EXPIRE_ORDER:
                entry.expire(core, task.key)
            case Duty.ADVANCE_TRADE:
                settlement.advance(core, task.key)
            case Duty.ADVANCE_JOB:
                chain.advance(core, task.key)
            case Duty.CHECK_HEARTBEAT:
                heartbeats.check(core, task.key, task.mark)
            case Duty.CHANGE_MODE:
                lifecycle.change_mode(core, task.key, task.mark)
            case Duty.AUTO_REDEEM:
                chain.auto_redeem(core, task.key)

    def take_events(self) -> tuple[Event, ...]:
        """The events since the last call of this, oldest first. Take them after every call."""
        events = tuple(self.core.events)
        self.core.events.clear()
        return events

    # Wallets

    def create_account(
        self, now_ns: int, maker: str, *, signer: str | None = None, collateral_e6: int = 0
    ) -> Account:
        """A funded, approved wallet. ValueError when the address is taken.

        The flags of the returned account (banned, closed_only, allowances, auto_redeem) may be set
        directly; what it holds changes only by calls.
        """
        self.advance(now_ns)
        account = self.core.ledger.create(maker, maker if signer is None else signer)
        wallets.deposit(self.core, account, collateral_e6)
        return account

    def add_api_key(self, now_ns: int, maker: str, api_key: str) -> None:
        """Let a key place and cancel for a wallet. ValueError when it is known already."""
        self.advance(now_ns)
        wallets.add_key(self.core, maker, api_key)

    def remove_api_key(self, now_ns: int, api_key: str) -> None:
        """Forget a key; its orders stay, and no call of it is accepted any more."""
        self.advance(now_ns)
        self.core.ledger.owners.pop(api_key, None)
        self.core.beats.pop(api_key, None)

    def account(self, maker: str) -> Account:
        """A wallet. ValueError when there is none."""
        return wallets.find(self.core, maker)

    def usable_e6(self, maker: str, asset: str) -> int:
        """What a new order of this wallet may rest on."""
        return self.core.usable_e6(self.account(maker), asset)

    def deposit(self, now_ns: int, maker: str, qty_e6: int) -> None:
        """Bring collateral in."""
        self.advance(now_ns)
        wallets.deposit(self.core, self.account(maker), qty_e6)

    def withdraw(self, now_ns: int, maker: str, qty_e6: int) -> None:
        """Take collateral out, even what orders and matches count on (a drained wallet)."""
        self.advance(now_ns)
        wallets.withdraw(self.core, self.account(maker), qty_e6)

    def transfer(self, now_ns: int, sender: str, receiver: str, asset: str, qty_e6: int) -> None:
        """Move an asset between wallets on chain, even what orders and matches count on."""
        self.advance(now_ns)
        wallets.transfer(self.core, self.account(sender), self.account(receiver), asset, qty_e6)

    def split_now(self, now_ns: int, maker: str, market_id: str, qty_e6: int) -> None:
        """Make pairs at once, for an inventory to start with. ValueError without collateral."""
        self.advance(now_ns)
        market = lifecycle.find(self.core, market_id)
        wallets.split_now(self.core, self.account(maker), market, qty_e6)

    def pay_rebates(self, now_ns: int, day: int) -> dict[str, int]:
        """Pay the maker rebates of a day (days since 1970, UTC): wallet to 10^-6 pUSD."""
        self.advance(now_ns)
        return wallets.pay_rebates(self.core, day)

    def recheck_balance(self, now_ns: int, maker: str) -> tuple[str, ...]:
        """Look at a wallet again and cancel resting orders that it no longer covers; their ids."""
        self.advance(now_ns)
        return entry.recheck_resting(self.core, self.account(maker))

    # Orders

    def place(self, now_ns: int, request: OrderRequest, api_key: str) -> Placed | Refusal:
        """`POST /order`. A held order is answered `delayed`; `HoldEnded` tells its outcome."""
        self.advance(now_ns)
        return entry.place(self.core, request, api_key)

    def place_many(
        self, now_ns: int, requests: Sequence[OrderRequest], api_key: str
    ) -> tuple[BatchEntry, ...] | Refusal:
        """`POST /orders`: each by itself, in order. Only a mode or a wrong count refuses them all.

        In post-only mode each other order is refused in its own entry.
        """
        self.advance(now_ns)
        most = self.core.config.batch_max
        if len(requests) > most:
            return bad(f"Too many orders in payload: {len(requests)}, max allowed: {most}")
        if not requests:
            return bad("Invalid order payload")
        if refusal := check_mode(self.core, post_only=True):
            return refusal
        return tuple(batch_entry(entry.place(self.core, it, api_key)) for it in requests)

    def cancel(self, now_ns: int, api_key: str, order_id: str) -> CancelReply | Refusal:
        """`DELETE /order`."""
        self.advance(now_ns)
        return cancels.cancel_one(self.core, api_key, order_id)

    def cancel_many(
        self, now_ns: int, api_key: str, order_ids: Sequence[str]
    ) -> CancelReply | Refusal:
        """`DELETE /orders`."""
        self.advance(now_ns)
        return cancels.cancel_many(self.core, api_key, list(order_ids))

    def cancel_market(
        self, now_ns: int, api_key: str, market_id: str | None = None, token_id: str | None = None
    ) -> CancelReply | Refusal:
        """`DELETE /cancel-market-orders`."""
        self.advance(now_ns)
        return cancels.cancel_market(self.core, api_key, market_id, token_id)

    def cancel_all(self, now_ns: int, api_key: str) -> CancelReply | Refusal:
        """`DELETE /cancel-all`."""
        self.advance(now_ns)
        return cancels.cancel_all(self.core, api_key)

    def heartbeat(
        self, now_ns: int, api_key: str, heartbeat_id: str | None
    ) -> HeartbeatReply | Refusal:
        """`POST /v1/heartbeats`; None is the legacy call, which names no id."""
        self.advance(now_ns)
        return heartbeats.beat(self.core, api_key, heartbeat_id)

    # Markets

    def list_market(self, now_ns: int, terms: MarketTerms, *, accepts_orders: bool = True) -> None:
        """Add a market. ValueError when its id or a token is taken."""
        self.advance(now_ns)
        lifecycle.add_market(self.core, terms, accepts_orders=accepts_orders)

    def accept_orders(self, now_ns: int, market_id: str) -> None:
        """Trading before the window begins."""
        self._enter(now_ns, market_id, Phase.TRADING)

    def open_market(self, now_ns: int, market_id: str) -> None:
        """The window begins."""
        self._enter(now_ns, market_id, Phase.OPEN)

    def end_market(self, now_ns: int, market_id: str) -> None:
        """The window is over; what rests stays until the resolution."""
        self._enter(now_ns, market_id, Phase.ENDED)

    def _enter(self, now_ns: int, market_id: str, phase: Phase) -> None:
        self.advance(now_ns)
        lifecycle.enter_phase(self.core, lifecycle.find(self.core, market_id), phase)

    def resolve_market(self, now_ns: int, market_id: str, payouts_ppm: tuple[int, int]) -> None:
        """Report the payout of Up and Down and clear the book."""
        self.advance(now_ns)
        lifecycle.resolve(self.core, lifecycle.find(self.core, market_id), payouts_ppm)

    def remove_book(self, now_ns: int, market_id: str) -> None:
        """From now on the market has no order book."""
        self.advance(now_ns)
        lifecycle.remove_book(self.core, lifecycle.find(self.core, market_id))

    def forget_market(self, now_ns: int, market_id: str) -> None:
        """Drop a finished market with its orders, trades and jobs, also from the truth."""
        self.advance(now_ns)
        forgetting.forget(self.core, lifecycle.find(self.core, market_id))

    def change_tick(self, now_ns: int, market_id: str, tick_e4: int) -> None:
        """Another price grid."""
        self.advance(now_ns)
        ticks.change_tick(self.core, lifecycle.find(self.core, market_id), tick_e4)

    def set_hold(self, now_ns: int, market_id: str, hold_ns: int) -> None:
        """Another hold for orders that arrive from now on; 0 for none."""
        self.advance(now_ns)
        if hold_ns < 0:
            raise ValueError(f"hold_ns is {hold_ns}: at least 0")
        lifecycle.find(self.core, market_id).hold_ns = hold_ns

    # Engine

    def set_mode(self, now_ns: int, mode: EngineMode, for_ns: int | None = None) -> None:
        """What the engine accepts, until the next change or for a time."""
        self.advance(now_ns)
        lifecycle.set_mode(self.core, mode, for_ns, EngineMode.NORMAL)

    def restart(self, now_ns: int, down_ns: int | None = None) -> None:
        """An engine restart: 425 for a while, then post-only for a while, then normal."""
        self.advance(now_ns)
        for_ns = self.core.config.restart_ns if down_ns is None else down_ns
        lifecycle.set_mode(self.core, EngineMode.RESTARTING, for_ns, EngineMode.POST_ONLY)

    def script_trades(
        self,
        path: TradePath,
        *,
        market_id: str | None = None,
        order_id: str | None = None,
        count: int = 1,
        wants: Wants | None = None,
    ) -> TradeScript:
        """Give the next trades (of a market, of an order, of any) this path; first come first.

        The script comes back for `unscript`.
        """
        if count < 1:
            raise ValueError(f"count is {count}: at least 1")
        script = TradeScript(path, market_id, order_id, count, wants)
        self.core.trade_scripts.append(script)
        return script

    # Chain

    def submit_job(self, now_ns: int, request: JobRequest) -> JobView | Refusal:
        """Split, merge or redeem. The same nonce again returns the job that it started."""
        self.advance(now_ns)
        return chain.submit(self.core, request)

    def script_jobs(
        self,
        path: JobPath,
        *,
        maker: str | None = None,
        count: int = 1,
        wants: Wants | None = None,
    ) -> JobScript:
        """Give the next chain jobs (of a wallet, or of any) this path; first come first."""
        if count < 1:
            raise ValueError(f"count is {count}: at least 1")
        script = JobScript(path, maker, count, wants)
        self.core.job_scripts.append(script)
        return script

    def unscript(self, script: TradeScript | JobScript) -> None:
        """Take a script back; what it was given to before keeps its path."""
        core = self.core
        core.trade_scripts = [it for it in core.trade_scripts if it is not script]
        core.job_scripts = [it for it in core.job_scripts if it is not script]

    # Reads

    def market(self, market_id: str) -> Market:
        """A market as it is now, to be read only. ValueError when there is none."""
        return lifecycle.find(self.core, market_id)

    def book(self, token_id: str) -> BookSnapshot | Refusal:
        """The book of a token, as of the last call."""
        return reads.book(self.core, token_id)

    def order(self, order_id: str) -> OrderView | None:
        """An order by its id, open or not."""
        found = self.core.orders.get(order_id)
        return found.view() if found else None

    def open_orders(self, api_key: str) -> tuple[OrderView, ...]:
        """Resting and held orders of a key, oldest first."""
        return reads.open_orders(self.core, api_key)

    def trades(self, maker: str) -> tuple[TradeView, ...]:
        """Trades of a wallet on either side, oldest first."""
        return reads.trades(self.core, maker)

    def job(self, job_id: str) -> JobView | None:
        """A chain job by its id."""
        found = self.core.jobs.get(job_id)
        return found.view if found else None

    # Truth

    def truth(self) -> Truth:
        """Everything as it really is."""
        return truth.tell(self.core)

    def note_request(self, now_ns: int, note: RequestNote) -> None:
        """Remember a request that a server received; the oldest go when there are too many."""
        self.advance(now_ns)
        truth.note_request(self.core, note)

    def problems(self) -> list[str]:
        """Laws that are broken now (conservation, signs, crossed books); always empty."""
        return conservation.problems(self.core)
