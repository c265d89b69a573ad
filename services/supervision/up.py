"""`bowline up`: the whole mesh runs, whatever ran before; and if not, why."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Final

from services.supervision.asking import Supervision, asked, asked_patiently
from services.supervision.judgement import Row, State
from services.supervision.last_words import LastWords, complaint_in
from services.supervision.mesh import Mesh
from services.supervision.observation import Observation, observed
from services.supervision.standing import way_out
from services.supervision.starting import prepare, refuse_what_cannot_start, start_supervisor
from services.supervision.status import show
from shared.mesh.orphans import Succession, patience_of, retire_orphans
from shared.mesh.program_file import FOREIGN
from shared.mesh.supervisor import SupervisorError
from shared.mesh.verb import NOT_WELL, OK, NotDoneError, Streams, root_argument, run_verb

WAIT_S: Final = 60.0
# How long who runs already may say that something stands in its way, such as an exchange that has just come up.
CALM_S: Final = 10.0
LOG_LINES: Final = 10
_DOWN: Final = frozenset({"STOPPED", "EXITED", "FATAL"})
# What a person can do about each; the table itself says what is the matter.
ADVICE: Final[Mapping[State, str]] = {
    State.FATAL: "ended each time within a second of its start, and supervisord has given up on it",
    State.BACKOFF: "ends within a second of its start; supervisord tries again",
    State.CRASH_LOOP: "died three times within a minute",
    State.IDLE: "runs and does nothing at all, as said beside it",
    State.SILENT: "does not move",
    State.NO_HEARTBEAT: "never says that it moves",
    State.STANDBY: "waits for its seat",
    State.ORPHAN: "belongs to a supervisord that is gone, and could not be retired",
    State.STARTING: "is not ready yet",
    State.STOPPED: "does not run; if the program is new in supervisord.conf, `bowline down` and `bowline up` again",
}


def main(argv: Sequence[str]) -> int:
    """Run the verb against this checkout."""
    return run(argv, environment=os.environ, streams=Streams(sys.stdout, sys.stderr))


def run(argv: Sequence[str], *, environment: Mapping[str, str], streams: Streams) -> int:
    """Run the verb with everything it touches handed in, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="bowline up",
        description="Start what does not run, retire orphans, and wait until all is well. "
        "Exit codes: 0 all well, 1 it could not be done, 2 wrong usage, 3 something is not well.",
    )
    root_argument(parser)
    arguments = parser.parse_args(argv)
    return run_verb("up", streams, lambda: _up(Mesh.of(arguments.root, environment), streams))


def _up(mesh: Mesh, streams: Streams) -> int:
    before = asked_patiently(mesh)
    if before.trouble:
        raise NotDoneError(f"nothing was started, for {before.trouble}")
    created = prepare(mesh)
    if created:
        streams.say(f"keys: created {', '.join(created)}")
    if created and before.supervisor_id is not None:
        streams.errors.write(
            "bowline up: what runs already knows older keys of these, or none, and hears nothing they say: "
            "`bowline down`, then `bowline up`\n"
        )
    refuse_what_cannot_start(mesh, mesh.programs.instances)
    with closing(LastWords(mesh, mesh.programs.stop_wait_s)) as words:
        _start(mesh, before, streams)
        observation = _settled(mesh)
        show(observation, streams)
        for row in observation.rows:
            if not row.well:
                _explain(mesh, row, words, streams)
        if observation.latch is not None:
            streams.complain("", *way_out(observation.latch).splitlines())
    return OK if observation.well else NOT_WELL


def _start(mesh: Mesh, before: Supervision, streams: Streams) -> None:
    """Start supervisord, or what it no longer starts by itself, and retire the orphans of an earlier one."""
    if before.supervisor_id is None:
        supervisor_id = start_supervisor(mesh)
        streams.say(f"supervisord: started, process {supervisor_id}")
    else:
        supervisor_id = before.supervisor_id
        streams.say(f"supervisord: runs already, process {supervisor_id}")
        _start_again(mesh, before, streams)
    _retire(mesh, supervisor_id, streams)


def _start_again(mesh: Mesh, before: Supervision, streams: Streams) -> None:
    """Start the programs that supervisord no longer starts by itself."""
    with mesh.supervisor() as supervisor:
        for name, program in before.programs.items():
            if program.state not in _DOWN:
                continue
            streams.say(f"{name}: was {program.state}, is started again")
            try:
                supervisor.start(name)
            except SupervisorError as error:
                streams.complain(f"{name}: {error}")


def _retire(mesh: Mesh, supervisor_id: int, streams: Streams) -> None:
    supervised = asked(mesh).programs
    with mesh.supervisor() as supervisor, mesh.seats() as seats:
        posts = [mesh.post(instance, seats) for instance in sorted({*mesh.programs.instances, *supervised} - FOREIGN)]
        succession = Succession(supervisor_id, supervisor.programs)
        for retired in retire_orphans(posts, succession=succession, patience=patience_of(supervisor)):
            streams.say(retired.words)


def _settled(mesh: Mesh) -> Observation:
    """Look until all is well, or waiting is no use, and then a little for worries to pass; the last look counts."""
    latest = observed(mesh)

    def settled() -> bool:
        nonlocal latest
        latest = observed(mesh)
        return all(row.well or row.stays for row in latest.rows)

    def wary() -> bool:
        return any(row.wary for row in latest.rows)

    if mesh.wait_until(settled, within_s=WAIT_S) and wary():
        mesh.wait_until(lambda: settled() and not wary(), within_s=CALM_S)
    return latest


def _explain(mesh: Mesh, row: Row, words: LastWords, streams: Streams) -> None:
    streams.complain("", f"{row.instance} is {row.state}: it {ADVICE.get(row.state, 'is not well')}.")
    lines = words.of(row.instance, LOG_LINES)
    if complaint := complaint_in(lines):
        streams.complain(f"It says: {complaint}")
    before = f"It has said nothing since; `bowline logs {row.instance}` shows what it said before.\n"
    streams.errors.write(f"The end of {mesh.log(row.instance)}:\n" if lines else before)
    streams.errors.writelines(f"    {line}\n" for line in lines)
