"""Gathers what is known about every process: supervisord's word, the seats' files, the heartbeats."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from proto.risk import Latch
from services.supervision.asking import Supervision, asked
from services.supervision.daemon import recorded_id
from services.supervision.heartbeats import beats_heard
from services.supervision.judgement import Beat, Evidence, Holder, Row, State, Word, rows_of
from services.supervision.mesh import Mesh
from services.supervision.seats import holder_of, incumbents, record_of
from services.supervision.starting import key_faults
from shared.mesh.bus.keys import KeysUnusableError
from shared.mesh.clock import boot_time
from shared.mesh.epoch import crash_loop
from shared.mesh.halt_file import HaltFile
from shared.mesh.past_lives import remembered
from shared.mesh.private_directory import PrivateDirectory, PrivateFileError
from shared.mesh.process_identity import command_line_of, started_boot_ns_of
from shared.mesh.program_file import FOREIGN
from shared.mesh.redis_place import why_it_rests
from shared.mesh.run_directory import SocketPathError
from shared.mesh.seat import Post


@dataclass(frozen=True, slots=True)
class Observation:
    """The table, the supervisord that lives, and what is to be said beside the table; then all is not well.

    Nor is it while the HALT file is there: `latch` is what it stands for.
    """

    rows: Sequence[Row]
    supervisor_id: int | None
    remarks: Sequence[str]
    latch: Latch | None = None

    @property
    def well(self) -> bool:
        """Tell whether nobody needs to look."""
        return not self.remarks and self.latch is None and all(row.well for row in self.rows)


def observed(mesh: Mesh) -> Observation:
    """Look at everything once; listening for heartbeats takes up to two seconds."""
    supervision = asked(mesh)
    doubts = list(mesh.doubts)
    try:
        rows = rows_of(_seen(mesh, supervision, doubts))
    except PrivateFileError as error:
        doubts.append(f"who has which seat cannot be known: {error}")
        rows = rows_of(_unseen(mesh, supervision, seats_readable=False))
    if supervision.trouble:
        doubts.append(supervision.trouble)
    elif supervision.supervisor_id is None:
        doubts.append(_absence(mesh, rows))
    # What is down gets from `bowline up` the keys that it lacks.
    doubts += key_faults(mesh, [row.instance for row in rows if row.state is not State.STOPPED])
    halt = HaltFile(mesh.configuration.halt_directory)
    if why := halt.why_it_stays():
        doubts.append(f"{halt.path} {why}")
    return Observation(rows, supervision.supervisor_id, doubts, halt.latch())


def rows_of_instance(mesh: Mesh, instance: str) -> list[Row]:
    """Return the rows of one instance."""
    return [row for row in observed(mesh).rows if row.instance == instance]


def _seen(mesh: Mesh, supervision: Supervision, doubts: list[str]) -> list[Evidence]:
    """Look at the seats and listen for heartbeats; if nobody can listen, that is a doubt more."""
    if not mesh.configuration.seats_directory.exists():  # nothing ever ran here, and a look makes no directory
        return _unseen(mesh, supervision, seats_readable=True)
    with mesh.seats() as seats:
        instances = _instances(mesh, supervision, seats)
        holders = {instance: holder_of(mesh.post(instance, seats), supervision.supervisor_id) for instance in instances}
        beats: Mapping[str, Beat] = {}
        try:
            beats = beats_heard(mesh, [name for name, holder in holders.items() if isinstance(holder, Holder)])
        except (KeysUnusableError, PrivateFileError, SocketPathError) as error:
            doubts.append(f"no heartbeat can be heard: {error}")
        return [
            _evidence(mesh, mesh.post(name, seats), supervision, holders[name], beats.get(name)) for name in instances
        ]


def _unseen(mesh: Mesh, supervision: Supervision, *, seats_readable: bool) -> list[Evidence]:
    """Return what is known without a look at the seats: what supervisord says."""
    return [
        Evidence(
            name,
            _word(name, supervision),
            None,
            None,
            None,
            None,
            crash_loop=False,
            seat_readable=seats_readable,
            foreign=name in FOREIGN,
        )
        for name in sorted({*mesh.programs.stop_wait_s, *supervision.programs})
    ]


def _absence(mesh: Mesh, rows: Sequence[Row]) -> str:
    """Say that no supervisord runs, what became of it, and what lives without it."""
    last_id = recorded_id(mesh.configuration.run_directory)
    died = "" if last_id is None else f": process {last_id} was killed, or crashed"
    living = ", ".join(row.instance for row in rows if row.process_id is not None)
    if not living:
        return f"supervisord does not run{died}. `bowline up` starts it, and the whole mesh."
    return (
        f"supervisord does not run{died}. Nobody starts again what dies of these, which still run: {living}. "
        "`bowline up` starts it, and replaces them one by one."
    )


def _instances(mesh: Mesh, supervision: Supervision, seats: PrivateDirectory) -> list[str]:
    """Name every instance that should run, or has a seat."""
    seated = incumbents(mesh, seats)
    for holder in seated.values():
        holder.handle.close()
    return sorted({*mesh.programs.stop_wait_s, *supervision.programs, *seated})


def _word(instance: str, supervision: Supervision) -> Word | None:
    program = supervision.programs.get(instance)
    if program is None:
        return None
    return Word(program.state, program.process_id, max(program.now - program.start, 0), program.spawn_error)


def _begun_boot_ns(supervision: Supervision) -> int:
    """Return since when deaths count: what died under an earlier supervisord says nothing of those brought up since."""
    process_id = supervision.supervisor_id
    return (started_boot_ns_of(process_id) if process_id is not None else None) or 0


def _evidence(
    mesh: Mesh, post: Post, supervision: Supervision, holder: Holder | str | None, beat: Beat | None
) -> Evidence:
    record, past = record_of(post), remembered(mesh.configuration.past_lives_directory, post.role)
    now, begun_ns = boot_time(post.clock), _begun_boot_ns(supervision)
    # Who died before it had its seat is known to the overseer only.
    witnesses = (record.deaths if record else (), past.deaths)
    recent = [[death for death in deaths if death.boot_ns >= begun_ns] for deaths in witnesses]
    loops = any(crash_loop(deaths, now=now) for deaths in recent)
    word = _word(post.role, supervision)
    if holder is None and supervision.supervisor_id is not None and supervision.trouble:
        word = Word("UNKNOWN", 0, 0)
    return Evidence(
        post.role,
        word,
        holder,
        beat,
        record.starts if record else None,
        record.epoch if record else None,
        crash_loop=loops,
        looped_before=not loops and any(crash_loop(deaths, now=now) for deaths in witnesses),
        foreign=post.role in FOREIGN,
        rests=why_it_rests(command_line_of(word.process_id)) if word is not None and post.role in FOREIGN else "",
    )
