"""A process comes up, stands by or says why it cannot, and its code tells which; with real processes."""

import json
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from shared.mesh.bus.keys import create_keys
from shared.mesh.exit_codes import UNUSABLE
from shared.mesh.private_directory import PrivateDirectory
from tests.house.tree import CHECKOUT

PATIENCE_S: Final = 90  # only a test that fails waits so long
PAUSE_MS: Final = 20


class Run:
    """One process of the idle service, and what it logged."""

    def __init__(self, home: Path, number: int, environment: Mapping[str, str]) -> None:
        self._log: Final = home / f"log-{number}"
        with self._log.open("wb") as errors:
            self.process: Final = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", "tests.shared.mesh.service.idle"],
                cwd=CHECKOUT,
                env={
                    "BOWLINE_PATHS__VAR_DIRECTORY": str(home / "var"),
                    "BOWLINE_PATHS__RUN_DIRECTORY": str(home / "run"),
                    "BOWLINE_LOGS__FORMAT": "json",
                    **environment,
                },
                stderr=errors,
            )

    @property
    def words(self) -> str:
        """Return everything it wrote."""
        return self._log.read_text()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Return what it logged."""
        return [json.loads(line) for line in self.words.splitlines(keepends=True) if line.endswith("\n")]

    def said(self, event: str) -> bool:
        """Tell whether it logged this, or wait until it has."""
        return eventually(lambda: any(line["event"] == event for line in self.lines))

    def code(self) -> int:
        """Wait for its end, and return its exit code."""
        return self.process.wait(PATIENCE_S)

    def end(self) -> int:
        """Tell it to stop."""
        self.process.send_signal(signal.SIGTERM)
        return self.code()


class Home:
    """Where the processes of a test live; short enough for the paths of sockets."""

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        self._runs: Final[list[Run]] = []
        create_keys(PrivateDirectory(path / "var" / "keys"), ["metrics"])

    def start(self, **environment: str) -> Run:
        """Start the idle service."""
        self._runs.append(Run(self.path, len(self._runs), environment))
        return self._runs[-1]

    def leave(self) -> None:
        """Kill whatever still runs."""
        for run in self._runs:
            run.process.kill()
            run.process.wait()
        shutil.rmtree(self.path)


def eventually(holds: Callable[[], bool]) -> bool:
    """Look until something holds, and tell whether it came to that."""
    for _ in range(PATIENCE_S * 1_000 // PAUSE_MS):
        if holds():
            return True
        select.poll().poll(PAUSE_MS)
    return False


@pytest.fixture
def home() -> Iterator[Home]:
    """Give a test its own place."""
    home = Home(Path(tempfile.mkdtemp(prefix="bw-")))
    yield home
    home.leave()


def test_a_second_process_stands_by_and_binds_nothing(home: Home) -> None:
    """It says behind whom it waits, leaves the sockets alone, and takes over when the first is killed."""
    first = home.start()
    assert first.said("running")
    socket = home.path / "run" / "metrics.health"
    number = socket.stat().st_ino
    second = home.start()
    assert second.said("standing by")
    assert str(first.process.pid) in second.lines[-1]["behind"]
    assert socket.stat().st_ino == number
    first.process.kill()
    assert second.said("running")
    assert second.lines[-1]["epoch"] == 2
    assert second.end() == 0


def test_a_standby_ends_in_order(home: Home) -> None:
    """Who only waits has nothing to finish, and the holder does not notice."""
    first = home.start()
    assert first.said("running")
    second = home.start()
    assert second.said("standing by")
    assert second.end() == 0
    assert first.end() == 0


def test_each_start_has_the_next_epoch(home: Home) -> None:
    """An orderly end gives the seat back, and the next process counts on."""
    for epoch in 1, 2:
        run = home.start()
        assert run.said("running")
        assert [line["epoch"] for line in run.lines if line["event"] == "running"] == [epoch]
        assert run.end() == 0


@pytest.mark.parametrize(
    ("spoil", "environment", "words"),
    [
        (lambda _home: None, {"BOWLINE_RISK__PROFILE": "reckless"}, "must be small or standard"),
        (lambda home: (home.path / "var/keys/metrics.secret").unlink(), {}, "bowline keys create"),
        (lambda home: (home.path / "var/keys").chmod(0o755), {}, "chmod 0700"),
        (lambda home: (home.path / "run/metrics.health").mkdir(mode=0o700), {}, "metrics.health"),
        (lambda home: (home.path / "var/seats").write_text("no directory"), {}, "seats"),
    ],
    ids=["settings", "no key", "keys open to others", "socket's place taken", "no place for seats"],
)
def test_what_has_to_be_put_right_is_said_in_a_sentence(
    home: Home, spoil: Callable[[Home], object], environment: Mapping[str, str], words: str
) -> None:
    """The process ends with code 78, and its last words name what is wrong; there is no traceback."""
    (home.path / "run").mkdir(mode=0o700)
    spoil(home)
    run = home.start(**environment)
    assert run.code() == UNUSABLE, run.words
    assert words in run.words
    assert "Traceback" not in run.words
