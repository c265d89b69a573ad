"""How a supervisord that is not there, hangs, or is none, is told from one that answers."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.mesh.supervisor import Supervisor, SupervisorAbsentError, SupervisorError, SupervisorMuteError

NOT_XML = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 5\r\n\r\nhello"


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    """Listen where supervisord would."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        listening.listen()
        yield listening


def test_nobody_there(tmp_path: Path, listener: socket.socket) -> None:
    """No socket, and one that nobody listens on any more, are the same: supervisord does not run."""
    listener.close()
    for name in ("none", "s"):
        with Supervisor(tmp_path / name) as supervisor, pytest.raises(SupervisorAbsentError, match="does not run"):
            supervisor.process_id()


@pytest.mark.usefixtures("listener")
def test_one_that_does_not_answer(tmp_path: Path) -> None:
    """A supervisord that is stopped or hangs is given up after the time-out."""
    with Supervisor(tmp_path / "s", timeout_s=0.05) as supervisor, pytest.raises(SupervisorMuteError):
        supervisor.programs()


def test_one_that_is_none(tmp_path: Path, listener: socket.socket) -> None:
    """An answer that is not supervisord's is an error in words."""

    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(NOT_XML)

    thread = threading.Thread(target=answer)
    thread.start()
    with Supervisor(tmp_path / "s") as supervisor, pytest.raises(SupervisorError):
        supervisor.process_id()
    thread.join()
