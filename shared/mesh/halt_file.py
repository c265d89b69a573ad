"""The HALT file: while it is there the kill latch holds, whoever is dead.

Executor, risk and flattener look for it many times a second; the executor looks once more before it signs an entry.
`touch var/HALT` is enough to stop everything. A latch that a program sets has its id, its actor and its reason in the
file, and the file the time at which it was set as its own. Of any other file the inode and the time it was changed are
the id, and so of a program's file that was touched since: touching anew is a new latch.

Whatever cannot be looked at counts as there: who cannot see whether he may go on stands still.
"""

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from proto.fields import INTEGER_MAX
from proto.risk import Latch
from shared.mesh.private_directory import FileUnusableError, usable

NAME: Final = "HALT"
BYTES_MAX: Final = 8_192
NOBODY: Final = "unknown"
SAME_MOMENT_NS: Final = 1_000_000_000  # within which nobody clears a latch, least of all on a disk without room
COARSEST_NS: Final = 2_000_000_000  # file systems cut off so much of a time at most
_LOOK: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands in a file that a program has made, for people to read as well."""

    latch_id: str
    actor: str
    reason: str
    set_wall_ns: int


class HaltFile:
    """Looks for it, makes it, and takes it away.

    Whoever takes it away moves it aside before it goes, so that nothing is removed unseen. What lies there latches as
    much as the file itself, so a death between any two steps loses no latch; that one comes first then, by its own id.
    """

    def __init__(self, directory: Path) -> None:
        self.path: Final = directory / NAME
        self._file: Final = _Place(self.path)
        self._aside: Final = _Place(directory / f"{NAME}.clearing")

    def is_there(self) -> bool:
        """Say whether it is there, at the cost of three calls to the system where it is not."""
        # In this order: what is moved aside meanwhile is seen by the second look, and what has come back by the third.
        return self._file.is_there() or self._aside.is_there() or self._file.is_there()

    def latch(self) -> Latch | None:
        """Return the latch that it stands for, None while there is no such file."""
        latch = self._file.latch()
        return self._aside.latch() or latch or self._file.latch()

    def why_it_stays(self) -> str:
        """Say why no program takes it away, and what a person does about that; nothing if one does."""
        is_directory = self.path.is_dir() and not self.path.is_symlink()
        return "is a directory, which no program removes: look what is in it, then `rmdir` it" if is_directory else ""

    def make(self, latch: Latch) -> None:
        """Make it, durably, unless there is one: that stays as it is. Raises `FileUnusableError`.

        On a full disk it is made empty, which takes no room: it has another id then, and latches all the same.
        """
        with usable(self.path):
            if not self._file.is_there():  # pressed twice is pressed once
                try:
                    self._put(latch, _link)
                except OSError:
                    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
                    os.close(os.open(self.path, flags, 0o600))
            self._sync()

    def press(self, latch: Latch) -> str:
        """Make it anew, durably, in the place of one that is there. Raises `FileUnusableError`.

        What is there may have been cleared, and only wait for its removal, with which this press would be lost. Return
        why the latch's words are not in it; nothing if they are. Where there is no room for words, a file without any
        that was made this very moment stays: it is this press already, and a further one would only be one name more.
        """
        why_empty = ""
        with usable(self.path):
            try:
                self._put(latch, os.replace)
            except IsADirectoryError as error:  # none but a person removes that: it is touched, and so another latch
                os.utime(self.path)
                why_empty = str(error.strerror)
            except OSError as error:
                if not self._is_of_this_moment(latch):
                    self._put(None, os.replace)
                why_empty = str(error.strerror)
            self._sync()
        return why_empty

    def take_away(self, latch_id: str) -> bool:
        """Remove it, durably, if it stands for this latch, and say whether none is there. Raises `FileUnusableError`.

        One that stands for another is left alone, also one that somebody makes of it meanwhile.
        """
        if self._moved_aside(latch_id):
            self._remove_aside()
        with usable(self.path):
            self._sync()
        return not self.is_there()

    def rename(self, latch: Latch, instead_of: str) -> None:
        """Let it stand for this latch, durably, if it stands for that one. Raises `FileUnusableError`.

        A file that somebody makes of it meanwhile stays as it is.
        """
        if self._moved_aside(instead_of):
            self.make(latch)
            self._remove_aside()

    def _is_of_this_moment(self, latch: Latch) -> bool:
        there = self._file.latch()
        if there is None or there.actor != NOBODY:
            return False
        return 0 <= latch.set_wall_ns - there.set_wall_ns <= SAME_MOMENT_NS

    def _moved_aside(self, latch_id: str) -> bool:
        """Move it aside if it stands for this latch, and say whether what lies there does."""
        if not self._aside.is_there():
            if why := self.why_it_stays():
                raise FileUnusableError(self.path, why)
            with usable(self.path):
                if self._file.stands_for(latch_id):
                    with suppress(FileNotFoundError):
                        self.path.rename(self._aside.path)
        return self._aside.stands_for(latch_id)

    def _remove_aside(self) -> None:
        """Remove, durably, what was found aside. It is pressed anew for whoever touches it meanwhile.

        Who has it open and touches it later still is not heard: by then it has no name any more.
        """
        with usable(self._aside.path):
            descriptor = os.open(self._aside.path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                # Once before the name is gone, so that no death loses a touch, and once for one that comes in between.
                changed_ns = self._pressed_if_touched(descriptor, since_ns=self._aside.changed_ns)
                self._aside.path.unlink()
                self._sync()
                self._pressed_if_touched(descriptor, since_ns=changed_ns)
            finally:
                os.close(descriptor)

    def _pressed_if_touched(self, aside: int, *, since_ns: int) -> int:
        """Press anew if it was touched since, and return when it was changed last."""
        changed_ns = os.fstat(aside).st_mtime_ns
        if changed_ns != since_ns:
            self.path.touch(mode=0o600)
            self._sync()
        return changed_ns

    def _put(self, latch: Latch | None, name_it: Callable[[Path, Path], None]) -> None:
        """Write it under a name of its own, empty without a latch, and give it its name once it is whole."""
        fresh = self.path.with_name(f"{NAME}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                if latch is not None:
                    _write_whole(descriptor, _words_of(latch))
                    os.utime(descriptor, ns=(latch.set_wall_ns, latch.set_wall_ns))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            name_it(fresh, self.path)
        finally:
            fresh.unlink(missing_ok=True)

    def _sync(self) -> None:
        descriptor = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class _Place:
    """One name under which a latch may lie. It is read again only when the file has changed."""

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        self._seen_as: tuple[int, ...] | None = None  # what the newest latch was read from
        self._latch: Latch | None = None

    def is_there(self) -> bool:
        try:
            os.lstat(self.path)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return True

    def latch(self) -> Latch | None:
        try:
            found = os.lstat(self.path)
        except FileNotFoundError:
            self._seen_as = self._latch = None
            return None
        except OSError as error:
            return _by_hand("halt-unseen", f"whether it is there cannot be seen: {error.strerror}", 0)
        seen_as = _identity(found)
        if seen_as != self._seen_as:
            self._seen_as, self._latch = seen_as, _latch_at(self.path, found)
        return self._latch

    @property
    def changed_ns(self) -> int:
        """When the file was changed that the newest latch was read from."""
        assert self._seen_as is not None, "it was looked at"
        return self._seen_as[1]

    def stands_for(self, latch_id: str) -> bool:
        latch = self.latch()
        return latch is not None and latch.latch_id == latch_id


def _link(fresh: Path, path: Path) -> None:
    with suppress(FileExistsError):  # somebody else was faster
        os.link(fresh, path)


def _write_whole(descriptor: int, content: bytes) -> None:
    if os.write(descriptor, content) < len(content):  # a disk that has room for a part of it
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _words_of(latch: Latch) -> bytes:
    return msgspec.json.encode(_Written(latch.latch_id, latch.actor, latch.reason, latch.set_wall_ns)) + b"\n"


def _identity(found: os.stat_result) -> tuple[int, ...]:
    return found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_mode


def _latch_at(path: Path, found: os.stat_result) -> Latch:
    """Return what a file stands for that was found there; what cannot be read has no words of a program."""
    try:
        descriptor = os.open(path, _LOOK)
        try:
            found = os.fstat(descriptor)  # another one may have taken its place
            content = os.read(descriptor, BYTES_MAX)
        finally:
            os.close(descriptor)
        latch = _checked(msgspec.json.decode(content, type=_Written))
    except (OSError, msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError):
        return _by_hand(_hand_id(found), _made_how(found), found.st_mtime_ns)
    if 0 <= latch.set_wall_ns - found.st_mtime_ns < COARSEST_NS:
        return latch
    return _by_hand(_hand_id(found), f"the file of {latch.latch_id} was touched by hand", found.st_mtime_ns)


def _made_how(found: os.stat_result) -> str:
    if stat.S_ISDIR(found.st_mode):
        return "it is a directory, which was made or touched"
    return "the file was made by hand, or on a full disk"


def _hand_id(found: os.stat_result) -> str:
    return f"halt-{found.st_ino}-{found.st_mtime_ns}"


def _checked(written: _Written) -> Latch:
    """Return the latch, if each of its words fits the messages that carry it."""
    return msgspec.convert([written.latch_id, written.actor, written.reason, written.set_wall_ns], Latch)


def _by_hand(latch_id: str, reason: str, wall_ns: int) -> Latch:
    return Latch(latch_id, NOBODY, reason, min(max(wall_ns, 0), INTEGER_MAX))
