"""`bowline down`: everything ends in order, what does not is killed, and nothing is removed."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Final

from services.supervision.asking import Supervision, asked_patiently
from services.supervision.ending import end_supervisor
from services.supervision.mesh import Mesh
from services.supervision.seats import how_it_ended, incumbents
from shared.mesh.orphans import DEATH_TIMEOUT_NS, is_orphan
from shared.mesh.private_directory import PrivateDirectory, PrivateFileError
from shared.mesh.verb import OK, NotDoneError, Streams, root_argument, run_verb

_NS_PER_S: Final = 1_000_000_000
# An orphan that ends may give its seat to another that stood by.
ROUNDS_MAX: Final = 5


def main(argv: Sequence[str]) -> int:
    """Run the verb against this checkout."""
    return run(argv, environment=os.environ, streams=Streams(sys.stdout, sys.stderr))


def run(argv: Sequence[str], *, environment: Mapping[str, str], streams: Streams) -> int:
    """Run the verb with everything it touches handed in, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="bowline down",
        description="Stop every process in order, and supervisord; with no supervisord, the orphans it left. "
        "Exit codes: 0 nothing runs any more, 1 something does, 2 wrong usage.",
    )
    root_argument(parser)
    arguments = parser.parse_args(argv)
    return run_verb("down", streams, lambda: _down(Mesh.as_far_as_known(arguments.root, environment), streams))


def _down(mesh: Mesh, streams: Streams) -> int:
    supervision = asked_patiently(mesh)
    for doubt in (*mesh.doubts, supervision.trouble):
        if doubt:
            streams.complain(f"bowline down: {doubt}")
    supervisor_id = supervision.supervisor_id
    if supervisor_id is None and not mesh.configuration.seats_directory.exists():
        return _nothing_ran(mesh, streams)
    with ExitStack() as held:
        try:
            seats = held.enter_context(mesh.seats())
        except PrivateFileError as error:
            return _end_supervisor_alone(mesh, supervision, error, streams)
        if not _end_round(mesh, seats, supervision, streams) and supervisor_id is None:
            return _nothing_ran(mesh, streams)
        # Behind an orphan another of its time may have stood by, and have its seat now.
        for _ in range(ROUNDS_MAX):
            if not _end_round(mesh, seats, Supervision(None), streams):
                return OK
    raise NotDoneError("seats are taken again and again: somebody starts processes; `bowline status` names them")


def _nothing_ran(mesh: Mesh, streams: Streams) -> int:
    if mesh.doubts:
        run_directory, seats_directory = mesh.configuration.run_directory, mesh.configuration.seats_directory
        raise NotDoneError(
            f"nothing runs that is known in {run_directory} or {seats_directory}; if the settings above once said "
            "another place, mend them and ask again"
        )
    streams.say("nothing runs")
    return OK


def _end_supervisor_alone(mesh: Mesh, supervision: Supervision, error: PrivateFileError, streams: Streams) -> int:
    """End supervisord, which ends its children; whoever else may have a seat cannot be known."""
    if supervision.supervisor_id is not None:
        streams.say(end_supervisor(mesh, supervision))
    raise NotDoneError(f"whether an orphan still has a seat cannot be known: {error}, then `bowline down` again")


def _end_round(mesh: Mesh, seats: PrivateDirectory, supervision: Supervision, streams: Streams) -> int:
    """End supervisord with its children, and whoever else has a seat; say how each ended, and how many there were."""
    deadline_ns = mesh.clock.boot_ns() + int(mesh.programs.stop_wait_s_max * _NS_PER_S)
    with ExitStack() as held:
        holders = [(mesh.post(instance, seats), holder) for instance, holder in incumbents(mesh, seats).items()]
        for _, holder in holders:
            held.enter_context(holder.handle)
            if is_orphan(holder, supervisor_id=supervision.supervisor_id):
                holder.handle.terminate()
        last_words = end_supervisor(mesh, supervision) if supervision.supervisor_id is not None else ""
        for post, holder in holders:
            killed = not holder.handle.wait_for_death(timeout_ns=max(deadline_ns - mesh.clock.boot_ns(), 0))
            if killed:
                holder.handle.kill()
                holder.handle.wait_for_death(timeout_ns=DEATH_TIMEOUT_NS)
            streams.say(f"{post.role}: process {holder.holder.process.process_id} {how_it_ended(post, holder.epoch)}")
        if last_words:
            streams.say(*last_words.splitlines())
        return len(holders)
