"""Processes that outlived their supervisor, and how their successors get their seats.

supervisord killed by force leaves its children alive, and the next one starts a second set, which stands by behind
them. Orphans are retired one at a time: asked to end, so that they finish their work, and killed if they do not; the
next one's turn comes when the successor has the seat. So the mesh is never down as a whole.
"""

import select
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from shared.mesh.fencing import FenceRefused, Incumbent, incumbent
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.process_identity import NS_PER_MS, ProcessHandle, parent_of
from shared.mesh.role_lock import RoleLock
from shared.mesh.seat import Post

# Whoever retires holds this, so that the overseer and `bowline up` do not retire two at once.
RETIREMENT_LOCK: Final = "retirement.lock"
DEATH_TIMEOUT_NS: Final = 5_000_000_000
_PAUSE_NS: Final = 50_000_000


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an orphan may take to end in order, and its successor to take the seat."""

    drain_ns: int
    successor_ns: int


@dataclass(frozen=True, slots=True)
class Retirement:
    """An orphan that is no more. `successor_id` is None when nobody took the seat in time, or nobody was to."""

    instance: str
    process_id: int
    killed: bool
    successor_id: int | None

    @property
    def words(self) -> str:
        """Say it to people."""
        how = "was killed, for it did not end in time" if self.killed else "ended in order"
        after = f"; process {self.successor_id} has its seat" if self.successor_id else ""
        return f"{self.instance}: orphan {self.process_id} {how}{after}"


def is_orphan(holder: Incumbent, *, supervisor_id: int | None) -> bool:
    """Tell whether the process is no child of the present supervisor's; without one every process is an orphan."""
    return supervisor_id is None or parent_of(holder.holder.process.process_id) != supervisor_id


def always() -> bool:
    """Go on to the end."""
    return True


def retire_orphans(
    posts: Sequence[Post],
    *,
    supervisor_id: int | None,
    supervised: Collection[str],
    patience: Patience,
    wanted: Callable[[], bool] = always,
) -> Iterator[Retirement | FenceRefused]:
    """Retire the orphans among the holders of these posts, one by one, saying each as it is done.

    For an instance that is `supervised` the successor is awaited before the next orphan is touched. If none comes,
    those that are left stay: an unsupervised process is better than none. As soon as it is no longer `wanted` nobody
    is touched any more, and nobody awaited: who is an orphan is another's business then.
    """
    if not posts:
        return
    lock = _awaited(posts[0].directory, patience, wanted)
    if lock is None:
        return
    try:
        for post in posts:
            # More than one may come: behind an orphan, others of its time may have stood by.
            while (retired := _retire(post, supervisor_id, patience, wanted)) is not None:
                if isinstance(retired, Retirement) and post.role in supervised:
                    retired = _succeeded(post, retired, patience, wanted)
                yield retired
                if isinstance(retired, FenceRefused):
                    break
                if retired.successor_id is None and post.role in supervised:
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
    post: Post, supervisor_id: int | None, patience: Patience, wanted: Callable[[], bool]
) -> Retirement | FenceRefused | None:
    found = incumbent(post)
    if found is None or isinstance(found, FenceRefused):
        return found
    with found.handle as handle:
        if not is_orphan(found, supervisor_id=supervisor_id) or not wanted():
            return None
        # Through the handle to the end: `retire` of the fencing could hit the successor, who may be there any moment.
        handle.terminate()
        killed = not _ended(handle, patience, wanted)
        if killed and not wanted():
            return None
        if killed:
            handle.kill()
            handle.wait_for_death(timeout_ns=DEATH_TIMEOUT_NS)
    return Retirement(post.role, found.holder.process.process_id, killed, None)


def _ended(handle: ProcessHandle, patience: Patience, wanted: Callable[[], bool]) -> bool:
    pauses = 1 + patience.drain_ns // _PAUSE_NS
    return any(handle.wait_for_death(timeout_ns=_PAUSE_NS) for _ in range(pauses) if wanted())


def _succeeded(post: Post, retired: Retirement, patience: Patience, wanted: Callable[[], bool]) -> Retirement:
    for _ in range(1 + patience.successor_ns // _PAUSE_NS):
        if not wanted():
            break
        found = incumbent(post)
        if isinstance(found, Incumbent):
            found.handle.close()
            process_id = found.holder.process.process_id
            if process_id != retired.process_id:
                return Retirement(retired.instance, retired.process_id, retired.killed, process_id)
        _pause()
    return retired


def _pause() -> None:
    select.poll().poll(_PAUSE_NS / NS_PER_MS)
