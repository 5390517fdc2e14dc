"""Chain jobs: split, merge and redeem, submitted once and mined later.

The chain knows no orders: a job takes what the wallet holds, even what open orders rest on. What a
job needs is looked at when it is mined; without it the job fails and changes nothing.
"""

import hashlib

import msgspec

from polyvenue.exchange.accounts import Account
from polyvenue.exchange.entry import recheck_resting
from polyvenue.exchange.events import JobChanged, JobKind, JobState, JobView
from polyvenue.exchange.market import Market
from polyvenue.exchange.orders import PUSD, Refusal
from polyvenue.exchange.records import JobPath, JobRecord, JobStep
from polyvenue.exchange.schedule import Duty
from polyvenue.exchange.settlement import draw
from polyvenue.exchange.state import Core
from polyvenue.exchange.units import PPM
from polyvenue.exchange.validate import AMOUNT_MAX_E6, bad


class JobRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a wallet asks of the chain. A redeem takes all it can and ignores `qty_e6`.

    `nonce` orders the wallet's jobs. The same nonce with the same content is the same job, sent
    again; with other content it is invalid. None takes the next one.
    """

    maker: str
    kind: JobKind
    market_id: str
    qty_e6: int = 0
    nonce: int | None = None


def submit(core: Core, request: JobRequest, *, by_venue: bool = False) -> JobView | Refusal:
    """Start a job, or return the one that this nonce started."""
    account = core.ledger.accounts.get(request.maker)
    if account is None:
        return bad("Invalid payload")
    if request.market_id not in core.markets:
        return Refusal(status=404, text="market not found")
    if request.kind is not JobKind.REDEEM and not 0 < request.qty_e6 <= AMOUNT_MAX_E6:
        return bad("Invalid payload")
    nonce = account.next_nonce if request.nonce is None else request.nonce
    earlier = core.jobs_of.get((request.maker, nonce))
    if earlier is not None and not by_venue:
        view = core.jobs[earlier].view
        if (view.kind, view.market_id, view.qty_e6) == _content(request) or (
            view.kind is request.kind is JobKind.REDEEM and view.market_id == request.market_id
        ):
            return view
    valid = by_venue or (earlier is None and nonce == account.next_nonce)
    return _start(core, account, request, -1 if by_venue else nonce, valid=valid)


def _content(request: JobRequest) -> tuple[JobKind, str, int]:
    return request.kind, request.market_id, request.qty_e6


def _start(
    core: Core, account: Account, request: JobRequest, nonce: int, *, valid: bool
) -> JobView:
    """Know the job; an invalid one ends here."""
    core.job_count += 1
    job_id = hashlib.sha256(f"{core.seed}:job:{core.job_count}".encode()).hexdigest()[:32]
    view = JobView(
        job_id=job_id,
        maker=request.maker,
        kind=request.kind,
        market_id=request.market_id,
        qty_e6=request.qty_e6,
        cash_e6=0,
        nonce=nonce,
        state=JobState.NEW if valid else JobState.INVALID,
        by_venue=nonce < 0,
        created_ns=core.now_ns,
        updated_ns=core.now_ns,
        tx_hash="",
        error="" if valid else f"nonce {nonce} is not the next one, {account.next_nonce}",
    )
    job = JobRecord(view=view, steps=_path(core, request.maker).steps if valid else ())
    core.jobs[job_id] = job
    if valid and nonce >= 0:
        core.jobs_of[request.maker, nonce] = job_id
        account.next_nonce += 1
    core.emit(JobChanged(at_ns=core.now_ns, job=view))
    _schedule_next(core, job)
    return view


def _path(core: Core, maker: str) -> JobPath:
    """The first script that fits, or a drawn path."""
    for script in core.job_scripts:
        if script.maker in (None, maker) and (script.wants is None or script.wants()):
            script.count -= 1
            if script.count == 0:
                core.job_scripts.remove(script)
            return script.path
    config = core.config.chain
    executed = JobStep(state=JobState.EXECUTED, delay_ns=draw(core, config.executed))
    mined_ns, confirmed_ns = draw(core, config.mined), draw(core, config.confirmed)
    if core.rng.randrange(PPM) < config.fail_ppm:
        return JobPath(steps=(executed, JobStep(state=JobState.FAILED, delay_ns=mined_ns)))
    mined = JobStep(state=JobState.MINED, delay_ns=mined_ns)
    return JobPath(
        steps=(executed, mined, JobStep(state=JobState.CONFIRMED, delay_ns=confirmed_ns))
    )


def _schedule_next(core: Core, job: JobRecord) -> None:
    if job.next_step < len(job.steps):
        due_ns = core.now_ns + job.steps[job.next_step].delay_ns
        core.schedule.add(due_ns, Duty.ADVANCE_JOB, job.view.job_id)


def advance(core: Core, job_id: str) -> None:
    """Take the next step of a job; what it does happens when it is mined."""
    job = core.jobs[job_id]
    state = job.steps[job.next_step].state
    job.next_step += 1
    changes: dict[str, object] = {}
    error = ""
    if state is JobState.EXECUTED:
        text = f"{core.seed}:job-tx:{job_id}"
        changes["tx_hash"] = "0x" + hashlib.sha256(text.encode()).hexdigest()
    elif state is JobState.FAILED:
        error = "execution reverted"
    elif state is JobState.MINED:
        done = _execute(core, job.view)
        if isinstance(done, str):
            state, error, job.steps = JobState.FAILED, done, ()
        else:
            changes["qty_e6"], changes["cash_e6"] = done
    job.view = msgspec.structs.replace(
        job.view, state=state, error=error, updated_ns=core.now_ns, **changes
    )
    core.emit(JobChanged(at_ns=core.now_ns, job=job.view))
    if state is JobState.MINED and core.config.chain.recheck_orders:
        recheck_resting(core, core.ledger.accounts[job.view.maker])
    _schedule_next(core, job)


def _execute(core: Core, view: JobView) -> tuple[int, int] | str:
    """Do it: `(quantity, signed cash)`, or why the chain reverts it."""
    market, account = core.markets[view.market_id], core.ledger.accounts[view.maker]
    match view.kind:
        case JobKind.SPLIT:
            return move_pairs(core, market, account, view.qty_e6)
        case JobKind.MERGE:
            return move_pairs(core, market, account, -view.qty_e6)
        case JobKind.REDEEM:
            return redeem(core, market, account)


def move_pairs(
    core: Core, market: Market, account: Account, pairs_e6: int
) -> tuple[int, int] | str:
    """Make pairs of collateral, or with a negative number collateral of pairs; all or nothing."""
    assets = (PUSD,) if pairs_e6 > 0 else market.terms.token_ids
    if any(account.spendable_e6(asset) < abs(pairs_e6) for asset in assets):
        return "transfer amount exceeds balance"
    core.ledger.move(account.maker, PUSD, -pairs_e6)
    for token_id in market.terms.token_ids:
        core.ledger.move(account.maker, token_id, pairs_e6)
    market.pool_e6 += pairs_e6
    market.supply_e6 = [supply_e6 + pairs_e6 for supply_e6 in market.supply_e6]
    return abs(pairs_e6), -pairs_e6


def redeem(core: Core, market: Market, account: Account) -> tuple[int, int] | str:
    """All shares of a resolved market for their payout; without shares it pays nothing."""
    if market.payouts_ppm is None:
        return "result for condition not received yet"
    qty_e6 = cash_e6 = 0
    for outcome, payout_ppm in enumerate(market.payouts_ppm):
        token_id = market.terms.token_ids[outcome]
        shares_e6 = account.spendable_e6(token_id)
        core.ledger.move(account.maker, token_id, -shares_e6)
        market.supply_e6[outcome] -= shares_e6
        qty_e6 += shares_e6
        cash_e6 += shares_e6 * payout_ppm // PPM
    core.ledger.move(account.maker, PUSD, cash_e6)
    market.pool_e6 -= cash_e6
    assert market.pool_e6 >= 0, "collateral backs every payout"
    return qty_e6, cash_e6


def auto_redeem(core: Core, market_id: str) -> None:
    """The venue redeems for the wallets that let it and hold shares."""
    market = core.markets.get(market_id)
    if market is None:
        return
    for account in core.ledger.accounts.values():
        if account.auto_redeem and any(map(account.spendable_e6, market.terms.token_ids)):
            request = JobRequest(maker=account.maker, kind=JobKind.REDEEM, market_id=market_id)
            submit(core, request, by_venue=True)
