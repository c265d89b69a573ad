"""The WebSocket API: orders and questions as over REST, and the user data stream, which is to be had only here."""

import asyncio
from collections.abc import Mapping
from typing import Final

import msgspec
from aiohttp import web

from services.sim_exchange.face.connection import Connection
from services.sim_exchange.face.desk import Clock
from services.sim_exchange.face.door import OK, UNREAD, Door, Incoming, refused
from services.sim_exchange.face.endpoint import Asked, Endpoint, weight
from services.sim_exchange.face.frames import text_frame
from services.sim_exchange.face.interference import HangUpError, Reply
from services.sim_exchange.face.layout import Payload
from services.sim_exchange.face.refusals import RefusalError
from services.sim_exchange.face.signing import sorted_text
from services.sim_exchange.face.sockets import Sockets, read
from services.sim_exchange.face.user_streams import Subscriber, UserStreams
from services.sim_exchange.face.weights import Limits

METHODS: Final = {
    "ping": "GET /api/v3/ping",
    "time": "GET /api/v3/time",
    "order.place": "POST /api/v3/order",
    "order.test": "POST /api/v3/order/test",
    "order.cancel": "DELETE /api/v3/order",
    "order.status": "GET /api/v3/order",
    "openOrders.status": "GET /api/v3/openOrders",
    "account.status": "GET /api/v3/account",
}
SUBSCRIBE: Final = "userDataStream.subscribe.signature"
UNSUBSCRIBE: Final = "userDataStream.unsubscribe"
NOT_THE_ENDPOINTS: Final = "returnRateLimits"  # a parameter like others, but meant for this side of the door
REQUESTS_AT_ONCE_MAX: Final = 100  # of one client; those beyond are refused

_Id = int | str | None


class _Asked(msgspec.Struct, frozen=True):
    method: str
    id: _Id = None
    params: dict[str, msgspec.Raw] = {}


class UserSocket:
    """Serves the clients of the WebSocket API."""

    def __init__(
        self,
        *,
        sockets: Sockets,
        streams: UserStreams,
        door: Door,
        endpoints: Mapping[str, Endpoint],
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._sockets: Final = sockets
        self._streams: Final = streams
        self._door: Final = door
        self._endpoints: Final = {method: endpoints[name] for method, name in METHODS.items()}
        self._limits: Final = limits
        self._clock: Final = clock
        # Requests outlive their connection: what was taken in is carried out, whether or not anybody waits for it.
        self._at_work: Final[set[asyncio.Task[None]]] = set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve a client until it leaves."""
        socket, connection = await self._sockets.accepted(request)
        subscriber, address = Subscriber(connection), request.remote or ""
        at_work = set[asyncio.Task[None]]()

        def take(message: bytes) -> None:
            if len(at_work) >= REQUESTS_AT_ONCE_MAX:
                refusal = RefusalError(-1008, "Request throttled by system-level protection.", status=429)
                reply = self._door.turn_away(UNREAD, address, refusal)
                self._send(connection, None, reply, address, has_limits=False)
                return
            task = asyncio.create_task(self._take(subscriber, message, address))
            for tasks in (at_work, self._at_work):
                tasks.add(task)
                task.add_done_callback(tasks.discard)

        with self._sockets.here(connection):
            try:
                await read(socket, connection, take)
            finally:
                for number in list(subscriber.accounts):
                    self._streams.unsubscribe(subscriber, number)
        return socket

    async def stop(self) -> None:
        """Leave undone what still waits for its turn: whoever asked has gone."""
        waiting = list(self._at_work)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    async def _take(self, subscriber: Subscriber, message: bytes, address: str) -> None:
        connection = subscriber.connection
        try:
            asked = msgspec.json.decode(message, type=_Asked)
            sent = {name: _text(value) for name, value in asked.params.items()}
        except (msgspec.DecodeError, RecursionError) as error:
            refusal = RefusalError(-1135, f"Invalid JSON Request; {error}")
            reply = self._door.turn_away(UNREAD, address, refusal)
            self._send(connection, None, reply, address, has_limits=False)
            return
        signed_text = sorted_text(sent)
        has_limits = sent.pop(NOT_THE_ENDPOINTS, "true") != "false"
        try:
            reply = await self._answer(subscriber, asked.method, sent, signed_text, address)
        except HangUpError:
            connection.cut()
            return
        self._send(connection, asked.id, reply, address, has_limits=has_limits)

    async def _answer(
        self, subscriber: Subscriber, method: str, sent: dict[str, str], signed_text: str, address: str
    ) -> Reply:
        if method == UNSUBSCRIBE:
            self._door.notice(method, address, sent=sent)
            return self._unsubscribed(subscriber, sent)
        endpoint = self._subscription(subscriber) if method == SUBSCRIBE else self._endpoints.get(method)
        if endpoint is None:
            refusal = RefusalError(-1135, f"Invalid JSON Request; unknown method '{method}'.")
            return self._door.turn_away(method, address, refusal, key=sent.get("apiKey", ""))
        return await self._door.answer(
            Incoming(
                endpoint=endpoint,
                called=method,
                sent=sent,
                signed_text=signed_text,
                api_key=sent.get("apiKey", ""),
                address=address,
            )
        )

    def _subscription(self, subscriber: Subscriber) -> Endpoint:
        """Return what subscribes this client: to the door an endpoint like any other."""

        def subscribe(asked: Asked) -> Payload:
            # Whoever left while the request was held up is not subscribed: nobody would ever end that.
            gone = subscriber.connection.is_closing
            number = None if gone else self._streams.subscribe(subscriber, asked.account)
            if number is None:
                raise RefusalError(-2035, "User data stream subscription is already active.")
            return {"subscriptionId": number}

        return Endpoint(method="WS", path=SUBSCRIBE, weigh=weight(2), answer=subscribe, permission="read")

    def _unsubscribed(self, subscriber: Subscriber, sent: Mapping[str, str]) -> Reply:
        chosen = [number for number in subscriber.accounts if sent.get("subscriptionId", str(number)) == str(number)]
        if not chosen:
            return refused(RefusalError(-2036, "User Data Stream subscription not active."), {})
        for number in chosen:
            self._streams.end(subscriber, number, self._clock())
        return Reply(status=OK, body=b"{}")

    def _send(self, connection: Connection, asked_id: _Id, reply: Reply, address: str, *, has_limits: bool) -> None:
        limits = b""
        if has_limits:
            limit = {
                "rateLimitType": "REQUEST_WEIGHT",
                "interval": "MINUTE",
                "intervalNum": 1,
                "limit": self._limits.weight_per_minute,
                "count": self._door.used_weight(address),
            }
            limits = b',"rateLimits":' + msgspec.json.encode([limit])
        kind = b"result" if reply.status == OK else b"error"
        head = b'{"id":%b,"status":%d,"%b":' % (msgspec.json.encode(asked_id), reply.status, kind)
        connection.send(text_frame(head + reply.body + limits + b"}"))


def _text(value: msgspec.Raw) -> str:
    """Return a parameter as it is signed: a text without its quotes, everything else as it was written."""
    raw = bytes(value)
    return msgspec.json.decode(raw, type=str) if raw.startswith(b'"') else raw.decode()
