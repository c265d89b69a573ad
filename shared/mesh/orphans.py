"""Processes that outlived their supervisor, and how their successors get their seats.

supervisord killed by force leaves its children alive, and the next one starts a second set, which stands by behind
them. Orphans are retired one at a time, and only those behind whom a successor stands: asked to end, so that they
finish their work, and killed if they do not; the next one's turn comes when the successor has the seat, and keeps it
for a moment. So the mesh is never down as a whole.
"""

import itertools
import select
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.mesh.fencing import FenceRefused, Incumbent, incumbent
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.process_identity import NS_PER_MS, ProcessHandle, parent_of
from shared.mesh.role_lock import RoleLock
from shared.mesh.seat import Post
from shared.mesh.supervisor import Program, Supervisor

# Whoever retires holds this, so that the overseer and `bowline up` do not retire two at once.
RETIREMENT_LOCK: Final = "retirement.lock"
DEATH_TIMEOUT_NS: Final = 5_000_000_000
_NS_PER_S: Final = 1_000_000_000
_SUCCESSOR_NS: Final = 15_000_000_000
_PAUSE_NS: Final = 50_000_000
# What cannot go on once it has its seat, for want of a journal or a socket, has ended by then.
SETTLED_NS: Final = 1_000_000_000
# Who stands by looks away for a moment each time it asks for the seat, so one look is not enough.
_LOOKS_MIN: Final = 10
_NOBODY_COMES: Final = frozenset({"FATAL", "STOPPED"})


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an orphan may take to end in order, and its successor to stand by before that and to take the seat."""

    drain_ns: int
    successor_ns: int


def patience_of(supervisor: Supervisor) -> Patience:
    """Return the patience that fits what supervisord was told: nobody is killed before supervisord would do it."""
    return Patience(int(supervisor.stop_wait_s_max() * _NS_PER_S), _SUCCESSOR_NS)


@dataclass(frozen=True, slots=True)
class Retirement:
    """An orphan that is no more. `successor_id` is None when nobody took the seat in time and kept it."""

    instance: str
    process_id: int
    killed: bool
    successor_id: int | None

    @property
    def words(self) -> str:
        """Say it to people."""
        how = "was killed, for it did not end in time" if self.killed else "ended in order"
        after = f"process {self.successor_id} has its seat" if self.successor_id else "nobody took its seat and kept it"
        return f"{self.instance}: orphan {self.process_id} {how}; {after}"


@dataclass(frozen=True, slots=True)
class Kept:
    """An orphan that was left alone, since nobody stands by to take its seat: better unsupervised than none."""

    instance: str
    process_id: int

    @property
    def words(self) -> str:
        """Say it to people."""
        return (
            f"{self.instance}: orphan {self.process_id} was left alone, for no child of supervisord stands by "
            f"to take its seat; see the log of {self.instance}"
        )


def is_orphan(holder: Incumbent, *, supervisor_id: int | None) -> bool:
    """Tell whether the process is no child of the present supervisor's; without one every process is an orphan."""
    return supervisor_id is None or parent_of(holder.holder.process.process_id) != supervisor_id


def always() -> bool:
    """Go on to the end."""
    return True


@dataclass(frozen=True, slots=True)
class Succession:
    """The present supervisord, and what it says about its programs when asked."""

    supervisor_id: int
    programs: Callable[[], Iterable[Program]]


def retire_orphans(
    posts: Sequence[Post],
    *,
    succession: Succession,
    patience: Patience,
    wanted: Callable[[], bool] = always,
) -> Iterator[Retirement | Kept | FenceRefused]:
    """Retire the orphans among the holders of these posts, one by one, saying each as it is done.

    Nobody is touched before a successor stands by for its seat, and nobody after one whose successor did not take the
    seat and keep it: an unsupervised process is better than none. As soon as it is no longer `wanted` nobody is touched
    any more, and nobody awaited: who is an orphan is another's business then.
    """
    if not posts:
        return
    lock = _awaited(posts[0].directory, patience, wanted)
    if lock is None:
        return
    # All successors were started together, so the time to stand by runs for all of them at once.
    looks = iter(range(patience.successor_ns // _PAUSE_NS))
    try:
        for post in posts:
            # More than one may come: behind an orphan, others of its time may have stood by.
            while (retired := _retire(post, succession, patience, looks, wanted)) is not None:
                if isinstance(retired, Retirement):
                    retired = _succeeded(post, retired, patience, wanted)
                yield retired
                if not isinstance(retired, Retirement):
                    break
                if retired.successor_id is None:
                    return
    finally:
        lock.release()


def _awaited(directory: PrivateDirectory, patience: Patience, wanted: Callable[[], bool]) -> RoleLock | None:
    """Return the lock of whoever retires; when another still retires after so long, there is nothing left for us."""
    for _ in range(1 + (patience.drain_ns + patience.successor_ns) // _PAUSE_NS):
        if not wanted():
            return None
        lock = RoleLock.try_take(directory, RETIREMENT_LOCK)
        if lock is not None:
            return lock
        _pause()
    return None


def _retire(
    post: Post, succession: Succession, patience: Patience, looks: Iterator[int], wanted: Callable[[], bool]
) -> Retirement | Kept | FenceRefused | None:
    found = incumbent(post)
    if found is None or isinstance(found, FenceRefused):
        return found
    with found.handle as handle:
        if not is_orphan(found, supervisor_id=succession.supervisor_id):
            return None
        stands_by = _succeedable(post, found, succession, looks, wanted)
        if not wanted():
            return None
        if not stands_by:
            return Kept(post.role, found.holder.process.process_id)
        # Through the handle to the end: `retire` of the fencing could hit the successor, who may be there any moment.
        handle.terminate()
        killed = not _ended(handle, patience, wanted)
        if killed and not wanted():
            return None
        if killed:
            handle.kill()
            handle.wait_for_death(timeout_ns=DEATH_TIMEOUT_NS)
    return Retirement(post.role, found.holder.process.process_id, killed, None)


def _succeedable(
    post: Post, holder: Incumbent, succession: Succession, looks: Iterator[int], wanted: Callable[[], bool]
) -> bool:
    """Await a child of supervisord's that stands by behind this holder."""
    holder_id = holder.holder.process.process_id
    for look in itertools.count():
        if not wanted():
            return False
        program = next((program for program in succession.programs() if program.name == post.role), None)
        if program is None or program.state in _NOBODY_COMES:
            return False
        if _is_lasting_child(program, succession) and _waits_for(program.process_id, holder_id):
            return True
        if next(looks, None) is None and look >= _LOOKS_MIN:
            return False
        _pause()
    raise AssertionError("counting never ends")


def _is_lasting_child(program: Program, succession: Succession) -> bool:
    """Tell whether supervisord's child has lived for a moment, and lives."""
    return program.state == "RUNNING" and parent_of(program.process_id) == succession.supervisor_id


def _waits_for(process_id: int, holder_id: int) -> bool:
    """Tell whether a process holds a handle on another, as whoever stands by does to hear of its death."""
    with suppress(OSError):  # it is gone, or another user's
        for file in Path(f"/proc/{process_id}/fdinfo").iterdir():
            with suppress(OSError):  # just closed
                if f"Pid:\t{holder_id}" in file.read_text(encoding="ascii").splitlines():
                    return True
    return False


def _ended(handle: ProcessHandle, patience: Patience, wanted: Callable[[], bool]) -> bool:
    pauses = 1 + patience.drain_ns // _PAUSE_NS
    return any(handle.wait_for_death(timeout_ns=_PAUSE_NS) for _ in range(pauses) if wanted())


def _succeeded(post: Post, retired: Retirement, patience: Patience, wanted: Callable[[], bool]) -> Retirement:
    """Await somebody who has the seat, and still has it a moment later."""
    seated_id, kept = None, 0
    for _ in range(1 + (patience.successor_ns + SETTLED_NS) // _PAUSE_NS):
        if not wanted():
            break
        holder_id = _holder_id(post)
        kept = kept + 1 if holder_id == seated_id else 0
        seated_id = holder_id
        if seated_id not in {None, retired.process_id} and kept >= SETTLED_NS // _PAUSE_NS:
            return Retirement(retired.instance, retired.process_id, retired.killed, seated_id)
        _pause()
    return retired


def _holder_id(post: Post) -> int | None:
    found = incumbent(post)
    if not isinstance(found, Incumbent):
        return None
    found.handle.close()
    return found.holder.process.process_id


def _pause() -> None:
    select.poll().poll(_PAUSE_NS / NS_PER_MS)
