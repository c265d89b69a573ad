"""The line between risk and executor, which a test may cut: what is said in that direction is lost, nobody hangs up.

Each of the two finds the other's sockets at addresses of its own, `mesh.endpoints` of its environment, and there the
bytes pass through here. When the line is whole again, every connection that lost some ends, and is made anew.
"""

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final, Literal, Self

from shared.mesh.settings.endpoints import SOCKETS

End = Literal["risk", "executor"]
ENDS: Final[tuple[End, ...]] = ("risk", "executor")
CHUNK_BYTES: Final = 65_536
Connection = tuple[asyncio.StreamWriter, asyncio.StreamWriter]  # to both of its ends


class Line:
    """Passes bytes on, in a thread of its own. It ends as a context."""

    def __init__(self, run_directory: Path) -> None:
        self._run_directory: Final = run_directory
        self._loop: Final = asyncio.new_event_loop()
        self._thread: Final = threading.Thread(target=self._loop.run_forever)
        self._servers: Final[list[asyncio.Server]] = []
        self._connections: Final[set[Connection]] = set()
        self._spoiled: Final[set[Connection]] = set()
        self._cut: frozenset[tuple[End, End]] = frozenset()

    def __enter__(self) -> Self:
        """Be there before anybody asks."""
        self._thread.start()
        for asker in ENDS:
            for socket in SOCKETS:
                self._done(self._listen(asker, socket))
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up."""
        self._done(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def endpoints(self, asker: End) -> str:
        """Return where one of the two finds the other, as its environment says it."""
        return ", ".join(f"{_owner(asker)}.{socket}=ipc://{self._near(asker, socket)}" for socket in SOCKETS)

    def cut(self, *directions: tuple[End, End]) -> None:
        """Lose whatever is said in these directions from now on."""
        self._cut = frozenset(directions)

    def mend(self) -> None:
        """Let everything pass again."""
        self._cut = frozenset()
        self._done(self._hang_up(self._spoiled))

    def _near(self, asker: End, socket: str) -> Path:
        return self._run_directory / f"line-{asker}.{socket}"

    def _done(self, work: Coroutine[object, object, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _listen(self, asker: End, socket: str) -> None:
        connected = partial(self._connected, asker, self._run_directory / f"{_owner(asker)}.{socket}")
        self._servers.append(await asyncio.start_unix_server(connected, self._near(asker, socket)))

    async def _connected(
        self, asker: End, far: Path, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(far)
        except OSError:  # nobody is there: it is tried again
            writer.close()
            return
        connection, owner = (writer, far_writer), _owner(asker)
        self._connections.add(connection)
        await asyncio.gather(
            self._pass_on((asker, owner), connection, reader, far_writer),
            self._pass_on((owner, asker), connection, far_reader, writer),
        )
        self._connections.discard(connection)
        self._spoiled.discard(connection)

    async def _pass_on(
        self,
        direction: tuple[End, End],
        connection: Connection,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        is_spoiled = False  # what lost some bytes makes no sense any more
        with suppress(OSError):
            while content := await reader.read(CHUNK_BYTES):
                is_spoiled |= direction in self._cut
                if is_spoiled:
                    self._spoiled.add(connection)
                    continue
                writer.write(content)
                await writer.drain()
        for either in connection:
            either.close()

    async def _hang_up(self, connections: set[Connection]) -> None:
        for connection in tuple(connections):
            for writer in connection:
                writer.close()

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        await self._hang_up(self._connections)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)


def _owner(asker: End) -> End:
    return "executor" if asker == "risk" else "risk"
