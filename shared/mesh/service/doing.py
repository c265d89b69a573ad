"""What a core returned is done: first of all what it wants recorded, then what comes of the records, then the rest."""

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import structlog

from shared.core.service import Effect, Happening, JournalRoom, NotRecorded, Recorded, Report
from shared.mesh.bus.sender import Sender
from shared.mesh.clock import Clock
from shared.mesh.journal import JournalFull
from shared.mesh.service.afterwards import Afterwards
from shared.mesh.service.diary import Diary
from shared.mesh.service.hops import JOURNAL, Hops
from shared.mesh.service.own_sockets import OwnSockets
from shared.mesh.service.worries import Worries

REFUSALS_MAX: Final = 3

log: Final = structlog.get_logger("service")

Step = Sequence[Effect] | partial[None]


class Doing:
    """Does the effects of one input, and those of every record that comes of it.

    What is left to do stands in a list and not in nested calls: of a page of a thousand trades come a thousand records,
    each of them of the one before.
    """

    def __init__(
        self,
        *,
        diary: Diary | None,
        sender: Sender,
        own: OwnSockets,
        clock: Clock,
        hops: Hops,
        worries: Worries,
        afterwards: Afterwards,
        inputs: deque[Happening],
        handle: Callable[[Happening], Sequence[Effect]],
        perform: Callable[[Effect], None],
    ) -> None:
        self._diary: Final = diary
        self._sender: Final = sender
        self._own: Final = own
        self._clock: Final = clock
        self._hops: Final = hops
        self._worries: Final = worries
        self._afterwards: Final = afterwards
        self._inputs: Final = inputs
        self._handle: Final = handle
        self._perform: Final = perform
        self._refusals = 0  # how many `NotRecorded` the core is answering, each with a report of its own

    def do(self, effects: Sequence[Effect]) -> None:
        """Do what a core returned, and all that comes of it."""
        left: list[Step] = [effects]  # what comes next stands last
        while left:
            step = left.pop()
            if isinstance(step, partial):
                step()
            elif reports := [effect for effect in step if isinstance(effect, Report)]:
                left += reversed(self._recorded(reports, step))
            else:
                for effect in step:
                    self._perform(effect)

    def note_room(self) -> None:
        """Tell the core when the journal comes to have room for everything, or no longer has."""
        has_room = self._diary is None or not self._diary.journal.is_full
        if has_room != self._worries.has_room:
            self._worries.has_room = has_room
            log.warning("the journal has room again" if has_room else "the journal takes reducing reports only")
            self._inputs.append(JournalRoom(has_room))

    def _recorded(self, reports: Sequence[Report], effects: Sequence[Effect]) -> list[Step]:
        """Make reports durable, tell whoever follows, hand them back to the core; or hand in that it was not done.

        What is returned is what is left to do then.
        """
        assert self._diary is not None, "a core without a journal reports nothing"
        began_ns = self._clock.boot_ns()
        try:
            envelopes, frames = self._diary.record(reports, self._sender)
        except JournalFull as full:
            log.critical("the journal is full", reason=str(full))
            is_reducing = any(report.reducing for report in reports)
            refusal = NotRecorded(tuple(report.body for report in reports), str(full), is_reducing)
            return [self._refused(refusal), partial(self._answered_refusal)]
        self._hops.took(JOURNAL, self._clock.boot_ns() - began_ns)
        self._own.tell(frames)
        # The core is handed all of them before anything comes of the first: that may be recorded too, behind them.
        led_to = [self._handle(Recorded(envelope)) for envelope in envelopes]
        return [*led_to, partial(self._do_beside, effects)]

    def _do_beside(self, effects: Sequence[Effect]) -> None:
        """Do what stood beside reports, when all is done that came of them."""
        self.note_room()
        for effect in self._afterwards.leave(effects):
            self._perform(effect)

    def _refused(self, refusal: NotRecorded) -> Sequence[Effect]:
        """Hand back what was not recorded. The core may want something else recorded instead, but not without end."""
        self._refusals += 1
        bodies = ", ".join(type(body).__name__ for body in refusal.bodies)
        assert self._refusals <= REFUSALS_MAX, (
            f"the core answered NotRecorded with a Report {REFUSALS_MAX} times running, and there was no room for any, "
            f"at last not for {bodies}: it may report what reduces risk, and nothing more if that has no room either"
        )
        return self._handle(refusal)

    def _answered_refusal(self) -> None:
        self._refusals -= 1
        self.note_room()
