"""The private directories: what is made, what is refused, and with which words."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.mesh.private_directory import ENTRIES_MAX, FileUnusableError, NotPrivateError, PrivateDirectory
from shared.mesh.run_directory import SOCKET_PATH_BYTES_MAX, RunDirectory, SocketPathError

NOBODY = 65_534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")


def refusal(path: Path) -> str:
    """Return the words with which opening the directory is refused."""
    with pytest.raises(NotPrivateError) as raised:
        RunDirectory(path)
    return str(raised.value)


def test_a_missing_directory_is_made_for_us_alone(tmp_path: Path) -> None:
    """It and whatever was missing above it have mode 0700 and our owner; opening it again finds nothing amiss."""
    for _ in range(2):
        RunDirectory(tmp_path / "var" / "run").close()
    for made in (tmp_path / "var", tmp_path / "var" / "run"):
        assert (made.stat().st_mode & 0o7777, made.stat().st_uid) == (0o700, os.geteuid())


def test_a_directory_that_users_share_is_refused(tmp_path: Path) -> None:
    """Nobody is told to change the mode of such as /tmp, which would break the machine for the others."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run").chmod(0o1777)
    assert "configure one of our own" in refusal(tmp_path / "run")
    assert "chmod" not in refusal(tmp_path / "run")


@pytest.mark.parametrize("mode", [0o750, 0o701, 0o777, 0o500, 0o1700, 0o2700])
def test_any_other_mode_is_refused(mode: int, tmp_path: Path) -> None:
    """A directory that was there with another mode is refused with the command that sets it, and left as it is."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run").chmod(mode)
    assert "chmod 0700" in refusal(tmp_path / "run")
    assert (tmp_path / "run").stat().st_mode & 0o7777 == mode


def test_a_link_is_refused(tmp_path: Path) -> None:
    """Even one that leads to a well-kept directory: who may turn it decides whose sockets we speak to."""
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "run").symlink_to(tmp_path / "real")
    assert "not a link" in refusal(tmp_path / "run")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    assert "not a link" in refusal(tmp_path / "dangling")


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    """A file of that name is no directory, and is not removed either."""
    (tmp_path / "run").touch()
    assert "must be a real directory" in refusal(tmp_path / "run")
    assert "cannot be made" in refusal(tmp_path / "run" / "deeper")


@needs_root
def test_another_owner_is_refused(tmp_path: Path) -> None:
    """A directory somebody else made first is theirs, whatever its mode; and so is a file in ours."""
    (tmp_path / "run").mkdir(mode=0o700)
    (tmp_path / "run" / "executor.lock").touch(mode=0o600)
    os.chown(tmp_path / "run" / "executor.lock", NOBODY, -1)
    assert "executor.lock belongs to another user" in refusal(tmp_path / "run")
    os.chown(tmp_path / "run", NOBODY, -1)
    assert "belongs to another user" in refusal(tmp_path / "run")


def test_a_directory_above_that_everybody_writes_is_refused(tmp_path: Path) -> None:
    """Whoever may rename our directory may put another in its place; the sticky bit prevents that."""
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    assert "could be swapped" in refusal(tmp_path / "open" / "run")
    (tmp_path / "open").chmod(0o1777)
    RunDirectory(tmp_path / "open" / "run").close()


@needs_root
def test_a_directory_above_of_another_user_or_group_is_refused(tmp_path: Path) -> None:
    """The same holds for a directory above that another user owns, or a group that is not ours may write."""
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", NOBODY, -1)
    assert "belongs to another user, so" in refusal(tmp_path / "theirs" / "run")
    os.chown(tmp_path / "theirs", 0, NOBODY)
    (tmp_path / "theirs").chmod(0o770)
    assert "can be written by a group" in refusal(tmp_path / "theirs" / "run")


def test_a_planted_link_is_refused_at_the_door(tmp_path: Path) -> None:
    """A link inside the directory, wherever it leads, is named and refused before anything is opened."""
    (tmp_path / "run").mkdir(mode=0o700)
    (tmp_path / "run" / "executor.sock").symlink_to("/dev/null")
    assert "executor.sock is a link" in refusal(tmp_path / "run")


def test_too_many_entries_are_refused(tmp_path: Path) -> None:
    """A directory full of strangers' files is no run directory, and looking through it has an end."""
    (tmp_path / "run").mkdir(mode=0o700)
    for number in range(ENTRIES_MAX + 1):
        (tmp_path / "run" / f"{number}").touch(mode=0o600)
    assert f"more than {ENTRIES_MAX} entries" in refusal(tmp_path / "run")


def _plant_link(path: Path) -> None:
    path.symlink_to(path.parent / "elsewhere")


def _plant_hard_link(path: Path) -> None:
    (path.parent / "elsewhere").touch(mode=0o600)
    path.hardlink_to(path.parent / "elsewhere")


def _plant_open_file(path: Path) -> None:
    path.touch()
    path.chmod(0o666)


def _plant_foreign_file(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    path.touch(mode=0o600)
    os.chown(path, NOBODY, -1)


@pytest.mark.parametrize(
    ("plant", "words"),
    [
        (_plant_link, "must be a plain file"),
        (_plant_hard_link, "second name"),
        (_plant_open_file, "chmod 0600"),
        (_plant_foreign_file, "belongs to another user"),
        (Path.mkdir, "must be a plain file"),
        (os.mkfifo, "must be a plain file"),
    ],
)
def test_a_planted_file_is_refused(plant: Callable[[Path], None], words: str, tmp_path: Path) -> None:
    """Whatever stands where a file of ours belongs is refused for reading and for writing, and not written to."""
    with PrivateDirectory(tmp_path / "run") as directory:
        plant(directory.path / "executor.lock")
        for flags in (os.O_RDONLY, os.O_RDWR | os.O_CREAT):
            with pytest.raises(NotPrivateError, match=words):
                directory.open_file("executor.lock", flags)


def test_a_planted_link_in_the_way_of_a_replacement_is_not_followed(tmp_path: Path) -> None:
    """Replacing a file throws away what a crash, or somebody, left under the temporary name, not its goal."""
    goal = tmp_path / "goal"
    goal.write_text("precious")
    with PrivateDirectory(tmp_path / "run") as directory:
        (directory.path / "executor.epoch.new").symlink_to(goal)
        directory.replace_file("executor.epoch", b"seven")
        assert directory.read_file("executor.epoch", bytes_max=10) == b"seven"
    assert goal.read_text() == "precious"


def test_part_of_a_file_is_written_over_where_it_stands(tmp_path: Path) -> None:
    """The rest stays as it is, what is beyond the size is cut off, and a file that is missing is not made."""
    with PrivateDirectory(tmp_path / "run") as directory:
        with pytest.raises(FileUnusableError, match="No such file"):
            directory.overwrite_file("executor.epoch", b"67", offset=2, size=6)
        directory.replace_file("executor.epoch", b"1234567")
        directory.overwrite_file("executor.epoch", b"ab", offset=2, size=6)
        assert directory.read_file("executor.epoch", bytes_max=10) == b"12ab56"


@pytest.mark.parametrize("name", ["", ".", "..", "../goal", "/etc/passwd", "a/b", "-x", "Executor", "x" * 65, "a\n"])
def test_only_plain_names_are_opened(name: str, tmp_path: Path) -> None:
    """A name cannot lead out of the directory."""
    with RunDirectory(tmp_path / "run") as directory:
        with pytest.raises(NotPrivateError):
            directory.files.open_file(name, os.O_RDONLY)
        with pytest.raises(SocketPathError):
            directory.socket_path(name)


def test_a_file_is_held_while_its_name_leads_to_it(tmp_path: Path) -> None:
    """Removing the file, or renaming the whole directory away, is noticed by whoever has the file open."""
    with PrivateDirectory(tmp_path / "run") as directory:
        descriptor = directory.open_file("executor.lock", os.O_RDWR | os.O_CREAT)
        assert directory.holds("executor.lock", descriptor)
        (tmp_path / "run").rename(tmp_path / "away")
        assert not directory.holds("executor.lock", descriptor)
        PrivateDirectory(tmp_path / "run").close()
        (tmp_path / "run" / "executor.lock").touch()
        assert not directory.holds("executor.lock", descriptor)
        os.close(descriptor)


def test_the_longest_path_we_allow_can_be_bound(tmp_path: Path) -> None:
    """A path of 107 bytes is given out and can be bound; one byte more is refused, with how much is too much."""
    room = SOCKET_PATH_BYTES_MAX - len(os.fsencode(tmp_path)) - len("//a.sock")
    assert room > 1, "the directory for temporary files is too deep for this test"
    with RunDirectory(tmp_path / ("r" * room)) as directory, socket.socket(socket.AF_UNIX) as bound:
        path = directory.socket_path("a.sock")
        assert len(os.fsencode(path)) == SOCKET_PATH_BYTES_MAX
        bound.bind(str(path))
        # The second time it is a socket that a killed process of ours left.
        assert directory.endpoint("a.sock") == f"ipc://{path}"
        with pytest.raises(SocketPathError, match="at least 3 bytes shorter"):
            directory.socket_path("bbbb.sock")


def test_a_planted_file_where_a_socket_belongs_is_refused(tmp_path: Path) -> None:
    """A plain file, or a link that came after the door was checked, is never bound over."""
    with RunDirectory(tmp_path / "r") as directory:
        (directory.path / "a.sock").touch()
        (directory.path / "b.sock").symlink_to("/dev/null")
        for name in ("a.sock", "b.sock"):
            with pytest.raises(NotPrivateError, match="stands where our socket belongs"):
                directory.socket_path(name)
