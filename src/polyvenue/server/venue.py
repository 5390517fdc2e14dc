"""The venue as one value: exchange, clock, windows, oracle, metadata, keys, agents, channels.

Nothing here waits. `catch_up` brings everything to the clock's time; every request and every
client frame begins with it, and the driver calls it when something is due. So the order of what
happens is the order of venue time, and with a stepped clock a run is repeatable.
"""

from collections.abc import Callable
from typing import Protocol

from polyvenue.agents import CALM, PRESETS, Population, scene_of
from polyvenue.clock import VenueClock
from polyvenue.exchange import Exchange, MarketTerms
from polyvenue.exchange.accounts import Account as Wallet
from polyvenue.exchange.events import Event, HoldEnded
from polyvenue.exchange.market import Phase as MarketPhase
from polyvenue.exchange.orders import Placed, Refusal
from polyvenue.exchange.units import PPM, UNLIMITED_E6
from polyvenue.market_data.assets import ASSETS
from polyvenue.market_data.binance_tape import BinanceTape
from polyvenue.market_data.gamma import GammaTable
from polyvenue.market_data.oracle import TWAP_60, Kind, Oracle, TwapRule, settle
from polyvenue.market_data.prices import PricePath
from polyvenue.market_data.text import NS
from polyvenue.market_data.windows import Phase, Schedule, Transition, Window, series_of
from polyvenue.server.channels import Channels
from polyvenue.server.config import VenueConfig
from polyvenue.server.feed import Feed
from polyvenue.server.markets import MarketTable
from polyvenue.signing.accounts import Account, make_account
from polyvenue.signing.addresses import Address
from polyvenue.signing.l2 import ApiKey, ApiKeys
from polyvenue.signing.limits import Limits
from polyvenue.signing.wallets import WalletKind

FORGET_AGAIN_NS = 30 * NS
STREAM_STEP_NS = 20_000_000
"""Real time between two looks at the price streams."""


class Agent(Protocol):
    """Somebody who trades inside the venue, on the exchange itself."""

    def next_ns(self) -> int | None:
        """When it wants to act next; None for never."""

    def act(self, exchange: Exchange, now_ns: int) -> None:
        """Act; afterwards `next_ns` lies after `now_ns`."""


class Venue:
    """A running venue, without its sockets."""

    def __init__(self, config: VenueConfig, clock: VenueClock) -> None:
        self.config = config
        self.clock = clock
        self.exchange = Exchange(config.exchange, config.seed)
        self.keys = ApiKeys(f"polyvenue:{config.seed}".encode())
        self.limits = Limits(config.limit_mode)
        self.gamma = GammaTable(config.gamma_cache_ns)
        self.markets = MarketTable(self.exchange, self.gamma)
        self.channels = Channels()
        self.agents: list[Agent] = []
        self._crowds: dict[str, Population] = {}
        self._ordered: set[str] = set()
        """Markets made by order: agents come to them only when asked for."""
        self.watchers: list[Callable[[Event], None]] = []
        """Called with every event of the exchange, after the channels."""
        self.geo = config.geo
        paths = {code: PricePath(config.seed, ASSETS[code]) for code in config.assets}
        self.paths = paths
        self.oracles = {
            code: Oracle(config.seed, path, config.relay) for code, path in paths.items()
        }
        self.tapes = {code: BinanceTape(config.seed, path) for code, path in paths.items()}
        self.rules: dict[int, TwapRule] = {60: TWAP_60}
        self.accounts: dict[Address, Account] = {}
        """Throw-away accounts that this venue made, by wallet."""
        self.deployed: dict[Address, None] = {}
        """Deposit wallets that exist on chain."""
        self._wallet_of: dict[Address, Address] = {}
        self._terms_of: dict[str, MarketTerms] = {}
        self._retiring: list[tuple[int, Window]] = []
        self._feed = Feed(config, self.markets, self.channels)
        self._holds: dict[str, Callable[[Placed | Refusal], None]] = {}
        self._account_count = 0
        self._start(clock.now_ns())

    def _start(self, now_ns: int) -> None:
        series = [
            series_of(asset, window_s, ahead=self.config.ahead)
            for asset in self.config.assets
            for window_s in self.config.windows_s
        ]
        for one in series:
            self.rules.setdefault(one.rule.lookback_s, one.rule)
            self.gamma.add_zombies(self.config.seed, one, self.config.zombies)
        self.schedule = Schedule(self.config.seed, series, now_ns)
        for oracle in self.oracles.values():  # so that the first snapshot is answered at once
            oracle.published(Kind.SPOT, now_ns - 125 * NS, now_ns)
            for rule in self.rules.values():
                oracle.published(Kind.TWAP, now_ns - 125 * NS, now_ns, rule)
        # Nothing happened before the start: windows that should be open by now open now.
        self.exchange.advance(now_ns)
        self.catch_up()

    # Time

    def next_ns(self) -> int:
        """When the venue has something to do by itself."""
        due = [self.schedule.next_ns()]
        if (exchange_ns := self.exchange.next_ns()) is not None:
            due.append(exchange_ns)
        due += [at_ns for agent in self.agents if (at_ns := agent.next_ns()) is not None]
        due += [at_ns for at_ns, _ in self._retiring]
        return min(due)

    def catch_up(self) -> int:
        """Do everything that is due by the clock, each thing at its own time; the time."""
        now_ns = self.clock.now_ns()
        while (due_ns := self.next_ns()) <= now_ns:
            at_ns = max(due_ns, self.exchange.now_ns)
            self.exchange.advance(at_ns)
            self.publish()
            for transition in self.schedule.advance(at_ns):
                self._apply(transition, at_ns)
                self.publish()
            for agent in self.agents:
                wanted_ns = agent.next_ns()
                if wanted_ns is not None and wanted_ns <= at_ns:
                    agent.act(self.exchange, at_ns)
                    self.publish()
            self._retire(at_ns)
        self.exchange.advance(now_ns)
        self.publish()
        return now_ns

    def publish(self) -> None:
        """Hand the events of the exchange to the channels; call it after every change."""
        for event in self.exchange.take_events():
            self._feed.take(event)
            if isinstance(event, HoldEnded) and (tell := self._holds.pop(event.order_id, None)):
                tell(event.result)
            for watch in self.watchers:
                watch(event)

    def when_released(self, order_id: str, tell: Callable[[Placed | Refusal], None]) -> None:
        """Call `tell` with the outcome of a held order."""
        self._holds[order_id] = tell

    # Windows

    def list_window(self, window: Window, terms: MarketTerms) -> None:
        """One more market, outside of the series; it lives by the times of its window.

        ValueError if it is listed already. It is listed at `window.listed_ns`, or now if that is
        past.
        """
        if self.markets.market(window.condition_id) or window.condition_id in self._terms_of:
            raise ValueError(f"market {window.slug} is listed already: choose another start")
        self.rules.setdefault(window.series.rule.lookback_s, window.series.rule)
        self._terms_of[window.condition_id] = terms
        self._ordered.add(window.condition_id)
        self.schedule.add(window)
        self.catch_up()

    def populate(self, window: Window) -> None:
        """Let agents into a market that takes orders; without a preset of its own, calm ones."""
        asset = window.series.asset.code
        scene = scene_of(window, self.paths[asset], self.oracles[asset])
        config = CALM if self.config.agents == "none" else PRESETS[self.config.agents]
        crowd = Population(config, self.config.seed, scene)
        crowd.enter(self.exchange, self.exchange.now_ns)
        self.publish()
        self._crowds[window.condition_id] = crowd
        self.agents.append(crowd)

    def _empty(self, market_id: str, now_ns: int) -> None:
        """The agents of a market go home."""
        crowd = self._crowds.pop(market_id, None)
        if crowd is not None:
            crowd.leave(self.exchange, now_ns)
            self.agents.remove(crowd)
            self.publish()

    def _apply(self, transition: Transition, now_ns: int) -> None:
        """Carry out what happens to a window; a step that was made by hand is not made again."""
        window, exchange = transition.window, self.exchange
        name = window.condition_id
        if transition.phase is Phase.LISTED:
            terms = self._terms_of.pop(name, None) or terms_of(window)
            self.markets.add(window, terms, now_ns)
            return
        if transition.phase is Phase.RETIRED:
            self._retiring.append((now_ns, window))
            return
        phase = exchange.market(name).phase
        match transition.phase:
            case Phase.ACCEPTING if phase is MarketPhase.CREATED:
                exchange.accept_orders(now_ns, name)
                if self.config.agents != "none" and name not in self._ordered:
                    self.populate(window)
            case Phase.OPENED if phase in (MarketPhase.CREATED, MarketPhase.TRADING):
                exchange.open_market(now_ns, name)
            case Phase.ENDED if phase is MarketPhase.OPEN:
                self._empty(name, now_ns)
                exchange.end_market(now_ns, name)
            case Phase.RESOLVED if phase is MarketPhase.ENDED:
                self.resolve(window, now_ns)
            case Phase.BOOK_REMOVED if phase is MarketPhase.RESOLVED:
                exchange.remove_book(now_ns, name)
            case _:
                pass  # seen by who reads the times of the window, or done by hand

    def resolve(self, window: Window, now_ns: int) -> None:
        """Resolve a window by its oracle. ValueError if that was done."""
        oracle = self.oracles[window.series.asset.code]
        settlement = settle(oracle, window.start_ns, window.end_ns, window.series.rule)
        payouts_ppm = (PPM, 0) if settlement.winner == 0 else (0, PPM)
        self.exchange.resolve_market(now_ns, window.condition_id, payouts_ppm)
        self.markets.note_winner(window.condition_id, settlement, now_ns)

    def _retire(self, now_ns: int) -> None:
        """Forget markets whose time has come; one with something under way a little later."""
        due = [window for at_ns, window in self._retiring if at_ns <= now_ns]
        self._retiring = [it for it in self._retiring if it[0] > now_ns]
        for window in due:
            try:
                self.exchange.forget_market(now_ns, window.condition_id)
            except ValueError:  # trades or jobs are still under way
                self._retiring.append((now_ns + FORGET_AGAIN_NS, window))
            else:
                self._ordered.discard(window.condition_id)
                self.markets.drop(window)

    # Accounts

    def new_account(self, kind: WalletKind, collateral_e6: int) -> Account:
        """A funded, approved throw-away account with a fresh key of this venue's seed."""
        self._account_count += 1
        account = make_account(f"{self.config.seed}:account:{self._account_count}".encode(), kind)
        made = self.open_wallet(account.wallet, account.address, collateral_e6)
        made.allowance_e6, made.tokens_approved = UNLIMITED_E6, True
        self.accounts[account.wallet] = account
        return account

    def open_wallet(self, wallet: Address, signer: Address, collateral_e6: int = 0) -> Wallet:
        """A wallet of a key, which uses its latest one; it has approved nothing yet.

        ValueError when it exists.
        """
        now_ns = self.catch_up()
        made = self.exchange.create_account(
            now_ns, wallet, signer=signer, collateral_e6=collateral_e6
        )
        made.allowance_e6, made.tokens_approved = 0, False
        self._wallet_of[signer] = wallet
        self.deployed[wallet] = None
        for key in self.keys.owned(signer):  # keys made before the wallet was deployed
            self.exchange.remove_api_key(now_ns, key.key)
            self.exchange.add_api_key(now_ns, wallet, key.key)
        self.publish()
        return made

    def wallet_of(self, signer: Address) -> Address:
        """The wallet that a key's API keys act for; known for everyone who has an API key."""
        return self._wallet_of[signer]

    def admit_key(self, key: ApiKey) -> None:
        """Let a new API key trade for its owner's wallet; for a stranger an empty EOA wallet."""
        wallet = self._wallet_of.get(key.address)
        if wallet is None:
            self.open_wallet(key.address, key.address)
        else:
            self.exchange.add_api_key(self.exchange.now_ns, wallet, key.key)


def terms_of(window: Window) -> MarketTerms:
    """The terms of a market of the series: those of the crypto markets."""
    return MarketTerms(market_id=window.condition_id, token_ids=window.token_ids)
