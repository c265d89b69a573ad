"""A log is read from its end and followed, whatever supervisord does to the file."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from services.supervision.log_file import TAIL_BYTES_MAX, LogFile, last_lines
from tests.house.tree import CHECKOUT
from tests.services.supervision.conftest import MakeMesh


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return a log with two lines."""
    path = tmp_path / "risk.log"
    path.write_text("one\ntwo\n")
    return path


def end_of(log: Path) -> Sequence[str]:
    """Return the lines at the end of a log."""
    with closing(LogFile(log.stem, log)) as file:
        return file.open()


def test_added_lines_are_read_once_and_whole(log: Path) -> None:
    """A line is shown when it is whole, and only then."""
    file = LogFile("risk", log)
    assert file.open() == ["one", "two"]
    with log.open("a") as more:
        more.write("three\nfo")
        more.flush()
        assert file.added() == ["three"]
        more.write("ur\n")
    assert file.added() == ["four"]
    assert file.added() == []
    file.close()


def test_rotation_loses_nothing(log: Path) -> None:
    """Lines written just before a log is renamed, and those in the new one, are all shown, in order."""
    file = LogFile("risk", log)
    file.open()
    with log.open("a") as more:
        more.write("three\nfo")
    log.rename(log.with_suffix(".log.1"))
    assert file.added() == ["three"]
    log.write_text("ur\nfive\n")
    assert file.added() == ["four", "five"]
    file.close()


def test_log_emptied_in_place_is_read_from_its_start(log: Path) -> None:
    """Whoever truncates a log is followed too."""
    file = LogFile("risk", log)
    file.open()
    log.write_text("new\n")
    assert file.added() == ["new"]
    file.close()


def test_log_to_come_is_waited_for(log: Path) -> None:
    """A log that is not there yet has no lines, and is followed when it comes."""
    path = log.with_name("feed.log")
    file = LogFile("feed", path)
    assert (file.open(), file.added()) == ((), [])
    path.write_text("first\n")
    assert file.added() == ["first"]
    file.close()


def test_what_could_steer_a_terminal_is_not_shown(log: Path) -> None:
    """Control characters and broken text are replaced."""
    log.write_bytes(b"\x1b[2Jhello\tyou\xff\n")
    assert end_of(log) == ["\ufffd[2Jhello\tyou\ufffd"]


def test_end_of_a_large_log_begins_with_a_whole_line(log: Path) -> None:
    """Of a log larger than what is looked at, no half line is shown."""
    log.write_text("".join(f"line {number:09}\n" for number in range(TAIL_BYTES_MAX // 10)))
    assert {len(line) for line in end_of(log)} == {14}


def test_so_many_lines_are_shown() -> None:
    """No more than asked for, and no less if there are."""
    assert [last_lines(["a", "b", "c"], count) for count in (0, 2, 5)] == [[], ["b", "c"], ["a", "b", "c"]]


def test_ctrl_c_ends_a_follower_quietly(make_mesh: MakeMesh) -> None:
    """A real `bowline logs` writes into a pipe at once, follows, and ends with code 0 on Ctrl-C."""
    mesh = make_mesh(None, risk="steady")
    log = mesh.root / "var/logs/risk.log"
    log.parent.mkdir(parents=True)
    log.write_text("one\n")
    command = [sys.executable, "-m", "services.cli", "logs", "risk", "--root", str(mesh.root)]
    # A shell lets what it starts in the background ignore Ctrl-C, and whoever ignores it hands that on to its children.
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, ours)
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "one\n"
        with log.open("a") as more:
            more.write("two\n")
        assert process.stdout.readline() == "two\n"
        process.send_signal(signal.SIGINT)
        assert (process.wait(90), process.stderr.read()) == (0, "")
