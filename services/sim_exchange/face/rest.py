"""The REST face: finds the endpoint, hands on what was sent exactly as it came, and sends what the door answers."""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from services.sim_exchange.face.door import Door, Incoming
from services.sim_exchange.face.endpoint import Endpoint
from services.sim_exchange.face.interference import HangUpError, Reply
from services.sim_exchange.face.parameters import parsed
from services.sim_exchange.face.refusals import RefusalError
from services.sim_exchange.face.signing import signed_text

KEY_HEADER: Final = "X-MBX-APIKEY"
BODY_BYTES_MAX: Final = 64 * 1024


def rest_handler(door: Door, endpoint: Endpoint) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Return what serves an endpoint."""

    async def handle(request: web.Request) -> web.StreamResponse:
        # Undecoded: the client signed these very characters.
        query = request.raw_path.partition("?")[2]
        body = (await request.read()).decode("utf-8", "replace")
        key, address = request.headers.get(KEY_HEADER, ""), request.remote or ""
        try:
            sent = parsed(query, body)
        except RefusalError as refusal:
            return _response(door.turn_away(endpoint.name, address, refusal, key=key))
        asked = Incoming(
            endpoint=endpoint,
            called=endpoint.name,
            sent=sent,
            signed_text=signed_text(query, body),
            api_key=key,
            address=address,
        )
        try:
            return _response(await door.answer(asked))
        except HangUpError:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()  # which finds nobody to go to

    return handle


def noticing(door: Door) -> Middleware:
    """Return what has those requests noticed that come to no endpoint: unknown paths and methods, bodies too large."""

    @web.middleware
    async def notice(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException:
            path = request.raw_path.partition("?")[0].encode("ascii", "replace").decode()
            key = request.headers.get(KEY_HEADER, "")
            door.notice(f"{request.method} {path}", request.remote or "", key=key)
            raise

    return notice


def _response(reply: Reply) -> web.Response:
    return web.Response(
        status=reply.status,
        body=reply.body,
        headers={"Content-Type": "application/json;charset=UTF-8", **reply.headers},
    )
