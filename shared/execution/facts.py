"""What the venue told and is not in the books yet, in the order in which it came. Pure."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from shared.core.service import Moment
from shared.execution.vocabulary import Fact, TradesRead, VenueOrder, VenueTrade

FACTS_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Page:
    """Trades still to be taken in, and the answer that they came with."""

    trades: tuple[VenueTrade, ...]
    answer: TradesRead


Piece = Fact | VenueOrder | VenueTrade | Page


class Facts:
    """Those that are taken in next; and behind whatever these lead to, such as a stop, those that came meanwhile."""

    def __init__(self) -> None:
        self.next: Final[deque[Piece]] = deque()
        self._later: Final[deque[Fact]] = deque()
        self.turn_ends_ns = 0

    def is_turn_over(self, now: Moment) -> bool:
        """Say whether the facts that are left, and everything that rests on them, wait for the next turn."""
        return bool(self.next) and now.boot_ns >= self.turn_ends_ns

    def take(self, fact: Fact) -> bool:
        """Note a fact; False where there are too many, and nothing is known for certain any more: `forget`."""
        (self._later if self.next else self.next).append(fact)
        return len(self.next) + len(self._later) <= FACTS_MAX

    def go_on(self) -> bool:
        """Let those be next that came later, and say whether there are any."""
        self.next.extend(self._later)
        self._later.clear()
        return bool(self.next)

    def forget(self) -> None:
        """Let go of all."""
        self.next.clear()
        self._later.clear()
