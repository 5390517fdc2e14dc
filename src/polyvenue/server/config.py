"""Switches of a running venue. What the real venue does not document is one of them."""

import msgspec

from polyvenue.agents import PRESETS
from polyvenue.exchange.config import ExchangeConfig
from polyvenue.market_data.access import Geo
from polyvenue.market_data.assets import ASSETS
from polyvenue.market_data.clob_meta import MetaConfig
from polyvenue.market_data.oracle import RelayConfig
from polyvenue.market_data.text import NS
from polyvenue.market_data.windows import DURATIONS
from polyvenue.signing.l1 import AuthWindow
from polyvenue.signing.limits import LimitMode


class VenueConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue is like. The defaults are the documented or most likely behaviour.

    `reply_waits_for_hold`: whether `POST /order` answers a held order at its release instead of
    `delayed` at once. `user_auth_silent`: bad credentials on the user channel leave the socket
    open without data. `resolved_lost_ppm`: how often `market_resolved` is never sent.
    `data_lag_ns`: how far the Data API's
    activity is behind. `order_prefix` and `trade_prefix`: of the status in private reads.
    """

    seed: int = 1
    assets: tuple[str, ...] = ("btc", "eth")
    windows_s: tuple[int, ...] = (60, 900)
    ahead: int = 4
    zombies: int = 3
    speed: float = 1.0
    gamma_cache_ns: int = 60 * NS
    geo: Geo = Geo.OPEN
    limit_mode: LimitMode = LimitMode.WARN
    auth_window: AuthWindow = AuthWindow()
    reply_waits_for_hold: bool = False
    user_auth_silent: bool = False
    resolved_lost_ppm: int = 0
    order_prefix: str = ""
    trade_prefix: str = "TRADE_STATUS_"
    data_lag_ns: int = 0
    agents: str = "none"
    """Who trades in the markets of the series: `none`, `calm` or `ghosts`."""
    queue_max: int = 4_096
    """Frames that a socket may owe its client; one more closes it."""
    exchange: ExchangeConfig = ExchangeConfig()
    meta: MetaConfig = MetaConfig()
    relay: RelayConfig = RelayConfig()

    def __post_init__(self) -> None:
        """ValueError for what no venue can have."""
        for asset in self.assets:
            if asset not in ASSETS:
                raise ValueError(f"asset {asset!r} is unknown: one of {', '.join(ASSETS)}")
        for window_s in self.windows_s:
            if window_s not in DURATIONS:
                raise ValueError(f"a window of {window_s} s is unknown: one of 60, 300, 900")
        if len(set(self.assets)) != len(self.assets) or len(set(self.windows_s)) != len(
            self.windows_s
        ):
            raise ValueError("assets and windows: name each one once")
        if self.agents not in PRESETS:
            raise ValueError(f"agents {self.agents!r} are unknown: one of {', '.join(PRESETS)}")
        if not self.assets or self.ahead < 1 or self.zombies < 0 or self.queue_max < 1:
            raise ValueError("assets, ahead, queue_max: at least 1; zombies: at least 0")
        if not 0 <= self.resolved_lost_ppm <= 1_000_000:
            raise ValueError(f"resolved_lost_ppm is {self.resolved_lost_ppm}: 0 to 1000000")
