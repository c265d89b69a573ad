"""The loop of the mesh closes what is its own, once."""

import asyncio
import os
import socket
from contextlib import closing

import pytest

from shared.mesh.loop import Loop


def listening() -> socket.socket:
    """Return somebody to connect to."""
    return socket.create_server(("127.0.0.1", 0))


async def connected(listener: socket.socket) -> socket.socket:
    """Return a socket that is connected to it."""
    own = socket.socket()
    own.setblocking(False)  # noqa: FBT003  # a method of the library
    await asyncio.get_running_loop().sock_connect(own, listener.getsockname())
    return own


async def test_a_connection_given_up_leaves_no_number_behind() -> None:
    """What takes the number of its descriptor afterwards is not closed with the socket."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, Loop)
    with closing(listening()) as listener:
        own = await connected(listener)
        number = own.fileno()
        attempt = loop.create_task(loop.create_connection(asyncio.Protocol, sock=own))
        await asyncio.sleep(0)
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt
        assert own.fileno() == -1
        taken = os.open(os.devnull, os.O_RDONLY)
        os.dup2(taken, number)
        own.close()
        os.fstat(number)
        os.close(number)
        if taken != number:
            os.close(taken)


async def test_a_connection_that_is_made_works() -> None:
    """Over a socket and by its address alike."""
    loop = asyncio.get_running_loop()
    with closing(listening()) as listener:
        host, port = listener.getsockname()
        for made in (
            loop.create_connection(asyncio.Protocol, sock=await connected(listener)),
            loop.create_connection(asyncio.Protocol, host, port),
        ):
            transport, _ = await made
            assert transport.get_extra_info("peername") == (host, port)
            transport.close()
    with pytest.raises(ConnectionError):
        await loop.create_connection(asyncio.Protocol, host, port)
