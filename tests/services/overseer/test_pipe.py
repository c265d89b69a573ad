"""The overseer's process at a pipe that is not as it should be: it says so, and ends."""

import fcntl
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest

from services.overseer.protocol import BODY_BYTES_MAX, DONE, READY
from shared.mesh.bus.keys import create_keys
from shared.mesh.private_directory import PrivateDirectory
from tests.house.tree import CHECKOUT

PATIENCE_S: Final = 90  # only a test that fails waits so long
EXITED: Final = b"processname:cat groupname:cat from_state:RUNNING expected:0 pid:2766"
NOT_SUPERVISOR: Final = ("critical", "what starts us is not supervisord")
GONE: Final = ("critical", "supervisord is gone: nothing that dies is started again")


@pytest.fixture
def root() -> Iterator[Path]:
    """Return a project with the keys of the overseer, in a folder short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="bw-") as folder:
        path = Path(folder)
        (path / "config").mkdir()
        (path / "config/bowline.yaml").write_bytes((CHECKOUT / "config/bowline.yaml").read_bytes())
        with PrivateDirectory(path / "var/keys") as keys:
            create_keys(keys, ["overseer", "operator"])
        yield path


@contextmanager
def overseer(root: Path, **streams: Any) -> Iterator[subprocess.Popen[bytes]]:  # noqa: ANN401 -- as Popen takes them
    """Start the process, and see to it that it ends."""
    command = [sys.executable, "-m", "services.overseer", "--root", str(root)]
    with subprocess.Popen(command, cwd=CHECKOUT, stderr=subprocess.PIPE, **streams) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[bytes]) -> list[dict[str, Any]]:
    """Wait until the process has ended by itself, and return its log."""
    assert process.stderr is not None
    lines = process.stderr.read().splitlines()
    assert process.wait(PATIENCE_S) == 0
    return [json.loads(line) for line in lines]


def alarms(log: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return what was said at the two upper levels about the pipe."""
    return [(line["level"], line["event"]) for line in log if "supervisord" in line["event"]]


@pytest.mark.parametrize(
    ("garbage", "reason"),
    [
        (b"hello supervisor\n", "'hello supervisor\\n' is no line of supervisord's"),
        (b"ver:3.0 len:many\n", "the header has no length"),
        (f"ver:3.0 len:{BODY_BYTES_MAX + 1}\n".encode(), "is more than enough"),
        (b"\xff\xfe\n", "invalid start byte"),
        (b"x" * 100_000, "exceed the limit"),
    ],
)
def test_garbage_on_a_pipe_ends_it(root: Path, garbage: bytes, reason: str) -> None:
    """What is not supervisord's protocol is said with a reason, while the pipe stays open, and ends the process."""
    with overseer(root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # it may end before it was handed all of it
            process.stdin.write(garbage)
        log = said(process)
    assert alarms(log) == [NOT_SUPERVISOR]
    assert any(reason in line.get("reason", "") for line in log)


def test_file_in_place_of_the_pipe_ends_it(root: Path) -> None:
    """Started by hand with a file, or with nothing, the process says that supervisord starts it."""
    garbage = root / "garbage"
    garbage.write_text("hello supervisor\n")
    for path in (garbage, Path("/dev/null")):
        with path.open("rb") as file, overseer(root, stdin=file, stdout=subprocess.DEVNULL) as process:
            log = said(process)
        assert alarms(log) == [NOT_SUPERVISOR]
        assert any("supervisord starts this program by itself" in line.get("reason", "") for line in log)


def test_supervisor_that_dies_in_the_middle_of_a_line(root: Path) -> None:
    """Half a header and the end of the pipe are a dead supervisord."""
    with overseer(root, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(b"ver:3.0 server:super")
        process.stdin.close()
        assert alarms(said(process)) == [GONE]


def test_conversation_goes_on_event_by_event(root: Path) -> None:
    """Each event is answered once it is handled, and the next one asked for, until the pipe is closed."""
    header = b"ver:3.0 server:supervisor serial:1 pool:overseer poolserial:1 eventname:PROCESS_STATE_EXITED len:%d\n"
    with overseer(root, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(3):
            assert process.stdout.read(len(READY)) == READY
            process.stdin.write(header % len(EXITED) + EXITED)
            process.stdin.flush()
            assert process.stdout.read(len(DONE)) == DONE
        process.stdin.close()
        log = said(process)
    assert [line["process_id"] for line in log if line["event"] == "process died"] == [2766] * 3
    assert alarms(log) == [GONE]


def test_standard_output_that_is_closed_ends_it(root: Path) -> None:
    """Where nobody can hear that we are ready, supervisord is dead."""
    reading, writing = os.pipe()
    os.close(reading)
    with overseer(root, stdin=subprocess.PIPE, stdout=writing) as process:
        os.close(writing)
        assert alarms(said(process)) == [GONE]


def test_standard_output_that_is_full_ends_it(root: Path) -> None:
    """Nobody waits for a reader of standard output that does not read."""
    reading, writing = os.pipe()
    os.write(writing, bytes(fcntl.fcntl(writing, fcntl.F_GETPIPE_SZ)))
    with overseer(root, stdin=subprocess.PIPE, stdout=writing) as process:
        os.close(writing)
        log = said(process)
    os.close(reading)
    assert alarms(log) == [NOT_SUPERVISOR]


def test_settings_that_are_wrong_are_said(root: Path) -> None:
    """A wrong setting is named in a sentence, and the code asks for a person."""
    (root / "config/local.yaml").write_text("logs: {level: loud}\n")
    with overseer(root, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        assert process.stderr is not None
        words = process.stderr.read().decode()
        assert process.wait(PATIENCE_S) == 78
    assert words.startswith("overseer: ")
    assert "Traceback" not in words
