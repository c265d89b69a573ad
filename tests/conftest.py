"""What all tests share: asynchronous ones run on the loop the mesh runs on."""

import asyncio
from collections.abc import Callable

import uvloop


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Give every asynchronous test a loop of uvloop."""
    return {"uvloop": uvloop.new_event_loop}
