"""What the verbs that look at the mesh share: where they write, their exit codes, how they fail in one line."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from shared.core.texts import printable
from shared.mesh.bus.keys import KeysUnusableError
from shared.mesh.private_directory import PrivateFileError
from shared.mesh.run_directory import SocketPathError
from shared.mesh.settings import SettingsError
from shared.mesh.supervisor import SupervisorError

OK, FAILED, USAGE_ERROR, NOT_WELL = 0, 1, 2, 3
_CHECKOUT: Final = Path(__file__).parents[2]


class NotDoneError(Exception):
    """A verb cannot do what was asked; the text says what, where and what to do."""


# What a person can put right; each says how.
EXPECTED = (
    KeysUnusableError,
    NotDoneError,
    PermissionError,  # whoever asks is not who runs the mesh; the error names the file
    PrivateFileError,
    SettingsError,
    SocketPathError,
    SupervisorError,
)


@dataclass(frozen=True, slots=True)
class Streams:
    """Where a verb writes. What others gave as a reason may stand in it: it steers no terminal, and begins no line."""

    output: TextIO
    errors: TextIO

    def say(self, *lines: str) -> None:
        """Write lines at once: whoever waits wants to see them now, through a pipe too."""
        self.output.writelines(f"{printable(line)}\n" for line in lines)
        self.output.flush()

    def complain(self, *lines: str) -> None:
        """Write lines about what is not as it should be."""
        self.errors.writelines(f"{printable(line)}\n" for line in lines)


def root_argument(parser: argparse.ArgumentParser) -> None:
    """Add the project's root to a verb's arguments, for tests."""
    parser.add_argument("--root", type=Path, default=_CHECKOUT, help=argparse.SUPPRESS)


def run_verb(name: str, streams: Streams, verb: Callable[[], int]) -> int:
    """Run a verb, and say in one line what a person has to put right."""
    try:
        return verb()
    except EXPECTED as error:
        streams.complain(*f"bowline {name}: {error}".splitlines())
        return FAILED
    except KeyboardInterrupt:
        streams.complain(f"bowline {name}: interrupted; `bowline status` says how things are")
        return FAILED
