"""Two small replies about the caller: its rate tier and whether its country may trade."""

from dataclasses import dataclass
from enum import StrEnum

from polyvenue.market_data.text import JsonObject, dump


def tier_json(tier: str = "standard") -> JsonObject:
    """`GET /v1/user/rate-limit-tier`. Only the route is documented; the key is UNVERIFIED."""
    return {"tier": tier}


class Geo(StrEnum):
    """How the geoblock endpoint behaves."""

    OPEN = "open"
    BLOCKED = "blocked"
    ERROR = "error"
    HTML = "html"


@dataclass(frozen=True, slots=True)
class Page:
    """A reply that need not be JSON."""

    status: int
    content_type: str
    text: str


_HTML = "<!DOCTYPE html><html><head><title>Attention Required!</title></head></html>"


def geoblock(mode: Geo, address: str = "203.0.113.42") -> Page:
    """`GET /api/geoblock` in one of its moods (the address is a documentation one)."""
    match mode:
        case Geo.ERROR:
            return Page(500, "application/json", dump({"error": "Internal server error"}))
        case Geo.HTML:
            return Page(403, "text/html; charset=UTF-8", _HTML)
        case Geo.OPEN | Geo.BLOCKED:
            blocked = mode is Geo.BLOCKED
            country, region = ("US", "NY") if blocked else ("IE", "L")
            body = {"blocked": blocked, "ip": address, "country": country, "region": region}
            return Page(200, "application/json", dump(body))
