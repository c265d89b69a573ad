"""Ends supervisord with all its children: as it should be asked, and as it must be when it does not answer."""

from contextlib import suppress
from typing import Final

from services.supervision.asking import STOP_MARGIN_S, Supervision
from services.supervision.daemon import daemon_at
from services.supervision.mesh import Mesh
from shared.mesh.orphans import DEATH_TIMEOUT_NS
from shared.mesh.process_identity import ProcessHandle
from shared.mesh.supervisor import SupervisorError
from shared.mesh.verb import NotDoneError

_NS_PER_S: Final = 1_000_000_000
_ENDED: Final = frozenset({"STOPPED", "EXITED", "FATAL"})


def end_supervisor(mesh: Mesh, supervision: Supervision) -> str:
    """End supervisord and its children, and return how it ended; those that outlive it are orphans."""
    process_id = supervision.supervisor_id
    assert process_id is not None, "nobody ends whom nobody found"
    name = f"supervisord: process {process_id}"
    handle = ProcessHandle.on(process_id)
    ended = f"supervisord: process {process_id} ended"
    if handle is None:
        return ended
    with handle:
        daemon = daemon_at(process_id)  # looked at with the handle in hand, so that it is this one that is ended
        if _is_dead(handle, 0):
            return ended
        if daemon is None or not daemon.is_of(mesh.root):
            raise NotDoneError(f"process {process_id} is no supervisord of {mesh.root}, so it was not touched")
        if not supervision.trouble and _ended_when_asked(mesh, handle):
            return ended
        handle.terminate()
        handle.resume()
        # By itself it stops one program after the other.
        patience_s = sum(mesh.programs.stop_wait_s.values()) + mesh.programs.stop_wait_s_max + STOP_MARGIN_S
        if _is_dead(handle, patience_s):
            return f"{name} could not be asked, was sent SIGTERM, and ended"
        handle.kill()
        if not handle.wait_for_death(timeout_ns=DEATH_TIMEOUT_NS):
            raise NotDoneError(f"supervisord, process {process_id}, was killed and hangs in the kernel; ask again")
        return f"{name} did not end and was killed; {mesh.log('supervisord')} may say why"


def _ended_when_asked(mesh: Mesh, handle: ProcessHandle) -> bool:
    """Stop all programs at once, since supervisord by itself stops one after the other; then end it."""
    wait_s = mesh.programs.stop_wait_s_max + STOP_MARGIN_S
    try:
        with mesh.supervisor() as supervisor:
            for program in supervisor.programs():
                with suppress(SupervisorError):  # it does not run, and supervisord calls that an error
                    supervisor.stop(program.name)
            mesh.wait_until(lambda: all(program.state in _ENDED for program in supervisor.programs()), within_s=wait_s)
            supervisor.shutdown()
    except SupervisorError:  # it went away, or fell silent
        return False
    return _is_dead(handle, wait_s)


def _is_dead(handle: ProcessHandle, within_s: float) -> bool:
    return handle.wait_for_death(timeout_ns=int(within_s * _NS_PER_S))
