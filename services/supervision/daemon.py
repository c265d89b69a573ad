"""The supervisord that lives, whether it answers or not, and whose it is: found by its pid file, and as a parent.

Its socket alone does not tell: the file may be gone, whoever made it stopped, and in a run directory that two projects
share it is another's.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from shared.mesh.process_identity import command_line_of, is_stopped, parent_of, working_directory_of
from shared.mesh.program_file import FILE_NAME
from shared.mesh.supervisor import PID_FILE_NAME
from shared.mesh.verb import NotDoneError

# As its own script, and as `python -m`.
_NAMES: Final = frozenset({"supervisord", "supervisor.supervisord"})
_PID_BYTES_MAX: Final = 16
_FIRST_PROCESS: Final = 1


class AnotherProjectError(NotDoneError):
    """The supervisord at hand belongs to another project; the text says to which, and what to do."""


@dataclass(frozen=True, slots=True)
class Daemon:
    """A living supervisord: where it works, which is its project, and the file it was started with."""

    process_id: int
    directory: Path
    file: Path | None
    stopped: bool

    def is_of(self, root: Path) -> bool:
        """Tell whether it runs the processes of the project at `root`."""
        return self.directory == root.resolve() or self.file == (root / FILE_NAME).resolve()


def daemon_at(process_id: int) -> Daemon | None:
    """Return the supervisord that has this number, None when it is another's or nobody's."""
    words = command_line_of(process_id)
    if not any(Path(word).name in _NAMES for word in words):
        return None
    directory = working_directory_of(process_id)
    if directory is None:
        return None
    named = [file for option, file in pairwise(words) if option in {"-c", "--configuration"}]
    file = (directory / named[0]).resolve() if named else None
    return Daemon(process_id, directory, file, is_stopped(process_id))


def recorded_id(run_directory: Path) -> int | None:
    """Return the number in the pid file, which supervisord removes when it ends in order."""
    try:
        with (run_directory / PID_FILE_NAME).open("rb") as file:
            text = file.read(_PID_BYTES_MAX).strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def living_daemon(root: Path, run_directory: Path, children: Iterable[int]) -> Daemon | None:
    """Return the supervisord of this project: the one of the pid file, or the parent of one of these processes.

    Raises `AnotherProjectError` when it is another project's.
    """
    for daemon in _candidates(run_directory, children):
        refuse_another_project(daemon, root, run_directory)
        return daemon
    return None


def refuse_another_project(daemon: Daemon, root: Path, run_directory: Path) -> None:
    """Raise when a supervisord is not of this project."""
    if not daemon.is_of(root):
        started = f", started with {daemon.file}," if daemon.file else ""
        raise AnotherProjectError(
            f"nothing was touched: supervisord, process {daemon.process_id}{started} belongs to the project in "
            f"{daemon.directory}, and this one is {root}, with the same {run_directory}: give one of them another "
            "paths.run_directory and paths.var_directory, or call `bowline` over there"
        )


def _candidates(run_directory: Path, children: Iterable[int]) -> Iterator[Daemon]:
    recorded = recorded_id(run_directory)
    daemon = daemon_at(recorded) if recorded is not None else None
    if daemon is not None:
        yield daemon
    for child in children:
        parent = parent_of(child)
        # Every orphan is a child of the first process, which in a container may be a supervisord of whatever.
        daemon = daemon_at(parent) if parent is not None and parent != _FIRST_PROCESS else None
        if daemon is not None:
            yield daemon
