"""One WebSocket to the venue with the streams of one kind, from its dial to its end.

ccxt dials, pings and closes. What arrives is taken before ccxt looks at it, as text: ccxt would parse it for twenty
times as long, keep the last of many, lose trades beyond a thousand a turn, and raise in a callback where a frame is no
JSON, which ends the process. So of ccxt's watching no more is left than its future that fails when the connection does.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, Literal

from services.feed_handler.link.client import Exchange
from services.feed_handler.link.pace import Pace
from services.feed_handler.venues.venue import Acknowledged, Control, Refused, ShutdownAnnounced, Venue
from services.feed_handler.vocabulary import Came, Told, Unreadable
from shared.core.service import FromOutside
from shared.mesh.clock import Clock
from shared.mesh.venue_pause import STRANGER_SECONDS_MAX

REASON_CHARACTERS_MAX: Final = 200
ENDED: Final = "ended"  # ccxt's name for what nobody ever resolves


class ConnectionLostError(Exception):
    """There is no connection; the message says why, and how long the venue wants to be left alone."""

    def __init__(self, reason: str, *, wait_seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_seconds: Final = wait_seconds


class Connection:
    """A connection that is used once: `open`, and when it is `over`, `close`."""

    def __init__(
        self,
        *,
        exchange: Exchange,
        venue: Venue,
        address: str,
        number: int,
        read: Callable[[str | bytes], Told],
        bring: Callable[[FromOutside], None],
        clock: Clock,
        pace: Pace,
    ) -> None:
        self._exchange: Final = exchange
        self._venue: Final = venue
        self._address: Final = address
        self._url: Final = f"{address}/{number}"  # by which ccxt tells its sockets apart, and the venue nothing
        self._read: Final = read
        self._bring: Final = bring
        self._clock: Final = clock
        self._pace: Final = pace
        self._client: Any = None
        self._request_id = 0
        self._asked: Final[dict[int, asyncio.Future[str]]] = {}  # what comes of it: a reason where it was refused
        loop = asyncio.get_running_loop()
        self.over: Final[asyncio.Future[str]] = loop.create_future()  # the reason
        self.shutdown_announced: Final[asyncio.Future[None]] = loop.create_future()

    async def open(self, streams: Sequence[str]) -> None:
        """Dial, and ask for streams; when this returns they flow."""
        client = self._client = self._exchange.client(self._url)
        client.handle_text_or_binary_message = self._take
        self._exchange.watch(self._url, ENDED).add_done_callback(self._note_end)
        await asyncio.wait({client.connected, self.over}, return_when=asyncio.FIRST_COMPLETED)
        if self.over.done():
            said = client.last_retry_after or 0.0
            wait_seconds = min(said, STRANGER_SECONDS_MAX) if said > 0 else 0.0  # who said it cannot be seen
            raise ConnectionLostError(self.over.result(), wait_seconds=wait_seconds)
        await self._ask("SUBSCRIBE", streams)

    async def ask_anew(self, streams: Sequence[str]) -> None:
        """Leave streams and ask for them again."""
        await self._ask("UNSUBSCRIBE", streams)
        await self._ask("SUBSCRIBE", streams)

    def end(self, reason: str) -> None:
        """Use it no longer."""
        if not self.over.done():
            self.over.set_result(reason[:REASON_CHARACTERS_MAX])

    async def close(self) -> None:
        """Hang up. A venue that does not answer to that is not waited for."""
        self.end("we hung up")
        self._client.handle_text_or_binary_message = _ignored
        if self._exchange.clients.get(self._url) is self._client:
            del self._exchange.clients[self._url]
        # ccxt's own pauses between dials would come on top of ours.
        self._exchange.ws_dial_backoff.pop(self._url, None)
        with suppress(OSError):  # which a timeout is, too
            async with asyncio.timeout(self._pace.farewell_seconds):
                await self._client.close()

    async def _ask(self, method: Literal["SUBSCRIBE", "UNSUBSCRIBE"], streams: Sequence[str]) -> None:
        self._request_id += 1
        answered = self._asked[self._request_id] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._pace.answer_seconds):
                await self._client.send(self._venue.asking(method, tuple(streams), self._request_id))
                await asyncio.wait({answered, self.over}, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            self.end(f"the venue did not answer within {self._pace.answer_seconds:g} s")
        except OSError as error:
            self.end(f"nothing can be sent: {error}")
        finally:
            self._asked.clear()
        if answered.done() and answered.result():
            self.end(f"the venue refused: {answered.result()}")
        if self.over.done():
            raise ConnectionLostError(self.over.result())

    def _take(self, text: str | bytes) -> None:
        received_wall_ns = self._clock.wall_ns()
        # Who talks is alive: a pong stands in line behind what was told, and ccxt would take a long line for a death.
        self._client.lastPong = self._client.last_message_at
        told = self._read(text)
        if type(told) is Unreadable:
            control = self._venue.control(text)
            if control is not None:
                self._heed(control)
                return
        self._bring(Came(received_wall_ns, (told,)))

    def _heed(self, control: Control) -> None:
        match control:
            case Acknowledged(request_id):
                self._answer(request_id, "")
            case Refused(request_id, reason):
                self._answer(request_id, reason or "without a reason")
            case ShutdownAnnounced():
                if not self.shutdown_announced.done():
                    self.shutdown_announced.set_result(None)

    def _answer(self, request_id: int | None, refusal: str) -> None:
        """Hand on what came of a request. A refusal without its number is that of the one that waits."""
        for asked_id, answered in self._asked.items():
            if request_id in {asked_id, None} and not answered.done():
                answered.set_result(refusal)

    def _note_end(self, ended: "asyncio.Future[object]") -> None:
        """Note how it ended; ccxt's future always fails, or is cancelled when the client is closed."""
        error = None if ended.cancelled() else ended.exception()
        # A reason with the number of the connection in it would be another one at each attempt.
        self.end(str(error).replace(self._url, self._address) if error is not None else "ccxt closed it")


def _ignored(_text: str | bytes) -> None:
    """Let go what arrives while the connection is hung up."""
