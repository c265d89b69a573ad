"""`bowline crash <instance>`: kill -9, to see what the mesh survives."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from services.supervision.asking import asked
from services.supervision.mesh import Mesh
from shared.mesh.fencing import FenceRefused, Incumbent, incumbent
from shared.mesh.orphans import DEATH_TIMEOUT_NS
from shared.mesh.process_identity import ProcessHandle
from shared.mesh.program_file import FOREIGN
from shared.mesh.seat import Post
from shared.mesh.verb import FAILED, OK, NotDoneError, Streams, root_argument, run_verb

BACK_S: Final = 30.0
_NS_PER_S: Final = 1_000_000_000


def main(argv: Sequence[str]) -> int:
    """Run the verb against this checkout."""
    return run(argv, environment=os.environ, streams=Streams(sys.stdout, sys.stderr))


def run(argv: Sequence[str], *, environment: Mapping[str, str], streams: Streams) -> int:
    """Run the verb with everything it touches handed in, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="bowline crash",
        description="Kill the process that has the instance's seat, as kill -9 does, and wait for the next one. "
        "Exit codes: 0 killed and back, 1 not killed or not back, 2 wrong usage.",
    )
    parser.add_argument("instance", help="a role, or a role-name such as feed-2; `bowline status` lists them")
    root_argument(parser)
    arguments = parser.parse_args(argv)

    def verb() -> int:
        mesh = Mesh.of(arguments.root, environment)
        mesh.refuse_unknown([arguments.instance])
        if arguments.instance in FOREIGN:
            return _crash_foreign(mesh, arguments.instance, streams)
        with mesh.seats() as seats:
            return _crash(mesh, mesh.post(arguments.instance, seats), streams)

    return run_verb("crash", streams, verb)


def _crash(mesh: Mesh, post: Post, streams: Streams) -> int:
    supervision = asked(mesh)
    victim = incumbent(post)
    if victim is None:
        raise NotDoneError(f"nobody has the seat of {post.role}, so there is nobody to kill; see `bowline status`")
    if isinstance(victim, FenceRefused):
        raise NotDoneError(f"nobody was killed: {victim.words}")
    process_id = victim.holder.process.process_id
    with victim.handle as handle:
        handle.kill()
        if not handle.wait_for_death(timeout_ns=DEATH_TIMEOUT_NS):
            raise NotDoneError(f"{post.role}, process {process_id}, was killed and hangs in the kernel; ask again")
    died_ns = mesh.clock.boot_ns()
    streams.say(f"{post.role}: process {process_id}, epoch {victim.epoch}, was killed")
    if supervision.supervisor_id is None:
        raise NotDoneError("no supervisord runs, so nobody starts it again: `bowline up`")
    if not mesh.wait_until(lambda: _successor(post) is not None, within_s=BACK_S):
        streams.complain(f"bowline crash: {post.role} is not back after {BACK_S:g} s; see `bowline status`")
        return FAILED
    back_s = (mesh.clock.boot_ns() - died_ns) / _NS_PER_S
    streams.say(f"{post.role}: back after {back_s:.1f} s, {_successor(post) or 'and gone again'}")
    return OK


def _crash_foreign(mesh: Mesh, name: str, streams: Streams) -> int:
    """Kill a program that is no process of the mesh: supervisord alone knows which process that is."""
    process_id = _foreign_id(mesh, name)
    handle = ProcessHandle.on(process_id) if process_id is not None else None
    if process_id is None or handle is None:
        raise NotDoneError(f"{name} does not run, so there is nobody to kill; see `bowline status`")
    with handle:
        if _foreign_id(mesh, name) != process_id:
            raise NotDoneError(f"{name} was just started again by another hand, and nobody was killed; ask again")
        handle.kill()
        if not handle.wait_for_death(timeout_ns=DEATH_TIMEOUT_NS):
            raise NotDoneError(f"{name}, process {process_id}, was killed and hangs in the kernel; ask again")
    died_ns = mesh.clock.boot_ns()
    streams.say(f"{name}: process {process_id} was killed")
    if not mesh.wait_until(lambda: _foreign_id(mesh, name) not in {None, process_id}, within_s=BACK_S):
        streams.complain(f"bowline crash: {name} is not back after {BACK_S:g} s; see `bowline status`")
        return FAILED
    back_s = (mesh.clock.boot_ns() - died_ns) / _NS_PER_S
    streams.say(f"{name}: back after {back_s:.1f} s, process {_foreign_id(mesh, name) or 'gone again'}")
    return OK


def _foreign_id(mesh: Mesh, name: str) -> int | None:
    program = asked(mesh).programs.get(name)
    return program.process_id or None if program is not None else None


def _successor(post: Post) -> str | None:
    """Describe who has the seat now."""
    found = incumbent(post)
    if not isinstance(found, Incumbent):
        return None
    found.handle.close()
    return f"process {found.holder.process.process_id}, epoch {found.epoch}"
