"""How a benchmark talks to its processes: a line of JSON in, a line of JSON out; they end with their input."""

import asyncio
import sys
from collections.abc import AsyncIterator

import msgspec


class Row(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One trade, and when it was sent or came, by the clock that all processes of a host share."""

    market_id: str
    trade_id: int
    at_ns: int


async def lines() -> AsyncIterator[bytes]:
    """Return what is asked, line by line."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield line


def answer(said: object) -> None:
    """Answer."""
    sys.stdout.write(msgspec.json.encode(said).decode() + "\n")
    sys.stdout.flush()
