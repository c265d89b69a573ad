"""Gathers what is known about every process: supervisord's word, the seats' files, the heartbeats."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.supervision.heartbeats import ages_heard
from services.supervision.judgement import Beat, Evidence, Holder, Row, Word, rows_of
from services.supervision.mesh import Mesh
from shared.mesh.bus.keys import KeysUnusableError, role_of
from shared.mesh.clock import boot_time
from shared.mesh.epoch import EpochUnknownError, RoleRecord, crash_loop
from shared.mesh.fencing import FenceRefused, Incumbent, incumbent
from shared.mesh.orphans import is_orphan
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.seat import Post, known_record
from shared.mesh.supervisor import Program, SupervisorAbsentError, SupervisorStoppingError

STOP_MARGIN_S: Final = 5.0
_NS_PER_S: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Supervision:
    """What supervisord says, if one runs."""

    supervisor_id: int | None
    programs: Mapping[str, Program]


@dataclass(frozen=True, slots=True)
class Observation:
    """The table, and whether a supervisord is there to restart what dies."""

    rows: list[Row]
    supervisor_id: int | None

    @property
    def well(self) -> bool:
        """Tell whether nobody needs to look."""
        return self.supervisor_id is not None and all(row.well for row in self.rows)


def asked(mesh: Mesh) -> Supervision:
    """Ask supervisord; one that is not there is no error, one that does not answer is."""
    with mesh.supervisor() as supervisor:
        try:
            return Supervision(supervisor.process_id(), {program.name: program for program in supervisor.programs()})
        except SupervisorAbsentError:
            return Supervision(None, {})


def asked_patiently(mesh: Mesh) -> Supervision:
    """Ask supervisord; one that is just stopping, by another's hand, is given the time to do so."""
    mesh.wait_until(lambda: not _is_stopping(mesh), within_s=mesh.programs.stop_wait_s_max + STOP_MARGIN_S)
    return asked(mesh)


def _is_stopping(mesh: Mesh) -> bool:
    try:
        asked(mesh)
    except SupervisorStoppingError:
        return True
    return False


def observed(mesh: Mesh) -> Observation:
    """Look at everything once; listening for heartbeats takes up to two seconds."""
    supervision = asked(mesh)
    if not mesh.configuration.seats_directory.exists():  # nothing ever ran here, and a look makes no directory
        evidence = [
            _unseated(instance, supervision) for instance in sorted({*mesh.programs.stop_wait_s, *supervision.programs})
        ]
        return Observation(rows_of(evidence), supervision.supervisor_id)
    with mesh.seats() as seats:
        instances = _instances(mesh, supervision, seats)
        seated = {instance: holder_of(mesh.post(instance, seats), supervision.supervisor_id) for instance in instances}
        ages = ages_heard(mesh, [instance for instance, holder in seated.items() if isinstance(holder, Holder)])
        evidence = [
            _evidence(mesh.post(instance, seats), supervision, seated[instance], ages) for instance in instances
        ]
    return Observation(rows_of(evidence), supervision.supervisor_id)


def rows_of_instance(mesh: Mesh, instance: str) -> list[Row]:
    """Return the rows of one instance."""
    return [row for row in observed(mesh).rows if row.instance == instance]


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


def _instances(mesh: Mesh, supervision: Supervision, seats: PrivateDirectory) -> list[str]:
    """Name every instance that should run, or has a seat."""
    seated = incumbents(mesh, seats)
    for holder in seated.values():
        holder.handle.close()
    return sorted({*mesh.programs.stop_wait_s, *supervision.programs, *seated})


def _is_instance(name: str) -> bool:
    try:
        role_of(name)
    except KeysUnusableError:
        return False
    return True


def record_of(post: Post) -> RoleRecord | None:
    """Return what the epoch file says, None where it says nothing that can be used."""
    try:
        found = known_record(post)
    except EpochUnknownError:
        return None
    return found if isinstance(found, RoleRecord) else None


def _word(instance: str, supervision: Supervision) -> Word | None:
    program = supervision.programs.get(instance)
    if program is None:
        return None
    return Word(program.state, program.process_id, max(program.now - program.start, 0), program.spawn_error)


def _unseated(instance: str, supervision: Supervision) -> Evidence:
    return Evidence(instance, _word(instance, supervision), None, None, None, None, crash_loop=False)


def _evidence(
    post: Post, supervision: Supervision, holder: Holder | str | None, ages: Mapping[str, float | None]
) -> Evidence:
    record = record_of(post)
    return Evidence(
        post.role,
        _word(post.role, supervision),
        holder,
        Beat(ages[post.role]) if post.role in ages else None,
        max(record.starts - 1, 0) if record else None,
        record.epoch if record else None,
        crash_loop=record is not None and crash_loop(record, now=boot_time(post.clock)),
    )
