"""One WebSocket on which the venue tells of the account, from its dial to its end."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import aiohttp

from shared.execution.vocabulary import OrderTold, TransferTold
from shared.mesh.gateway.client import Exchange, stream_address
from shared.mesh.gateway.market_list import MarketList
from shared.mesh.gateway.pace import Pace
from shared.mesh.gateway.venue_time import VenueTime
from shared.mesh.gateway.venues.venue import (
    StreamEnding,
    Subscribed,
    SubscriptionRefused,
    UnreadableError,
    Venue,
)
from shared.mesh.venue_pause import believed_seconds

REASON_CHARACTERS_MAX: Final = 200
FRAME_BYTES_MAX: Final = 1024 * 1024


class StreamConnection:
    """A connection that is used once. It is `open` when the account's events flow, and `over` with a reason."""

    def __init__(
        self,
        *,
        exchange: Exchange,
        venue: Venue,
        time: VenueTime,
        markets: MarketList,
        tell: Callable[[OrderTold | TransferTold], None],
        pace: Pace,
    ) -> None:
        self._exchange: Final = exchange
        self._venue: Final = venue
        self._time: Final = time
        self._markets: Final = markets
        self._tell: Final = tell
        self._pace: Final = pace
        loop = asyncio.get_running_loop()
        self.opened: Final[asyncio.Future[None]] = loop.create_future()
        self.over: Final[asyncio.Future[str]] = loop.create_future()  # the reason
        self.wait_seconds = 0.0  # how long the venue wants to be left alone before another attempt

    async def run(self) -> None:
        """Dial, subscribe and read until it is over."""
        try:
            async with asyncio.timeout(self._pace.dial_seconds):
                socket = await self._dialed()
        except TimeoutError:
            self.end(f"no connection within {self._pace.dial_seconds:g} s")
            return
        except aiohttp.WSServerHandshakeError as error:
            self._note_wait(error)
            self.end(f"HTTP {error.status} in the place of a connection")
            return
        except (aiohttp.ClientError, OSError) as error:
            self.end(f"{type(error).__name__}: {error}")
            return
        try:
            await self._subscribe(socket)
            await self._read(socket)
        except (aiohttp.ClientError, OSError) as error:
            self.end(f"{type(error).__name__}: {error}")
        finally:
            self.end("we hung up")
            await socket.close()

    def end(self, reason: str) -> None:
        """Use it no longer."""
        if not self.over.done():
            self.over.set_result(reason[:REASON_CHARACTERS_MAX])

    async def _dialed(self) -> aiohttp.ClientWebSocketResponse:
        session: aiohttp.ClientSession = self._exchange.session
        return await session.ws_connect(
            stream_address(self._exchange, self._venue),
            heartbeat=self._pace.heartbeat_seconds,
            max_msg_size=FRAME_BYTES_MAX,
            timeout=aiohttp.ClientWSTimeout(ws_close=self._pace.farewell_seconds),
        )

    async def _subscribe(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        stamp_ms = self._time.stamp_ms()
        if stamp_ms is None:
            self.end("the venue's time is not known yet")
            return
        await socket.send_json(self._venue.subscription(self._exchange.sign_params({"timestamp": stamp_ms})))
        try:
            async with asyncio.timeout(self._pace.answer_seconds):
                while not self.opened.done() and not self.over.done():
                    self._take(await socket.receive(), socket)
        except TimeoutError:
            self.end(f"the venue did not answer within {self._pace.answer_seconds:g} s")

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while not self.over.done():
            reading = asyncio.ensure_future(socket.receive())
            try:
                either: set[asyncio.Future[Any]] = {reading, self.over}
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                if reading.done():
                    self._take(reading.result(), socket)
            finally:
                reading.cancel()

    def _take(self, message: aiohttp.WSMessage, socket: aiohttp.ClientWebSocketResponse) -> None:
        if message.type not in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}:
            error = socket.exception()
            self.end(f"{type(error).__name__}: {error}" if error else f"closed with code {socket.close_code}")
            return
        try:
            frame = self._venue.frame_read(message.data, self._markets.symbols)
        except UnreadableError as error:
            # It may have told of a fill. To lose the stream is what makes somebody look.
            self.end(f"a frame that cannot be read: {error}")
            return
        match frame:
            case OrderTold() | TransferTold():
                self._tell(frame)
            case Subscribed():
                self.opened.set_result(None)
            case SubscriptionRefused(reason, is_final):
                self.wait_seconds = self._pace.final_seconds if is_final else 0.0
                self.end(f"the venue refused: {reason}")
            case StreamEnding(reason):
                self.end(reason)
            case None:
                pass

    def _note_wait(self, error: aiohttp.WSServerHandshakeError) -> None:
        seconds = error.headers.get("Retry-After", "") if error.headers is not None else ""
        if seconds.isascii() and seconds.isdecimal():
            self.wait_seconds = believed_seconds(int(seconds), by_venue=False)  # whose words came with it is unseen
