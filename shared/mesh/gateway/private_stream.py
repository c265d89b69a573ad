"""What the venue tells of the account, come what may: connections follow each other for as long as the process is.

The stream only makes things faster. What was told while no connection stood is told to nobody, so its end and its new
beginning are said, and whoever wants the truth asks the venue.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from shared.core.service import FromOutside
from shared.execution.vocabulary import OrderTold, StreamLost, StreamOpened, TransferTold
from shared.mesh.backoff import Backoff
from shared.mesh.clock import Clock
from shared.mesh.gateway.pace import Pace
from shared.mesh.gateway.rest import NS_PER_SECOND, Rest
from shared.mesh.gateway.stream_connection import StreamConnection

TOLD_MAX: Final = 1_000  # orders that are remembered as told of


class PrivateStream:
    """Keeps one connection standing, two while the second takes over, and says whether the account's events flow."""

    def __init__(self, *, bring: Callable[[FromOutside], None], backoff: Backoff, clock: Clock, pace: Pace) -> None:
        self._bring: Final = bring
        self._backoff: Final = backoff
        self._clock: Final = clock
        self._pace: Final = pace
        self._current: StreamConnection | None = None
        self._flows = False
        self._lost_reason = ""
        self._told: Final[deque[str]] = deque(maxlen=TOLD_MAX)
        self._expected: Final[dict[str, asyncio.TimerHandle]] = {}

    async def keep(self, connect: Callable[[], StreamConnection], rest: Rest) -> None:
        """Have the account's events, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            older: StreamConnection | None = None
            while True:
                newer = await self._opened(connect, rest, tasks)
                opened_boot_ns = self._clock.boot_ns()
                self._take_up(newer)
                if older is not None:
                    tasks.create_task(self._leave(older))
                await asyncio.wait({newer.over}, timeout=self._pace.stay_seconds)
                if self._clock.boot_ns() - opened_boot_ns >= self._pace.healthy_seconds * NS_PER_SECOND:
                    self._backoff.reset()
                older = None if newer.over.done() else newer
                await asyncio.sleep(max(self._backoff.next_seconds(), newer.wait_seconds))

    def tell(self, told: OrderTold | TransferTold) -> None:
        """Bring what the venue tells."""
        if isinstance(told, OrderTold):
            client_order_id = told.order.client_order_id
            self._told.append(client_order_id)
            if client_order_id in self._expected:
                self._expected.pop(client_order_id).cancel()
        self._bring(told)

    def expect(self, client_order_id: str) -> None:
        """Give the stream up if it does not tell of an order that the venue has acknowledged: it is silently dead."""
        if not self._flows or client_order_id in self._told or client_order_id in self._expected:
            return
        loop = asyncio.get_running_loop()
        self._expected[client_order_id] = loop.call_later(self._pace.report_seconds, self._give_up)

    def lost(self, reason: str) -> None:
        """Say that nothing flows, unless that was said for the same reason."""
        if self._flows or reason != self._lost_reason:
            self._bring(StreamLost(reason))
        self._flows = False
        self._lost_reason = reason
        for timer in self._expected.values():
            timer.cancel()
        self._expected.clear()

    def _give_up(self) -> None:
        if self._current is not None:
            self._current.end("it told nothing of an order that the venue acknowledged")

    async def _opened(
        self, connect: Callable[[], StreamConnection], rest: Rest, tasks: asyncio.TaskGroup
    ) -> StreamConnection:
        while True:
            await asyncio.sleep(rest.wait_seconds())
            connection = connect()
            tasks.create_task(connection.run())
            either: set[asyncio.Future[Any]] = {connection.opened, connection.over}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if connection.opened.done():
                return connection
            if not self._flows:
                self.lost(connection.over.result())
            await asyncio.sleep(max(self._backoff.next_seconds(), connection.wait_seconds))

    def _take_up(self, connection: StreamConnection) -> None:
        self._current = connection
        if not self._flows:
            self._flows = True
            self._lost_reason = ""
            self._bring(StreamOpened())
        connection.over.add_done_callback(self._note_end)

    def _note_end(self, over: "asyncio.Future[str]") -> None:
        if self._current is not None and over is self._current.over:
            self.lost(over.result())

    async def _leave(self, connection: StreamConnection) -> None:
        """Hang up, once what is on its way has come."""
        await asyncio.wait({connection.over}, timeout=self._pace.overlap_seconds)
        connection.end("another took over")
