"""Real processes of services in a project of their own, and an operator who asks them."""

import asyncio
import json
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Self

from proto.codec import EnvelopeCodec
from proto.control import PauseEntries
from proto.envelope import Body
from proto.risk import Everything
from shared.mesh.bus.hub import Hub
from shared.mesh.bus.keys import create_keys, load_key_ring
from shared.mesh.bus.requests import Requester, RequestTimedOutError
from shared.mesh.bus.sender import Sender
from shared.mesh.clock import SystemClock
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.run_directory import RunDirectory
from tests.house.tree import CHECKOUT

PATIENCE_S: Final = 90  # only a test that fails waits so long
TRIES_MAX: Final = 60  # of one and a half seconds each
DESCRIPTORS_MAX: Final = 1_024
INSTANCES: Final = ("executor", "metrics", "operator")


class Running:
    """One process, whose log is read as it comes."""

    def __init__(self, root: Path, *words: str, descriptors_max: int) -> None:
        program = [sys.executable, "-m", "tests.shared.mesh.service.ledger", str(root), *words]
        command = ["sh", "-c", 'ulimit -n "$0" && exec "$@"', str(descriptors_max), *program]
        self.process: Final = subprocess.Popen(command, cwd=CHECKOUT, stderr=subprocess.PIPE, text=True)
        self.lines: Final[list[dict[str, Any]]] = []

    def says(self, event: str) -> dict[str, Any]:
        """Read its log up to an event, and return that line."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(json.loads(line))
            if self.lines[-1]["event"] == event:
                return self.lines[-1]
        raise AssertionError(f"it ended, and never said {event!r}: {self.lines}")

    def kill(self) -> None:
        """Kill it as kill -9 does."""
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)

    def end(self) -> int:
        """Wait until it ends by itself, with everything it says, and return its exit code."""
        assert self.process.stderr is not None
        self.lines.extend(json.loads(line) for line in self.process.stderr)
        return self.process.wait(PATIENCE_S)


class Project:
    """A project with keys, in a folder short enough for sockets."""

    def __init__(self) -> None:
        self.root: Final = Path(tempfile.mkdtemp(prefix="bw-"))
        self._running: Final[list[Running]] = []
        (self.root / "config").mkdir()
        shutil.copy(CHECKOUT / "config/bowline.yaml", self.root / "config")
        with PrivateDirectory(self.root / "var/keys") as keys:
            create_keys(keys, INSTANCES)

    @property
    def journal(self) -> Path:
        """Return where the executor's journal lies."""
        return self.root / "var/journal/executor"

    def start(self, *words: str, descriptors_max: int = DESCRIPTORS_MAX) -> Running:
        """Start a process; the executor, when nothing else is said."""
        self._running.append(Running(self.root, *(words or ("executor",)), descriptors_max=descriptors_max))
        return self._running[-1]

    def pause(self, request_id: str) -> Body:
        """Ask the executor under that id, again while nobody answers, as on a busy machine; return the answer."""
        for _ in range(TRIES_MAX):
            with suppress(RequestTimedOutError):
                return self.pause_once(request_id)
        raise AssertionError(f"nobody answers {request_id}")

    def pause_once(self, request_id: str) -> Body:
        """Ask the executor for as long as one request lasts, and return what it answers."""
        return asyncio.run(self._asked(request_id))

    async def _asked(self, request_id: str) -> Body:
        clock, codec = SystemClock(), EnvelopeCodec()
        with PrivateDirectory(self.root / "var/keys") as keys, RunDirectory(self.root / "var/run") as run_directory:
            ring = load_key_ring(keys, "operator")
            hub = Hub(loop=asyncio.get_running_loop(), keys=ring, run_directory=run_directory, overrides={})
            try:
                sender = Sender(instance="operator", epoch=1, clock=clock)
                requester = Requester(
                    hub=hub, instance="executor", name="control", sender=sender, clock=clock, codec=codec
                )
                request = PauseEntries(actor="test", reason=f"because of {request_id}", scope=Everything())
                return (await requester.ask(request, message_id=request_id)).envelope.body
            finally:
                hub.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for running in self._running:
            running.kill()
            if running.process.stderr is not None:
                running.process.stderr.close()
        shutil.rmtree(self.root)
