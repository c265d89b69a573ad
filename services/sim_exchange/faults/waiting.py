"""Requests that are held up, until the clock has come so far. Nothing here asks for the time: it is told of it."""

import asyncio
import heapq
from typing import Final

from services.sim_exchange.face.interference import HangUpError

WAITING_MAX: Final = 1_000  # requests at once; one beyond that is lost instead


class Waiting:
    """Who waits, and until when."""

    def __init__(self) -> None:
        self._due: Final[list[tuple[int, int, asyncio.Future[None]]]] = []
        self._began = 0

    async def until(self, due_ms: int) -> None:
        """Wait until the clock has come so far."""
        if len(self._due) >= WAITING_MAX:
            raise HangUpError
        self._began += 1
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._due, (due_ms, self._began, future))
        await future

    def advance(self, now_ms: int) -> None:
        """Let those go on whose time has come."""
        while self._due and self._due[0][0] <= now_ms:
            future = heapq.heappop(self._due)[2]
            if not future.done():  # whoever waited may have been cancelled meanwhile
                future.set_result(None)
