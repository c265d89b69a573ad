"""The event loop of the mesh: uvloop, and a mend of one defect of the version that ccxt pins."""

import asyncio
import socket
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

Result = TypeVar("Result")


class Loop(uvloop.Loop):
    """uvloop, which lets go of a socket that it has closed.

    When a connection over a socket is given up just as it is made, uvloop 0.22 closes the descriptor and leaves its
    number with the socket. That one closes the number once more when it is collected, and by then it may be somebody
    else's: a journal's, or another connection's. uvloop 0.23 detaches the socket itself; ccxt does not take it yet.
    """

    async def create_connection(  # type: ignore[override]  # handed on as it is
        self, *arguments: object, sock: socket.socket | None = None, **options: object
    ) -> tuple[object, object]:
        """Connect, or have nothing left of the attempt."""
        is_made = False
        try:
            made: tuple[object, object] = await super().create_connection(*arguments, sock=sock, **options)  # type: ignore[call-overload]  # as above
            is_made = True
        finally:
            if not is_made and sock is not None:
                sock.detach()
        return made


def run_on_loop(main: Coroutine[Any, Any, Result]) -> Result:
    """Run a process to its end."""
    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(main)
