"""The WebSockets of the market streams: what clients ask for, in the venue's form, and what they are told about it."""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec
from aiohttp import web

from services.sim_exchange.face.door import UNREAD, Door
from services.sim_exchange.face.frames import text_frame
from services.sim_exchange.face.market_streams import STREAMS_MAX, Follower, MarketStreams
from services.sim_exchange.face.sockets import Sockets, read

COMBINED: Final = "combined"

# What a request may be: the method decides which form its parameters have.
_Method = Literal["SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY"]
_Id = int | str | None


class _Asked(msgspec.Struct, frozen=True):
    method: _Method
    params: list[str | bool] = []
    id: _Id = None


class _IdOnly(msgspec.Struct, frozen=True):
    id: _Id = None


class MarketSocket:
    """Serves the clients of the market streams."""

    def __init__(self, sockets: Sockets, streams: MarketStreams, door: Door) -> None:
        self._sockets: Final = sockets
        self._streams: Final = streams
        self._door: Final = door

    async def serve_plain(self, request: web.Request) -> web.StreamResponse:
        """Serve events as they are; the path may name a stream to begin with."""
        named = request.match_info.get("streams", "").split("/")
        # What holds neither mark is no stream but a number that some clients put there to tell their sockets apart.
        return await self._serve(request, [name for name in named if "@" in name], is_combined=False)

    async def serve_combined(self, request: web.Request) -> web.StreamResponse:
        """Serve events with the names of their streams; the query may name streams to begin with."""
        named = request.query.get("streams", "").split("/")
        return await self._serve(request, [name for name in named if name], is_combined=True)

    async def _serve(self, request: web.Request, streams: Sequence[str], *, is_combined: bool) -> web.StreamResponse:
        socket, connection = await self._sockets.accepted(request)
        follower, address = Follower(connection, is_combined=is_combined), request.remote or ""

        def take(message: bytes) -> None:
            connection.send(text_frame(msgspec.json.encode(self._answer(follower, message, address))))

        with self._sockets.here(connection):
            try:
                if streams:
                    self._notice("SUBSCRIBE", streams, address)
                if self._streams.subscribe(follower, streams):
                    await read(socket, connection, take)
            finally:
                self._streams.unsubscribe(follower, list(follower.streams))
        return socket

    def _notice(self, method: str, parameters: Sequence[str | bool], address: str) -> None:
        self._door.notice(method, address, sent={"params": msgspec.json.encode(parameters).decode()})

    def _answer(self, follower: Follower, message: bytes, address: str) -> dict[str, object]:
        try:
            asked = msgspec.json.decode(message, type=_Asked)
        except msgspec.ValidationError as error:
            self._door.notice(UNREAD, address)
            return {"error": {"code": 2, "msg": f"Invalid request: {error}"}, "id": _id_of(message)}
        except (msgspec.DecodeError, RecursionError) as error:
            self._door.notice(UNREAD, address)
            return {"error": {"code": 3, "msg": f"Invalid JSON: {error}"}}
        self._notice(asked.method, asked.params, address)
        result, refusal = self._carried_out(follower, asked)
        if refusal:
            return {"error": {"code": 2, "msg": f"Invalid request: {refusal}"}, "id": asked.id}
        return {"result": result, "id": asked.id}

    def _carried_out(self, follower: Follower, asked: _Asked) -> tuple[object, str]:
        """Return what is answered to a request, or why it is refused."""
        streams = [name for name in asked.params if isinstance(name, str)]
        match asked.method:
            case "SUBSCRIBE":
                if len(streams) < len(asked.params) or not streams:
                    return None, "stream names must be strings"
                if not self._streams.subscribe(follower, streams):
                    return None, f"too many streams: a connection may follow {STREAMS_MAX}"
                return None, ""
            case "UNSUBSCRIBE":
                self._streams.unsubscribe(follower, streams)
                return None, ""
            case "LIST_SUBSCRIPTIONS":
                return list(follower.streams), ""
            case "GET_PROPERTY":
                return (follower.is_combined, "") if asked.params == [COMBINED] else (None, "unknown property")
            case "SET_PROPERTY":
                match asked.params:
                    case [name, bool() as value] if name == COMBINED:
                        follower.is_combined = value
                        return None, ""
                    case _:
                        return None, "unknown property"


def _id_of(message: bytes) -> _Id:
    """Return the id of a request that is wrong otherwise, as far as it has one."""
    try:
        return msgspec.json.decode(message, type=_IdOnly).id
    except (msgspec.DecodeError, RecursionError):
        return None
