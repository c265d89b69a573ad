"""The one way to the matching core: a command is carried out, written down, answered and told, in this order.

The face's requests come through here, and so do those of the market's own makers and takers.
"""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from services.sim_exchange.face.records import Records
from services.sim_exchange.face.refusals import RefusalError
from services.sim_exchange.venue.vocabulary import Command, Done, Event, Outcome, Refused

Clock = Callable[[], int]  # the venue's time in milliseconds since 1970: it may be skewed, and need not be anybody's
Listener = Callable[[Sequence[Event], int], None]


class Core(Records, Protocol):
    """The matching core, as far as the desk needs it."""

    def handle(self, command: Command, now_ms: int) -> Outcome:
        """Carry out a command, or refuse it and change nothing."""


def nothing_written(events: Sequence[Event]) -> None:
    """Write nothing down: for whoever needs no log."""
    del events


class Desk:
    """Takes commands to the core. What happened is written down before anybody hears of it."""

    def __init__(self, *, core: Core, clock: Clock, on_told: Callable[[Sequence[Event]], None]) -> None:
        self.core: Final = core
        self.clock: Final = clock
        self._on_told: Final = on_told
        self._listeners: Final[list[Listener]] = []

    def listen(self, listener: Listener) -> None:
        """Tell somebody of everything that happens from now on."""
        self._listeners.append(listener)

    def carry_out(self, command: Command) -> Outcome:
        """Carry a command out, or find it refused."""
        now_ms = self.clock()
        outcome = self.core.handle(command, now_ms)
        if outcome.events:
            self._on_told(outcome.events)
            for listener in self._listeners:
                listener(outcome.events, now_ms)
        return outcome

    def done(self, command: Command) -> Done:
        """Carry a command out, and raise what refuses it."""
        answer = self.carry_out(command).answer
        if isinstance(answer, Refused):
            raise RefusalError(answer.code, answer.message)
        return answer
