"""Taking a role from a process that does not answer, without ever killing a stranger and without two holders.

`fence` shuts the gate, kills the holder of the lock through a handle that cannot mean another process, sees it dead,
takes the lock and raises the epoch; `Fence.hand_back` opens the way again. `retire` only kills, for a watcher whose
supervisor restarts what died. Whenever it is not certain whom a lock file means, nobody is killed and the reason is
returned as a value.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.core.booting import BOOT_NS
from shared.mesh.process_identity import ProcessHandle, ProcessIdentity, own_identity
from shared.mesh.role_lock import LockHolder, LockNote, RoleLock, kernel_holder, read_note
from shared.mesh.sealed_record import Damaged
from shared.mesh.seat import Post, Seat, Standby, Wait, occupy, patience, shut, sign

# A killed process dies within milliseconds, unless it hangs in the kernel on a broken disk.
DEATH_TIMEOUT_NS: Final = 5_000_000_000
# A healthy start stays in the gate for as long as a few writes to the disk take.
GATE_ATTEMPTS: Final = 50
GATE_PAUSE_NS: Final = 20_000_000


class FenceRefusal(StrEnum):
    """Why nobody was killed, or why the lock was not to be had."""

    GATE_HELD = "the gate is held by somebody who is not of this role"
    NOTE_UNREADABLE = "the lock file does not say who holds it"
    OTHER_ROLE = "the lock file names a holder of another role"
    OTHER_BOOT = "the lock file was written before the machine last started"
    OTHER_NAMESPACE = "the holder's process number is of another container"
    OWN_PROCESS = "the lock file names this very process"
    KERNEL_DISAGREES = "the kernel says that another process holds the lock"
    HOLDER_GONE = "the process named is no more, its number is another's now or nobody's, yet the lock is held"
    NOT_PERMITTED = "the holder belongs to another user"
    SUCCESSOR_STARTS = "the holder came after the one that fell silent, and has the time to start"
    STILL_ALIVE = "the holder was killed, but hangs in the kernel and has not died yet"
    LOCK_STILL_HELD = "the holder is dead, yet somebody keeps its lock"


@dataclass(frozen=True, slots=True)
class FenceRefused:
    """The refusal, the file it is about, and who that file names."""

    reason: FenceRefusal
    file: str
    holder: LockHolder | None

    @property
    def words(self) -> str:
        """Say it to people."""
        named = f" ({self.holder.words})" if self.holder else ""
        return f"{self.file}: {self.reason}{named}"


class Fence:
    """A role taken over. `seat` carries the raised epoch; the role's own processes stand by until it is handed back."""

    def __init__(self, seat: Seat, gate: RoleLock) -> None:
        self.seat: Final = seat
        self._gate = gate

    def hand_back(self) -> None:
        """Let the role's next process in."""
        with ExitStack() as held:
            held.callback(shut, self._gate)
            self.seat.stop()


@dataclass(frozen=True, slots=True)
class Retired:
    """The holder is dead and the lock is free. `process` is None when there was nobody to kill."""

    process: ProcessIdentity | None


def fence(
    post: Post,
    *,
    by: str,
    known_epoch: int = 0,
    wait: Wait | None = None,
    death_timeout_ns: int = DEATH_TIMEOUT_NS,
) -> Fence | FenceRefused:
    """Take the role over, as the role `by`, from whoever holds it.

    `wait` is asked while a booting instance of the role stands in the gate, by default for a second; when it has had
    enough, that one counts as frozen and is killed as well. Raises `EpochUnknownError` or `PrivateFileError`, holding
    nothing, when the new epoch cannot be chosen or kept.
    """
    with ExitStack() as held:
        cleared = _clear(_Fencer(post, by, death_timeout_ns), wait)
        if isinstance(cleared, FenceRefused):
            return cleared
        held.callback(shut, cleared.gate)
        seat = occupy(cleared.lock, post, own_role=by, known_epoch=known_epoch)
        held.pop_all()
    return Fence(seat, cleared.gate)


def retire(
    post: Post, *, by: str, silent_epoch: int, wait: Wait | None = None, death_timeout_ns: int = DEATH_TIMEOUT_NS
) -> Retired | FenceRefused:
    """Kill whoever holds the role, and leave the seat to the next; arguments as for `fence`.

    It was the holder under `silent_epoch` that fell silent: one that came after it is spared while it may still start.
    """
    cleared = _clear(_Fencer(post, by, death_timeout_ns, silent_epoch), wait)
    if isinstance(cleared, FenceRefused):
        return cleared
    cleared.lock.release()
    shut(cleared.gate)
    return Retired(cleared.killed)


@dataclass(frozen=True, slots=True)
class _Cleared:
    gate: RoleLock
    lock: RoleLock
    killed: ProcessIdentity | None


@dataclass(frozen=True, slots=True)
class _Fencer:
    """Whose post is cleared, by which role, how long a death may take, and after whom a successor is spared."""

    post: Post
    role: str
    death_timeout_ns: int
    silent_epoch: int | None = None

    def spares(self, found: "Incumbent") -> bool:
        """Say whether the holder is a successor that may still start."""
        if self.silent_epoch is None:
            return False
        age_ns = self.post.clock.boot_ns() - found.holder.since_boot_ns
        return is_spared(found.epoch, silent_epoch=self.silent_epoch, age_ns=age_ns)


def is_spared(epoch: int, *, silent_epoch: int, age_ns: int) -> bool:
    """Say whether a holder came after the one that fell silent, and still has the time to start. Pure."""
    return epoch > silent_epoch and age_ns < BOOT_NS


def _clear(fencer: _Fencer, wait: Wait | None) -> _Cleared | FenceRefused:
    """Take gate and lock, over the dead body of their holder where there is one."""
    post = fencer.post
    if fencer.role == post.role:
        raise ValueError(f"{post.role} cannot fence itself: fencers could not be told from the role's own processes")
    gate = _enter_gate(fencer, wait or patience(attempts=GATE_ATTEMPTS, pause_ns=GATE_PAUSE_NS))
    if isinstance(gate, FenceRefused):
        return gate
    with ExitStack() as held:
        held.callback(shut, gate)
        sign(gate, post, own_role=fencer.role)
        won = _win(fencer, post.lock)
        if isinstance(won, FenceRefused):
            return won
        held.pop_all()
    lock, killed = won
    return _Cleared(gate, lock, killed)


def _enter_gate(fencer: _Fencer, wait: Wait) -> RoleLock | FenceRefused:
    post = fencer.post
    while (gate := RoleLock.try_take(post.directory, post.gate)) is None:
        note = read_note(post.directory, post.gate)
        holder = _holder(note)
        if holder is not None and holder.role != post.role:
            return FenceRefused(FenceRefusal.GATE_HELD, post.gate, holder)
        if wait(Standby(post.role, post.gate, note)):
            continue
        won = _win(fencer, post.gate)
        return won if isinstance(won, FenceRefused) else won[0]
    return gate


def _win(fencer: _Fencer, name: str) -> tuple[RoleLock, ProcessIdentity | None] | FenceRefused:
    """Take a lock, killing its holder if need be; also return whom that was."""
    directory = fencer.post.directory
    free = RoleLock.try_take(directory, name)
    if free is not None:
        return free, None
    note = read_note(directory, name)
    killed = _kill(fencer, name, note)
    # Whatever is said of the holder: it may have died by itself meanwhile.
    lock = RoleLock.try_take(directory, name)
    if lock is not None:
        return lock, killed if isinstance(killed, ProcessIdentity) else None
    if isinstance(killed, FenceRefused):
        return killed
    return FenceRefused(FenceRefusal.LOCK_STILL_HELD, name, _holder(note))


@dataclass(frozen=True, slots=True)
class Incumbent:
    """The living holder of a role, beyond doubt. Whoever gets the handle closes it."""

    holder: LockHolder
    epoch: int
    handle: ProcessHandle


def incumbent(post: Post) -> Incumbent | FenceRefused | None:
    """Return who holds the role, None when nobody does, or why that is not certain. Takes no lock and harms nobody."""
    note = read_note(post.directory, post.lock)
    found = _found(post, post.lock, note)
    if isinstance(found, FenceRefused):
        return found if kernel_holder(post.directory, post.lock) is not None else None
    if found.handle.wait_for_death(timeout_ns=0):  # dead, and whoever should have noticed has not done so yet
        found.handle.close()
        return None
    return found


def _kill(fencer: _Fencer, name: str, note: LockNote | Damaged) -> ProcessIdentity | FenceRefused:
    """Kill the holder a note names, if all that is known agrees that it is the one."""
    found = _found(fencer.post, name, note)
    if isinstance(found, FenceRefused):
        return found
    with found.handle:
        if fencer.spares(found):
            return FenceRefused(FenceRefusal.SUCCESSOR_STARTS, name, found.holder)
        try:
            found.handle.kill()
        except PermissionError:
            return FenceRefused(FenceRefusal.NOT_PERMITTED, name, found.holder)
        if not found.handle.wait_for_death(timeout_ns=fencer.death_timeout_ns):
            return FenceRefused(FenceRefusal.STILL_ALIVE, name, found.holder)
    return found.holder.process


def _found(post: Post, name: str, note: LockNote | Damaged) -> Incumbent | FenceRefused:
    holder = _holder(note)
    if holder is None or isinstance(note, Damaged):
        return FenceRefused(FenceRefusal.NOTE_UNREADABLE, name, None)
    doubt = _doubt(post, name, holder)
    if doubt is not None:
        return FenceRefused(doubt, name, holder)
    handle = ProcessHandle.of(holder.process)
    if handle is None:
        return FenceRefused(FenceRefusal.HOLDER_GONE, name, holder)
    return Incumbent(holder, note.epoch, handle)


def _holder(note: LockNote | Damaged) -> LockHolder | None:
    return note.holder if isinstance(note, LockNote) else None


def _doubt(post: Post, name: str, holder: LockHolder) -> FenceRefusal | None:
    """Return what speaks against killing the process named, None when nothing does."""
    own = own_identity(boot_id=post.clock.boot_id)
    if holder.role != post.role:
        return FenceRefusal.OTHER_ROLE
    if holder.process.boot_id != own.boot_id:
        return FenceRefusal.OTHER_BOOT
    if holder.process.pid_namespace != own.pid_namespace:
        return FenceRefusal.OTHER_NAMESPACE
    if holder.process.process_id == own.process_id:
        return FenceRefusal.OWN_PROCESS
    listed = kernel_holder(post.directory, name)
    if listed is not None and listed != holder.process.process_id:
        return FenceRefusal.KERNEL_DISAGREES
    return None
