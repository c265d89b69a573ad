"""Looks whether the run directory can be one; called by `bowline config check`, and makes nothing."""

from shared.mesh.settings.loader import Configuration
from shared.mesh.settings.problems import Problem

_KEY = "paths.var_directory"


def unusable_paths(configuration: Configuration) -> list[Problem]:
    """Return a problem when the run directory, or something on the way to it, is there and is no directory.

    A directory that is not there yet is none: it is made when the mesh starts.
    """
    directory = configuration.var_directory
    for path in (directory, *directory.parents):
        try:
            if path.is_dir():
                return []
            if path.exists() or path.is_symlink():
                what = "is not a directory" if path == directory else "lies below something that is not a directory"
                return [Problem(configuration.origins[_KEY], _KEY, f"{what}: name one, such as var")]
        except PermissionError:
            return [Problem(configuration.origins[_KEY], _KEY, "cannot be entered: name a directory of yours")]
    return []
