"""`bowline restart <instance…>`: an orderly stop and a start, one instance after the other."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from services.supervision.asking import STOP_MARGIN_S, asked
from services.supervision.judgement import Row, State
from services.supervision.mesh import Mesh
from services.supervision.observation import rows_of_instance
from services.supervision.seats import epoch_of, how_it_ended, record_of
from services.supervision.starting import refuse_what_cannot_start
from shared.mesh.program_file import FOREIGN
from shared.mesh.supervisor import Supervisor
from shared.mesh.verb import FAILED, OK, NotDoneError, Streams, root_argument, run_verb

BACK_S: Final = 30.0
_ENDED: Final = frozenset({"STOPPED", "EXITED", "FATAL"})


def main(argv: Sequence[str]) -> int:
    """Run the verb against this checkout."""
    return run(argv, environment=os.environ, streams=Streams(sys.stdout, sys.stderr))


def run(argv: Sequence[str], *, environment: Mapping[str, str], streams: Streams) -> int:
    """Run the verb with everything it touches handed in, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="bowline restart",
        description="Look if instances can start, stop them in order, start them again, each when the one before runs. "
        "Exit codes: 0 all run again, 1 one does not, 2 wrong usage.",
    )
    parser.add_argument("instances", nargs="+", metavar="instance", help="`bowline status` lists them")
    root_argument(parser)
    arguments = parser.parse_args(argv)

    def verb() -> int:
        mesh = Mesh.of(arguments.root, environment)
        mesh.refuse_unknown(arguments.instances)
        supervision = asked(mesh)
        if supervision.trouble:
            raise NotDoneError(f"nothing was restarted, for {supervision.trouble}")
        if supervision.supervisor_id is None:
            raise NotDoneError("supervisord does not run: `bowline up` starts it, and everything else")
        refuse_what_cannot_start(mesh, arguments.instances)
        with mesh.supervisor() as supervisor:
            for instance in dict.fromkeys(arguments.instances):
                if not _restart(mesh, supervisor, instance, streams):
                    return FAILED
        return OK

    return run_verb("restart", streams, verb)


def _restart(mesh: Mesh, supervisor: Supervisor, instance: str, streams: Streams) -> bool:
    if _state(supervisor, instance) not in _ENDED:
        streams.say(f"{instance}: {_stopped(mesh, supervisor, instance)}")
    supervisor.start(instance)
    rows: Sequence[Row] = ()

    def settled() -> bool:
        nonlocal rows
        rows = rows_of_instance(mesh, instance)
        return all(row.well or row.stays for row in rows)

    mesh.wait_until(settled, within_s=BACK_S)
    if all(row.well for row in rows):
        epoch = "" if rows[0].epoch is None else f", epoch {rows[0].epoch}"
        how = "is off" if rows[0].state is State.OFF else "runs"
        streams.say(f"{instance}: {how}, process {rows[0].process_id}{epoch}")
        return True
    for row in rows:
        streams.errors.write(f"bowline restart: {instance} is {row.state} {row.remark}".rstrip() + "\n")
    streams.complain(f"bowline restart: `bowline logs {instance}` may say why; `bowline up` mends what it can")
    return False


def _stopped(mesh: Mesh, supervisor: Supervisor, instance: str) -> str:
    """Stop the instance, and say how it ended, which is known of a process that had its seat."""
    if instance in FOREIGN:
        _stop(mesh, supervisor, instance)
        return "stopped"
    with mesh.seats() as seats:
        post = mesh.post(instance, seats)
        process_id = next((program.process_id for program in supervisor.programs() if program.name == instance), 0)
        epoch = epoch_of(post, process_id)
        record_of(post)  # a file that cannot be read is refused while the process that it is about still runs
        _stop(mesh, supervisor, instance)
        return "stopped" if epoch is None else how_it_ended(post, epoch)


def _stop(mesh: Mesh, supervisor: Supervisor, instance: str) -> None:
    supervisor.stop(instance)
    within_s = mesh.programs.stop_wait_s[instance] + STOP_MARGIN_S
    if not mesh.wait_until(lambda: _state(supervisor, instance) in _ENDED, within_s=within_s):
        state = _state(supervisor, instance)
        raise NotDoneError(f"{instance} does not stop, not even killed; supervisord says {state}")


def _state(supervisor: Supervisor, instance: str) -> str:
    return next((program.state for program in supervisor.programs() if program.name == instance), "unknown")
