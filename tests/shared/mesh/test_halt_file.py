"""The HALT file: whatever is found under its name latches, and no death and no full disk loses a latch."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proto.fields import INTEGER_MAX
from proto.risk import Latch
from shared.mesh.halt_file import BYTES_MAX, COARSEST_NS, NAME, NOBODY, SAME_MOMENT_NS, HaltFile
from shared.mesh.private_directory import FileUnusableError
from tests.house.tree import CHECKOUT
from tests.shared.mesh.crew import Crew
from tests.shared.mesh.no_room import files_may_not_grow

LINES_MIN = 20
LINES_MAX = 200
NEVER = 10_000
LATCH = Latch("kill-1", "operator", "a test", 1)
OTHER = Latch("kill-2", "risk", "the drawdown limit", 2)
TIMED = Latch("kill-3", "ada", "enough", 1_790_000_000_987_654_321)
LONGEST = Latch("k" * 64, "\x01" * 48, "\x01" * 500, INTEGER_MAX)


@pytest.fixture
def halt(tmp_path: Path) -> HaltFile:
    """Return the HALT file of an empty directory."""
    return HaltFile(tmp_path)


def found(halt: HaltFile) -> Latch:
    """Return the latch there is, as every way of looking for it sees it."""
    assert halt.is_there()
    latch = halt.latch()
    assert latch is not None
    assert msgspec.convert(msgspec.to_builtins(latch), Latch) == latch, "it fits the messages that carry it"
    assert HaltFile(halt.path.parent).latch() == latch, "whoever looks for the first time sees the same"
    return latch


def absent(halt: HaltFile) -> bool:
    """Tell whether no way of looking for it sees one."""
    return not halt.is_there() and halt.latch() is None


@pytest.mark.parametrize("latch", [LATCH, LONGEST])
def test_made_seen_and_taken_away(latch: Latch, halt: HaltFile, tmp_path: Path) -> None:
    """What is made is seen by everybody as it was made, and is gone when it is taken away; nothing else is left."""
    assert absent(halt)
    halt.make(latch)
    assert found(halt) == latch
    assert halt.take_away(latch.latch_id)
    assert absent(halt)
    assert list(tmp_path.iterdir()) == []


def test_made_twice(halt: HaltFile) -> None:
    """Pressed twice is pressed once: the first latch stays."""
    halt.make(LATCH)
    halt.make(OTHER)
    assert found(halt) == LATCH


def test_pressed_anew(halt: HaltFile, tmp_path: Path) -> None:
    """It takes the place of what is there, and whoever takes that one away by its id leaves the new one."""
    halt.make(LATCH)
    assert found(halt) == LATCH
    halt.press(OTHER)
    assert found(halt) == OTHER
    assert not halt.take_away(LATCH.latch_id)
    assert found(halt) == OTHER
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    assert halt.take_away(OTHER.latch_id)


def test_pressed_anew_without_room_for_its_words(halt: HaltFile) -> None:
    """Where nothing can be written, what is there gives its place to an empty one, which is another latch."""
    halt.make(LATCH)
    with files_may_not_grow():
        assert halt.press(OTHER) == "File too large"
    assert found(halt).actor == NOBODY
    assert not halt.take_away(LATCH.latch_id)


def test_pressed_in_one_moment_without_room_is_pressed_once(halt: HaltFile) -> None:
    """Who is told of a press whose file has no words leaves that as it is; a second later it is another press."""
    with files_may_not_grow():
        halt.make(LATCH)
        made = found(halt)
        for later_ns, is_same in ((0, True), (SAME_MOMENT_NS, True), (SAME_MOMENT_NS + 1, False)):
            pressed = Latch("kill-3", "ada", "too wild", made.set_wall_ns + later_ns)
            assert halt.press(pressed) == "File too large"
            assert (found(halt) == made) == is_same


def test_pressed_anew_on_a_directory(halt: HaltFile) -> None:
    """A directory under that name cannot be replaced, and becomes another latch."""
    halt.path.mkdir()
    os.utime(halt.path, ns=(1, 1))
    before = found(halt)
    halt.press(LATCH)
    assert found(halt).latch_id != before.latch_id


def test_another_latch_stays(halt: HaltFile) -> None:
    """Whoever takes one latch away leaves another where it is, and is told so."""
    halt.make(OTHER)
    assert not halt.take_away("kill-1")
    assert found(halt) == OTHER
    assert halt.take_away("kill-2")


def test_none_to_take_away(halt: HaltFile) -> None:
    """Taking away what is not there is done already."""
    assert halt.take_away("kill-1")


def test_touched_by_hand(halt: HaltFile) -> None:
    """An empty file latches, under an id of its own; touched anew it is another latch, and goes by that id."""
    halt.path.touch()
    first = found(halt)
    assert (first.actor, first.reason) == (NOBODY, "the file was made by hand, or on a full disk")
    assert found(halt) == first
    os.utime(halt.path, ns=(1, 1))
    second = found(halt)
    assert second.latch_id != first.latch_id
    assert not halt.take_away(first.latch_id)
    assert halt.take_away(second.latch_id)
    assert absent(halt)


@pytest.mark.parametrize("later_ns", [1, 60_000_000_000, -COARSEST_NS, -60_000_000_000])
def test_touched_by_hand_where_a_program_made_it(later_ns: int, halt: HaltFile) -> None:
    """It is pressed again, also by a clock that was set back: whoever clears the latch before leaves it there."""
    halt.make(TIMED)
    assert found(halt) == TIMED
    os.utime(halt.path, ns=(TIMED.set_wall_ns + later_ns,) * 2)
    touched = found(halt)
    assert (touched.actor, touched.reason) == (NOBODY, "the file of kill-3 was touched by hand")
    assert not halt.take_away(TIMED.latch_id)
    assert found(halt) == touched
    assert halt.take_away(touched.latch_id)


@pytest.mark.parametrize("grain_ns", [100, 1_000_000_000, COARSEST_NS])
def test_a_file_system_with_coarse_times(grain_ns: int, halt: HaltFile) -> None:
    """What it cuts off is nobody's touch."""
    halt.press(TIMED)
    cut_ns = TIMED.set_wall_ns // grain_ns * grain_ns
    os.utime(halt.path, ns=(cut_ns, cut_ns))
    assert found(halt) == TIMED


def test_renamed(halt: HaltFile, tmp_path: Path) -> None:
    """It stands for the newer latch then, and nothing else is left; one that is another's stays as it is."""
    halt.make(LATCH)
    halt.rename(OTHER, LATCH.latch_id)
    assert found(halt) == OTHER
    halt.rename(TIMED, LATCH.latch_id)
    assert found(halt) == OTHER
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    assert halt.take_away(OTHER.latch_id)
    halt.rename(TIMED, OTHER.latch_id)
    assert absent(halt)


@pytest.mark.parametrize("changed_ns", [-5_000_000_000, 0, 2**62])
def test_a_strange_time_latches(changed_ns: int, halt: HaltFile) -> None:
    """A file from before 1970 or from far ahead latches like any other."""
    halt.path.touch()
    os.utime(halt.path, ns=(changed_ns, changed_ns))
    assert halt.take_away(found(halt).latch_id)


@pytest.mark.parametrize(
    "content",
    [
        b"please stop\n",
        b"x" * 1_000_000,
        b"[" * BYTES_MAX,
        b'{"latch_id":' * 600,
        b'{"latch_id":"","actor":"risk","reason":"","set_wall_ns":1}',
        b'{"latch_id":"kill-1","actor":"risk","reason":"","set_wall_ns":-1}',
        b'{"latch_id":"kill-1","actor":"risk","reason":"","set_wall_ns":1,"more":1}',
        b'{"latch_id":"\xff","actor":"risk","reason":"","set_wall_ns":1}',
    ],
)
def test_what_no_program_wrote(content: bytes, halt: HaltFile) -> None:
    """Free text, a huge file and words that no message could carry latch as what was made by hand."""
    halt.path.write_bytes(content)
    latch = found(halt)
    assert latch.actor == NOBODY
    assert halt.take_away(latch.latch_id)


@given(content=st.binary(max_size=300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_any_content_latches(content: bytes, tmp_path: Path) -> None:
    """Whatever bytes stand in it, it latches, and goes when it is taken away by its id."""
    halt = HaltFile(tmp_path)
    halt.path.write_bytes(content)
    assert halt.take_away(found(halt).latch_id)


@pytest.mark.parametrize(
    "make",
    [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("nowhere"), lambda path: path.symlink_to("/etc/hostname")],
    ids=["directory", "pipe", "dangling link", "link"],
)
def test_what_is_no_file(make: Callable[[Path], object], halt: HaltFile) -> None:
    """A directory, a pipe and a link under that name latch, and whoever makes the file finds it made."""
    make(halt.path)
    assert found(halt).actor == NOBODY
    halt.make(LATCH)
    assert found(halt).actor == NOBODY


def test_a_directory_goes_on_latching(halt: HaltFile) -> None:
    """A directory under that name is for a person to remove: whoever tries is told why not, and it latches still."""
    halt.path.mkdir()
    latch = found(halt)
    for what in (halt.take_away, lambda latch_id: halt.rename(OTHER, latch_id)):
        with pytest.raises(FileUnusableError, match=r"HALT is a directory.*rmdir"):
            what(latch.latch_id)
    assert found(halt) == latch
    halt.path.rmdir()
    assert absent(halt), "what it says is what it takes"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file(halt: HaltFile) -> None:
    """A file that may not be read latches."""
    halt.path.touch(mode=0o000)
    assert found(halt).actor == NOBODY


def test_who_cannot_look_stands_still(tmp_path: Path) -> None:
    """Where it cannot be seen whether there is one, there is; and none can be made or taken away."""
    (tmp_path / "var").touch()
    halt = HaltFile(tmp_path / "var")
    assert found(halt).reason == "whether it is there cannot be seen: Not a directory"
    with pytest.raises(FileUnusableError, match="Not a directory"):
        halt.make(LATCH)
    with pytest.raises(FileUnusableError, match="Not a directory"):
        halt.take_away(found(halt).latch_id)


def test_no_directory_is_no_latch(tmp_path: Path) -> None:
    """Without a directory there is no file in it, and making one says so."""
    halt = HaltFile(tmp_path / "var")
    assert absent(halt)
    with pytest.raises(FileUnusableError, match="No such file"):
        halt.make(LATCH)


def test_a_file_without_room_for_its_words(halt: HaltFile) -> None:
    """Where nothing can be written it is made empty, and latches under an id of its own."""
    with files_may_not_grow():
        halt.make(LATCH)
        halt.make(LATCH)
    assert halt.path.stat().st_size == 0
    assert found(halt).actor == NOBODY
    assert [path.name for path in halt.path.parent.iterdir()] == [NAME]


DISK_TEST = """
mount -t tmpfs -o size=64k,mode=0700 none "$1" && mount -t tmpfs -o ro,mode=0700 none "$2" || exit
exec "$3" -m tests.shared.mesh.halt_on_a_full_disk "$1" "$2"
"""


def test_a_full_disk(tmp_path: Path) -> None:
    """On a real file system that is full it is made and taken away; on a read-only one it says that it cannot be."""
    command = ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*command, "true"], check=False).returncode:
        pytest.skip("this machine allows no mounts of one's own")
    disks = [tmp_path / "full", tmp_path / "read-only"]
    for disk in disks:
        disk.mkdir()
    told = subprocess.run(
        [*command, "sh", "-c", DISK_TEST, "sh", *disks, sys.executable],
        cwd=CHECKOUT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert told.stdout.splitlines() == [
        "No space left on device",
        "full: 0 bytes, the file was made by hand, or on a full disk",
        "full: taken away True",
        "read-only: Read-only file system",
    ], told.stderr


def test_a_death_while_it_is_made(crew: Crew, fast_path: Path) -> None:
    """Killed before any line of making it, a process leaves the whole latch or none; making it again makes it."""
    for line in range(1, LINES_MAX):
        maker = crew.start("halter", fast_path, act="make", line=line, replaced_at=NEVER)
        survived = bool(maker.hear())
        crew.dismiss([maker])
        halt = HaltFile(fast_path)
        assert halt.latch() in {None, LATCH}
        halt.make(LATCH)
        assert found(halt) == LATCH
        assert halt.take_away("kill-1")
        if survived:
            return
    raise AssertionError("the process never came to its end")


def test_a_death_while_it_is_taken_away(crew: Crew, fast_path: Path) -> None:
    """Killed before any line of taking it away, a process leaves it there or gone; taking it away again ends it."""
    for line in range(1, LINES_MAX):
        halt = HaltFile(fast_path)
        halt.make(LATCH)
        survived = _taken_away(crew, fast_path, line=line, replaced_at=NEVER)
        assert halt.latch() in {None, LATCH}
        assert halt.take_away("kill-1")
        assert absent(halt)
        if survived:
            return
    raise AssertionError("the process never came to its end")


def test_a_death_while_it_is_renamed(crew: Crew, fast_path: Path) -> None:
    """Killed before any line of that, a process leaves one of the two; renaming it again ends it."""
    for line in range(1, LINES_MAX):
        halt = HaltFile(fast_path)
        halt.make(LATCH)
        renamer = crew.start("halter", fast_path, act="rename", line=line, replaced_at=NEVER)
        survived = bool(renamer.hear())
        crew.dismiss([renamer])
        assert found(halt) in {LATCH, OTHER}
        halt.rename(OTHER, "kill-1")
        assert found(halt) == OTHER
        assert halt.take_away("kill-2")
        assert absent(halt)
        if survived:
            return
    raise AssertionError("the process never came to its end")


def test_no_death_loses_the_latch_of_another(crew: Crew, fast_path: Path) -> None:
    """Somebody replaces the file at any line of its removal, and the remover dies at any later one: that latches."""
    halt = HaltFile(fast_path)
    for replaced_at in range(1, LINES_MAX, 2):  # the steps have no common factor: every line is one to die at
        for line in range(replaced_at + 1, LINES_MAX, 5):
            halt.make(LATCH)
            survived = _taken_away(crew, fast_path, line=line, replaced_at=replaced_at)
            if survived and absent(halt):
                assert replaced_at > LINES_MIN, "it came to its end before anybody replaced the file"
                return
            halt.take_away("kill-1")
            latch = found(halt)
            assert latch.actor == NOBODY, (replaced_at, line)
            assert halt.take_away(latch.latch_id)
            if survived:
                break
    raise AssertionError("the process never came to its end")


def test_what_was_left_aside_comes_first(halt: HaltFile) -> None:
    """What somebody had moved aside and pressed anew meanwhile are two latches, and each must be taken away."""
    halt.make(LATCH)
    halt.path.rename(halt.path.with_name("HALT.clearing"))
    assert found(halt) == LATCH
    halt.make(OTHER)
    assert found(halt) == LATCH
    assert not halt.take_away("kill-2")
    assert not halt.take_away("kill-1")
    assert found(halt) == OTHER
    assert halt.take_away("kill-2")


def _taken_away(crew: Crew, directory: Path, *, line: int, replaced_at: int) -> bool:
    """Have a process take it away that dies at one line, after it was replaced at another; tell if it came through."""
    clearer = crew.start("halter", directory, act="take away", line=line, replaced_at=replaced_at)
    survived = bool(clearer.hear())
    crew.dismiss([clearer])
    return survived
