"""The mesh's own Redis: what it is told, that there is one, and what is in its place where another is wanted."""

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.mesh.process_identity import command_line_of
from shared.mesh.redis_place import why_it_rests
from tests.house.tree import CHECKOUT
from tests.services.metrics.metrics_project import PATIENCE_S, eventually

# Starts the server as its child and waits for it: to be killed as supervisord may be.
PARENT = "import subprocess, sys; subprocess.run(sys.argv[1:], check=False)"


class Place:
    """A project without anything in it but a run directory."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="bw-"))
        (self.root / "config").mkdir()
        shutil.copy(CHECKOUT / "config/bowline.yaml", self.root / "config")
        self.socket = self.root / "var/run/redis.sock"
        self.command = [sys.executable, "-m", "services.redis_server", "--root", str(self.root)]
        self._started: list[subprocess.Popen[str]] = []

    def start(self, *before: str, **environment: str) -> subprocess.Popen[str]:
        """Start it, behind another program if that is said."""
        process = subprocess.Popen(
            [*before, *self.command],
            cwd=CHECKOUT,
            env={"PATH": os.environ["PATH"], **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._started.append(process)
        return process

    def answers(self, words: str) -> str:
        """Say something to the server, and return its answer; empty while nobody listens, or who did dies meanwhile."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(PATIENCE_S)
            try:
                client.connect(str(self.socket))
                client.sendall(f"{words}\r\n".encode())
                return client.recv(65_536).decode()
            except (ConnectionError, FileNotFoundError):
                return ""

    def leave(self) -> None:
        """End what still runs."""
        for process in self._started:
            process.kill()
            process.communicate()
        shutil.rmtree(self.root)


@pytest.fixture
def place() -> Iterator[Place]:
    """Return a project."""
    made = Place()
    yield made
    made.leave()


def test_server_has_one_door_and_no_disk(place: Place) -> None:
    """It listens on a socket that is closed to others and on no port, keeps nothing on disk, and evicts when full."""
    server = place.start()
    eventually(lambda: place.answers("PING") == "+PONG\r\n")
    assert stat.S_IMODE(place.socket.stat().st_mode) == 0o700
    told = {name: place.answers(f"CONFIG GET {name}").split("\r\n")[4] for name in ("port", "save", "appendonly")}
    assert told == {"port": "0", "save": "", "appendonly": "no"}
    assert "allkeys-lru" in place.answers("CONFIG GET maxmemory-policy")
    assert "67108864" in place.answers("CONFIG GET maxmemory")
    server.terminate()
    assert server.wait(PATIENCE_S) == 0
    assert list(place.socket.parent.iterdir()) == []


def test_second_server_is_refused(place: Place) -> None:
    """Whoever comes second ends with code 78 and says why, and the first one goes on being heard."""
    place.start()
    eventually(lambda: place.answers("PING"))
    second = place.start()
    said, _ = second.communicate(timeout=PATIENCE_S)
    assert (second.returncode, f"another server listens at {place.socket}" in said) == (78, True)
    assert place.answers("PING") == "+PONG\r\n"


def test_server_ends_with_its_parent(place: Place) -> None:
    """When supervisord is killed nobody would find its server again, so it goes too."""
    parent = place.start(sys.executable, "-c", PARENT)
    eventually(lambda: place.answers("PING"))
    parent.kill()
    eventually(lambda: not place.answers("PING"))


@pytest.mark.parametrize("url", ["off", "redis://me:CANARY@10.0.0.2:6379/0?password=CANARY"])
def test_where_another_is_wanted_it_rests(place: Place, url: str) -> None:
    """It says whose place it leaves free, without a password, does nothing, and ends when it is told to."""
    resting = place.start(REDIS_URL=url)
    assert resting.stdout is not None
    said = resting.stdout.readline()
    assert re.match(r"redis: the mesh's own server rests: (no Redis|redis://10\.0\.0\.2:6379/0) is wanted, by ", said)
    assert not place.socket.exists()
    wanted = said.partition(" rests: ")[2].rstrip("\n")
    eventually(lambda: why_it_rests(command_line_of(resting.pid)) == wanted)
    resting.terminate()
    assert resting.wait(PATIENCE_S) == -signal.SIGTERM


@pytest.mark.parametrize(
    ("local", "environment", "said"),
    [
        ("redis: {url: 7}", {}, "redis.url"),
        ("", {"REDIS_URL": "gopher://CANARY"}, "REDIS_URL is no address of a Redis"),
        (f"paths: {{run_directory: {'r' * 120}}}", {}, "a unix socket's path has at most 107"),
    ],
)
def test_what_cannot_be_is_said(place: Place, local: str, environment: dict[str, str], said: str) -> None:
    """Wrong settings, a senseless address and a path that is too long end it with code 78 and a sentence."""
    (place.root / "config/local.yaml").write_text(f"{local}\n")
    refused = place.start(**environment)
    words, _ = refused.communicate(timeout=PATIENCE_S)
    assert (refused.returncode, said in words, "CANARY" in words) == (78, True, False), words
