"""A pause between two attempts that grows as long as none of them helps. Pure."""

from typing import Final


class GrowingPause:
    """Twice as long with each attempt, up to a bound; as short as at first once it has helped."""

    def __init__(self, *, shortest_ns: int, longest_ns: int) -> None:
        self._shortest_ns: Final = shortest_ns
        self._longest_ns: Final = longest_ns
        self._length_ns = shortest_ns
        self._until_ns = 0

    @property
    def has_helped(self) -> bool:
        """Whether nothing was attempted since the last time that it helped."""
        return not self._until_ns

    def is_over(self, now_ns: int) -> bool:
        """Say whether another attempt is due."""
        return now_ns >= self._until_ns

    def attempted(self, now_ns: int) -> None:
        """Begin the pause behind an attempt."""
        self._until_ns = now_ns + self._length_ns
        self._length_ns = min(2 * self._length_ns, self._longest_ns)

    def helped(self) -> None:
        """Begin anew: the next attempt is due at once."""
        self._length_ns, self._until_ns = self._shortest_ns, 0
