"""The face put together: one server with the REST endpoints, the market streams and the WebSocket API behind it.

Whoever runs the exchange makes it, with the desk through which all commands go, and starts it inside a running loop.
"""

import asyncio
import ssl
from typing import Final

import msgspec
from aiohttp import web

from services.sim_exchange.face.account_endpoints import ACCOUNT_ENDPOINTS
from services.sim_exchange.face.day import Days
from services.sim_exchange.face.desk import Desk
from services.sim_exchange.face.door import Door, Notice, unnoticed
from services.sim_exchange.face.endpoint import Venue
from services.sim_exchange.face.frames import text_frame
from services.sim_exchange.face.interference import Interference
from services.sim_exchange.face.keys import KeyRing
from services.sim_exchange.face.market_endpoints import MARKET_ENDPOINTS
from services.sim_exchange.face.market_feed import MarketFeed
from services.sim_exchange.face.market_socket import MarketSocket
from services.sim_exchange.face.market_streams import MarketStreams
from services.sim_exchange.face.old_bars import OldBars
from services.sim_exchange.face.order_endpoints import ORDER_ENDPOINTS
from services.sim_exchange.face.records import Candles
from services.sim_exchange.face.rest import BODY_BYTES_MAX, noticing, rest_handler
from services.sim_exchange.face.sockets import Sockets
from services.sim_exchange.face.tape import Tape
from services.sim_exchange.face.user_socket import UserSocket
from services.sim_exchange.face.user_streams import UserStreams
from services.sim_exchange.face.weights import Limits, OrderCounts, RequestWeights
from shared.mesh.service.watching import watched

ENDPOINTS: Final = {endpoint.name: endpoint for endpoint in (*MARKET_ENDPOINTS, *ORDER_ENDPOINTS, *ACCOUNT_ENDPOINTS)}
TICK_SECONDS: Final = 0.1
GOODBYE_SECONDS: Final = 1.0  # that answers still on their way get when the venue is shut


class Face:
    """The exchange as its clients see it."""

    def __init__(
        self,
        *,
        desk: Desk,
        candles: Candles,
        keys: KeyRing,
        interference: Interference,
        limits: Limits,
        on_request: Notice = unnoticed,
    ) -> None:
        self._desk: Final = desk
        self._interference: Final = interference
        tape = Tape(desk.core)
        days = Days(candles, tape)
        venue = Venue(
            desk=desk,
            tape=tape,
            days=days,
            candles=candles,
            old_bars=OldBars(candles),
            limits=limits,
            order_counts=OrderCounts(limits),
        )
        door = Door(
            venue=venue,
            keys=keys,
            weights=RequestWeights(limits),
            interference=interference,
            on_request=on_request,
        )
        self.market_sockets: Final = Sockets(desk.clock)
        self.user_sockets: Final = Sockets(desk.clock)
        self.market_streams: Final = MarketStreams(interference)
        self.user_streams: Final = UserStreams(interference)
        self._feed: Final = MarketFeed(
            records=desk.core, candles=candles, tape=tape, days=days, streams=self.market_streams
        )
        desk.listen(self._feed.take)
        desk.listen(self.user_streams.take)
        self._user_socket: Final = UserSocket(
            sockets=self.user_sockets,
            streams=self.user_streams,
            door=door,
            endpoints=ENDPOINTS,
            limits=limits,
            clock=desk.clock,
        )
        self._runner: Final = web.AppRunner(
            _application(door, MarketSocket(self.market_sockets, self.market_streams, door), self._user_socket),
            access_log=None,
            handle_signals=False,
            shutdown_timeout=GOODBYE_SECONDS,
        )
        self._ticking: asyncio.Task[None] | None = None

    async def start(self, host: str, port: int, *, tls: ssl.SSLContext | None = None) -> int:
        """Serve, and return the port: the one asked for, or for 0 one that was free."""
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port, ssl_context=tls).start()
        self._ticking = watched(self._tick_for_ever())
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Serve no longer, and let everybody go."""
        for connection in (*self.market_sockets.connections, *self.user_sockets.connections):
            connection.cut()
        await self._user_socket.stop()
        await self._runner.cleanup()
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.wait((self._ticking,))

    def tick(self) -> None:
        """Tell what time has made due. Called often enough by itself; whoever moves a clock by hand calls it, too."""
        for going in self._interference.tick():
            self.user_streams.deliver(going)
            self.market_streams.deliver(going)
        now_ms = self._desk.clock()
        self._feed.tick(now_ms)
        self.market_sockets.tick(now_ms)
        self.user_sockets.tick(now_ms)

    def announce_shutdown(self) -> None:
        """Tell every client that the venue is about to close its connection, as it does ten minutes before."""
        event = {"e": "serverShutdown", "E": self._desk.clock()}
        for sockets, told in ((self.market_sockets, event), (self.user_sockets, {"event": event})):
            frame = text_frame(msgspec.json.encode(told))
            for connection in sockets.connections:
                connection.send(frame)

    async def _tick_for_ever(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + TICK_SECONDS, loop.time())  # a tick that was missed is not made up for
            await asyncio.sleep(due - loop.time())
            self.tick()


def _application(door: Door, market: MarketSocket, user: UserSocket) -> web.Application:
    application = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[noticing(door)])
    routes = application.router
    for endpoint in ENDPOINTS.values():
        routes.add_route(endpoint.method, endpoint.path, rest_handler(door, endpoint))
    # Besides the venue's own paths, the same below /stream: ccxt knows the spot market's sockets by that word once
    # the host is another.
    for below in ("", "/stream"):
        routes.add_get(f"{below}/ws", market.serve_plain)
        routes.add_get(f"{below}/ws/{{streams:.*}}", market.serve_plain)
    routes.add_get("/stream", market.serve_combined)
    routes.add_get("/ws-api/v3", user.serve)
    return application
