"""Who is believed that the venue wants to be left alone: a blind feed decides nothing, exits neither."""

from typing import Final

import pytest
from aiohttp import web

from services.feed_handler.link.client import venue_client
from services.feed_handler.link.connection import Connection, ConnectionLostError
from services.feed_handler.link.rest import Rest, RestError
from services.feed_handler.venues.catalog import VENUES
from shared.mesh.clock import SystemClock
from shared.mesh.venue_pause import STRANGER_SECONDS_MAX
from tests.services.feed_handler.link.linked import BRISK, Brought
from tests.shared.mesh.gateway.test_left_alone import BANNED, DAY, OTHERS_JSON, PAGE
from tests.shared.mesh.gateway.test_once import serving

VENUE: Final = VENUES["binance"]


@pytest.mark.parametrize(
    ("body", "seconds"),
    [(BANNED, DAY), (PAGE, STRANGER_SECONDS_MAX), ("", STRANGER_SECONDS_MAX), (OTHERS_JSON, STRANGER_SECONDS_MAX)],
)
async def test_only_the_venue_is_believed_for_long(body: str, seconds: int) -> None:
    """A page of somebody on the way keeps everything waiting a minute at most."""

    async def refuse(request: web.Request) -> web.StreamResponse:
        del request
        return web.Response(status=418, text=body, headers={"Retry-After": str(DAY)})

    async with serving(refuse) as url:
        exchange = venue_client(VENUE, url=url, pace=BRISK)
        rest = Rest(exchange=exchange, venue=VENUE, clock=SystemClock())
        with pytest.raises(RestError) as refused:
            await rest.ask(VENUE.time_method, {})
        await exchange.close()
    assert round(refused.value.wait_seconds) == seconds


async def test_a_refused_stream_is_dialed_again_soon() -> None:
    """Nothing that the venue says comes with a refusal to connect: whoever refused may be somebody on the way."""

    async def refuse(request: web.Request) -> web.StreamResponse:
        del request
        return web.Response(status=429, text=PAGE, headers={"Retry-After": str(DAY)})

    async with serving(refuse) as url:
        exchange = venue_client(VENUE, url=url, pace=BRISK)
        connection = Connection(
            exchange=exchange,
            venue=VENUE,
            address=f"{url}/stream/ws".replace("http", "ws"),
            number=1,
            read=lambda text: VENUE.channels["trades"].read(text, {}),
            bring=Brought(),
            clock=SystemClock(),
            pace=BRISK,
        )
        with pytest.raises(ConnectionLostError, match="429") as refused:
            await connection.open(["btcusdt@aggTrade"])
        await exchange.close()
    assert refused.value.wait_seconds == STRANGER_SECONDS_MAX
