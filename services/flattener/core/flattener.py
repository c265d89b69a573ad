"""The flattener's core: reads the account, watches executor and risk, and acts for the executor where there is need.

`watch.py` says when it is worth a look into the executor's journal, `judgement.py` whether what stands there is a need,
and `takeover.py` is what is done about it. Pure.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from proto.control import Flatten, ResumeEntries
from services.flattener.core.account import AccountReader
from services.flattener.core.control import Control
from services.flattener.core.judgement import found_in
from services.flattener.core.takeover import Takeover
from services.flattener.core.venue import VenueStanding
from services.flattener.core.watch import Watch
from services.flattener.vocabulary import RecordsRead, RoleHeld, RoleIsFree, RoleNotHeld
from shared.core.service import (
    Asked,
    BeWary,
    Effect,
    FromOutside,
    HaltSeen,
    HaltUnwritable,
    Happening,
    Heard,
    JournalRoom,
    Moment,
    Note,
    NotRecorded,
    Recorded,
    RecordsLost,
    Restored,
    RetireEnded,
    Stalled,
    Started,
    StopAsked,
    WakeAt,
    Woken,
)
from shared.execution.adoption import NOTHING_HELD, holding_in
from shared.execution.core import TradedAccount
from shared.execution.vocabulary import WorthRead

LOOK_NS: Final = 250_000_000
LOOK: Final = "look"


class FlattenerCore:
    """Stands by, with everything open that it needs when it has to act."""

    def __init__(self, account: TradedAccount) -> None:
        self._reader: Final = AccountReader(account)
        self._control: Final = Control()
        self._watch: Final = Watch()
        self._venue: Final = VenueStanding()
        self._takeover: Final = Takeover(self._venue, self._watch)
        self._holding = NOTHING_HELD
        self._is_running = False
        self._look_due_ns = 0
        self._unread: str | None = None  # why the executor's journal is not known
        self._wary_of: tuple[str, ...] = ()

    def state(self) -> bytes:
        """Return what a page of our journal begins with: how far back whoever adopts has to read."""
        return msgspec.json.encode(self._holding)

    def handle(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Take in what happened and return what shall be done."""
        match happening:
            case NotRecorded():  # nor was the clock set that was to ring next
                return (*self._takeover.journal_told(happening, now), WakeAt(LOOK, self._look_due_ns))
            case Restored() | Recorded() | RecordsLost() | JournalRoom():
                return self._journal_told(happening, now)
            case Started() | Stalled() | StopAsked() | Woken():
                return self._life_goes_on(happening, now)
            case Heard(instance=instance, envelope=envelope):
                self._watch.heard(instance, envelope, now)
                return ()
            case Asked():
                return self._asked(happening, now)
            case HaltSeen() | HaltUnwritable():
                return self._halt_told(happening, now)
            case FromOutside():
                return self._brought(happening, now)
            case RetireEnded(words=words):
                return (Note("warning", "risk was to be ended", {"outcome": words}),)
            case _:
                return ()

    def _asked(self, asked: Asked, now: Moment) -> Sequence[Effect]:
        """Answer, or let the engine: who resumes calls off what is closed in the executor's name, by whom it may be."""
        match asked.envelope.body:
            case Flatten():
                return self._takeover.asked(asked, now)
            case ResumeEntries() if self._takeover.acts:
                return self._takeover.to_engine(asked, now)
            case _:
                return self._control.asked(asked, now)

    def _journal_told(self, told: Restored | Recorded | RecordsLost | JournalRoom, now: Moment) -> Sequence[Effect]:
        match told:
            case Restored(state=state):
                self._holding = holding_in(state) or NOTHING_HELD
                return ()
            case RecordsLost(next_sequence=next_sequence):
                self._holding = self._holding.without(next_sequence)
                return ()
            case Recorded(envelope=envelope):
                self._holding = self._holding.and_then(envelope)
            case JournalRoom():
                pass
        return self._takeover.journal_told(told, now) if self._is_running else ()

    def _life_goes_on(self, happening: Started | Stalled | StopAsked | Woken, now: Moment) -> Sequence[Effect]:
        match happening:
            case Started():
                self._is_running = True
                return (*self._watch.begin(now), WakeAt(LOOK, now.boot_ns))
            case Stalled():
                self._watch.stood_still(now)
                return self._takeover.to_engine(happening, now)
            case StopAsked():
                return self._takeover.stop()
            case Woken(timer=timer) if timer == LOOK:
                return self._look(now)
            case Woken():
                return self._takeover.to_engine(happening, now)

    def _look(self, now: Moment) -> Sequence[Effect]:
        """Do what is due. What concerns the role goes alone: where it finds no room, nothing beside it is done."""
        self._look_due_ns = now.boot_ns + LOOK_NS
        again = WakeAt(LOOK, self._look_due_ns)
        if of_role := self._takeover.due(now):
            return (*of_role, again)
        watched = self._watch.due(now) if self._takeover.is_idle else ()
        return (*self._reader.due(now), *watched, *self._wary(), again)

    def _halt_told(self, told: HaltSeen | HaltUnwritable, now: Moment) -> Sequence[Effect]:
        if isinstance(told, HaltUnwritable):
            return (*self._control.halt_unwritable(told.reason), *self._takeover.to_engine(told, now))
        self._watch.halt_seen(told.latch, now)
        return (*self._control.halt_seen(told.latch), *self._takeover.to_engine(told, now))

    def _brought(self, told: FromOutside, now: Moment) -> Sequence[Effect]:
        match told:
            case WorthRead():
                known = self._venue.told(told)
                return (*self._reader.read(told), *known, *self._takeover.to_engine(told, now))
            case RecordsRead():
                return self._records_read(told, now)
            case RoleHeld() | RoleNotHeld() | RoleIsFree():
                return self._takeover.role_told(told, now)
            case _:
                return (*self._venue.told(told), *self._takeover.to_engine(told, now))

    def _records_read(self, read: RecordsRead, now: Moment) -> Sequence[Effect]:
        """See by the executor's records whether its role is needed."""
        if read.past is None:
            self._unread = f"the executor's journal cannot be read: {read.trouble}"
            self._watch.looked(None, now)
            return ()
        self._unread = None
        books, instruments, quiet_ns = read.past.engine.books, self._venue.instruments, read.past.quiet_ns(now)
        need = self._watch.looked(found_in(books, self._watch.latch, instruments, quiet_ns=quiet_ns), now)
        return () if need is None else self._takeover.take(need)

    def _wary(self) -> Sequence[Effect]:
        """Show a person what it could not do now, and for whom it acts, when that has changed."""
        venue = [self._venue.trouble] if self._takeover.is_idle else self._takeover.troubles
        found = (*venue, self._reader.trouble, self._unread)
        troubles = tuple(trouble for trouble in found if trouble is not None)
        if troubles == self._wary_of:
            return ()
        self._wary_of = troubles
        return (BeWary(troubles),)
