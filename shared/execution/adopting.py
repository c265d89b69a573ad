"""The executor's core with what comes before its first word: what the flattener did in its name is adopted. Pure.

Until all of that is durable the executor has not begun. It folds each record as if it had stood in its journal when it
started; so nothing that was done already is done again, and the first thing it does of its own it does with all of it.
Without room for the records it has to wait, and what comes meanwhile waits with it.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final

from shared.core.service import (
    Asked,
    Effect,
    Happening,
    InheritanceUnread,
    Inherited,
    InheritedState,
    Moment,
    Note,
    NotRecorded,
    Recorded,
    RecordsLost,
    Restored,
    WakeAt,
    Woken,
)
from shared.execution.adoption import Adoption
from shared.execution.core import ExecutorCore

TICK_NS: Final = 100_000_000
WAITING_MAX: Final = 10_000
CLOCK: Final = "adoption"
OURS: Final = Woken(CLOCK)


class AdoptingCore:
    """An executor that begins when it has adopted what was done in its name."""

    def __init__(self, executor: ExecutorCore) -> None:
        self.executor: Final = executor
        self._adoption: Final = Adoption()
        self._waiting: Final[deque[Happening]] = deque()  # its first word, and what came after that
        self._pending = 0
        self._has_begun = False

    def state(self) -> bytes:
        """Return all that the journal has led to."""
        return self.executor.state()

    def has_adopted(self, state: bytes) -> bool:
        """Say whether all is adopted that stands before a page of the flattener's journal."""
        return self.executor.books.adopted.reaches(state)

    def handle(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Take in what happened and return what shall be done."""
        if self._has_begun and not self._waiting:
            return () if happening == OURS else self.executor.handle(happening, now)
        match happening:
            case Restored() | RecordsLost() | Recorded() | NotRecorded():
                return self._journal_told(happening, now)
            case InheritedState(state=state):
                self._adoption.begin(state)
                return ()
            case Inherited(envelope=envelope):
                self._adoption.inherit(envelope, self.executor.books.adopted)
                return ()
            case InheritanceUnread():
                self._adoption.miss(happening, self.executor.books.adopted)
                return ()
            case Woken() if happening == OURS:
                pass
            case Asked() if not self._has_begun:
                return ()  # whoever asks does so again
            case _:
                assert len(self._waiting) < WAITING_MAX, "too much has come while the journal had no room: begin anew"
                self._waiting.append(happening)
        return self._go_on(now)

    def _journal_told(self, told: Restored | RecordsLost | Recorded | NotRecorded, now: Moment) -> Sequence[Effect]:
        if self._has_begun:
            return self.executor.handle(told, now)
        if isinstance(told, NotRecorded):
            self._pending = 0
            words = {"reason": told.reason}
            return (Note("critical", "not adopted", words), WakeAt(CLOCK, now.boot_ns + TICK_NS))
        self.executor.handle(told, now)
        if not self._pending:
            return ()
        self._pending -= 1
        self._adoption.recorded()
        return self._go_on(now)

    def _go_on(self, now: Moment) -> Sequence[Effect]:
        """Adopt the next, or begin; what has waited is handed in one by one."""
        if self._pending:
            return ()
        reports = self._adoption.next()
        self._pending = len(reports)
        if reports:
            return reports
        self._has_begun = True
        effects = self.executor.handle(self._waiting.popleft(), now)
        return (*effects, WakeAt(CLOCK, now.boot_ns)) if self._waiting else effects
