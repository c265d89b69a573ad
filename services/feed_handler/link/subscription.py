"""Messages of one kind for some symbols, come what may: connections follow each other for as long as the process is."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from services.feed_handler.link.connection import Connection, ConnectionLostError
from services.feed_handler.link.pace import Pace
from services.feed_handler.vocabulary import StreamKind, StreamLost, StreamOpened
from shared.core.service import FromOutside
from shared.mesh.backoff import Backoff
from shared.mesh.clock import Clock

NS_PER_SECOND: Final = 1_000_000_000


class Subscription:
    """Keeps one connection standing, two while the second takes over, and says when the messages flow."""

    def __init__(
        self,
        *,
        kind: StreamKind,
        symbols: tuple[str, ...],
        bring: Callable[[FromOutside], None],
        backoff: Backoff,
        clock: Clock,
        pace: Pace,
    ) -> None:
        self.kind: Final = kind
        self.symbols: Final = symbols
        self._bring: Final = bring
        self._backoff: Final = backoff
        self._clock: Final = clock
        self._pace: Final = pace
        self._current: Connection | None = None
        self._flows = False
        self._lost_reason = ""
        self._silent: Final[dict[str, None]] = {}  # the symbols that shall be asked for anew
        self._has_silent: Final = asyncio.Event()

    async def keep(self, connect: Callable[[], Connection], streams: Mapping[str, str]) -> None:
        """Have these streams, by symbol, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._ask_anew(streams))
            older: Connection | None = None
            while True:
                newer = await self._opened(connect, tuple(streams.values()))
                opened_boot_ns = self._clock.boot_ns()
                self._take_up(newer)
                if older is not None:
                    tasks.create_task(self._leave(older))
                until: set[asyncio.Future[Any]] = {newer.over, newer.shutdown_announced}
                await asyncio.wait(until, timeout=self._pace.stay_seconds, return_when=asyncio.FIRST_COMPLETED)
                if self._clock.boot_ns() - opened_boot_ns >= self._pace.healthy_seconds * NS_PER_SECOND:
                    self._backoff.reset()
                older = newer
                if newer.over.done():
                    tasks.create_task(newer.close())
                    older = None
                # Also where all is well: a venue that shuts down may announce that on each new connection.
                await asyncio.sleep(self._backoff.next_seconds())

    def lost(self, reason: str) -> None:
        """Say that nothing flows, unless that was said for the same reason."""
        if self._flows or reason != self._lost_reason:
            self._bring(StreamLost(self.kind, self.symbols, reason))
        self._flows = False
        self._lost_reason = reason

    def ask_anew(self, symbol: str) -> None:
        """Ask for the messages of a symbol anew. While there is no connection the next one will do so anyway."""
        self._silent[symbol] = None
        self._has_silent.set()

    def connect_anew(self) -> None:
        """Give up the connection, and make another."""
        if self._current is not None:
            self._current.end("another connection was asked for")

    async def _opened(self, connect: Callable[[], Connection], streams: tuple[str, ...]) -> Connection:
        while True:
            connection = connect()
            try:
                await connection.open(streams)
            except ConnectionLostError as error:
                if not self._flows:
                    self.lost(str(error))
                await connection.close()
                await asyncio.sleep(max(self._backoff.next_seconds(), error.wait_seconds))
            else:
                return connection

    def _take_up(self, connection: Connection) -> None:
        self._current = connection
        connection.over.add_done_callback(self._note_end)
        if not self._flows:
            self._flows = True
            self._lost_reason = ""
            self._bring(StreamOpened(self.kind, self.symbols))

    def _note_end(self, over: "asyncio.Future[str]") -> None:
        if self._current is not None and over is self._current.over:
            self.lost(over.result())

    async def _leave(self, connection: Connection) -> None:
        """Hang up, once what is on its way has come."""
        await asyncio.wait({connection.over}, timeout=self._pace.overlap_seconds)
        await connection.close()

    async def _ask_anew(self, streams: Mapping[str, str]) -> None:
        while True:
            await self._has_silent.wait()
            self._has_silent.clear()
            symbols = tuple(self._silent)
            self._silent.clear()
            connection = self._current
            if connection is None or not self._flows:
                continue
            try:
                await connection.ask_anew([streams[symbol] for symbol in symbols])
            except ConnectionLostError:
                if self._current is connection:
                    continue  # it is over, and that is said; one that took its place meanwhile has asked for all
            self._bring(StreamOpened(self.kind, symbols))
            await asyncio.sleep(self._pace.between_requests_seconds)
