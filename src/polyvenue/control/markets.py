"""Markets made by order, and markets as the control API shows them."""

import dataclasses

import msgspec

from polyvenue.control.orders import MarketOrder
from polyvenue.exchange.market import MarketTerms
from polyvenue.exchange.units import MS_NS, S_NS, FeeTerms
from polyvenue.market_data.windows import Series, Window, make_window, series_of
from polyvenue.server.venue import Venue

START_AHEAD_S_MAX = 86_400


class MarketShown(msgspec.Struct, frozen=True, kw_only=True):
    """A market. Times are Unix nanoseconds of venue time; `winner` 0 is Up."""

    condition_id: str
    slug: str
    asset: str
    window_s: int
    token_up: str
    token_down: str
    phase: str
    tick_e4: int
    hold_ms: int
    fail_ppm: int | None
    fee_ppm: int
    faithful: bool
    start_ns: int
    end_ns: int
    resolved_ns: int
    winner: int | None


def make_market(venue: Venue, order: MarketOrder) -> Window:
    """List a market; it takes orders at once. ValueError for an asset or a start it cannot have."""
    if order.asset not in venue.oracles:
        known = ", ".join(venue.oracles)
        raise ValueError(f"asset {order.asset!r:.40} has no prices here: one of {known}")
    series = series_of(order.asset, order.window_s)
    now_ns = venue.catch_up()
    made = make_window(venue.config.seed, series, _start_s(venue, series, order, now_ns))
    window = dataclasses.replace(made, listed_ns=now_ns, accepting_ns=now_ns)
    venue.list_window(window, terms_of(window, order))
    return window


def is_ordered(window: Window) -> bool:
    """True for a market made here: windows of the series start on multiples of their length."""
    return not _is_on_grid(window.start_ns // S_NS, window.series.window_s)


def _is_on_grid(start_s: int, window_s: int) -> bool:
    return start_s % window_s == 0


def terms_of(window: Window, order: MarketOrder) -> MarketTerms:
    """The terms that were asked for. The tick stays what it is: nothing refines it."""
    return MarketTerms(
        market_id=window.condition_id,
        token_ids=window.token_ids,
        tick_e4=order.tick_e4,
        fees=FeeTerms(rate_ppm=order.fee_ppm),
        hold_ns=order.hold_ms * MS_NS,
        cross_outcome_match=order.cross_outcome_match,
        fail_ppm=order.fail_ppm,
        refine_e4=0,
    )


def _start_s(venue: Venue, series: Series, order: MarketOrder, now_ns: int) -> int:
    """When the window starts: as asked, or the latest free second that is none of the series."""
    now_s = now_ns // S_NS
    if order.start_s is not None:
        if not now_s <= order.start_s <= now_s + START_AHEAD_S_MAX:
            raise ValueError(
                f"start_s is {order.start_s}: allowed are {now_s} to {now_s + START_AHEAD_S_MAX}"
            )
        if _is_on_grid(order.start_s, order.window_s):
            raise ValueError(
                f"start_s is {order.start_s}, a multiple of window_s: those are the series' own"
            )
        return order.start_s
    for start_s in range(now_s, now_s - series.window_s // 2, -1):
        window = make_window(venue.config.seed, series, start_s)
        if is_ordered(window) and venue.markets.market(window.condition_id) is None:
            return start_s
    raise ValueError("too many markets of this asset start now: give start_s")


def show_market(venue: Venue, window: Window) -> MarketShown:
    """A listed market as it is now."""
    market = venue.exchange.market(window.condition_id)
    record = venue.markets.market(window.condition_id)
    return MarketShown(
        condition_id=window.condition_id,
        slug=window.slug,
        asset=window.series.asset.code,
        window_s=window.series.window_s,
        token_up=window.token_ids[0],
        token_down=window.token_ids[1],
        phase=market.phase,
        tick_e4=market.tick_e4,
        hold_ms=market.hold_ns // MS_NS,
        fail_ppm=market.terms.fail_ppm,
        fee_ppm=market.terms.fees.rate_ppm,
        faithful=market.terms.cross_outcome_match,
        start_ns=window.start_ns,
        end_ns=window.end_ns,
        resolved_ns=window.resolved_ns,
        winner=None if record is None else record.winner,
    )


def show_markets(venue: Venue) -> list[MarketShown]:
    """Every listed market, in the order of listing."""
    return [show_market(venue, record.window) for record in venue.markets.markets()]
