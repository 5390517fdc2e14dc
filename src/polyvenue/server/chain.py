"""The chain as clients reach it: wallets, approvals, and transactions made of contract calls.

Relayer and RPC node are two doors to it. A transaction holds calls; each split, merge or redeem is
a job of the exchange, which says when it is mined and whether it fails. Approvals and deployments
need no job: they count at once and are reported by time. Transfers move at once.
"""

from collections.abc import Sequence
from hashlib import sha256

import msgspec

from polyvenue.exchange.chain import JobRequest
from polyvenue.exchange.events import JobKind, JobState, JobView
from polyvenue.exchange.orders import PUSD, Refusal
from polyvenue.exchange.units import UNLIMITED_E6
from polyvenue.server import abi
from polyvenue.server.venue import Venue
from polyvenue.signing.addresses import Address
from polyvenue.signing.orders import STANDARD_EXCHANGE

_JOBS = {abi.SPLIT: JobKind.SPLIT, abi.MERGE: JobKind.MERGE, abi.REDEEM: JobKind.REDEEM}
_RANKS = [JobState.NEW, JobState.EXECUTED, JobState.MINED, JobState.CONFIRMED]
TRANSACTIONS_MAX = 100_000


class ChainCall(msgspec.Struct, frozen=True):
    """One call of a contract."""

    to: Address
    data: bytes


class Transaction(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction that was taken. Without jobs its state follows from its age."""

    number: str
    wallet: Address
    tx_hash: str
    job_ids: tuple[str, ...]
    created_ns: int
    error: str = ""


class TransactionView(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction as it is now."""

    state: JobState
    tx_hash: str
    error: str


class Chain:
    """Transactions and approvals of all wallets. The oldest transactions are forgotten."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._approved: dict[tuple[Address, Address, Address], int] = {}
        self._transactions: dict[str, Transaction] = {}
        self._nonces: dict[Address, int] = {}
        self._count = 0

    def nonce(self, wallet: Address) -> int:
        """The next nonce of a wallet's batches or of a key's transactions."""
        return self._nonces.get(wallet, 0)

    def find(self, number: str) -> Transaction | None:
        """A transaction by its number or its hash."""
        return self._transactions.get(number)

    def submit(
        self, wallet: Address, calls: Sequence[ChainCall], tx_hash: str | None = None
    ) -> Transaction | Refusal:
        """Take a transaction of a wallet, its calls in order; the next nonce is used up.

        A refusal uses nothing up. A call that no contract of ours has makes it a failed one.
        """
        read = [self._read(call) for call in calls]
        self._nonces[wallet] = self.nonce(wallet) + 1
        jobs: list[str] = []
        error = ""
        for call, job in zip(calls, read, strict=True):
            if job is not None:
                made = self._start(wallet, job)
                if isinstance(made, Refusal):
                    error = f"execution reverted: {made.text}"
                    break
                jobs.append(made.job_id)
            elif not self._apply(wallet, call):
                error = "execution reverted"
                break
        self._venue.publish()
        return self.record(wallet, tx_hash, tuple(jobs), error)

    def record(
        self,
        wallet: Address,
        tx_hash: str | None = None,
        job_ids: tuple[str, ...] = (),
        error: str = "",
    ) -> Transaction:
        """Remember a transaction, under its number and its hash."""
        self._count += 1
        text = f"{self._venue.config.seed}:transaction:{self._count}"
        digest = sha256(text.encode()).hexdigest()
        number = f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"
        made = Transaction(
            number=number,
            wallet=wallet,
            tx_hash=tx_hash or "0x" + digest,
            job_ids=job_ids,
            created_ns=self._venue.exchange.now_ns,
            error=error,
        )
        for key in (made.number, made.tx_hash):
            self._transactions[key] = made
        while len(self._transactions) > TRANSACTIONS_MAX:
            del self._transactions[next(iter(self._transactions))]
        return made

    def view(self, made: Transaction) -> TransactionView:
        """The state now: the least advanced of the jobs, FAILED if any failed."""
        if made.error:
            return TransactionView(state=JobState.FAILED, tx_hash=made.tx_hash, error=made.error)
        jobs = [job for it in made.job_ids if (job := self._venue.exchange.job(it))]
        failed = [it for it in jobs if it.state in (JobState.FAILED, JobState.INVALID)]
        if failed:
            return TransactionView(
                state=failed[0].state, tx_hash=made.tx_hash, error=failed[0].error
            )
        ranks = [_RANKS.index(job.state) for job in jobs]
        rank = min(ranks) if ranks else self._rank_by_age(made)
        # a mined transaction has a hash; so does one that the relayer has sent
        tx_hash = made.tx_hash if rank else ""
        return TransactionView(state=_RANKS[rank], tx_hash=tx_hash, error="")

    def _rank_by_age(self, made: Transaction) -> int:
        """A transaction without jobs, or whose market is forgotten: by the shortest delays."""
        delays = self._venue.config.exchange.chain
        age_ns = self._venue.exchange.now_ns - made.created_ns
        steps = (delays.executed.low_ns, delays.mined.low_ns, delays.confirmed.low_ns)
        return sum(age_ns >= sum(steps[: count + 1]) for count in range(3))

    def _read(self, call: ChainCall) -> JobRequest | None:
        """The job that a call asks for. ValueError for call data that no contract takes."""
        kind = _JOBS.get(call.data[:4])
        if kind is None or call.to != abi.COLLATERAL_ADAPTER:
            return None
        words = abi.Words(call.data[4:])
        condition_id = "0x" + words.raw(2).hex()
        qty_e6 = 0 if kind is JobKind.REDEEM else words.number(4)
        return JobRequest(maker="", kind=kind, market_id=condition_id, qty_e6=qty_e6)

    def _start(self, wallet: Address, job: JobRequest) -> JobView | Refusal:
        request = msgspec.structs.replace(job, maker=wallet)
        return self._venue.exchange.submit_job(self._venue.exchange.now_ns, request)

    def _apply(self, wallet: Address, call: ChainCall) -> bool:
        """Carry out an approval or a transfer; False for any other call."""
        name, words = call.data[:4], abi.Words(call.data[4:])
        if name in (abi.APPROVE, abi.APPROVE_ALL):
            spender, amount = words.address(0), words.number(1)
            self._approved[wallet, call.to, spender] = amount
            if spender == STANDARD_EXCHANGE.address:
                self._approve_exchange(wallet, call.to, amount)
            return True
        if name == abi.TRANSFER and call.to == abi.PUSD_ADDRESS:
            return self._transfer(wallet, words.address(0), words.number(1))
        return False

    def _approve_exchange(self, wallet: Address, token: Address, amount: int) -> None:
        account = self._venue.exchange.account(wallet)
        if token == abi.PUSD_ADDRESS:
            account.allowance_e6 = amount
        elif token == abi.CONDITIONAL_TOKENS:
            account.tokens_approved = amount > 0

    def _transfer(self, sender: Address, receiver: Address, qty_e6: int) -> bool:
        exchange = self._venue.exchange
        try:
            exchange.transfer(exchange.now_ns, sender, receiver, PUSD, qty_e6)
        except ValueError:  # more than it holds, or a wallet that is not ours
            return False
        return True

    # Reads

    def allowance(self, owner: Address, token: Address, spender: Address) -> int:
        """What a spender may move. Accounts that this venue made have approved everything."""
        if spender == STANDARD_EXCHANGE.address and self._known(owner):
            account = self._venue.exchange.account(owner)
            asset = PUSD if token == abi.PUSD_ADDRESS else ""
            return account.allowance_of(asset)
        default = UNLIMITED_E6 if owner in self._venue.accounts else 0
        return self._approved.get((owner, token, spender), default)

    def balance(self, owner: Address, asset: str) -> int:
        """What a wallet holds of pUSD or of a token."""
        if not self._known(owner):
            return 0
        return self._venue.exchange.account(owner).held.get(asset, 0)

    def payouts(self, condition_id: str) -> tuple[int, int] | None:
        """The payout numerators that are reported on chain by now."""
        record = self._venue.markets.market(condition_id)
        if record is None or self._venue.exchange.now_ns < record.window.payout_ns:
            return None
        payouts = self._venue.exchange.market(condition_id).payouts_ppm
        return None if payouts is None else (int(payouts[0] > 0), int(payouts[1] > 0))

    def _known(self, wallet: Address) -> bool:
        return wallet in self._venue.exchange.core.ledger.accounts
