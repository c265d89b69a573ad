"""An exchange that can fail on command, and the unmodified ccxt as alice."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.services.sim_exchange.face.venue import Binance, ccxt_client
from tests.services.sim_exchange.faults.sabotaged import Sabotaged, sabotaged


@pytest_asyncio.fixture
async def exchange() -> AsyncIterator[Sabotaged]:
    """Return an exchange that serves, and fails on command."""
    async with sabotaged() as opened:
        yield opened


@pytest_asyncio.fixture
async def client(exchange: Sabotaged) -> AsyncIterator[Binance]:
    """Return a client that trades there as alice."""
    async with ccxt_client(exchange.venue) as connected:
        yield connected
