"""What a mesh was started with: the `BOWLINE_` variables that its processes were handed, as those of a demonstration.

Whoever looks at what a mesh did asks by its settings and not by those of his own shell. While supervisord runs, its
environment says which those are; of a mesh that was brought down, a file beside its pid file.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from shared.mesh.private_directory import PrivateDirectory, PrivateFileError
from shared.mesh.process_identity import environment_of
from shared.mesh.settings.layers import ENVIRONMENT_PREFIX
from shared.mesh.supervisor import SOCKET_NAME, Supervisor, SupervisorError

FILE_NAME: Final = "started_with.json"
_BYTES_MAX: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class StartedWith:
    """The variables of a mesh that runs, or that ran last."""

    variables: Mapping[str, str]
    runs: bool

    def within(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return an environment with these variables in the place of its own."""
        return {name: value for name, value in environment.items() if not _is_ours(name)} | dict(self.variables)


def keep(run_directory: Path, environment: Mapping[str, str]) -> None:
    """Write down what a mesh is started with. It starts all the same where there is no room, or a value is no text."""
    with suppress(PrivateFileError, UnicodeEncodeError), PrivateDirectory(run_directory) as directory:
        directory.replace_file(FILE_NAME, msgspec.json.encode(_ours(environment)))


def started_with(run_directory: Path) -> StartedWith | None:
    """Return what the mesh of this directory was started with; None where none ever was, or nobody can say."""
    with suppress(SupervisorError), Supervisor(run_directory / SOCKET_NAME) as supervisor:
        if environment := environment_of(supervisor.process_id()):
            return StartedWith(_ours(environment), runs=True)
    if not run_directory.exists():  # a look makes no directory
        return None
    try:
        with PrivateDirectory(run_directory) as directory:
            content = directory.read_file(FILE_NAME, bytes_max=_BYTES_MAX)
        return None if content is None else StartedWith(msgspec.json.decode(content, type=dict[str, str]), runs=False)
    except (PrivateFileError, msgspec.DecodeError):
        return None


def _ours(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if _is_ours(name)}


def _is_ours(name: str) -> bool:
    return name.startswith(ENVIRONMENT_PREFIX)
