"""Real processes for tests of locks: forked on demand from one helper, spoken to over a socket, killed through a pidfd.

The helper is started once and imports everything, so that a fresh process costs a fork and not an interpreter. It is a
process of its own, since the test's process has threads and descriptors that a fork would take along.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self, cast

CHECKOUT = Path(__file__).parents[3]
LINE_BYTES_MAX = 65_536
PATIENCE_S = 90  # only a test that fails waits so long


class Sailor:
    """One real process, doing one of the duties of `tests/shared/mesh/duties.py`."""

    def __init__(self, channel: socket.socket) -> None:
        channel.settimeout(PATIENCE_S)
        self._lines = channel.makefile("rb")
        self._channel = channel
        self.process_id: int = self.hear()["process_id"]
        self.handle = os.pidfd_open(self.process_id)
        self.say("begin")

    def say(self, word: str) -> None:
        """Send one line."""
        self._channel.sendall(f"{word}\n".encode())

    def hear(self) -> dict[str, Any]:
        """Wait for what it says next; nothing when it died."""
        line = self._lines.readline(LINE_BYTES_MAX)
        return cast("dict[str, Any]", json.loads(line)) if line else {}

    def await_seat(self) -> dict[str, Any]:
        """Wait until it has the seat, however often and for whom it says that it stands by."""
        while "standby" in (words := self.hear()):
            pass
        return words

    def ask(self, word: str) -> dict[str, Any]:
        """Send one line and wait for the answer."""
        self.say(word)
        return self.hear()

    def freeze(self) -> None:
        """Stop it as SIGSTOP does."""
        signal.pidfd_send_signal(self.handle, signal.SIGSTOP)

    def kill(self) -> None:
        """Kill it as kill -9 does, and wait until it is dead."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.handle, signal.SIGKILL)
        self.await_death()

    def is_dead(self, *, within_s: float = 0) -> bool:
        """Tell whether it died, waiting for that at most so long."""
        poll = select.poll()
        poll.register(self.handle, select.POLLIN)
        return bool(poll.poll(within_s * 1_000))

    def await_death(self) -> None:
        """Wait until it died."""
        assert self.is_dead(within_s=PATIENCE_S), "the process does not die"

    def leave(self) -> None:
        """Kill it and let go of it."""
        self.kill()
        os.close(self.handle)
        self._lines.close()
        self._channel.close()


class Crew:
    """The helper, and the processes it forked for one test."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._helper = subprocess.Popen(
                [sys.executable, "-m", "tests.shared.mesh.duties", str(theirs.fileno())],
                cwd=CHECKOUT,
                pass_fds=[theirs.fileno()],
            )
        self._orders = ours
        self._sailors: list[Sailor] = []

    def start(self, duty: str, directory: Path, **arguments: object) -> Sailor:
        """Fork a process that does this duty in this directory, and return it as it begins."""
        ours, theirs = socket.socketpair()
        with theirs:
            order = json.dumps({"duty": duty, "directory": str(directory), **arguments}).encode()
            socket.send_fds(self._orders, [order], [theirs.fileno()])
        sailor = Sailor(ours)
        self._sailors.append(sailor)
        return sailor

    def dismiss(self, sailors: Iterable[Sailor] | None = None) -> None:
        """Kill these processes, or all that are left."""
        for sailor in list(self._sailors if sailors is None else sailors):
            sailor.leave()
            self._sailors.remove(sailor)

    @staticmethod
    def reap(process_id: int) -> None:
        """Kill a process that one of ours forked, and wait until it is dead."""
        handle = os.pidfd_open(process_id)
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        assert poll.poll(PATIENCE_S * 1_000)
        os.close(handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.dismiss()
        self._orders.close()
        self._helper.wait(PATIENCE_S)
