"""Looks whether the directories of the mesh can be such; called by `bowline config check`, and makes nothing."""

from collections.abc import Iterator
from pathlib import Path

from shared.mesh.settings.loader import Configuration
from shared.mesh.settings.problems import Problem


def unusable_paths(configuration: Configuration) -> list[Problem]:
    """Return a problem for each directory that is there, or has something on the way to it, and is no directory.

    A directory that is not there yet is none: it is made when the mesh starts.
    """
    return [
        *_problems(configuration, "paths.var_directory", configuration.var_directory),
        *_problems(configuration, "paths.run_directory", configuration.run_directory),
    ]


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
