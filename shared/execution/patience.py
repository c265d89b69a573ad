"""How long is waited before the next order of a place, and what that lets worry about. Pure."""

from collections.abc import Container, Sequence
from typing import Final

import msgspec

from shared.core.pause import GrowingPause
from shared.core.service import Moment
from shared.execution.books import Place
from shared.execution.marks import Purpose
from shared.execution.orders import Order
from shared.execution.outside import Outcome
from shared.execution.vocabulary import Rejected

BACKOFF_NS_FIRST: Final = 500_000_000
BACKOFF_NS_MAX: Final = 30_000_000_000
REFUSED_WORRYING: Final = 2
UNCOVERED_NS_WORRYING: Final = 5_000_000_000
RESIZE_NS: Final = 1_000_000_000  # a cover is changed once in this time


def _pause() -> GrowingPause:
    return GrowingPause(shortest_ns=BACKOFF_NS_FIRST, longest_ns=BACKOFF_NS_MAX)


class Patience(msgspec.Struct):
    """What is waited for at a place: after a refused sale another one, after a refused stop another one."""

    pauses: dict[Purpose, GrowingPause] = msgspec.field(default_factory=lambda: {"exit": _pause(), "cover": _pause()})
    resized_ns: int = -RESIZE_NS
    uncovered_since_ns: int | None = None
    refused_stops: int = 0
    stop_refusal: str = ""  # in the words of the venue
    refused: int = 0  # orders in a row that reduce risk


class Patiences:
    """Those of every place that is worked."""

    def __init__(self) -> None:
        self._of: Final[dict[Place, Patience]] = {}

    def of(self, place: Place) -> Patience:
        """Return that of a place."""
        return self._of.setdefault(place, Patience())

    def keep(self, places: Container[Place]) -> None:
        """Forget all other places."""
        for gone in [place for place in self._of if place not in places]:
            del self._of[gone]

    def came_of(self, outcome: Outcome, now: Moment) -> None:
        """Take in what a fact says of an order that was sent."""
        if outcome.rejected is not None:
            self._rejected(*outcome.rejected, now)
        if outcome.unsent is not None:
            self._unsent(outcome.unsent, now)
        if outcome.accepted is not None:
            self._accepted(outcome.accepted)

    def _rejected(self, order: Order, refused: Rejected, now: Moment) -> None:
        """Wait longer and longer before the next order of that purpose where the venue refuses them.

        A stop that came while the symbol was halted was not refused for what it is: a sale would be, too.
        """
        if order.key.purpose == "cover" and not refused.is_closed:
            patience = self.of(order.place)
            patience.refused_stops, patience.stop_refusal = patience.refused_stops + 1, refused.reason
        self._unsent(order, now)

    def _unsent(self, order: Order, now: Moment) -> None:
        """Wait likewise where an order could not be sent at all."""
        if order.key.purpose == "entry":
            return  # there is no next one, and what the place has besides shall not wait for it
        patience = self.of(order.place)
        patience.refused += 1
        patience.pauses[order.key.purpose].attempted(now.boot_ns)

    def _accepted(self, order: Order) -> None:
        """Begin with short waits again."""
        patience = self.of(order.place)
        patience.refused_stops = patience.refused = 0
        for pause in patience.pauses.values():
            pause.helped()

    def worries(self, now: Moment) -> Sequence[str]:
        """Say which positions cannot be brought down or covered; each is gone on with."""
        found = []
        for (strategy, symbol), patience in self._of.items():
            since_ns = patience.uncovered_since_ns
            if patience.refused >= REFUSED_WORRYING:
                found.append(f"{symbol} of {strategy} is NOT FLAT: orders that bring it down or cover it are refused")
            elif since_ns is not None and now.boot_ns - since_ns > UNCOVERED_NS_WORRYING:
                found.append(f"{symbol} of {strategy} has had no stop for seconds")
        return found
