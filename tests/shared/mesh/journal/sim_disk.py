"""A disk in memory that forgets what was not synced, tears it, fills up, fails and is slow: as told, or by a seed.

`after_power_cut(dice)` is the disk a machine finds when it comes back; `after_kill()` the one a new process finds.
Content that was not synced survives by sectors, each by its own luck; names that were not synced survive in the order
they were changed, up to some point.
"""

import errno
import itertools
import os
from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Final

SECTOR_BYTES: Final = 512


class PowerCut(BaseException):
    """The machine stopped in the middle of an operation. No code under test may catch it."""


class Content:
    """What a file holds: what everybody reads, and what is on the medium."""

    def __init__(self, content: bytes = b"") -> None:
        self.seen = bytearray(content)
        self.durable = bytearray(content)
        self.pending: list[tuple[int, bytes | None]] = []  # written there, or with None cut there

    def settle(self) -> None:
        """Bring to the medium what was written since the last time, and only that."""
        for offset, written in self.pending:
            end = offset if written is None else offset + len(written)
            _resize(self.durable, end if written is None else max(end, len(self.durable)))
            self.durable[offset:end] = written or b""
        self.pending = []

    def after_power_cut(self, dice: Random) -> bytes:
        """Keep what was synced, and of the rest what luck keeps."""
        luck = dice.choice((0.0, 0.5, 0.9, 1.0))
        left = bytearray(self.durable)
        for offset, written in self.pending:
            if written is None:
                if dice.random() < luck:
                    _resize(left, offset)
                continue
            for start, end in _sectors(offset, len(written)):
                if dice.random() < luck:
                    _resize(left, max(len(left), offset + end))
                    left[offset + start : offset + end] = written[start:end]
        return bytes(left)


class SimDisk:
    """One directory. `capacity` bounds the bytes in all its files; every `trap` is asked before each operation."""

    def __init__(self, *, capacity: int | None = None) -> None:
        self.capacity = capacity
        self.sync_ns = 0  # what a sync claims to take
        self.write_bytes_max: int | None = None  # more are taken as a short write
        self.operations = 0
        self.syncs = 0
        self.is_there = True
        self._files: dict[str, Content] = {}
        self._durable_names: dict[str, Content] = {}
        self._pending_names: list[dict[str, Content]] = []
        self._traps: list[Callable[[str, str], None]] = []

    def fail(self, operation: str, number: int, *, name: str = "", times: int = 1_000_000) -> None:
        """Let an operation on files whose name holds `name` fail with that errno, so many times."""
        left = [times]

        def trap(tried: str, of: str) -> None:
            if tried == operation and name in of and left[0] > 0:
                left[0] -= 1
                raise OSError(number, os.strerror(number), of)

        self._traps.append(trap)

    def cut_power_at(self, operation: int) -> None:
        """Stop the machine at that operation, counted from here, before it does anything."""
        at = self.operations + operation

        def trap(_tried: str, _of: str) -> None:
            if self.operations >= at:
                raise PowerCut

        self._traps.append(trap)

    def hold_power(self) -> None:
        """Let nothing stop the machine or fail any more."""
        self._traps.clear()

    def after_power_cut(self, dice: Random) -> "SimDisk":
        """Return the disk as the next boot finds it."""
        names = self._durable_names
        for changed in self._pending_names[: dice.randint(0, len(self._pending_names))]:
            names = changed
        return self._like({name: content.after_power_cut(dice) for name, content in names.items()})

    def after_kill(self) -> "SimDisk":
        """Return the disk as the next process finds it: what the kernel was told, it still knows."""
        later = SimDisk(capacity=self.capacity)
        # In one copy, since the same content stands under several names.
        later._files, later._durable_names, later._pending_names = deepcopy(
            (self._files, self._durable_names, self._pending_names)
        )
        return later

    def copied(self) -> dict[str, bytes]:
        """Return what everybody reads, to look at or to restore."""
        return {name: bytes(content.seen) for name, content in self._files.items()}

    def restore(self, files: dict[str, bytes]) -> "SimDisk":
        """Return a disk that holds these files, durably."""
        return self._like(files)

    def listen(self, listener: Callable[[str, str], None]) -> None:
        """Call this before every operation, with the name of its file."""
        self._traps.append(listener)

    def contents(self) -> dict[str, Content]:
        """Return what every file holds, durable and not."""
        return self._files

    def used(self) -> int:
        """Return how many bytes all files take."""
        return sum(len(content.seen) for content in self._files.values())

    # What a journal asks of a disk.

    def establish(self) -> None:
        """Make the directory, durably, unless it is there."""
        self.is_there = True

    def names(self) -> list[str]:
        """List what is in it."""
        self.touch("names", "")
        return sorted({name.partition("/")[0] for name in self._files})

    def create(self, name: str) -> "SimFile":
        """Make a new file."""
        self.touch("create", name)
        if name in self._files:
            raise FileExistsError(errno.EEXIST, "File exists", name)
        self._change({**self._files, name: Content()})
        return SimFile(self, name, self._files[name])

    def edit(self, name: str) -> "SimFile":
        """Open a file for reading and writing."""
        self.touch("edit", name)
        return self._opened(name)

    def view(self, name: str) -> "SimFile":
        """Open a file for reading."""
        self.touch("view", name)
        return self._opened(name)

    def rename(self, name: str, other: str) -> None:
        """Give a file another name."""
        self.touch("rename", name)
        files = dict(self._files)
        files[other] = files.pop(name)
        self._change(files)

    def remove(self, name: str) -> None:
        """Remove a file."""
        self.touch("remove", name)
        self._change({known: content for known, content in self._files.items() if known != name})

    def make_directory(self, name: str) -> None:
        """Take note of nothing: a directory exists by what is in it."""
        self.touch("make_directory", name)

    def sync(self) -> None:
        """Make the names durable."""
        self.touch("sync_names", "")
        self._durable_names, self._pending_names = dict(self._files), []

    def touch(self, operation: str, name: str) -> None:
        """Count an operation, and let it fail if it is told to."""
        self.operations += 1
        for trap in self._traps:
            trap(operation, name)

    def room_for(self, more: int) -> int:
        """Return how many of so many bytes still fit."""
        return more if self.capacity is None else max(0, min(more, self.capacity - self.used()))

    def _opened(self, name: str) -> "SimFile":
        if name not in self._files:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", name)
        return SimFile(self, name, self._files[name])

    def _change(self, files: dict[str, Content]) -> None:
        self._files = files
        self._pending_names.append(dict(files))

    def _like(self, files: dict[str, bytes]) -> "SimDisk":
        other = SimDisk(capacity=self.capacity)
        other._files = {name: Content(content) for name, content in files.items()}
        other._durable_names = dict(other._files)
        return other


class SimFile:
    """An open file of a `SimDisk`."""

    def __init__(self, disk: SimDisk, name: str, content: Content) -> None:
        self._disk = disk
        self._name = name
        self._content = content

    def size(self) -> int:
        """Tell how many bytes it holds now."""
        return len(self._content.seen)

    def read(self, offset: int, length: int) -> bytes:
        """Read up to that many bytes."""
        self._disk.touch("read", self._name)
        return bytes(self._content.seen[offset : offset + length])

    def write(self, offset: int, content: bytes) -> int:
        """Write what fits, which may be less; raise ENOSPC when nothing does."""
        self._disk.touch("write", self._name)
        seen = self._content.seen
        fits = len(seen) - offset + self._disk.room_for(max(0, offset + len(content) - len(seen)))
        taken = content[: min(fits, self._disk.write_bytes_max or len(content))]
        if content and not taken:
            raise OSError(errno.ENOSPC, "No space left on device", self._name)
        _resize(seen, max(len(seen), offset + len(taken)))
        seen[offset : offset + len(taken)] = taken
        self._content.pending.append((offset, bytes(taken)))
        return len(taken)

    def truncate(self, size: int) -> None:
        """Cut everything from there on."""
        self._disk.touch("truncate", self._name)
        _resize(self._content.seen, size)
        self._content.pending.append((size, None))

    def allocate(self, size: int) -> None:
        """Take room for that many bytes; where there is less, take that and raise ENOSPC."""
        self._disk.touch("allocate", self._name)
        more = max(0, size - self.size())
        fits = self._disk.room_for(more)
        _resize(self._content.seen, self.size() + fits)
        self._content.pending.append((self.size(), b""))
        if fits < more:
            raise OSError(errno.ENOSPC, "No space left on device", self._name)

    def sync(self) -> int:
        """Make the content durable."""
        try:
            self._disk.touch("sync", self._name)
        except OSError:
            self._content.pending = []  # as Linux does: the pages count as clean, and no later sync will write them
            raise
        self._disk.syncs += 1
        self._content.settle()
        return self._disk.sync_ns

    def close(self) -> None:
        """Do nothing: there is no descriptor to give back."""


def _resize(content: bytearray, size: int) -> None:
    if size < len(content):
        del content[size:]
    else:
        content.extend(bytes(size - len(content)))


def _sectors(offset: int, length: int) -> list[tuple[int, int]]:
    """Cut a write where sectors end; give starts and ends relative to it."""
    first = SECTOR_BYTES - offset % SECTOR_BYTES
    cuts = [0, *range(first, length, SECTOR_BYTES), length]
    return [(start, end) for start, end in itertools.pairwise(cuts) if start < end]
