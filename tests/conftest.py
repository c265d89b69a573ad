"""What all tests share: asynchronous ones run on the loop the mesh runs on."""

import asyncio
from collections.abc import Callable

from hypothesis import HealthCheck, settings

from shared.mesh.loop import Loop

# How long an example takes says how busy the machine is: tests run beside each other.
settings.register_profile("beside-others", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("beside-others")


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Give every asynchronous test the loop of the mesh."""
    return {"uvloop": Loop}
