"""A server that stands in for a venue's, and says exactly what a test wants said: also what no venue says."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import WSMsgType, web

from tests.loopback import OUR_HOST

Answer = Callable[[int], str | None]  # to a request on a socket, by its number; None is silence


def acknowledged(request_id: int) -> str:
    """Answer as the venue does when all is well."""
    return json.dumps({"result": None, "id": request_id})


class StandIn:
    """Lists symbols, takes WebSockets in, and sends frames to whoever subscribes."""

    def __init__(self, market_ids: Sequence[str]) -> None:
        self._market_ids: Final = market_ids
        self.answers: Final[list[Answer]] = []  # to the next requests on sockets; then all is well
        self.frames: Final[dict[str, list[str | bytes]]] = {}  # by stream, sent once to whoever subscribes to it
        self.refused_dials: Final[list[web.StreamResponse]] = []
        self.asked: Final[list[str]] = []  # paths
        self.requests: Final[list[tuple[str, list[str]]]] = []  # on sockets
        self.subscribed: Final[dict[str, list[str]]] = {}  # streams by the path of the socket
        self.answers_pings = True
        self.sockets: Final[dict[str, web.WebSocketResponse]] = {}  # the latest of each stream
        self.url = ""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer anything."""
        self.asked.append(request.path)
        if "/ws/" in request.path:
            return await self._serve_socket(request)
        match request.path.rpartition("/")[2]:
            case "exchangeInfo":
                described = _listed_there if request.path.startswith("/fapi/") else listed
                return web.json_response({"symbols": [described(market_id) for market_id in self._market_ids]})
            case "time":
                return web.json_response({"serverTime": 1_723_161_254_000})
            case _:
                raise web.HTTPNotFound

    async def _serve_socket(self, request: web.Request) -> web.StreamResponse:
        if self.refused_dials:
            return self.refused_dials.pop()
        socket = web.WebSocketResponse(autoping=self.answers_pings)
        await socket.prepare(request)
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            asked = json.loads(message.data)
            self.requests.append((asked["method"], asked["params"]))
            answer = (self.answers.pop() if self.answers else acknowledged)(asked["id"])
            if answer is None:
                continue
            await socket.send_str(answer)
            if asked["method"] == "SUBSCRIBE":
                self.subscribed.setdefault(request.path, []).extend(asked["params"])
                self.sockets.update(dict.fromkeys(asked["params"], socket))
                await self._send(socket, asked["params"])
        return socket

    async def _send(self, socket: web.WebSocketResponse, streams: Sequence[str]) -> None:
        for stream in streams:
            for frame in self.frames.pop(stream, []):
                await (socket.send_str(frame) if isinstance(frame, str) else socket.send_bytes(frame))


@asynccontextmanager
async def standing_in(market_ids: Sequence[str] = ("BTCUSDT",)) -> AsyncIterator[StandIn]:
    """Serve on a port of our own."""
    stand_in = StandIn(market_ids)
    app = web.Application()
    app.router.add_get("/{path:.*}", stand_in.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, OUR_HOST, 0)
    await site.start()
    stand_in.url = f"http://{OUR_HOST}:{runner.addresses[0][1]}"
    try:
        yield stand_in
    finally:
        async with asyncio.timeout(90):
            await runner.cleanup()


def listed(market_id: str) -> dict[str, object]:
    """Return a symbol as the spot market lists it, as far as ccxt wants to know."""
    return {
        "symbol": market_id,
        "status": "TRADING",
        "baseAsset": market_id.removesuffix("USDT"),
        "quoteAsset": "USDT",
        "orderTypes": ["LIMIT", "MARKET"],
        "filters": [],
        "permissions": ["SPOT"],
    }


def _listed_there(market_id: str) -> dict[str, object]:
    """Return a symbol as the USD-M market lists it."""
    contract = {
        "contractType": "PERPETUAL",
        "deliveryDate": 4_133_404_800_000,
        "marginAsset": "USDT",
        "pair": market_id,
    }
    return {**listed(market_id), **contract}
