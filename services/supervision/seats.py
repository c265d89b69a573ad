"""Who has which seat, and what the files of a seat say."""

from typing import Final

from services.supervision.judgement import Holder
from services.supervision.mesh import Mesh
from shared.mesh.bus.keys import KeysUnusableError, role_of
from shared.mesh.epoch import EpochUnknownError, RoleRecord
from shared.mesh.fencing import FenceRefused, Incumbent, incumbent
from shared.mesh.orphans import is_orphan
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.seat import Post, known_record

_NS_PER_S: Final = 1_000_000_000


def holder_of(post: Post, supervisor_id: int | None) -> Holder | str | None:
    """Return who has the seat, or why that is not certain."""
    found = incumbent(post)
    if found is None:
        return None
    if isinstance(found, FenceRefused):
        return found.words
    with found.handle:
        uptime_s = (post.clock.boot_ns() - found.holder.since_boot_ns) / _NS_PER_S
        orphan = is_orphan(found, supervisor_id=supervisor_id)
        return Holder(found.holder.process.process_id, uptime_s, orphan)


def incumbents(mesh: Mesh, seats: PrivateDirectory) -> dict[str, Incumbent]:
    """Return who has a seat for certain, by instance, an orphan whose program is gone from the file among them.

    The caller closes the handles.
    """
    found = {}
    for file in sorted(seats.path.glob("*.lock")):
        if _is_instance(file.stem):
            holder = incumbent(mesh.post(file.stem, seats))
            if isinstance(holder, Incumbent):
                found[file.stem] = holder
    return found


def record_of(post: Post) -> RoleRecord | None:
    """Return what the epoch file says, None where it says nothing that can be used."""
    try:
        found = known_record(post)
    except EpochUnknownError:
        return None
    return found if isinstance(found, RoleRecord) else None


def epoch_of(post: Post, process_id: int) -> int | None:
    """Return the epoch in which this process has the seat, None where that is not certain."""
    found = incumbent(post)
    if not isinstance(found, Incumbent):
        return None
    with found.handle:
        return found.epoch if found.holder.process.process_id == process_id else None


def how_it_ended(post: Post, epoch: int) -> str:
    """Say how the holder of that epoch ended: one that stops in order writes that down, and a killed one cannot."""
    record = record_of(post)
    orderly = record is not None and not (record.running and record.epoch == epoch)
    return "stopped in order" if orderly else "did not stop in order: it was killed, or crashed on the way"


def _is_instance(name: str) -> bool:
    try:
        role_of(name)
    except KeysUnusableError:
        return False
    return True
