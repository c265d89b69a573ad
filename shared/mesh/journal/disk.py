"""The seam to the disk: everything a journal does to files, for one directory. `RealDisk` is the real one.

All failures are `OSError` with their number, as the kernel tells them; the journal decides what they mean. A simulated
disk for tests stands in tests/shared/mesh/journal/sim_disk.py.
"""

import os
import time
from pathlib import Path
from typing import Final, Protocol

FILE_MODE: Final = 0o600
DIRECTORY_MODE: Final = 0o700
_SAFE: Final = os.O_CLOEXEC | os.O_NOFOLLOW


def journal_directory(var_directory: Path, role: str) -> Path:
    """Return where a role keeps its journal."""
    return var_directory / "journal" / role


class File(Protocol):
    """An open file. Offsets are explicit, so that nothing depends on where somebody else stood."""

    def size(self) -> int:
        """Tell how many bytes it holds now."""

    def read(self, offset: int, length: int) -> bytes:
        """Read up to that many bytes; fewer only where the file ends."""

    def write(self, offset: int, content: bytes) -> int:
        """Write and tell how many bytes were taken, which may be fewer."""

    def truncate(self, size: int) -> None:
        """Cut everything from there on."""

    def allocate(self, size: int) -> None:
        """Take room for that many bytes on the disk, now and not when they are written."""

    def sync(self) -> int:
        """Return when the content is on the medium, with the nanoseconds that took."""

    def close(self) -> None:
        """Give the file back."""


class Disk(Protocol):
    """One directory. Names have no slash, except a quarantined file's behind its directory."""

    def establish(self) -> None:
        """Make the directory, durably, unless it is there."""

    def names(self) -> list[str]:
        """List what is in it; a missing directory raises FileNotFoundError."""

    def create(self, name: str) -> File:
        """Make a new file for reading and writing; one that is there already raises FileExistsError."""

    def edit(self, name: str) -> File:
        """Open a file for reading and writing."""

    def view(self, name: str) -> File:
        """Open a file for reading."""

    def rename(self, name: str, other: str) -> None:
        """Give a file another name."""

    def remove(self, name: str) -> None:
        """Remove a file."""

    def make_directory(self, name: str) -> None:
        """Make a directory inside this one."""

    def sync(self) -> None:
        """Return when creations, renames and removals are on the medium."""


class RealFile:
    """A file descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def size(self) -> int:
        """Tell how many bytes it holds now."""
        return os.fstat(self._descriptor).st_size

    def read(self, offset: int, length: int) -> bytes:
        """Read up to that many bytes; fewer only where the file ends."""
        found = os.pread(self._descriptor, length, offset)
        while len(found) < length and (more := os.pread(self._descriptor, length - len(found), offset + len(found))):
            found += more
        return found

    def write(self, offset: int, content: bytes) -> int:
        """Write and tell how many bytes were taken, which may be fewer."""
        return os.pwrite(self._descriptor, content, offset)

    def truncate(self, size: int) -> None:
        """Cut everything from there on."""
        os.ftruncate(self._descriptor, size)

    def allocate(self, size: int) -> None:
        """Take room for that many bytes on the disk, now and not when they are written."""
        os.posix_fallocate(self._descriptor, 0, size)

    def sync(self) -> int:
        """Return when the content is on the medium, with the nanoseconds that took."""
        started_ns = time.perf_counter_ns()
        os.fdatasync(self._descriptor)
        return time.perf_counter_ns() - started_ns

    def close(self) -> None:
        """Give the file back."""
        os.close(self._descriptor)


class RealDisk:
    """A directory of this machine."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def establish(self) -> None:
        """Make the directory and what is missing above it, durably, unless it is there."""
        missing = [path for path in (self._directory, *self._directory.parents) if not path.exists()]
        for path in reversed(missing):
            path.mkdir(mode=DIRECTORY_MODE, exist_ok=True)
        # Also when it was there: whoever made it may have died before this.
        for path in {self._directory, *missing}:
            _sync_directory(path.parent)

    def names(self) -> list[str]:
        """List what is in it; a missing directory raises FileNotFoundError."""
        return [entry.name for entry in self._directory.iterdir()]

    def create(self, name: str) -> File:
        """Make a new file for reading and writing; one that is there already raises FileExistsError."""
        return self._opened(name, os.O_RDWR | os.O_CREAT | os.O_EXCL)

    def edit(self, name: str) -> File:
        """Open a file for reading and writing."""
        return self._opened(name, os.O_RDWR)

    def view(self, name: str) -> File:
        """Open a file for reading."""
        return self._opened(name, os.O_RDONLY)

    def rename(self, name: str, other: str) -> None:
        """Give a file another name."""
        (self._directory / name).rename(self._directory / other)

    def remove(self, name: str) -> None:
        """Remove a file."""
        (self._directory / name).unlink()

    def make_directory(self, name: str) -> None:
        """Make a directory inside this one."""
        (self._directory / name).mkdir(mode=DIRECTORY_MODE)

    def sync(self) -> None:
        """Return when creations, renames and removals are on the medium."""
        _sync_directory(self._directory)

    def _opened(self, name: str, flags: int) -> RealFile:
        return RealFile(os.open(self._directory / name, flags | _SAFE, FILE_MODE))


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(file: File, offset: int, content: bytes) -> None:
    """Write the whole of it, however few bytes are taken at a time; raises OSError when none is."""
    written = file.write(offset, content)
    while written < len(content):
        taken = file.write(offset + written, content[written:])
        if taken <= 0:
            raise OSError("the disk takes no more bytes and does not say why")
        written += taken
