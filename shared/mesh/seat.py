"""The seat of a role that only one process may have at a time: its lock, held for life, and its epoch.

A process that boots calls `take_seat` and has the `Seat`, or is told who is before it and stays `Standby`. The order is
gate, then lock: the gate is held only while taking the seat, so that whoever wants to fence the role can shut the gate
first and meet no newcomer. The lock file names its holder before anything slow happens, so that a process frozen half
way can be fenced too.
"""

import select
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Final

from shared.mesh.clock import Clock, boot_time
from shared.mesh.epoch import (
    EPOCH_FILE_BYTES,
    SLOT_BYTES,
    EpochVerdict,
    RoleRecord,
    WitnessedEpochs,
    crash_loop,
    first_slot,
    next_record,
    record_in,
    slot_of,
    stopped,
)
from shared.mesh.private_directory import FileUnusableError, PrivateDirectory
from shared.mesh.process_identity import NS_PER_MS, ProcessHandle, own_identity
from shared.mesh.role_lock import LockHolder, LockNote, RoleLock, kernel_holder, read_note
from shared.mesh.sealed_record import Damaged


@dataclass(frozen=True, slots=True)
class Post:
    """A role that one process at a time may hold, where its files lie, and the clock of whoever asks.

    The directory must outlive a reboot, or the epoch does not.
    """

    role: str
    directory: PrivateDirectory
    clock: Clock

    @property
    def gate(self) -> str:
        """Return the name of the file that is the gate."""
        return f"{self.role}.gate"

    @property
    def lock(self) -> str:
        """Return the name of the file that is the lock."""
        return f"{self.role}.lock"

    @property
    def epoch(self) -> str:
        """Return the name of the file the epoch stands in."""
        return f"{self.role}.epoch"


class Seat:
    """A role, ours. `verdict` and `crash_loop` are for the role to judge: both can mean reduce only.

    `died` says that the run before ended without an orderly stop.
    """

    def __init__(
        self, post: Post, lock: RoleLock, record: RoleRecord, *, verdict: EpochVerdict, loops: bool, died: bool
    ) -> None:
        self.epoch: Final = record.epoch
        self.restarts: Final = max(record.starts - 1, 0)
        self.verdict: Final = verdict
        self.crash_loop: Final = loops
        self.died: Final = died
        self._post = post
        self._lock = lock
        self._record = record

    def is_intact(self) -> bool:
        """Tell whether the seat still keeps others out. Once it is not, this process must stop: another may have it.

        Ask with every heartbeat. Nothing but a hand in the directory does this: a cleaner, a restored backup, an `rm`.
        """
        return self._lock.is_intact()

    def stop(self) -> None:
        """Give the seat up in order, which is no death. What cannot be written down counts as one, the safe way."""
        if not self.is_intact():
            self._lock.release()
            return
        try:
            _keep(self._post, _epoch_file(self._post), stopped(self._record))
            self._lock.write_note(holder=None, epoch=self.epoch)
        finally:
            self._lock.release()


@dataclass(frozen=True, slots=True)
class Standby:
    """The seat is taken, or its gate shut. `note` says by whom, as far as the file does."""

    role: str
    file: str
    note: LockNote | Damaged

    @property
    def words(self) -> str:
        """Say who is in the way."""
        if isinstance(self.note, Damaged):
            return f"{self.file} is held by a process unknown, since the file {self.note.reason}"
        if self.note.holder is None:
            return f"{self.file} is held by a process that has not said its name yet"
        return f"{self.file} is held by {self.note.holder.words}"

    def wait(self, *, timeout_ns: int) -> None:
        """Wait until the holder dies, at most for this long. The kernel wakes us at once; no look at any clock.

        The bound is needed because a holder that lives may let go: a fencer hands back, a booting one leaves the gate.
        """
        holder = None if isinstance(self.note, Damaged) else self.note.holder
        handle = ProcessHandle.of(holder.process) if holder else None
        if handle is None:
            select.poll().poll(timeout_ns / NS_PER_MS)
            return
        with handle:
            handle.wait_for_death(timeout_ns=timeout_ns)


# Asked whenever somebody is in the way: waits as it sees fit, and says whether to try again.
Wait = Callable[[Standby], bool]


def take_seat(post: Post, *, known_epoch: int = 0) -> Seat | Standby:
    """Take the seat if it is free; never waits. `known_epoch` is the highest a journal or a peer has seen.

    Raises `EpochUnknownError` or `PrivateFileError` when no epoch can be chosen or kept, and then holds nothing.
    """
    # Whoever stands by asks often; as long as the kernel names a holder, it leaves the gate to those who need it.
    if kernel_holder(post.directory, post.lock) is not None:
        return _standby(post, post.lock)
    with ExitStack() as held:
        gate = RoleLock.try_take(post.directory, post.gate)
        if gate is None:
            return _standby(post, post.gate)
        held.callback(shut, gate)
        sign(gate, post, own_role=post.role)
        lock = RoleLock.try_take(post.directory, post.lock)
        if lock is None:
            return _standby(post, post.lock)
        return occupy(lock, post, own_role=post.role, known_epoch=known_epoch)


def _standby(post: Post, file: str) -> Standby:
    return Standby(post.role, file, read_note(post.directory, file))


def patience(*, attempts: int, pause_ns: int) -> Wait:
    """Return a `Wait` that has had enough after so many pauses, each of which the death of the holder cuts short."""
    left = iter(range(attempts))

    def wait(standby: Standby) -> bool:
        if next(left, None) is None:
            return False
        standby.wait(timeout_ns=pause_ns)
        return True

    return wait


def stand_by(attempt: Callable[[], Seat | Standby], wait: Wait) -> Seat | Standby:
    """Try for the seat until it is ours, or until `wait` has had enough."""
    while isinstance(result := attempt(), Standby):
        if not wait(result):
            return result
    return result


def occupy(lock: RoleLock, post: Post, *, own_role: str, known_epoch: int) -> Seat:
    """Raise the epoch of a role whose lock we hold, and return the seat; the lock is let go if that fails."""
    with ExitStack() as held:
        held.callback(lock.release)
        note = lock.note()
        content = _epoch_file(post)
        found, now = record_in(content, role=post.role), boot_time(post.clock)
        record, verdict = next_record(
            found,
            WitnessedEpochs(note.epoch if isinstance(note, LockNote) else 0, known_epoch),
            role=post.role,
            own_start=own_role == post.role,
            now=now,
        )
        sign(lock, post, own_role=own_role, epoch=record.epoch)
        _keep(post, content, record)
        held.pop_all()
    died = isinstance(found, RoleRecord) and found.running
    return Seat(post, lock, record, verdict=verdict, loops=crash_loop(record.deaths, now=now), died=died)


def known_record(post: Post) -> RoleRecord | Damaged | None:
    """Return what the epoch file says, as anybody may ask; another role's file raises `EpochUnknownError`."""
    return record_in(_epoch_file(post), role=post.role)


def _epoch_file(post: Post) -> bytes | None:
    return post.directory.read_file(post.epoch, bytes_max=EPOCH_FILE_BYTES)


def _keep(post: Post, content: bytes | None, record: RoleRecord) -> None:
    """Write the record down durably, over what the file holds. Only a file that has to be made needs room."""
    first, slot_content = first_slot(content, role=post.role), slot_of(record)
    if first is None:
        post.directory.replace_file(post.epoch, slot_content + slot_content)
        return
    for slot in (first, 1 - first):
        post.directory.overwrite_file(post.epoch, slot_content, offset=slot * SLOT_BYTES, size=EPOCH_FILE_BYTES)


def sign(lock: RoleLock, post: Post, *, own_role: str, epoch: int = 0) -> None:
    """Write into a lock we hold that we do. A gate carries no epoch."""
    holder = LockHolder(own_role, own_identity(boot_id=post.clock.boot_id), post.clock.boot_ns())
    lock.write_note(holder=holder, epoch=epoch)


def shut(gate: RoleLock) -> None:
    """Leave the gate, and take our name off it, so that nobody is killed for having stood there once.

    A name that cannot be taken off is no reason to fail: fencers ask the kernel as well.
    """
    with suppress(FileUnusableError):
        gate.write_note(holder=None, epoch=0)
    gate.release()
