"""How often something happened over the last few seconds."""

from decimal import Decimal
from typing import Final

from services.metrics.core.amounts import NS_PER_SECOND, per_second

WINDOW_SECONDS: Final = 5


class Rate:
    """Counts per second, for the last whole seconds and the one that runs."""

    def __init__(self, now_ns: int) -> None:
        self.count = 0
        self._began_ns: Final = now_ns
        self._counts: Final = [0] * (WINDOW_SECONDS + 1)
        self._second = now_ns // NS_PER_SECOND

    def add(self, count: int, now_ns: int) -> None:
        """Take in that it happened so often."""
        self._turn(now_ns)
        self._counts[self._second % len(self._counts)] += count
        self.count += count

    def per_second(self, now_ns: int) -> Decimal:
        """Return the mean over the window, or since we began to count."""
        self._turn(now_ns)
        since_ns = max(self._began_ns, (self._second - WINDOW_SECONDS) * NS_PER_SECOND)
        return per_second(sum(self._counts), max(now_ns - since_ns, NS_PER_SECOND))

    def _turn(self, now_ns: int) -> None:
        """Begin the seconds that have begun since the last look."""
        second = now_ns // NS_PER_SECOND
        for begun in range(max(self._second + 1, second - WINDOW_SECONDS), second + 1):
            self._counts[begun % len(self._counts)] = 0
        self._second = max(self._second, second)
