"""The overseer's hands: it reads supervisord's events from standard input, and has orphans retired beside the loop."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Final

from services.overseer.core import OrphanLeft, OrphanRetired, RetireOrphans, SupervisorGone
from services.overseer.protocol import DONE, READY, NotSupervisorError, body_length, change_in, fields_of
from shared.core.service import FromOutside, Outward
from shared.mesh.clock import SystemClock
from shared.mesh.fencing import FenceRefused
from shared.mesh.orphans import Patience, Retirement, retire_orphans
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.seat import Post
from shared.mesh.settings import load_configuration
from shared.mesh.supervisor import SOCKET_NAME, Supervisor, SupervisorError

PATIENCE: Final = Patience(drain_ns=15_000_000_000, successor_ns=15_000_000_000)
HEADER_BYTES_MAX: Final = 4_096


class SupervisorPipe:
    """Standard input and output, as supervisord gave them to us."""

    def __init__(self, root: Path) -> None:
        self._configuration: Final = load_configuration(root=root, environment=os.environ)
        self._tasks: Final[set[asyncio.Task[None]]] = set()
        self._bring: Callable[[FromOutside], None] = _nobody

    def open(self, bring: Callable[[FromOutside], None]) -> None:
        """Listen."""
        self._bring = bring
        self._start(self._listen())

    def perform(self, effect: Outward) -> None:
        """Retire orphans."""
        assert isinstance(effect, RetireOrphans), "the overseer's core wants nothing else"
        self._start(asyncio.to_thread(self._retire, asyncio.get_running_loop()))

    def close(self) -> None:
        """Listen no more."""
        for task in self._tasks:
            task.cancel()

    def _start(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _listen(self) -> None:
        reader = asyncio.StreamReader(limit=HEADER_BYTES_MAX)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        try:
            while True:
                _reply(READY)
                line = await reader.readuntil()
                header = fields_of(line.decode())
                body = await reader.readexactly(body_length(header))
                change = change_in(header, body.decode())
                if change is not None:
                    self._bring(change)
                _reply(DONE)
        except (asyncio.IncompleteReadError, BrokenPipeError):
            self._bring(SupervisorGone())
        except (asyncio.LimitOverrunError, NotSupervisorError, UnicodeDecodeError) as error:
            self._bring(OrphanLeft(f"standard input is not supervisord's: {error}"))
            self._bring(SupervisorGone())

    def _retire(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look for orphans and retire them; runs in a thread, for each may take its time."""

        def tell(happening: FromOutside) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: whoever would hear it is gone
                loop.call_soon_threadsafe(self._bring, happening)

        configuration = self._configuration
        try:
            programs = Supervisor(configuration.run_directory / SOCKET_NAME).programs()
        except SupervisorError as error:
            tell(OrphanLeft(f"supervisord does not say whom it has started: {error}"))
            return
        supervised = {program.name for program in programs} - {"overseer"}
        with PrivateDirectory(configuration.seats_directory) as seats:
            posts = [Post(instance, seats, SystemClock()) for instance in sorted(supervised)]
            for found in retire_orphans(posts, supervisor_id=os.getppid(), supervised=supervised, patience=PATIENCE):
                tell(_told(found))


def _told(found: Retirement | FenceRefused) -> FromOutside:
    if isinstance(found, FenceRefused):
        return OrphanLeft(found.words)
    return OrphanRetired(found.instance, found.process_id, found.killed, found.successor_id)


def _reply(words: bytes) -> None:
    os.write(sys.stdout.fileno(), words)


def _nobody(_happening: FromOutside) -> None:
    """Stand in until the shell says where to bring things."""
