"""`bowline down`: everything ends in order, what does not is killed, and nothing is removed."""

import argparse
import os
import select
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import Final

from services.supervision.mesh import OK, Mesh, NotDoneError, Streams, root_argument, run_verb
from services.supervision.observation import STOP_MARGIN_S, asked_patiently, incumbents, record_of
from shared.mesh.fencing import Incumbent
from shared.mesh.orphans import DEATH_TIMEOUT_NS, is_orphan
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.seat import Post
from shared.mesh.supervisor import SupervisorError

_NS_PER_S: Final = 1_000_000_000
_MS_PER_S: Final = 1_000
# An orphan that ends may give its seat to another that stood by.
ROUNDS_MAX: Final = 5
_ENDED: Final = frozenset({"STOPPED", "EXITED", "FATAL"})


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
    return run_verb("down", streams, lambda: _down(Mesh(root=arguments.root, environment=environment), streams))


def _down(mesh: Mesh, streams: Streams) -> int:
    supervisor_id = asked_patiently(mesh).supervisor_id
    if supervisor_id is None and not mesh.configuration.seats_directory.exists():
        streams.say("nothing runs")
        return OK
    with mesh.seats() as seats:
        ended = _end_round(mesh, seats, supervisor_id, streams)
        if not ended and supervisor_id is None:
            streams.say("nothing runs")
            return OK
        # Behind an orphan another of its time may have stood by, and have its seat now.
        for _ in range(ROUNDS_MAX):
            if not _end_round(mesh, seats, None, streams):
                return OK
    raise NotDoneError("seats are taken again and again: somebody starts processes; `bowline status` names them")


def _end_round(mesh: Mesh, seats: PrivateDirectory, supervisor_id: int | None, streams: Streams) -> int:
    """End supervisord with its children, and whoever else has a seat; say how each ended, and how many there were."""
    wait_s = mesh.programs.stop_wait_s_max
    deadline_ns = mesh.clock.boot_ns() + int(wait_s * _NS_PER_S)
    with ExitStack() as held:
        holders = [(mesh.post(instance, seats), holder) for instance, holder in incumbents(mesh, seats).items()]
        for _, holder in holders:
            held.enter_context(holder.handle)
            if is_orphan(holder, supervisor_id=supervisor_id):
                holder.handle.terminate()
        if supervisor_id is not None:
            _end_supervisor(mesh, supervisor_id, wait_s)
        for post, holder in holders:
            killed = not holder.handle.wait_for_death(timeout_ns=max(deadline_ns - mesh.clock.boot_ns(), 0))
            if killed:
                holder.handle.kill()
                holder.handle.wait_for_death(timeout_ns=DEATH_TIMEOUT_NS)
            streams.say(_farewell(post, holder))
        if supervisor_id is not None:
            streams.say(f"supervisord: process {supervisor_id} ended")
        return len(holders)


def _end_supervisor(mesh: Mesh, supervisor_id: int, wait_s: float) -> None:
    """Stop all programs at once, since supervisord by itself stops one after the other; then end it."""
    handle = os.pidfd_open(supervisor_id)
    try:
        with mesh.supervisor() as supervisor:
            for program in supervisor.programs():
                with suppress(SupervisorError):  # it does not run, and supervisord calls that an error
                    supervisor.stop(program.name)
            mesh.wait_until(
                lambda: all(program.state in _ENDED for program in supervisor.programs()),
                within_s=wait_s + STOP_MARGIN_S,
            )
            supervisor.shutdown()
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        if not poll.poll((wait_s + STOP_MARGIN_S) * _MS_PER_S):
            raise NotDoneError(
                f"supervisord, process {supervisor_id}, does not end; {mesh.log('supervisord')} may say why"
            )
    finally:
        os.close(handle)


def _farewell(post: Post, holder: Incumbent) -> str:
    """Say how a process ended: one that stops in order writes that down, and a killed one cannot."""
    record = record_of(post)
    orderly = record is not None and not (record.running and record.epoch == holder.epoch)
    how = "stopped in order" if orderly else "did not stop in order: it was killed, or crashed on the way"
    return f"{post.role}: process {holder.holder.process.process_id} {how}"
