"""An exchange that fails on command, and a link to it over which everything flows."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.services.feed_handler.link.linked import KINDS, Linked, linked
from tests.services.sim_exchange.faults.sabotaged import Sabotaged, sabotaged


@pytest_asyncio.fixture
async def exchange() -> AsyncIterator[Sabotaged]:
    """Return an exchange that serves, and fails on command."""
    async with sabotaged() as opened:
        yield opened


@pytest_asyncio.fixture
async def open_link(exchange: Sabotaged) -> AsyncIterator[Linked]:
    """Return a link over which everything flows."""
    async with linked(f"http://127.0.0.1:{exchange.venue.port}") as opened:
        await opened.brought.flows(*KINDS)
        yield opened
