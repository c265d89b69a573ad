"""Who is believed that the venue wants to be left alone, and for how long: nothing reduces risk meanwhile."""

from random import Random
from typing import Final

import pytest
from aiohttp import web

from shared.mesh.gateway.client import hang_up, venue_client
from shared.mesh.gateway.market_list import MarketList
from shared.mesh.gateway.pace import Pace
from shared.mesh.gateway.rest import Rest
from shared.mesh.gateway.stream_connection import StreamConnection
from shared.mesh.gateway.venue_time import VenueTime
from shared.mesh.gateway.venues.catalog import VENUES
from shared.mesh.venue_pause import BAN_SECONDS_MAX, STRANGER_SECONDS_MAX
from tests.shared.mesh.gateway.opened import CLOCK, Brought, KeyAtHand
from tests.shared.mesh.gateway.test_once import ASKED, asking, serving

NS_PER_SECOND: Final = 1_000_000_000
DAY: Final = 86_400
UNSAID: Final = Pace().pause_seconds_unsaid
TOO_MUCH: Final = (
    '{"code":-1003,"msg":"Too much request weight used; current limit is 6000 request weight per 1 MINUTE."}'
)
BANNED: Final = '{"code":-1003,"msg":"Way too much request weight used; IP banned until 1790000000000."}'
NEW_WORDS: Final = '{"code":-1099,"msg":"Be gone."}'
TOO_MANY_ORDERS: Final = '{"code":-1015,"msg":"Too many new orders; current limit is 100 orders per 10 SECOND."}'
PAGE: Final = "<html><head><title>429 Too Many Requests</title></head></html>"
OTHERS_JSON: Final = '{"code":429,"msg":"quota exceeded"}'


@pytest.mark.parametrize(
    ("status", "retry_after", "body", "seconds"),
    [
        (429, "7", TOO_MUCH, 7),
        (429, "3600", TOO_MUCH, 3_600),
        (429, None, TOO_MUCH, UNSAID),
        (418, str(DAY), BANNED, DAY),
        (418, str(30 * DAY), BANNED, BAN_SECONDS_MAX),
        (418, str(DAY), NEW_WORDS, DAY),
        (429, str(DAY), PAGE, STRANGER_SECONDS_MAX),
        (418, str(DAY), PAGE, STRANGER_SECONDS_MAX),
        (429, str(DAY), "", STRANGER_SECONDS_MAX),
        (429, str(DAY), OTHERS_JSON, STRANGER_SECONDS_MAX),
        (429, str(DAY), TOO_MUCH[:-20], STRANGER_SECONDS_MAX),
        (429, "7", PAGE, 7),
        (429, None, PAGE, UNSAID),
        (429, "in a while", PAGE, UNSAID),
        (503, str(DAY), PAGE, 0),
        (200, str(DAY), "{}", 0),
    ],
)
async def test_only_the_venue_is_believed_for_long(
    status: int, retry_after: str | None, body: str, seconds: int
) -> None:
    """A ban is one by the venue's own code: a page of somebody on the way keeps exits waiting a minute at most."""

    async def answer(request: web.Request) -> web.StreamResponse:
        del request
        return web.Response(
            status=status, text=body, headers={} if retry_after is None else {"Retry-After": retry_after}
        )

    async with serving(answer) as url, asking(url) as rest:
        asked_ns = CLOCK.boot_ns()
        await rest.ask(ASKED, seconds=5)
        left_seconds = rest.wait_seconds()
        passed_seconds = (CLOCK.boot_ns() - asked_ns) / NS_PER_SECOND
        assert seconds - passed_seconds <= left_seconds <= seconds


async def test_a_refused_stream_is_dialed_again_soon() -> None:
    """Nothing that the venue says comes with a refusal to connect: whoever refused may be somebody on the way."""

    async def refuse(request: web.Request) -> web.StreamResponse:
        del request
        return web.Response(status=429, text=PAGE, headers={"Retry-After": str(DAY)})

    credentials = KeyAtHand().read()
    assert credentials is not None
    venue, pace, brought, backoff = VENUES["binance"], Pace(), Brought(), Pace().backoff(Random(7))  # noqa: S311  # waits that can be repeated
    async with serving(refuse) as url:
        exchange = venue_client(venue, url=url, credentials=credentials)
        rest = Rest(exchange=exchange, venue=venue, clock=CLOCK, pace=pace, bring=brought)
        markets = MarketList(venue=venue, rest=rest, bring=brought, backoff=backoff, pace=pace)
        time = VenueTime(venue=venue, rest=rest, bring=brought, backoff=backoff, clock=CLOCK, pace=pace)
        stream = StreamConnection(exchange=exchange, venue=venue, time=time, markets=markets, tell=brought, pace=pace)
        await stream.run()
        await hang_up(exchange)
    assert "429" in stream.over.result()
    assert stream.wait_seconds == STRANGER_SECONDS_MAX
