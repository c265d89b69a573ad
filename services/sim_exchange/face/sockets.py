"""What both kinds of WebSockets share: taking a client in, reading what it sends, and who is here."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from aiohttp import WSMsgType, web

from services.sim_exchange.face.connection import Connection
from services.sim_exchange.face.desk import Clock

MESSAGE_BYTES_MAX: Final = 64 * 1024
CONNECTIONS_MAX: Final = 1_000


class Sockets:
    """Every WebSocket that is open."""

    def __init__(self, clock: Clock) -> None:
        self._clock: Final = clock
        self._open: Final[dict[Connection, None]] = {}
        self.too_slow_count = 0

    @property
    def connections(self) -> tuple[Connection, ...]:
        """Return every client that is here."""
        return tuple(self._open)

    def tick(self, now_ms: int) -> None:
        """See to it that the dead and those who stayed a day leave."""
        for connection in self.connections:
            connection.tick(now_ms)

    async def accepted(self, request: web.Request) -> tuple[web.WebSocketResponse, Connection]:
        """Take a client in, without compression, so that a frame serves everybody."""
        if len(self._open) >= CONNECTIONS_MAX:
            raise web.HTTPServiceUnavailable(text=f"there are {CONNECTIONS_MAX} connections, and no more are taken in")
        socket = web.WebSocketResponse(autoping=False, compress=False, max_msg_size=MESSAGE_BYTES_MAX)
        await socket.prepare(request)
        assert request.transport is not None, "a socket that was just prepared has its transport"
        return socket, Connection(request.transport, now_ms=self._clock())

    @contextmanager
    def here(self, connection: Connection) -> Iterator[None]:
        """Have a client on the list while its messages are read."""
        self._open[connection] = None
        try:
            yield
        finally:
            del self._open[connection]
            self.too_slow_count += connection.was_too_slow


async def read(socket: web.WebSocketResponse, connection: Connection, take: Callable[[bytes], None]) -> None:
    """Hand on every message of a client until it leaves."""
    async for message in socket:
        if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
            take(message.data.encode() if message.type is WSMsgType.TEXT else message.data)
        elif message.type is WSMsgType.PING:
            connection.ping_came(message.data)
        elif message.type is WSMsgType.PONG:
            connection.pong_came()
