"""Bars of long ago take long to make; nobody else waits for them."""

import asyncio
import threading

import aiohttp
import pytest

from services.sim_exchange.market.bars import Bars
from services.sim_exchange.market.source import SEASON_MS
from services.sim_exchange.market.synthetic import SyntheticMarket
from tests.services.sim_exchange.face.venue import SETTINGS, MovableClock, serving, until, within

LONG_AGO = MovableClock()() // SEASON_MS - 2
DAYS_300 = {"symbol": "BTCUSDT", "interval": "1d", "limit": "300"}
HALF_HOURS_60_DAYS_AGO = {
    "symbol": "BTCUSDT",
    "interval": "30m",
    "limit": "10",
    "endTime": str((LONG_AGO + 1) * SEASON_MS - 1),
}


class HeldUp:
    """A source that makes nothing of long ago before it may."""

    def __init__(self) -> None:
        self._market = SyntheticMarket(SETTINGS)
        self.first_ms = self._market.first_ms
        self.may = threading.Event()
        self.asked: list[int] = []

    def season(self, symbol: str, number: int) -> Bars:
        """Return a season as soon as it may."""
        if number <= LONG_AGO:
            self.asked.append(number)
            assert self.may.wait(30), "the loop stands still: nobody can let the source go on"
        return self._market.season(symbol, number)


@pytest.mark.parametrize("wanted", [DAYS_300, HALF_HOURS_60_DAYS_AGO])
async def test_others_are_answered_while_bars_are_made(wanted: dict[str, str]) -> None:
    """A ping goes by two requests for the same old bars, which are made once."""
    prices = HeldUp()
    async with (
        serving(prices=prices) as venue,
        aiohttp.ClientSession(f"http://127.0.0.1:{venue.port}/api/v3/") as session,
    ):

        async def bars() -> list[object]:
            async with session.get("klines", params=wanted) as response:
                told: list[object] = await response.json()
                return told

        asking = [asyncio.create_task(bars()) for _ in range(2)]
        await until(lambda: bool(prices.asked))
        async with session.get("ping") as response:
            assert await within(response.json()) == {}
        assert not any(task.done() for task in asking)
        prices.may.set()
        first, second = await within(asyncio.gather(*asking))
    assert len(first) == int(wanted["limit"])
    assert first[:-1] == second[:-1]
    assert len(prices.asked) == len(set(prices.asked))
