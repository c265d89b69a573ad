"""How old a lease is: counted from the asker's own asking, so that nothing which waited anywhere can look fresh.

An answer proves that the other side was alive *after* it was asked, and no more. It may have lain in a queue, or this
process may have slept before reading it; its age has grown all the while.
"""

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

Granted = TypeVar("Granted")

UNANSWERED_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Lease(Generic[Granted]):
    """The newest answer, and when it was asked for, by the asker's boot-time clock."""

    number: int
    asked_at_ns: int
    granted: Granted

    def age_ns(self, now_ns: int) -> int:
        """Say how long ago it was asked for."""
        return now_ns - self.asked_at_ns


class LeaseBook(Generic[Granted]):
    """Numbers the askings and keeps the newest lease."""

    def __init__(self) -> None:
        self.current: Lease[Granted] | None = None
        self._number = 0
        self._asked_at_ns: Final[dict[int, int]] = {}

    def asked(self, now_ns: int) -> int:
        """Note an asking and give its number; the oldest unanswered one is forgotten when there are too many."""
        self._number += 1
        self._asked_at_ns[self._number] = now_ns
        if len(self._asked_at_ns) > UNANSWERED_MAX:
            del self._asked_at_ns[next(iter(self._asked_at_ns))]
        return self._number

    def answered(self, number: int, granted: Granted) -> bool:
        """Take the answer to that number; an answer to nothing, or to an older asking than the newest, is not taken."""
        asked_at_ns = self._asked_at_ns.pop(number, None)
        if asked_at_ns is None or (self.current is not None and number < self.current.number):
            return False
        self.current = Lease(number=number, asked_at_ns=asked_at_ns, granted=granted)
        return True
