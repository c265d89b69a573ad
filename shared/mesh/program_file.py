"""The file supervisord runs: which programs there are, and how it follows the configured directories."""

import configparser
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.mesh.bus.keys import KeysUnusableError, role_of
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.settings import Configuration
from shared.mesh.verb import NotDoneError

FILE_NAME: Final = "supervisord.conf"
# Programs that are no processes of the mesh: they have no key, no seat and no heartbeat, and supervisord's word counts.
FOREIGN: Final = frozenset({"redis"})
_PROGRAMS: Final = ("program:", "eventlistener:")
_HERE: Final = "%(here)s"
_STOP_WAIT_S: Final = "10"  # supervisord's own default


class ProgramFileError(NotDoneError):
    """The file cannot be used; the text says which, why and what to do."""


@dataclass(frozen=True, slots=True)
class ProgramFile:
    """The file in the project root, and how long each of its programs may take to stop."""

    path: Path
    text: str
    stop_wait_s: Mapping[str, float]

    @property
    def instances(self) -> list[str]:
        """Return the programs that are processes of the mesh."""
        return [name for name in self.stop_wait_s if name not in FOREIGN]

    @property
    def stop_wait_s_max(self) -> float:
        """Return how long it takes at most until all have stopped, if they do so at once."""
        return max(self.stop_wait_s.values(), default=float(_STOP_WAIT_S))


def read_program_file(root: Path) -> ProgramFile:
    """Return the file of the project, or say why it is none."""
    path = root / FILE_NAME
    # As supervisord reads it: the last of two settings wins, a comment begins with a blank and a semicolon.
    parser = configparser.RawConfigParser(inline_comment_prefixes=(" ;", "\t;"), strict=False)
    try:
        text = path.read_text(encoding="utf-8")
        parser.read_string(text)
        programs = {
            section.partition(":")[2]: parser.getfloat(section, "stopwaitsecs", fallback=float(_STOP_WAIT_S))
            for section in parser.sections()
            if section.startswith(_PROGRAMS)
        }
        for name in programs.keys() - FOREIGN:
            role_of(name)
    except OSError as error:
        raise ProgramFileError(f"{path} cannot be read ({error.strerror}): take it from the repository") from error
    except (configparser.Error, ValueError, KeysUnusableError) as error:
        raise ProgramFileError(f"{path} cannot be used: {' '.join(str(error).split())}") from error
    if not programs:
        raise ProgramFileError(f"{path} names no program: take it from the repository")
    return ProgramFile(path, text, dict(sorted(programs.items())))


def unreadable_program_file(root: Path) -> ProgramFile:
    """Return what stands for a file that cannot be used: it names no program."""
    return ProgramFile(root / FILE_NAME, "", {})


def file_to_run(file: ProgramFile, configuration: Configuration, run_directory: PrivateDirectory) -> Path:
    """Return what supervisord is started with: the file itself, or a copy where the directories are elsewhere."""
    root = file.path.parent
    places = (root, configuration.var_directory, configuration.run_directory)
    for place in places:
        if "%" in str(place):
            raise ProgramFileError(f"{place} has a '%' in it, which supervisord cannot have in a path: use another")
    if places == (root, root / "var", root / "var/run"):
        return file.path
    run_directory.replace_file(FILE_NAME, rendered(file.text, configuration, root).encode())
    return run_directory.path / FILE_NAME


def rendered(text: str, configuration: Configuration, root: Path) -> str:
    """Return the text of the file with the configured directories in the place of those that are the default."""
    for default, configured in (
        (f"{_HERE}/var/run", configuration.run_directory),
        (f"{_HERE}/var", configuration.var_directory),
        (_HERE, root),
    ):
        text = text.replace(default, str(configured.absolute()))
    return text
