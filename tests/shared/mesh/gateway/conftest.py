"""An exchange that fails on command, and a gateway that is ready to trade there."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.services.sim_exchange.faults.sabotaged import Sabotaged, sabotaged
from tests.shared.mesh.gateway.opened import Opened, opened


@pytest_asyncio.fixture
async def exchange() -> AsyncIterator[Sabotaged]:
    """Return an exchange that serves, and fails on command."""
    async with sabotaged() as serving:
        yield serving


@pytest_asyncio.fixture
async def ready(exchange: Sabotaged) -> AsyncIterator[Opened]:
    """Return a gateway that is ready to trade."""
    async with opened(f"http://127.0.0.1:{exchange.venue.port}") as gateway:
        await gateway.is_ready()
        yield gateway
