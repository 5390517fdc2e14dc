"""All services of a venue by their prefix."""

from polyvenue.market_data import gamma
from polyvenue.market_data.access import geoblock
from polyvenue.server import http
from polyvenue.server.chain import Chain
from polyvenue.server.clob import Clob
from polyvenue.server.data import Data
from polyvenue.server.gate import Call, Reply, Serve
from polyvenue.server.relayer import Relayer
from polyvenue.server.rpc import Rpc
from polyvenue.server.venue import Venue


def services_of(venue: Venue) -> dict[str, Serve]:
    """What answers below each prefix."""
    chain = Chain(venue)

    async def answer_gamma(call: Call) -> Reply:
        if call.method != "GET":
            return http.error(405, "method not allowed")
        now_ns = venue.exchange.now_ns
        status, body = gamma.answer(call.path, call.query, venue.gamma, now_ns)
        return http.json_reply(body, status)

    async def answer_geoblock(call: Call) -> Reply:
        page = geoblock(venue.geo)
        return Reply(status=page.status, body=page.text.encode(), content_type=page.content_type)

    return {
        "clob": Clob(venue).answer,
        "gamma": answer_gamma,
        "data": Data(venue, chain).answer,
        "relayer": Relayer(venue, chain).answer,
        "rpc": Rpc(venue, chain).answer,
        "geoblock": answer_geoblock,
    }
