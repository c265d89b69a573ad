"""The overseer's hands: it reads supervisord's events from standard input, and has orphans retired beside the loop."""

import asyncio
import contextlib
import os
import select
import stat
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Final

from services.overseer.core import (
    LookAround,
    NotRemembered,
    NotStartedAgain,
    OrphanLeft,
    OrphanRetired,
    PipeUnreadable,
    ProgramChanged,
    ProgramKnown,
    Remember,
    RetireOrphans,
    StartAgain,
    SupervisorGone,
)
from services.overseer.protocol import DONE, READY, NotSupervisorError, body_length, change_in, fields_of
from shared.core.service import FromOutside, Outward
from shared.mesh.clock import BootTime, SystemClock
from shared.mesh.fencing import FenceRefused
from shared.mesh.orphans import Kept, Retirement, Succession, patience_of, retire_orphans
from shared.mesh.past_lives import PastLives, remember, remembered
from shared.mesh.private_directory import PrivateDirectory, PrivateFileError
from shared.mesh.seat import Post
from shared.mesh.settings import Configuration, SettingsError, load_configuration
from shared.mesh.supervisor import SOCKET_NAME, Supervisor, SupervisorError

HEADER_BYTES_MAX: Final = 4_096


class SupervisorPipe:
    """Standard input and output, as supervisord gave them to us."""

    def __init__(self, root: Path) -> None:
        self._root: Final = root
        self._supervisor_id: Final = os.getppid()
        self._closed: Final = threading.Event()
        self._tasks: Final[set[asyncio.Task[None]]] = set()
        self._latest: Final[dict[str, Remember]] = {}
        self._writing: Final = threading.Lock()
        self._bring: Callable[[FromOutside], None] = _nobody

    def open(self, bring: Callable[[FromOutside], None]) -> None:
        """Listen."""
        self._bring = bring
        self._start(self._listen())

    def perform(self, effect: Outward) -> None:
        """Retire orphans, or have started again what was given up; each in a thread, for it may take its time."""
        loop = asyncio.get_running_loop()
        match effect:
            case RetireOrphans():
                self._start(asyncio.to_thread(self._retire, loop))
            case LookAround():
                self._start(asyncio.to_thread(self._look, loop))
            case Remember():
                self._latest[effect.instance] = effect
                self._start(asyncio.to_thread(self._remember, loop, effect.instance))
            case StartAgain(instance=instance):
                self._start(asyncio.to_thread(self._start_again, loop, instance))
            case _:
                raise AssertionError("the overseer's core wants nothing else")

    def close(self) -> None:
        """Listen no more, and retire no more."""
        self._closed.set()
        for task in self._tasks:
            task.cancel()

    def _start(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _listen(self) -> None:
        try:
            _refuse_what_is_no_pipe(sys.stdin.fileno())
            reader = asyncio.StreamReader(limit=HEADER_BYTES_MAX)
            await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
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
            self._bring(PipeUnreadable(str(error)))

    def _wanted(self) -> bool:
        """Tell whether supervisord is still ours: after its death its children are another's business."""
        return not self._closed.is_set() and os.getppid() == self._supervisor_id

    def _retire(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look for orphans and retire them."""
        try:
            configuration = load_configuration(root=self._root, environment=os.environ)
            with (
                self._supervisor(configuration) as supervisor,
                PrivateDirectory(configuration.seats_directory) as seats,
            ):
                supervised = {program.name for program in supervisor.programs()} - {"overseer"}
                posts = [Post(instance, seats, SystemClock()) for instance in sorted(supervised)]
                for found in retire_orphans(
                    posts,
                    succession=Succession(self._supervisor_id, supervisor.programs),
                    patience=patience_of(supervisor),
                    wanted=self._wanted,
                ):
                    self._tell(loop, _told(found))
        except SupervisorError as error:
            self._tell(loop, OrphanLeft(f"supervisord does not say whom it has started: {error}"))
        except (PrivateFileError, SettingsError) as error:
            self._tell(loop, OrphanLeft(str(error)))

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        # Who does not answer here is an alarm of the retiring, which asks the same.
        with contextlib.suppress(SupervisorError, SettingsError):
            configuration = load_configuration(root=self._root, environment=os.environ)
            with self._supervisor(configuration) as supervisor:
                for program in supervisor.programs():
                    if (configuration.keys_directory / f"{program.name}.public").exists():  # or it cannot be heard
                        self._tell(loop, _known(remembered(configuration.past_lives_directory, program.name)))
                    if program.state == "FATAL":
                        self._tell(loop, ProgramChanged(program.name, "FATAL", "", None, expected=False))

    def _remember(self, loop: asyncio.AbstractEventLoop, instance: str) -> None:
        """Write down the latest of an instance: threads may overtake each other."""
        try:
            configuration = load_configuration(root=self._root, environment=os.environ)
            with self._writing, PrivateDirectory(configuration.past_lives_directory) as directory:
                latest, boot_id = self._latest[instance], SystemClock().boot_id
                deaths = tuple(BootTime(boot_id, boot_ns) for boot_ns in latest.deaths_boot_ns)
                # An overseer that just began may not have looked yet: what an earlier one heard is never forgotten.
                heard_before = remembered(configuration.past_lives_directory, instance).epoch
                remember(directory, PastLives(instance, max(latest.epoch, heard_before), deaths))
        except (PrivateFileError, SettingsError) as error:
            self._tell(loop, NotRemembered(str(error)))

    def _start_again(self, loop: asyncio.AbstractEventLoop, instance: str) -> None:
        try:
            configuration = load_configuration(root=self._root, environment=os.environ)
            with self._supervisor(configuration) as supervisor:
                supervisor.start(instance)
        except (SettingsError, SupervisorError) as error:
            self._tell(loop, NotStartedAgain(instance, str(error)))

    @contextlib.contextmanager
    def _supervisor(self, configuration: Configuration) -> Iterator[Supervisor]:
        """Speak to our supervisord; another's children would all look like orphans to us."""
        with Supervisor(configuration.run_directory / SOCKET_NAME) as supervisor:
            answering = supervisor.process_id()
            if answering != self._supervisor_id:
                raise SupervisorError(f"it is process {answering}, and we were started by {self._supervisor_id}")
            yield supervisor

    def _tell(self, loop: asyncio.AbstractEventLoop, happening: FromOutside) -> None:
        """Bring what a thread has found."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: whoever would hear it is gone
            loop.call_soon_threadsafe(self._bring, happening)


def _known(past: PastLives) -> ProgramKnown:
    boot_id = SystemClock().boot_id
    return ProgramKnown(
        past.instance, past.epoch, tuple(death.boot_ns for death in past.deaths if death.boot_id == boot_id)
    )


def _told(found: Retirement | Kept | FenceRefused) -> FromOutside:
    if not isinstance(found, Retirement):
        return OrphanLeft(found.words)
    return OrphanRetired(found.instance, found.process_id, found.killed, found.successor_id)


def _refuse_what_is_no_pipe(descriptor: int) -> None:
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISFIFO(mode) and not stat.S_ISSOCK(mode):
        raise NotSupervisorError("standard input is no pipe: supervisord starts this program by itself")


def _reply(words: bytes) -> None:
    """Write it if that does not block; supervisord reads each reply before it expects the next."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), select.POLLOUT)
    if not poll.poll(0):
        raise NotSupervisorError("nobody reads standard output")
    os.write(sys.stdout.fileno(), words)


def _nobody(_happening: FromOutside) -> None:
    """Stand in until the shell says where to bring things."""
