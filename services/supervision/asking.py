"""What supervisord says when it is asked; and if nobody can ask it, why, and whether one lives all the same."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from services.supervision.daemon import Daemon, daemon_at, living_daemon, refuse_another_project
from services.supervision.mesh import Mesh
from services.supervision.seats import incumbents
from shared.mesh.private_directory import PrivateFileError
from shared.mesh.supervisor import (
    TIMEOUT_S,
    Program,
    SupervisorAbsentError,
    SupervisorError,
    SupervisorMuteError,
    SupervisorStoppingError,
    SupervisorStrangerError,
)

STOP_MARGIN_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Supervision:
    """The number of the supervisord that lives, and what it says; `trouble` is why nobody can speak to it."""

    supervisor_id: int | None
    programs: Mapping[str, Program] = field(default_factory=dict)
    trouble: str = ""


def asked(mesh: Mesh) -> Supervision:
    """Ask supervisord; one that is not there, or does not answer, is no error. Another project's is."""
    try:
        with mesh.supervisor() as supervisor:
            supervisor_id, programs = supervisor.process_id(), supervisor.programs()
    except (SupervisorAbsentError, SupervisorMuteError, SupervisorStrangerError) as error:
        return _unanswered(mesh, error)
    daemon = daemon_at(supervisor_id)
    if daemon is not None:
        refuse_another_project(daemon, mesh.root, mesh.configuration.run_directory)
    return Supervision(supervisor_id, {program.name: program for program in programs})


def asked_patiently(mesh: Mesh) -> Supervision:
    """Ask supervisord; one that is just stopping, by another's hand, is given the time to do so, and no more."""
    answers: list[Supervision] = []

    def has_answered() -> bool:
        with suppress(SupervisorStoppingError):
            answers.append(asked(mesh))
        return bool(answers)

    mesh.wait_until(has_answered, within_s=mesh.programs.stop_wait_s_max + STOP_MARGIN_S)
    try:
        return answers[0] if answers else asked(mesh)
    except SupervisorStoppingError as error:
        return _unanswered(mesh, error)


def _unanswered(mesh: Mesh, error: SupervisorError) -> Supervision:
    daemon = living_daemon(mesh.root, mesh.configuration.run_directory, _seated_ids(mesh))
    if daemon is not None:
        return Supervision(daemon.process_id, trouble=_trouble(mesh, daemon, error))
    if isinstance(error, SupervisorAbsentError):
        return Supervision(None)
    return Supervision(
        None,
        trouble=f"a program that is no supervisord of ours listens at {mesh.supervisor_socket}: `ss -xlp` names it; "
        "end it, then `bowline up`",
    )


def _trouble(mesh: Mesh, daemon: Daemon, error: SupervisorError) -> str:
    name = f"supervisord, process {daemon.process_id},"
    if daemon.stopped:
        return (
            f"{name} is stopped, as by SIGSTOP, and starts nothing again: "
            f"`kill -CONT {daemon.process_id}` lets it go on, `bowline down` ends it and everything else"
        )
    anew = "`bowline down` ends it and everything else, then `bowline up`"
    if isinstance(error, SupervisorStoppingError):
        return f"{name} is stopping and does not come to an end: `bowline down` kills it, and ends everything else"
    if isinstance(error, SupervisorMuteError):
        return f"{name} has not answered for {TIMEOUT_S:g} s, so it hangs: {anew}"
    return f"{name} lives, but nobody can speak to it, for its socket {mesh.supervisor_socket} is gone: {anew}"


def _seated_ids(mesh: Mesh) -> list[int]:
    """Return who has a seat; where that cannot be known, supervisord is not to be found by its children."""
    if not mesh.configuration.seats_directory.exists():
        return []
    try:
        with mesh.seats() as seats:
            holders = list(incumbents(mesh, seats).values())
    except PrivateFileError:
        return []
    for holder in holders:
        holder.handle.close()
    return [holder.holder.process.process_id for holder in holders]
