"""The end of a process with a link: nothing is left open, and nothing is complained about."""

import asyncio
import socket
import sys

import pytest

from tests.house.tree import CHECKOUT
from tests.loopback import OUR_HOST, free_port
from tests.services.feed_handler.link.stand_in import acknowledged, standing_in


async def ended(url: str, patience_seconds: float) -> tuple[int, str]:
    """Run the program to its end with every warning on, and return its exit code and what it complained about."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error"),
        *("-m", "tests.services.feed_handler.link.program", url, str(patience_seconds)),
        cwd=CHECKOUT,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        _, complaints = await process.communicate()
    assert process.returncode is not None
    return process.returncode, complaints.decode()


async def test_flowing_link_ends_cleanly() -> None:
    """Over open connections, with a request under way."""
    async with standing_in() as venue:
        assert await ended(venue.url, 30) == (0, "")


async def test_link_ends_cleanly_while_nobody_acknowledges() -> None:
    """With subscriptions under way."""
    async with standing_in() as venue:
        venue.answers.extend([acknowledged, *[lambda _: None] * 9])
        assert await ended(venue.url, 30) == (0, "")


async def test_waiting_link_ends_cleanly() -> None:
    """Between two attempts to reach a venue that is down."""
    assert await ended(f"http://{OUR_HOST}:{free_port()}", 30) == (0, "")


@pytest.mark.parametrize("patience_seconds", [0, 0.5])
async def test_link_ends_cleanly_while_it_asks(patience_seconds: float) -> None:
    """With a request for the markets that nobody answers."""
    with socket.create_server((OUR_HOST, 0)) as silent:
        assert await ended(f"http://{OUR_HOST}:{silent.getsockname()[1]}", patience_seconds) == (0, "")
