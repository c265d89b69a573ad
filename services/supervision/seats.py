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


def _is_instance(name: str) -> bool:
    try:
        role_of(name)
    except KeysUnusableError:
        return False
    return True
