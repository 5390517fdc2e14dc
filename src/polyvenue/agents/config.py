"""Who is in a market, and how each of them behaves.

The calm market is set to the recordings (docs/polyvenue-calibration.md) and to nothing else: no
number here was chosen for what some strategy earns.
"""

import msgspec


def _check(value: object, *, bounds: dict[str, tuple[float, float]]) -> None:
    """ValueError for the first field outside its range."""
    for name, (low, high) in bounds.items():
        found = getattr(value, name)
        if not low <= found <= high:
            raise ValueError(
                f"{type(value).__name__}.{name} is {found}: allowed are {low} to {high}"
            )


class MakerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A market maker: a ladder on both sides of a fair value that it sees late.

    It looks every `every_ms` and sees prices `lag_ms` old. Its best quotes lie at least `near_e4`
    from the fair value, on whole cents, or on a finer grid of the market where the fair value is
    within `fine_e4` of 0 or 1; `levels` - 1 more follow on multiples of `step_e4`. It moves when
    the fair value has moved by `shift_e4`, and leaves orders alone that are at most `slack_e4`
    beyond its last level (all in 10^-4 pUSD).

    A quantity is log-normal: `qty` shares at the median of the best level, times `growth_pct`/100
    per level up to level `growth_levels`, the logarithm's deviation `qty_sd_pct`/100; ahead of the
    window `before_pct` percent of that. One order is replaced by another of the same price every
    `refresh_s` on average.

    Within the last `decided_s` (of 900 s, scaled to the window), when an outcome is as sure as
    `decided_ppm`, it bids for that one only. `vol_pct` is what it takes the asset's volatility for,
    in percent of the true one.
    """

    every_ms: int = 500
    lag_ms: int = 400
    near_e4: int = 0
    levels: int = 8
    step_e4: int = 100
    fine_e4: int = 200
    shift_e4: int = 60
    slack_e4: int = 300
    qty: int = 60
    qty_sd_pct: int = 110
    growth_pct: int = 100
    growth_levels: int = 5
    before_pct: int = 100
    refresh_s: int = 30
    decided_s: int = 150
    decided_ppm: int = 985_000
    vol_pct: int = 100
    collateral: int = 500_000

    def __post_init__(self) -> None:
        """ValueError for a number outside its range."""
        _check(
            self,
            bounds={
                "every_ms": (10, 60_000),
                "lag_ms": (0, 60_000),
                "near_e4": (0, 5_000),
                "levels": (1, 50),
                "step_e4": (1, 2_000),
                "fine_e4": (0, 5_000),
                "shift_e4": (0, 5_000),
                "slack_e4": (0, 10_000),
                "qty": (5, 1_000_000),
                "qty_sd_pct": (0, 300),
                "growth_pct": (10, 1_000),
                "growth_levels": (0, 50),
                "before_pct": (1, 10_000),
                "refresh_s": (1, 86_400),
                "decided_s": (0, 900),
                "decided_ppm": (500_000, 1_000_000),
                "vol_pct": (1, 1_000),
                "collateral": (100, 1_000_000_000),
            },
        )


class CollectorConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who buys the sure winner at the last price below 1, and goes on adding.

    Within the last `within_s` (of 900 s, scaled to the window), while an outcome is as sure as
    `decided_ppm`, it adds a bid of `qty` shares (median; logarithm's deviation `qty_sd_pct`/100)
    every `every_ms` on average, up to `orders_max`; it withdraws all when the outcome is in doubt.
    """

    every_ms: int = 1_000
    lag_ms: int = 500
    qty: int = 200
    qty_sd_pct: int = 100
    within_s: int = 120
    decided_ppm: int = 990_000
    orders_max: int = 200
    collateral: int = 2_000_000

    def __post_init__(self) -> None:
        """ValueError for a number outside its range."""
        _check(
            self,
            bounds={
                "every_ms": (10, 60_000),
                "lag_ms": (0, 60_000),
                "qty": (5, 1_000_000),
                "qty_sd_pct": (0, 300),
                "within_s": (0, 900),
                "decided_ppm": (500_000, 1_000_000),
                "orders_max": (1, 10_000),
                "collateral": (100, 1_000_000_000),
            },
        )


class NoiseConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A taker who knows nothing: buys either outcome, or sells what it has, at the market.

    Between two orders it waits `every_ms` on average inside the window and `before_ms` ahead of it.
    It pays at most `slip_ticks` beyond the best price for `qty` shares (median; logarithm's
    deviation `qty_sd_pct`/100), and sells in `sell_pct` of the cases in which it can.
    """

    every_ms: int = 3_000
    before_ms: int = 60_000
    qty: int = 12
    qty_sd_pct: int = 110
    slip_ticks: int = 1
    sell_pct: int = 40
    collateral: int = 50_000

    def __post_init__(self) -> None:
        """ValueError for a number outside its range."""
        _check(
            self,
            bounds={
                "every_ms": (10, 3_600_000),
                "before_ms": (10, 3_600_000),
                "qty": (5, 100_000),
                "qty_sd_pct": (0, 300),
                "slip_ticks": (0, 50),
                "sell_pct": (0, 100),
                "collateral": (100, 1_000_000_000),
            },
        )


class InformedConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A taker who sees the path sooner than the makers do.

    It looks every `every_ms`, sees prices `lag_ms` old, and takes what is offered at least
    `edge_e4` (10^-4 pUSD) below the fair value after its fee, at most `qty_max` shares at once;
    then it waits `rest_ms`.
    """

    every_ms: int = 200
    lag_ms: int = 50
    edge_e4: int = 50
    qty_max: int = 100
    rest_ms: int = 1_000
    collateral: int = 100_000

    def __post_init__(self) -> None:
        """ValueError for a number outside its range."""
        _check(
            self,
            bounds={
                "every_ms": (10, 60_000),
                "lag_ms": (0, 60_000),
                "edge_e4": (0, 10_000),
                "qty_max": (5, 100_000),
                "rest_ms": (0, 3_600_000),
                "collateral": (100, 1_000_000_000),
            },
        )


class GhostConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A wallet whose matches fail: it rests at the best price and empties itself once matched.

    It looks every `every_ms` and bids `qty` shares for one outcome. When a match has begun to
    settle it withdraws everything, waits until the match has failed, and comes back after
    `rest_s`.
    """

    every_ms: int = 200
    qty: int = 30
    rest_s: int = 30

    def __post_init__(self) -> None:
        """ValueError for a number outside its range."""
        _check(self, bounds={"every_ms": (10, 60_000), "qty": (5, 100_000), "rest_s": (0, 86_400)})


class PopulationConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody in one market; each tuple may be empty."""

    makers: tuple[MakerConfig, ...] = ()
    collectors: tuple[CollectorConfig, ...] = ()
    noise: tuple[NoiseConfig, ...] = ()
    informed: tuple[InformedConfig, ...] = ()
    ghosts: tuple[GhostConfig, ...] = ()


NOBODY = PopulationConfig()
"""An empty market: every order in it is a client's."""

CALM = PopulationConfig(
    makers=(
        MakerConfig(
            every_ms=250,
            lag_ms=150,
            levels=2,
            qty=25,
            qty_sd_pct=160,
            before_pct=110,
            decided_ppm=980_000,
        ),
        MakerConfig(
            every_ms=400,
            lag_ms=300,
            levels=2,
            qty=20,
            qty_sd_pct=150,
            before_pct=110,
        ),
        MakerConfig(
            every_ms=800,
            lag_ms=600,
            near_e4=20,
            levels=5,
            qty=32,
            growth_pct=130,
            shift_e4=80,
            before_pct=110,
        ),
        MakerConfig(
            every_ms=2_000,
            lag_ms=1_000,
            near_e4=150,
            levels=6,
            qty=150,
            growth_pct=130,
            shift_e4=150,
        ),
        MakerConfig(
            every_ms=4_000, lag_ms=2_000, near_e4=300, levels=10, qty=800, step_e4=200, shift_e4=200
        ),
    ),
    collectors=(CollectorConfig(qty=140, within_s=90, decided_ppm=985_000),),
    noise=(
        NoiseConfig(),
        NoiseConfig(every_ms=8_000, before_ms=240_000, qty=60, slip_ticks=2),
    ),
    informed=(InformedConfig(),),
)
"""The default: a market as recorded on a calm day."""

GHOSTED = msgspec.structs.replace(CALM, ghosts=(GhostConfig(),))
"""The calm market and one ghost-filler."""

PRESETS: dict[str, PopulationConfig] = {"none": NOBODY, "calm": CALM, "ghosts": GHOSTED}
"""Populations by the name that commands and the control API use."""
