"""The hands that all services of the chaos tests have: they prove that nobody else has the seat, and write testimony.

A line that was cut by the process's death was never said, and is removed by the next one.
"""

import fcntl
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.core.service import FromOutside, Outward
from tests.chaos.testimony import Line, Said, line_of, lines_in

FOLDER: Final = "witness"


@dataclass(frozen=True, slots=True)
class WitnessReady(FromOutside):
    """Testimony can be given. `sole`: nobody else holds the witness's own lock. `past` is what was said before."""

    process_id: int
    sole: bool
    past: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Testify(Outward):
    """Write this down before anything that follows is done."""

    epoch: int
    said: tuple[Said, ...]


class Witness:
    """One file of lines for one instance; `remembers` tells whether a new process wants to hear what was said."""

    def __init__(self, root: Path, instance: str, *, remembers: bool) -> None:
        self._folder: Final = root / FOLDER
        self._instance: Final = instance
        self._remembers: Final = remembers
        self._descriptors: Final[list[int]] = []

    def open(self, bring: Callable[[FromOutside], None]) -> None:
        """Take the lock, mend the file, and say how things are."""
        self._folder.mkdir(exist_ok=True)
        lock = os.open(self._folder / f"{self._instance}.sole", os.O_WRONLY | os.O_CREAT, 0o600)
        path = self._folder / f"{self._instance}.lines"
        lines = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._descriptors.extend((lines, lock))
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            sole = True
        except BlockingIOError:
            sole = False
        past: list[Line] = []
        if sole:
            os.ftruncate(lines, _whole_bytes(path))
            past = lines_in(path.read_bytes()) if self._remembers else []
        bring(WitnessReady(os.getpid(), sole, tuple(past)))

    def perform(self, effect: Outward) -> None:
        """Write lines."""
        assert isinstance(effect, Testify), "the cores of the chaos tests want nothing else"
        content = b"".join(line_of(Line(effect.epoch, said)) for said in effect.said)
        assert os.write(self._descriptors[0], content) == len(content), "testimony needs a disk with room"

    def close(self) -> None:
        """Let go of the lock, before the seat is given back."""
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors.clear()


def _whole_bytes(path: Path) -> int:
    """Return how long the file is up to its last whole line."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 65_536))
        tail = file.read()
    return size - (len(tail) - tail.rfind(b"\n") - 1)
