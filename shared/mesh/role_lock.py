"""The lock a process holds as long as it lives, and the note in the locked file that says who holds it.

The lock is the kernel's (flock): it ends when its holder does, however that dies. The note is for others: a second
instance says who is in its way, a fencer knows whom to kill. The note is believed only while the file is locked, and by
a fencer only where the kernel does not contradict it.

No child keeps a lock: the descriptor closes on exec, and in a child that was merely forked it is closed at once.
"""

import fcntl
import os
from pathlib import Path
from typing import Final, Self

import msgspec

from shared.mesh.private_directory import FileUnusableError, PrivateDirectory, usable
from shared.mesh.process_identity import ProcessIdentity
from shared.mesh.sealed_record import RECORD_BYTES_MAX, Damaged, seal, unseal

LOCK_KIND: Final = "bowline-lock-1"
# One length for every note, so that a single write replaces the whole of the one before.
NOTE_BYTES: Final = 1_024
TAKE_ATTEMPTS_MAX: Final = 8
KERNEL_LOCKS: Final = Path("/proc/locks")
_KERNEL_LOCK_FIELDS: Final = 8


class LockHolder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who holds a lock: the role the process has by itself, the process, and since when."""

    role: str
    process: ProcessIdentity
    since_boot_ns: int

    @property
    def words(self) -> str:
        """Say it to people."""
        return f"{self.role}, process {self.process.process_id}"


class LockNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands in a lock file. The epoch outlives its holder: it is a second witness beside the epoch file."""

    file: str
    holder: LockHolder | None
    epoch: int


class RoleLock:
    """A held lock. It is let go by `release`, by the death of this process, and by nothing else."""

    def __init__(self, directory: PrivateDirectory, name: str, descriptor: int) -> None:
        self._directory = directory
        self._name = name
        self._descriptor = descriptor
        _held.add(self)

    @classmethod
    def try_take(cls, directory: PrivateDirectory, name: str) -> Self | None:
        """Return the lock, None when somebody holds it. Never waits."""
        for _ in range(TAKE_ATTEMPTS_MAX):
            descriptor = directory.open_file(name, os.O_RDWR | os.O_CREAT)
            with usable(directory.path / name):
                if not _locked(descriptor):
                    os.close(descriptor)
                    return None
            # A lock on a file that was removed meanwhile excludes nobody: the name must lead to what we locked.
            if directory.holds(name, descriptor):
                return cls(directory, name, descriptor)
            os.close(descriptor)
        raise FileUnusableError(directory.path / name, "is removed again and again: find out by whom")

    def note(self) -> LockNote | Damaged:
        """Return what the file says."""
        with usable(self._directory.path / self._name):
            return _note(os.pread(self._descriptor, RECORD_BYTES_MAX + 1, 0), self._name)

    def write_note(self, *, holder: LockHolder | None, epoch: int) -> None:
        """Say in the file who holds it."""
        content = seal(LOCK_KIND, LockNote(self._name, holder, epoch), size=NOTE_BYTES)
        with usable(self._directory.path / self._name):
            os.pwrite(self._descriptor, content, 0)
            os.ftruncate(self._descriptor, len(content))

    def is_intact(self) -> bool:
        """Tell whether the lock still excludes others: held by us, and the file is still where others look for it."""
        return self._descriptor >= 0 and self._directory.holds(self._name, self._descriptor)

    def release(self) -> None:
        """Let the lock go; a second time does nothing."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            _held.discard(self)
            os.close(descriptor)


def read_note(directory: PrivateDirectory, name: str) -> LockNote | Damaged:
    """Return what a lock file says; `Damaged` also when there is none, or nobody ever held it."""
    content = directory.read_file(name, bytes_max=RECORD_BYTES_MAX)
    return Damaged("does not exist") if content is None else _note(content, name)


def kernel_holder(directory: PrivateDirectory, name: str) -> int | None:
    """Return the process number that the kernel lists as the holder of the lock, None when it lists none.

    Some file systems list locks under another device than the file's, and some containers list none at all.
    """
    try:
        descriptor = directory.open_file(name, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        status = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    wanted = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    try:
        lines = KERNEL_LOCKS.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    for line in lines:
        # "7: FLOCK  ADVISORY  WRITE 4711 fe:00:260072 0 EOF"; those who wait have an arrow more
        fields = line.split()
        if len(fields) == _KERNEL_LOCK_FIELDS and fields[1] == "FLOCK" and fields[5] == wanted:
            return int(fields[4])
    return None


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _note(content: bytes, name: str) -> LockNote | Damaged:
    note = unseal(LOCK_KIND, content, LockNote)
    if isinstance(note, LockNote) and note.file != name:
        return Damaged(f"was copied from {note.file}")
    return note


# What a process holds is a fact about the process, so this is the one place for a module's own state.
_held: Final[set[RoleLock]] = set()


def _let_go_in_child() -> None:
    """Close the child's copies; closing one copy of a descriptor does not unlock the parent's."""
    for lock in list(_held):
        lock.release()


os.register_at_fork(after_in_child=_let_go_in_child)
