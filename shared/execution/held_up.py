"""Says of an exit for which nothing can be sent why that is so. Pure.

While an order of it is on its way, or a stop is being cancelled for it, the records of these say so. Whatever else an
exit waits for stands in no record: it is told here, once it has lasted a second, and again and again.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from proto.fields import Symbol, clipped
from proto.orders import ExitHeldUp
from shared.core.service import Moment, Report
from shared.execution.allowance import CLOSED, Allowance
from shared.execution.books import Books, Place
from shared.execution.governor import Governor
from shared.execution.orders import Order
from shared.execution.patience import Patiences
from shared.execution.selling import Selling
from shared.trading.instruments import Instrument

FIRST_NS: Final = 1_000_000_000
AGAIN_NS: Final = 25_000_000_000


class _Wait(msgspec.Struct):
    """What is waited for, behind which order of the exit, and when that is told."""

    exit_id: str
    next_child: int
    why: str
    tell_ns: int

    def is_of(self, other: "_Wait") -> bool:
        """Say whether it is the same wait, for whatever reason it lasts."""
        return (self.exit_id, self.next_child) == (other.exit_id, other.next_child)


class HeldUp:
    """Tells what exits wait for."""

    def __init__(
        self,
        *,
        books: Books,
        instruments: Mapping[Symbol, Instrument],
        selling: Selling,
        patience: Patiences,
        allowance: Allowance,
        governor: Governor,
    ) -> None:
        self._books: Final = books
        self._instruments: Final = instruments
        self._selling: Final = selling
        self._patience: Final = patience
        self._allowance: Final = allowance
        self._governor: Final = governor
        self._waits: dict[Place, _Wait] = {}

    def due(self, now: Moment) -> Sequence[Report]:
        """Return what is to be told, once there is nothing else to do."""
        self._waits = {
            place: self._wait(place, why, now) for place in self._books.exits if (why := self._why(place, now))
        }
        told = {place: wait for place, wait in self._waits.items() if wait.tell_ns <= now.boot_ns}
        for wait in told.values():
            wait.tell_ns = now.boot_ns + AGAIN_NS
        return [
            Report(ExitHeldUp(wait.exit_id, *place, clipped(wait.why)), cause_id=wait.exit_id)
            for place, wait in told.items()
        ]

    def _wait(self, place: Place, why: str, now: Moment) -> _Wait:
        found, known = self._books.exits[place], self._waits.get(place)
        wait = _Wait(found.exit_id, self._books.next_child(found.parent_id), why, now.boot_ns + FIRST_NS)
        if known is not None and known.is_of(wait):
            wait.tell_ns = known.tell_ns
        return wait

    def _why(self, place: Place, now: Moment) -> str | None:
        if any(map(_is_under_way, self._books.working(place))):
            return None
        if place[1] not in self._instruments:
            return f"the venue does not list {place[1]}"
        if (stuck := self._selling.why_stuck(place)) is not None:
            return stuck
        if not self._patience.of(place).pauses["exit"].is_over(now.boot_ns):
            return "the sale before came to nothing, and the next one waits"
        return CLOSED if self._allowance.is_left_alone(now) else self._governor.refusal(now.boot_ns)


def _is_under_way(order: Order) -> bool:
    return order.is_in_doubt or order.key.purpose == "exit" or order.life == "cancel_marked"
