"""Processes of a little mesh, on real sockets in a real run directory, here side by side on one loop."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Final, get_args

import pytest

from proto.codec import EnvelopeCodec
from proto.fields import Role
from shared.mesh.bus.drain import nothing
from shared.mesh.bus.hub import Hub
from shared.mesh.bus.keys import create_keys, load_key_ring
from shared.mesh.bus.requests import Requester
from shared.mesh.bus.sender import Sender
from shared.mesh.clock import Clock, SystemClock
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.run_directory import RunDirectory

PATIENCE_SECONDS: Final = 90.0  # only a test that fails waits so long


class Process:
    """One process of the mesh: its hub, its name on envelopes, its codec and clock."""

    def __init__(
        self,
        *,
        instance: str,
        run_directory: Path,
        epoch: int,
        overrides: dict[str, str],
        on_turn: Callable[[], None] = nothing,
    ) -> None:
        self.troubles: Final[list[str]] = []
        self.clock: Final = SystemClock()
        self.codec: Final = EnvelopeCodec()
        self.sender: Final = Sender(instance=instance, epoch=epoch, clock=self.clock)
        self.hub: Final = Hub(
            loop=asyncio.get_running_loop(),
            keys=load_key_ring(PrivateDirectory(run_directory / "keys"), instance),
            run_directory=RunDirectory(run_directory),
            overrides=overrides,
            on_turn=on_turn,
            on_trouble=self.troubles.append,
        )

    def asks(self, instance: str, name: str, *, clock: Clock | None = None) -> Requester:
        """Open a requester to a socket of another process."""
        return Requester(
            hub=self.hub, instance=instance, name=name, sender=self.sender, clock=clock or self.clock, codec=self.codec
        )


class Mesh:
    """Starts processes, and ends them all with the test."""

    def __init__(self, run_directory: Path) -> None:
        self.run_directory: Final = run_directory
        self._running: Final[list[Process]] = []
        self._epochs: Final[dict[str, int]] = {}

    def process(self, instance: str, *, on_turn: Callable[[], None] = nothing, **overrides: str) -> Process:
        """Start a process of this instance, under its next epoch."""
        self._epochs[instance] = self._epochs.get(instance, 0) + 1
        process = Process(
            instance=instance,
            run_directory=self.run_directory,
            epoch=self._epochs[instance],
            overrides={name.replace("__", "."): address for name, address in overrides.items()},
            on_turn=on_turn,
        )
        self._running.append(process)
        return process

    def end(self, process: Process) -> None:
        """End one process, as if it had been killed: nothing is said, nothing is drained."""
        self._running.remove(process)
        process.hub.close()

    def end_all(self) -> None:
        """End whatever still runs."""
        while self._running:
            self.end(self._running[-1])


@pytest.fixture(scope="session")
def run_directory() -> Iterator[Path]:
    """Make a run directory short enough for socket paths, with a key for every role."""
    directory = Path(tempfile.mkdtemp(prefix="bw-"))
    create_keys(PrivateDirectory(directory / "keys"), get_args(Role))
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
async def mesh(run_directory: Path) -> AsyncIterator[Mesh]:
    """Give a test its own mesh."""
    running = Mesh(run_directory)
    yield running
    running.end_all()


@pytest.fixture
def eventually() -> Callable[[Callable[[], object]], Awaitable[None]]:
    """Wait until something holds; each turn of the loop looks again."""

    async def wait(holds: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not holds():  # noqa: ASYNC110  # what is waited for is a state, not an event of ours
                await asyncio.sleep(0.001)

    return wait
