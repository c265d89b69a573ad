"""The REST face: finds the endpoint, hands on what was sent exactly as it came, and sends what the door answers."""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from services.sim_exchange.face.door import Door, Request, refused
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
        try:
            sent = parsed(query, body)
        except RefusalError as refusal:
            return _response(refused(refusal, {}))
        asked = Request(
            endpoint=endpoint,
            called=endpoint.name,
            sent=sent,
            signed_text=signed_text(query, body),
            api_key=request.headers.get(KEY_HEADER, ""),
            address=request.remote or "",
        )
        try:
            return _response(await door.answer(asked))
        except HangUpError:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()  # which finds nobody to go to

    return handle


def _response(reply: Reply) -> web.Response:
    return web.Response(
        status=reply.status,
        body=reply.body,
        headers={"Content-Type": "application/json;charset=UTF-8", **reply.headers},
    )
