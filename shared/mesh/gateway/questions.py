"""The questions that wait to be asked: those that an order's fate hangs on stand in a line of their own, ahead."""

import asyncio
from typing import Final

from shared.execution.vocabulary import ReadAccount, ReadOpenOrders, ReadOrder, ReadTrades, ReadWorth

OneRequest = ReadOrder | ReadOpenOrders | ReadTrades | ReadAccount
Read = OneRequest | ReadWorth


def is_routine(wanted: Read) -> bool:
    """Say whether it is asked for the sake of order only: no order in doubt and no cover waits for the answer."""
    return not (isinstance(wanted, ReadOrder) or (isinstance(wanted, ReadTrades) and wanted.is_urgent))


class Questions:
    """Two lines, each bounded. What waits already does not wait twice: one answer serves."""

    def __init__(self, *, waiting_max: int) -> None:
        self._waiting_max: Final = waiting_max
        self._ahead: Final[dict[Read, None]] = {}
        self._routine: Final[dict[Read, None]] = {}
        self._more: Final = asyncio.Event()

    def add(self, wanted: Read) -> bool:
        """Let a question wait; False where its line is full."""
        line = self._routine if is_routine(wanted) else self._ahead
        if wanted not in line and len(line) >= self._waiting_max:
            return False
        line[wanted] = None
        self._more.set()
        return True

    async def next(self, *, with_routine: bool) -> Read:
        """Wait for the next question, and take it out of its line."""
        lines = (self._ahead, self._routine) if with_routine else (self._ahead,)
        while True:
            for line in lines:
                if line:
                    wanted = next(iter(line))
                    del line[wanted]
                    return wanted
            self._more.clear()
            await self._more.wait()
