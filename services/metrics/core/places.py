"""A bound on how many there may be of something: who comes too late is counted, and nothing else."""

from collections.abc import Hashable
from typing import Final, Generic, TypeVar

LATE_MAX: Final = 1_000

Key = TypeVar("Key", bound=Hashable)


class Places(Generic[Key]):
    """At most so many places; a place that is given back may be taken by another."""

    def __init__(self, places_max: int) -> None:
        self._places_max: Final = places_max
        self._taken: Final[set[Key]] = set()
        self._late: Final[set[Key]] = set()

    @property
    def left_out(self) -> int:
        """How many came too late since we began; beyond a thousand they are no longer told apart."""
        return len(self._late)

    def admits(self, key: Key) -> bool:
        """Tell whether it has a place, and give it one if there is any."""
        if key in self._taken:
            return True
        if len(self._taken) < self._places_max:
            self._taken.add(key)
            return True
        if len(self._late) < LATE_MAX:
            self._late.add(key)
        return False

    def give_back(self, key: Key) -> None:
        """Let another have the place."""
        self._taken.discard(key)
