"""What a process is wary of, as its heartbeats say it."""

from collections.abc import Sequence
from typing import Final

from shared.core.service import BeWary

NO_ROOM: Final = "the disk has no room for the journal"


class Worries:
    """What the start found, a journal without room, and what the core says."""

    def __init__(self, at_start: Sequence[str]) -> None:
        self._at_start: Final = tuple(at_start)
        self._of_core: tuple[str, ...] = ()
        self.has_room = True

    def take(self, effect: BeWary) -> None:
        """Let the core's last word count."""
        self._of_core = effect.troubles

    def now(self) -> Sequence[str]:
        """Return all of it, the gravest first."""
        return (*(() if self.has_room else (NO_ROOM,)), *self._at_start, *self._of_core)
