"""How long whoever lost a connection waits before the next attempt."""

from random import Random
from typing import Final

DOUBLINGS_MAX: Final = 16  # beyond any longest wait there is


class Backoff:
    """How long to wait before the next attempt: up to a bound that doubles, and anything below it.

    Whoever lost their connection at the same moment so does not come back at the same moment.
    """

    def __init__(self, *, first_seconds: float, longest_seconds: float, draws: Random) -> None:
        self._first_seconds: Final = first_seconds
        self._longest_seconds: Final = longest_seconds
        self._draws: Final = draws
        self._attempts = 0

    def next_seconds(self) -> float:
        """Return the next wait, and expect a longer one after it."""
        bound = min(self._longest_seconds, self._first_seconds * 2.0**self._attempts)
        self._attempts = min(self._attempts + 1, DOUBLINGS_MAX)
        return self._draws.uniform(0.0, bound)

    def reset(self) -> None:
        """Begin with short waits again."""
        self._attempts = 0
