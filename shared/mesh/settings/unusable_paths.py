"""Looks whether the directories of the mesh can be such; called by `bowline config check`, and makes nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from shared.mesh.run_directory import length_fault
from shared.mesh.settings.loader import Configuration
from shared.mesh.settings.problems import Problem
from shared.mesh.supervisor import LONGEST_SOCKET_NAME

_RUN_DIRECTORY: Final = "paths.run_directory"


def unusable_paths(configuration: Configuration) -> list[Problem]:
    """Return a problem for each directory that is there, or has something on the way to it, and is no directory.

    A directory that is not there yet is none: it is made when the mesh starts. The run directory must also be short
    enough for the sockets.
    """
    return [
        *_problems(configuration, "paths.var_directory", configuration.var_directory),
        *_problems(configuration, _RUN_DIRECTORY, configuration.run_directory),
        *_length_problems(configuration),
    ]


def _length_problems(configuration: Configuration) -> Iterator[Problem]:
    socket = configuration.run_directory.absolute() / LONGEST_SOCKET_NAME
    if fault := length_fault(socket):
        yield Problem(configuration.origins[_RUN_DIRECTORY], _RUN_DIRECTORY, f"the path of a socket in it {fault}")


def _problems(configuration: Configuration, key: str, directory: Path) -> Iterator[Problem]:
    for path in (directory, *directory.parents):
        try:
            if path.is_dir():
                return
            if path.exists() or path.is_symlink():
                what = "is not a directory" if path == directory else "lies below something that is not a directory"
                yield Problem(configuration.origins[key], key, f"{what}: name one, such as var")
                return
        except PermissionError:
            yield Problem(configuration.origins[key], key, "cannot be entered: name a directory of yours")
            return
