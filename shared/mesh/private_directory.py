"""A directory only we can enter, and files in it only we can have made.

Locks, epochs, sockets and keys lie in such directories. Everything is opened relative to the directory's descriptor,
following no link, and judged by its own descriptor, so nothing can be swapped between the look and the use. What is
not as it should be is refused in plain words and never repaired: nobody knows what else was done to it.
"""

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Final, Self

ENTRIES_MAX: Final = 1_000
NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_NEVER_FOLLOW: Final = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class PrivateFileError(Exception):
    """Something is wrong with a private directory or a file in it; the text names it. A process that boots ends here.

    NotPrivateError: it is not ours alone, and somebody must look at it.
    FileUnusableError: it is ours, but the disk is full, read-only or broken.
    """

    def __init__(self, path: Path, fault: str) -> None:
        super().__init__(f"{path} {fault}")


class NotPrivateError(PrivateFileError):
    """It is not ours alone; the text says what to do."""


class FileUnusableError(PrivateFileError):
    """The system refused to read or write it; the text gives the system's reason."""


@contextmanager
def usable(path: Path) -> Iterator[None]:
    """Turn what the system says about a file into our own error, which names the file."""
    try:
        yield
    except OSError as error:
        raise FileUnusableError(path, f"cannot be read or written: {error.strerror}") from error


class PrivateDirectory:
    """The open directory. Missing, it is made with mode 0700; present, its owner, mode and entries are checked."""

    def __init__(self, path: Path) -> None:
        self.path: Final = _made(path.absolute())
        try:
            self._descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | _NEVER_FOLLOW)
        except OSError as error:
            text = "must be a real directory of yours, not a link or a file: look at it, then remove it"
            raise NotPrivateError(self.path, text) from error
        try:
            self._refuse_if_open()
        except NotPrivateError:
            self.close()
            raise

    def open_file(self, name: str, flags: int) -> int:
        """Return a descriptor of a file that is ours alone; `flags` as for os.open. It closes on exec.

        A file that is not there raises FileNotFoundError, as everywhere; anything else a `PrivateFileError`.
        A second name for the file is refused as well: writing to a link planted here would destroy the file elsewhere.
        """
        path = self.path / _plain(self.path, name)
        try:
            descriptor = os.open(name, flags | _NEVER_FOLLOW, 0o600, dir_fd=self._descriptor)
        except OSError as error:
            if error.errno == errno.ENOENT and not flags & os.O_CREAT:
                raise
            if error.errno in {errno.ELOOP, errno.EISDIR, errno.ENXIO}:
                raise NotPrivateError(path, "must be a plain file, not a link or anything else: remove it") from error
            raise FileUnusableError(path, f"cannot be opened: {error.strerror}") from error
        fault = _file_fault(os.fstat(descriptor))
        if fault:
            os.close(descriptor)
            raise NotPrivateError(path, fault)
        return descriptor

    def read_file(self, name: str, *, bytes_max: int) -> bytes | None:
        """Return what a file holds, None when there is no such file. A longer file gives one byte more than allowed."""
        try:
            descriptor = self.open_file(name, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            with usable(self.path / name):
                return os.read(descriptor, bytes_max + 1)
        finally:
            os.close(descriptor)

    def replace_file(self, name: str, content: bytes) -> None:
        """Replace a file as a whole and durably: a crash at any moment leaves the old content or the new.

        The caller makes sure that nobody else replaces the same file; every role lock does.
        """
        fresh = f"{name}.new"
        with usable(self.path / name):
            self._remove(fresh)
            descriptor = self.open_file(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            try:
                written = 0
                while written < len(content):
                    written += os.write(descriptor, content[written:])
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            os.rename(fresh, name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)
            os.fsync(self._descriptor)

    def overwrite_file(self, name: str, content: bytes, *, offset: int, size: int) -> None:
        """Write over a part of a file durably, in place, and leave the file this size.

        A file that has the size already needs no room for it, unless its disk copies what is written over. When the
        power fails, any of the bytes written may be the old or the new ones: the caller must be able to tell.
        """
        with usable(self.path / name):
            descriptor = self.open_file(name, os.O_WRONLY)
            try:
                written = 0
                while written < len(content):
                    written += os.pwrite(descriptor, content[written:], offset + written)
                os.ftruncate(descriptor, size)
                os.fdatasync(descriptor)
            finally:
                os.close(descriptor)

    def holds(self, name: str, descriptor: int) -> bool:
        """Tell whether the name, looked up from the root of the file system, still leads to the open file."""
        try:
            found = os.lstat(self.path / name)
        except OSError:
            return False
        return os.path.samestat(found, os.fstat(descriptor))

    def close(self) -> None:
        """Let the directory go; files opened in it stay open."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _remove(self, name: str) -> None:
        try:
            os.unlink(name, dir_fd=self._descriptor)
        except FileNotFoundError:
            return

    def _refuse_if_open(self) -> None:
        status = os.fstat(self._descriptor)
        if status.st_uid != os.geteuid():
            raise NotPrivateError(
                self.path, "belongs to another user: run this as that user, or configure another directory"
            )
        if status.st_mode & stat.S_ISVTX and status.st_mode & stat.S_IWOTH:
            raise NotPrivateError(self.path, "is a directory that users share, such as /tmp: configure one of our own")
        if stat.S_IMODE(status.st_mode) != stat.S_IRWXU:
            raise NotPrivateError(self.path, f"has mode {stat.S_IMODE(status.st_mode):04o}: chmod 0700 it")
        for parent in self.path.resolve().parents:
            if fault := _ancestor_fault(parent.stat()):
                raise NotPrivateError(parent, f"{fault}, so {self.path} could be swapped for another directory")
        with os.scandir(self._descriptor) as entries:
            names = [entry.name for entry in islice(entries, ENTRIES_MAX + 1)]
        if len(names) > ENTRIES_MAX:
            raise NotPrivateError(self.path, f"holds more than {ENTRIES_MAX} entries, which are not ours: look at it")
        for name in names:
            self._refuse_stranger(name)

    def _refuse_stranger(self, name: str) -> None:
        try:
            status = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return  # another of our processes has just removed it
        if stat.S_ISLNK(status.st_mode):
            raise NotPrivateError(self.path / name, "is a link, and we make none: look where it leads, then remove it")
        if status.st_uid != os.geteuid():
            raise NotPrivateError(self.path / name, "belongs to another user: remove it")


def _plain(path: Path, name: str) -> str:
    if not NAME.fullmatch(name):
        raise NotPrivateError(path, f"cannot hold {name!r}: a name is small letters, digits, '.', '_' and '-'")
    return name


def _made(path: Path) -> Path:
    """Make what is missing of the path, for ourselves alone."""
    missing = [step for step in (path, *path.parents) if not os.path.lexists(step)]
    for step in reversed(missing):
        try:
            step.mkdir(mode=stat.S_IRWXU, exist_ok=True)
        except OSError as error:
            raise NotPrivateError(step, f"cannot be made: {error.strerror}") from error
    return path


def _file_fault(status: os.stat_result) -> str:
    """Say why the file cannot be trusted; empty when it can."""
    if not stat.S_ISREG(status.st_mode):
        return "must be a plain file: remove it"
    if status.st_uid != os.geteuid():
        return "belongs to another user: remove it"
    if status.st_nlink > 1:
        return "has a second name elsewhere: remove it"
    if stat.S_IMODE(status.st_mode) & ~0o600:
        return f"has mode {stat.S_IMODE(status.st_mode):04o}: look who wrote it, then chmod 0600 it"
    return ""


def _ancestor_fault(status: os.stat_result) -> str:
    """Say how another user could rename what lies in a directory above ours; empty when only we or root can.

    Writing by our own primary group is let pass: many systems give each user a group of their own.
    """
    if status.st_uid not in {os.geteuid(), 0}:
        return "belongs to another user"
    sticky = status.st_mode & stat.S_ISVTX
    if status.st_mode & stat.S_IWOTH and not sticky:
        return "can be written by everybody"
    if status.st_mode & stat.S_IWGRP and not sticky and status.st_gid not in {os.getegid(), 0}:
        return "can be written by a group"
    return ""
