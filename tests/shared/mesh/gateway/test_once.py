"""That a request leaves once: whatever the libraries between us and the wire would rather do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from shared.execution.vocabulary import Acknowledged, NotSent, Unproved
from shared.mesh.gateway.client import hang_up, venue_client
from shared.mesh.gateway.pace import Pace
from shared.mesh.gateway.reply import Reply, Silence
from shared.mesh.gateway.rest import Rest
from shared.mesh.gateway.venues.catalog import VENUES
from shared.mesh.gateway.venues.venue import Request
from tests.loopback import OUR_HOST, free_port
from tests.services.sim_exchange.faults.sabotaged import Sabotaged
from tests.shared.mesh.gateway.opened import CLOCK, Brought, KeyAtHand, Opened, an_order

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ASKED = Request("privatePostOrder", {"symbol": "BTCUSDT", "newClientOrderId": "mine"})


@asynccontextmanager
async def asking(url: str) -> AsyncIterator[Rest]:
    """Ask whoever is there."""
    credentials = KeyAtHand().read()
    assert credentials is not None
    client = venue_client(VENUES["binance"], url=url, credentials=credentials)
    try:
        yield Rest(exchange=client, venue=VENUES["binance"], clock=CLOCK, pace=Pace(), bring=Brought())
    finally:
        await hang_up(client)


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """Serve on a port of our own."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, OUR_HOST, 0).start()
        yield f"http://{OUR_HOST}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_redirect_is_not_followed() -> None:
    """A signed order is not carried on to where somebody points, and what became of it is not known."""
    asked = list[str]()

    async def redirect(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        raise web.HTTPTemporaryRedirect("/elsewhere")

    async with serving(redirect) as url, asking(url) as rest:
        heard = await rest.ask(ASKED, seconds=5)
    assert heard == Silence("it was sent on to elsewhere, and not followed", may_have_left=True)
    assert asked == ["/api/v3/order"]


async def test_request_over_a_connection_that_was_kept_is_not_sent_again() -> None:
    """A venue that hangs up over a kept connection is not asked a second time, whatever the method is."""
    asked = list[str]()

    async def hang_up_at_last(request: web.Request) -> web.StreamResponse:
        asked.append(request.method)
        if len(asked) > 1:
            assert request.transport is not None
            request.transport.close()
        return web.json_response({})

    async with serving(hang_up_at_last) as url, asking(url) as rest:
        assert isinstance(await rest.ask(ASKED, seconds=5), Reply)
        heard = await rest.ask(Request("privateDeleteOrder", {"symbol": "BTCUSDT"}), seconds=5)
    assert isinstance(heard, Silence)
    assert heard.may_have_left
    assert asked == ["POST", "DELETE"]


async def test_answer_comes_as_it_was() -> None:
    """Status, headers and body are those that came, whatever ccxt would have made of them."""

    async def teapot(request: web.Request) -> web.StreamResponse:
        del request
        return web.Response(status=418, text="[1, 2", headers={"X-Mbx-Used-Weight-1m": "7"})

    async with serving(teapot) as url, asking(url) as rest:
        heard = await rest.ask(ASKED, seconds=5)
    assert isinstance(heard, Reply)
    assert (heard.status, heard.body, heard.headers["x-mbx-used-weight-1m"]) == (418, "[1, 2", "7")


async def test_without_a_connection_nothing_has_left() -> None:
    """Where nobody listens not a byte has left, and that is sure."""
    async with asking(f"http://{OUR_HOST}:{free_port()}") as rest:
        heard = await rest.ask(ASKED, seconds=5)
    assert isinstance(heard, Silence)
    assert not heard.may_have_left
    assert heard.reason.startswith("ClientConnectorError: Cannot connect to host")


async def test_patience_ends() -> None:
    """Whoever does not answer in time is not waited for, and may have done what was asked."""

    async def break_off(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b'{"orderId"')
        await asyncio.Event().wait()
        return response

    async with serving(break_off) as url, asking(url) as rest:
        heard = await rest.ask(ASKED, seconds=0.2)
    assert heard == Silence("no answer within 0.2 s", may_have_left=True)


async def test_venue_that_is_gone_gets_nothing(exchange: Sabotaged, ready: Opened) -> None:
    """An order for a venue that is gone is not sent, or nothing is known of it where a connection still stood."""
    assert isinstance((await ready.sent(an_order())).outcome, Acknowledged)
    await exchange.venue.face.stop()
    outcomes = [(await ready.sent(an_order())).outcome for _ in range(3)]
    assert all(isinstance(outcome, NotSent | Unproved) for outcome in outcomes)
    assert isinstance(outcomes[-1], NotSent)
    assert len(exchange.orders()) == 1
