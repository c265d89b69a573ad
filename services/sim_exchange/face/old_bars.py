"""Bars of long ago are made in a thread: they take seconds, and the loop matches orders meanwhile."""

import asyncio
from typing import Final

from services.sim_exchange.face.records import Candles
from services.sim_exchange.market.intervals import Interval


class OldBars:
    """Has bars made that nobody asked for yet. One request at a time: the next finds what the last one had made."""

    def __init__(self, candles: Candles) -> None:
        self._candles: Final = candles
        self._fetching: Final = asyncio.Lock()

    async def fetch(self, symbol: str, interval: Interval, start_ms: int | None, until_ms: int, limit: int) -> None:
        """Have at hand what these bars are told from."""
        async with self._fetching:
            for missing in self._candles.missing(symbol, interval, start_ms, until_ms, limit):
                missing.keep(await asyncio.to_thread(missing.make))
