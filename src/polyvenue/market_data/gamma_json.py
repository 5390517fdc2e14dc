"""Gamma's objects: market, event, series, tags, as JSON of one moment.

Lists inside a market are JSON texts, times come in three formats, and what is known depends on when
Gamma learned it (`gamma_closed_ns`). Shapes: polymarket.md 2.2 and the recorded payloads.
"""

from dataclasses import dataclass, field

from polyvenue.market_data.oracle import Settlement
from polyvenue.market_data.records import MarketRecord, Quote
from polyvenue.market_data.text import (
    NS,
    JsonObject,
    amount_number,
    amount_text,
    database_text,
    date_text,
    dump_spaced,
    iso_micros_text,
    iso_text,
    price_number,
    price_text,
)
from polyvenue.market_data.titles import config_id_of, description_of, question_of, source_of
from polyvenue.market_data.windows import DURATIONS, OUTCOMES, Series, Window, number_id_of

_SERIES_IDS = {
    ("btc", 300): "10684",
    ("eth", 300): "10683",
    ("btc", 900): "10192",
    ("eth", 900): "10191",
}
# Tags of every Up/Down market, with the ids the venue has; ours follow per asset and length.
_TAGS = (
    ("102127", "Up or Down", "up-or-down"),
    ("1312", "Crypto Prices", "crypto-prices"),
    ("101757", "Recurring", "recurring"),
    ("21", "Crypto", "crypto"),
)
# No market lives longer than a day, so its volume is the same over every span.
_SPANS = ("24hr", "1wk", "1mo", "1yr")
_NEVER = (
    *("new", "featured", "ready", "funded", "cyom", "deploying", "rfqEnabled"),
    *("pendingDeployment", "negRiskOther", "clearBookOnStart", "showGmpSeries"),
    *("showGmpOutcome", "manualActivation", "holdingRewardsEnabled"),
    *("requiresTranslation", "pagerDutyNotificationEnabled"),
)
_TAGGED_NS = 1_746_824_218 * NS


@dataclass(frozen=True, slots=True)
class GammaEntry:
    """One market as Gamma has it now: a quote of some time ago, the settlement once known.

    `zombie` marks a market of the past that was never closed in Gamma's tables.
    """

    record: MarketRecord
    quote: Quote = field(default_factory=Quote)
    settlement: Settlement | None = None
    zombie: bool = False

    def is_closed(self, now_ns: int) -> bool:
        """True once Gamma has the resolution."""
        return not self.zombie and now_ns >= self.record.window.gamma_closed_ns


def series_id_of(series: Series) -> str:
    """The series' numeric id, the venue's where it is known."""
    known = _SERIES_IDS.get((series.asset.code, series.window_s))
    return known or number_id_of("series", series.slug)


def tags_of(series: Series) -> list[tuple[str, str, str]]:
    """(id, label, slug) of the tags of a series' events."""
    length = DURATIONS[series.window_s].upper()
    own = [(series.asset.name, series.asset.name.lower()), (length, length)]
    return [*_TAGS, *((number_id_of("tag", slug), label, slug) for label, slug in own)]


def market_json(entry: GammaEntry, now_ns: int, *, with_event: bool) -> JsonObject:
    """A market; the routes under /markets include its event, without markets."""
    window = entry.record.window
    out = _identity(window) | _state(entry, now_ns) | _terms(entry.record) | _flags()
    if entry.is_closed(now_ns):
        # A running market has none of these keys; the best prices linger.
        out |= {
            "umaResolutionStatus": "resolved",
            "closedTime": database_text(window.payout_ns),
            "umaEndDate": iso_text(window.payout_ns),
            "automaticallyResolved": True,
            "liquidityAmm": 0,
        }
    if with_event:
        out["events"] = [event_json(entry, now_ns, with_markets=False)]
    return out


def _identity(window: Window) -> JsonObject:
    image = window.series.asset.image
    return {
        "id": window.market_id,
        "question": question_of(window),
        "conditionId": window.condition_id,
        "slug": window.slug,
        "resolutionSource": source_of(window.series),
        "startDate": iso_micros_text(window.accepting_ns),
        "endDate": iso_text(window.end_ns),
        "eventStartTime": iso_text(window.start_ns),
        "startDateIso": date_text(window.accepting_ns),
        "endDateIso": date_text(window.end_ns),
        "acceptingOrdersTimestamp": iso_text(window.accepting_ns),
        "createdAt": iso_micros_text(window.listed_ns),
        "image": image,
        "icon": image,
        "description": description_of(window),
        "outcomes": dump_spaced(list(OUTCOMES)),
        "clobTokenIds": dump_spaced(list(window.token_ids)),
        "questionID": window.question_id,
        "marketMakerAddress": "",
        "groupItemThreshold": "0",
    }


def _state(entry: GammaEntry, now_ns: int) -> JsonObject:
    """What changes. Gamma goes on saying `acceptingOrders` until it learns of the outcome."""
    window, quote = entry.record.window, entry.quote
    closed = entry.is_closed(now_ns)
    accepting = not closed and not entry.zombie and now_ns >= window.accepting_ns
    liquidity = amount_number(quote.liquidity_e6)
    changed_ns = window.gamma_closed_ns if closed else min(now_ns, window.end_ns)
    out: JsonObject = {
        "outcomePrices": dump_spaced(_outcome_prices(entry, closed)),
        "active": True,
        "closed": closed,
        "archived": False,
        "acceptingOrders": accepting,
        "enableOrderBook": not entry.zombie,
        "updatedAt": iso_micros_text(max(window.listed_ns, changed_ns)),
        "liquidity": "0" if closed else amount_text(quote.liquidity_e6),
        "liquidityNum": 0 if closed else liquidity,
        "liquidityClob": 0 if closed else liquidity,
        "competitive": 0 if closed else 1,
    }
    if quote.volume_e6 > 0:
        volume = amount_number(quote.volume_e6)
        out |= {"volume": amount_text(quote.volume_e6), "volumeNum": volume, "volumeClob": volume}
        out |= dict.fromkeys((f"volume{span}" for span in _SPANS), volume)
        out |= dict.fromkeys((f"volume{span}Clob" for span in _SPANS), volume)
    if quote.bid_e4 is not None:
        out["bestBid"] = price_number(quote.bid_e4)
    if quote.ask_e4 is not None:
        out["bestAsk"] = price_number(quote.ask_e4)
    ask_e4 = 10_000 if quote.ask_e4 is None else quote.ask_e4
    out["spread"] = price_number(ask_e4 - (quote.bid_e4 or 0))
    if quote.last_e4 is not None:
        out["lastTradePrice"] = price_number(quote.last_e4)
    return out


def _outcome_prices(entry: GammaEntry, closed: bool) -> list[str]:
    if closed and entry.settlement is not None:
        return ["1", "0"] if entry.settlement.winner == 0 else ["0", "1"]
    bid, ask = entry.quote.bid_e4, entry.quote.ask_e4
    middle = 5_000 if bid is None or ask is None else (bid + ask) // 2
    return [price_text(middle), price_text(10_000 - middle)]


def _terms(record: MarketRecord) -> JsonObject:
    terms, series = record.terms, record.window.series
    config: JsonObject = {
        "id": config_id_of(series),
        "asset": series.asset.code,
        "duration": DURATIONS[series.window_s],
        "twapEnabled": True,
        "twapLookbackSeconds": series.rule.lookback_s,
    }
    if series.rule.scaled:
        config["scaled"] = True
    return {
        "orderPriceMinTickSize": price_number(terms.tick_e4),
        "orderMinSize": amount_number(terms.min_size_e6),
        "negRisk": terms.neg_risk,
        "version": "v1",
        "feesEnabled": terms.fee.rate_ppm > 0,
        "feeType": "crypto_fees_v2",
        "feeSchedule": {
            "exponent": terms.fee.exponent,
            "rate": amount_number(terms.fee.rate_ppm),
            "takerOnly": True,
            "rebateRate": amount_number(terms.fee.rebate_ppm),
        },
        "makerBaseFee": 1000,
        "takerBaseFee": 1000,
        "secondsDelay": 0,
        "cryptoMarketConfigId": config_id_of(series),
        "cryptoMarketConfig": config,
        "makerRebatesFeeShareBps": 10000,
        "clobRewards": [],
        "rewardsMinSize": 50,
        "rewardsMaxSpread": 4.5,
        "umaResolutionStatuses": "[]",
    }


def _flags() -> JsonObject:
    """Fields that are the same in every Up/Down market."""
    out: JsonObject = dict.fromkeys(_NEVER, False)
    always = ("restricted", "approved", "hasReviewedDates", "automaticallyActive")
    return out | dict.fromkeys(always, True) | {"comboStatus": "disabled"}


def event_json(entry: GammaEntry, now_ns: int, *, with_markets: bool) -> JsonObject:
    """The event of one market, with its series and, on the routes under /events, tags too."""
    window = entry.record.window
    series = window.series
    closed = entry.is_closed(now_ns)
    out: JsonObject = {
        "id": window.event_id,
        "ticker": window.slug,
        "slug": window.slug,
        "title": question_of(window),
        "description": description_of(window),
        "resolutionSource": source_of(series),
        "startDate": iso_micros_text(window.accepting_ns),
        "creationDate": iso_micros_text(window.listed_ns),
        "endDate": iso_text(window.end_ns),
        "startTime": iso_text(window.start_ns),
        "image": series.asset.image,
        "icon": series.asset.image,
        "active": True,
        "closed": closed,
        "archived": False,
        "new": False,
        "featured": False,
        "restricted": True,
        "createdAt": iso_micros_text(window.listed_ns),
        "updatedAt": iso_micros_text(window.gamma_closed_ns if closed else window.listed_ns),
        "enableOrderBook": not entry.zombie,
        "negRisk": False,
        "commentCount": 0,
        "seriesSlug": series.slug,
        "series": [_series_json(series, window.listed_ns)],
    }
    out |= dict.fromkeys(("cyom", "enableNegRisk", "negRiskAugmented"), False)
    out |= dict.fromkeys(("pendingDeployment", "deploying", "requiresTranslation"), False)
    out |= dict.fromkeys(("showAllOutcomes", "showMarketImages", "automaticallyActive"), True)
    if entry.quote.volume_e6 > 0:
        volume = amount_number(entry.quote.volume_e6)
        liquidity = 0 if closed else amount_number(entry.quote.liquidity_e6)
        out |= {"volume": volume, "liquidity": liquidity, "liquidityClob": liquidity}
        out |= {"openInterest": 0, "competitive": 0 if closed else 1}
        out |= dict.fromkeys((f"volume{span}" for span in _SPANS), volume)
    if metadata := _event_metadata(entry, now_ns):
        out["eventMetadata"] = metadata
    if with_markets:
        out["markets"] = [market_json(entry, now_ns, with_event=False)]
        out["tags"] = [_tag_json(tag) for tag in tags_of(series)]
    return out


def _event_metadata(entry: GammaEntry, now_ns: int) -> JsonObject:
    """The start price only after the end (polymarket.md 0.7), the final one once closed."""
    settlement, window = entry.settlement, entry.record.window
    out: JsonObject = {}
    if settlement is not None and now_ns >= window.resolved_ns and not entry.zombie:
        out["priceToBeat"] = settlement.start_e18 / 1e18
        if entry.is_closed(now_ns):
            out["finalPrice"] = settlement.end_e18 / 1e18
    return out


def _series_json(series: Series, changed_ns: int) -> JsonObject:
    return {
        "id": series_id_of(series),
        "ticker": series.slug,
        "slug": series.slug,
        "title": f"{series.asset.label} Up or Down {DURATIONS[series.window_s]}",
        "seriesType": "single",
        "recurrence": DURATIONS[series.window_s],
        "image": "",
        "icon": "",
        "active": True,
        "closed": False,
        "archived": False,
        "createdAt": iso_micros_text(_TAGGED_NS),
        "updatedAt": iso_micros_text(changed_ns),
        "volume24hr": 0,
        "volume": 0,
        "liquidity": 0,
        "commentCount": 0,
        "requiresTranslation": False,
    }


def _tag_json(tag: tuple[str, str, str]) -> JsonObject:
    number, label, slug = tag
    return {
        "id": number,
        "label": label,
        "slug": slug,
        "forceShow": False,
        "isCarousel": False,
        "createdAt": iso_micros_text(_TAGGED_NS),
        "updatedAt": iso_micros_text(_TAGGED_NS),
        "requiresTranslation": False,
    }
