"""A take-over: the role is taken, that is written down, its engine goes on, and the role is given back. Pure."""

from collections import deque
from collections.abc import Sequence
from typing import Final, Literal

from proto.control import ControlRefused, Flatten
from proto.fencing import RoleReturned, RoleTaken
from proto.fields import clipped
from services.flattener.core.judgement import Need
from services.flattener.core.tenure import EXECUTOR, Tenure, asked_by_ourselves
from services.flattener.core.venue import VenueStanding
from services.flattener.core.watch import Watch
from services.flattener.vocabulary import GiveRoleBack, RoleHeld, RoleIsFree, RoleNotHeld, TakeRole
from shared.core.service import (
    Answer,
    Asked,
    Effect,
    Happening,
    JournalRoom,
    Moment,
    Note,
    NotRecorded,
    Recorded,
    Report,
    Stop,
)

ATTEMPTS_MAX: Final = 3  # to take the role because somebody wants it; for a need of our own it is tried without end
ASKED_MAX: Final = 16  # who wait to be answered
_ENDS: Final = ControlRefused("flattener_ends", "the flattener ends: ask its next process, or the executor")


class Takeover:
    """One at a time."""

    def __init__(self, venue: VenueStanding, watch: Watch) -> None:
        self._venue: Final = venue
        self._watch: Final = watch
        self._need: Need | None = None  # for which the role is being taken, or is held
        self._held: RoleHeld | None = None  # until that it is stands in our journal
        self._tenure: Tenure | None = None
        self._returned: RoleReturned | None = None  # until it is durable: before that the role is not given back
        self._is_return_refused = False
        self._has_got_on = True  # in the last tenure
        self._asked: Final[deque[Asked]] = deque()  # to flatten, until the engine is there to answer
        self._attempts = 0
        self._is_stopping = False
        self._room: JournalRoom | None = None

    @property
    def is_idle(self) -> bool:
        """Whether no role is held, taken or given back."""
        return self._need is None

    @property
    def acts(self) -> bool:
        """Whether the role is held, so that the engine can be asked as the executor would be."""
        return self._tenure is not None

    @property
    def troubles(self) -> Sequence[str]:
        """What a person should know while it goes on."""
        if self._tenure is None:
            return ()
        return (f"it acts for the executor: {self._tenure.reason}", *self._tenure.troubles)

    def take(self, need: Need) -> Sequence[Effect]:
        """Take the role."""
        if self._need is not None or self._is_stopping:
            return ()
        self._need = need
        level: Literal["warning", "critical"] = "warning" if self._watch.is_again else "critical"
        return (Note(level, "the executor's role is taken", {"reason": need.reason}), TakeRole())

    def asked(self, asked: Asked, now: Moment) -> Sequence[Effect]:
        """Close what somebody wants closed: the engine answers."""
        self._watch.pause_no_longer()
        if self._tenure is not None:
            return self._tenure.take(asked, now)
        if self._is_stopping:
            return (Answer(asked, _ENDS),)
        if len(self._asked) >= ASKED_MAX:
            reason = f"{ASKED_MAX} wait for the executor's role to be taken: ask again"
            return (Answer(asked, ControlRefused("no_more_may_wait", reason)),)
        self._asked.append(asked)
        return self._take_for_asked()

    def to_engine(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Hand the engine what happened, if there is one."""
        return () if self._tenure is None else self._tenure.take(happening, now)

    def stop(self) -> Sequence[Effect]:
        """End, once the role is given back."""
        self._is_stopping = True
        return (*self._answers(_ENDS), *self._stopped_where_idle())

    def due(self, now: Moment) -> Sequence[Effect]:
        """Give the role back when it is time, or take it again for whoever waits."""
        if self._is_return_refused:
            return self._give_back()
        if self._tenure is None:
            return self._take_for_asked()
        reason = "the flattener ends" if self._is_stopping and self._tenure.is_quiet else self._tenure.why_over(now)
        if reason is None:
            return ()
        self._has_got_on = self._tenure.has_got_on
        self._returned, self._tenure = RoleReturned(EXECUTOR, self._tenure.epoch, reason), None
        return self._give_back()

    def role_told(self, told: RoleHeld | RoleNotHeld | RoleIsFree, now: Moment) -> Sequence[Effect]:
        """Take in what became of the role."""
        match told:
            case RoleHeld():
                return self._role_held(told)
            case RoleNotHeld(words=words):
                return self._role_not_held(words)
            case RoleIsFree():
                self._need = None
                self._watch.given_back(now, has_got_on=self._has_got_on)
                note = Note("warning", "the executor's role is given back")
                return (note, *self._stopped_where_idle())

    def journal_told(self, told: Recorded | NotRecorded | JournalRoom, now: Moment) -> Sequence[Effect]:
        """Take in what is durable by now, or found no room."""
        match told:
            case Recorded(envelope=envelope) if isinstance(envelope.body, RoleTaken):
                return self._begin(now)
            case Recorded(envelope=envelope) if isinstance(envelope.body, RoleReturned):
                self._returned = None
                return (GiveRoleBack(),)
            case Recorded():
                return () if self._tenure is None else self._tenure.recorded(told, now)
            case NotRecorded() if self._tenure is not None:
                return self._tenure.not_recorded(told, now)
            case NotRecorded(reason=reason):
                return self._role_not_recorded(reason)
            case JournalRoom():
                self._room = told
                return self.to_engine(told, now)

    def _role_held(self, held: RoleHeld) -> Sequence[Effect]:
        assert self._need is not None, "it was wanted for something"
        if self._is_stopping:
            return (GiveRoleBack(),)
        self._held = held
        return (Report(RoleTaken(EXECUTOR, held.epoch, clipped(self._need.reason)), reducing=True),)

    def _role_not_held(self, words: str) -> Sequence[Effect]:
        """Try again: for a need of our own when it is seen anew. Whoever asks is told when that leads to nothing."""
        self._need = None
        return (*self._failed(words), *self._stopped_where_idle())

    def _role_not_recorded(self, words: str) -> Sequence[Effect]:
        """Write it down later that the role is returned: risk believes that we hold it until it reads that.

        Where it is not recorded that the role was taken, nothing can be done in it, nor has anything been left undone.
        """
        if self._returned is None:
            self._held = None
            return (*self._failed(words), GiveRoleBack())
        note = Note("critical", "not recorded", {"reason": words})
        self._is_return_refused = True
        if not self._is_stopping:
            return (note,)
        self._returned, self._is_return_refused = None, False  # to risk it is a death, which ends a tenure as well
        return (note, GiveRoleBack())

    def _give_back(self) -> Sequence[Effect]:
        assert self._returned is not None, "that is what is written down first"
        self._is_return_refused = False
        return (Report(self._returned, reducing=True),)

    def _failed(self, words: str) -> Sequence[Effect]:
        self._attempts += 1
        note = Note("critical", "the executor's role could not be taken", {"reason": words})
        if self._attempts < ATTEMPTS_MAX:
            return (note,)
        refusal = ControlRefused("role_is_taken", clipped(f"the executor's role could not be taken: {words}"))
        return (note, *self._answers(refusal))

    def _answers(self, refusal: ControlRefused) -> Sequence[Answer]:
        answers = [Answer(asked, refusal) for asked in self._asked]
        self._asked.clear()
        return answers

    def _take_for_asked(self) -> Sequence[Effect]:
        if not self._asked or self._need is not None:
            return ()
        body = self._asked[0].envelope.body
        assert isinstance(body, Flatten), "nothing else waits"
        return self.take(Need(f"{body.actor} wants it flat: {body.reason}"))

    def _begin(self, now: Moment) -> Sequence[Effect]:
        """Let the engine go on from what the executor and we wrote down, and tell it how everything stands."""
        held, self._held, self._attempts = self._held, None, 0
        assert self._need is not None, "it was wanted for something"
        assert held is not None, "it was just written down"
        self._tenure = Tenure(held.past.engine, epoch=held.epoch, reason=self._need.reason)
        told: list[Happening] = [*self._venue.standing(), *([] if self._room is None else [self._room])]
        told += [*self._watch.halts(), *asked_by_ourselves(self._need, now), *self._asked]
        self._asked.clear()
        return self._tenure.begin(told, now)

    def _stopped_where_idle(self) -> Sequence[Effect]:
        return (Stop(),) if self._is_stopping and self._need is None else ()
