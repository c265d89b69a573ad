"""Single services of the chaos tests as children of the test itself, for what has to happen at a certain moment."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from proto.codec import EnvelopeCodec
from services.supervision.mesh import Mesh
from services.supervision.starting import prepare
from shared.mesh.bus.hub import Hub
from shared.mesh.bus.keys import load_key_ring
from shared.mesh.bus.requests import Requester
from shared.mesh.bus.sender import Sender
from shared.mesh.clock import SystemClock
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.run_directory import RunDirectory
from tests.chaos.mesh import ChaosMesh
from tests.chaos.testimony import Line, Took
from tests.services.supervision.harness import PATIENCE_S, eventually


class Single:
    """One process."""

    def __init__(self, mesh: ChaosMesh, instance: str, number: int) -> None:
        self.instance: Final = instance
        self._mesh: Final = mesh
        self._log: Final = mesh.root / f"{instance}-{number}.log"
        command = [sys.executable, "-m", "tests.chaos.program", instance, "--root", str(mesh.root)]
        with self._log.open("wb") as log:
            self.process: Final = subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=log, stderr=log)

    @property
    def log(self) -> str:
        """Return what it wrote into its log."""
        return self._log.read_text(encoding="utf-8")

    def lines(self) -> list[Line]:
        """Return what its instance testified so far."""
        return list(self._mesh.ledgers[self.instance].look())

    def await_seat(self) -> "Single":
        """Wait until this process has said that it has the seat."""
        eventually(lambda: any(self._is_mine(line) for line in self.lines()) or self.process.poll() is not None)
        assert self.process.poll() is None, self.log
        return self

    def took(self) -> Line:
        """Return the word with which this process took its seat."""
        return next(line for line in self.lines() if self._is_mine(line))

    def await_log(self, words: str) -> None:
        """Wait until these words stand in its log."""
        eventually(lambda: words in self.log)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def code(self) -> int:
        """Wait for its end, and return its exit code."""
        return self.process.wait(PATIENCE_S)

    def _is_mine(self, line: Line) -> bool:
        return isinstance(line.said, Took) and line.said.process_id == self.process.pid


class Singles:
    """Starts single services in the folder of a mesh, and ends them with the test."""

    def __init__(self, mesh: ChaosMesh) -> None:
        self._mesh: Final = mesh
        self.root: Final = mesh.root
        self._started: Final[list[Single]] = []
        prepare(Mesh.of(mesh.root, {}))

    def start(self, instance: str) -> Single:
        """Start one, and do not wait for it."""
        self._started.append(Single(self._mesh, instance, len(self._started)))
        return self._started[-1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for single in self._started:
            with suppress(ProcessLookupError):
                single.process.kill()
            single.process.wait(PATIENCE_S)


class Operator:
    """An operator on the loop of a test, who may ask the executor for exits."""

    def __init__(self, root: Path) -> None:
        clock = SystemClock()
        self._hub: Final = Hub(
            loop=asyncio.get_running_loop(),
            keys=load_key_ring(PrivateDirectory(root / "var/keys"), "operator"),
            run_directory=RunDirectory(root / "var/run"),
            overrides={},
        )
        sender = Sender(instance="operator", epoch=os.getpid(), clock=clock)
        self.exits: Final = Requester(
            hub=self._hub, instance="executor", name="exits", sender=sender, clock=clock, codec=EnvelopeCodec()
        )

    def close(self) -> None:
        """End."""
        self._hub.close()


async def eventually_beside(holds: Callable[[], object]) -> None:
    """Look until something holds, in a thread, while the loop goes on."""
    await asyncio.to_thread(eventually, holds)
