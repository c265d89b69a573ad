"""A project in which a service answers as metrics does, and the verb runs as its user runs it."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Final

import pytest

from shared.mesh.bus.keys import create_keys
from shared.mesh.private_directory import PrivateDirectory
from tests.house.tree import CHECKOUT
from tests.services.supervision.harness import eventually
from tests.services.watch.terminal import PATIENCE_S, Terminal

WIDTH, HEIGHT = 120, 30
RUNNING: Final = b'"event": "running"'


class WatchedProject:
    """Metrics is started and killed here; what it says goes into files."""

    def __init__(self) -> None:
        self.root: Final = Path(tempfile.mkdtemp(prefix="bw-"))
        (self.root / "config").mkdir()
        shutil.copy(CHECKOUT / "config/bowline.yaml", self.root / "config")
        self._started: Final[list[subprocess.Popen[bytes]]] = []

    def make_keys(self) -> None:
        """Make what `bowline up` makes."""
        with PrivateDirectory(self.root / "var/keys") as keys:
            create_keys(keys, ("metrics", "operator"))

    def start(self, conduct: str = "well") -> subprocess.Popen[bytes]:
        """Start metrics, which answers as its conduct is, and wait until it can be asked."""
        self.make_keys()
        command = [sys.executable, "-m", "tests.services.watch.metrics_process", str(self.root), conduct]
        log = self.root / f"metrics-{len(self._started)}.log"
        with log.open("wb") as errors:
            self._started.append(subprocess.Popen(command, cwd=CHECKOUT, stderr=errors))
        eventually(lambda: RUNNING in log.read_bytes())
        return self._started[-1]

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Kill it as kill -9 does."""
        process.kill()
        process.wait(PATIENCE_S)

    def command(self, *arguments: str) -> list[str]:
        """Return how the verb is run."""
        return [sys.executable, "-W", "error", "-m", "services.cli", "watch", "--root", str(self.root), *arguments]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the verb to its end, its output piped."""
        return subprocess.run(
            self.command(*arguments),
            cwd=CHECKOUT,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=PATIENCE_S,
        )

    def piped(self, *arguments: str) -> tuple[subprocess.Popen[str], IO[str]]:
        """Run the verb until it is ended, its output piped."""
        process = subprocess.Popen(
            self.command(*arguments), cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
        )
        assert process.stdout is not None
        return process, process.stdout

    def terminal(
        self, *arguments: str, width: int = WIDTH, height: int = HEIGHT, environment: Mapping[str, str] = os.environ
    ) -> Terminal:
        """Run the verb on a terminal."""
        return Terminal(self.command(*arguments), environment, width=width, height=height)

    def leave(self) -> None:
        """End what still runs, and remove everything."""
        for process in self._started:
            self.kill(process)
        shutil.rmtree(self.root)


@pytest.fixture
def project() -> Iterator[WatchedProject]:
    """Return a project; what runs in it ends with the test."""
    project = WatchedProject()
    yield project
    project.leave()
