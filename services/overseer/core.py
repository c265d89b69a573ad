"""What the overseer makes of supervisord's events. Pure.

supervisord restarts what dies, for ever, and says nothing of it; what dies at its start a few times it gives up, and
says nothing of that either. The overseer says both aloud, again every minute for as long as it lasts, and then has what
was given up started again: what stood in the way, such as a full disk, may be gone.
"""

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.overseer.epoch_watch import EpochWatch
from shared.core.service import (
    Effect,
    FromOutside,
    Happening,
    Heard,
    Listen,
    Moment,
    Note,
    Outward,
    Started,
    Stop,
    StopAsked,
    WakeAt,
    Woken,
)

# The same measure as the seats': shared/mesh/epoch.py counts what the next start notices, we what supervisord sees.
CRASH_LOOP_DEATHS: Final = 3
CRASH_LOOP_WINDOW_NS: Final = 60_000_000_000
ALARM_PERIOD_NS: Final = 60_000_000_000
_GIVEN_UP: Final = "given up "
_LOOPING: Final = "crash loop "
_HEALTH: Final = "health"
_RETIRE_AGAIN: Final = "retire again"


@dataclass(frozen=True, slots=True)
class ProgramChanged(FromOutside):
    """supervisord says that a program has come into another state. An exit is expected if its code was 0."""

    instance: str
    state: str
    from_state: str
    process_id: int | None
    expected: bool


@dataclass(frozen=True, slots=True)
class OrphanRetired(FromOutside):
    """An orphan is no more. Without a successor nobody took its seat in time and kept it."""

    instance: str
    process_id: int
    killed: bool
    successor_id: int | None


@dataclass(frozen=True, slots=True)
class OrphanLeft(FromOutside):
    """It is not certain who has a seat, or that another stands by to take it, so nobody was touched."""

    words: str


@dataclass(frozen=True, slots=True)
class PipeUnreadable(FromOutside):
    """Standard input and output are not supervisord's: somebody else started us, and there is nothing to oversee."""

    reason: str


@dataclass(frozen=True, slots=True)
class SupervisorGone(FromOutside):
    """supervisord's pipe to us is closed: it is dead, and the next one starts an overseer of its own."""


@dataclass(frozen=True, slots=True)
class RetireOrphans(Outward):
    """Retire the orphans of an earlier supervisord, one by one, and tell of each."""


@dataclass(frozen=True, slots=True)
class LookAround(Outward):
    """Tell of each program, and which supervisord has given up: an overseer before us may have seen it happen."""


@dataclass(frozen=True, slots=True)
class ProgramKnown(FromOutside):
    """There is such a program; an overseer before us may have heard its epoch and seen it die in this boot."""

    instance: str
    epoch: int
    deaths_boot_ns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Remember(Outward):
    """Write down what is known of an instance, for `bowline status` and for the next overseer."""

    instance: str
    epoch: int
    deaths_boot_ns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NotRemembered(FromOutside):
    """It could not be written down."""

    words: str


@dataclass(frozen=True, slots=True)
class StartAgain(Outward):
    """Have supervisord start a program that it has given up."""

    instance: str


@dataclass(frozen=True, slots=True)
class NotStartedAgain(FromOutside):
    """supervisord did not start a program that it had given up."""

    instance: str
    words: str


class OverseerCore:
    """Knows who died when, who was given up, and who dies again and again."""

    def __init__(self) -> None:
        self._deaths_ns: Final[defaultdict[str, deque[int]]] = defaultdict(lambda: deque(maxlen=CRASH_LOOP_DEATHS))
        self._given_up: Final[set[str]] = set()
        self._looping: Final[set[str]] = set()
        self._epochs: Final = EpochWatch()
        self._self = ("", 0)

    def handle(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Take in what happened and return what shall be done."""
        match happening:
            case Started(instance=instance, epoch=epoch):
                self._self = (instance, epoch)
                return (RetireOrphans(), LookAround())
            case ProgramKnown():
                return self._known(happening, now)
            case Heard(instance=instance, envelope=envelope) if envelope.boot_id == now.boot_id:
                return self._heard(instance, envelope.epoch, envelope.sent_boot_ns)
            case ProgramChanged():
                return self._changed(happening, now)
            case Woken():
                return self._woken(happening.timer, now)
            case StopAsked():
                return (Stop(),)
            case _:
                return _reported(happening, now)

    def _known(self, program: ProgramKnown, now: Moment) -> Sequence[Effect]:
        """Take over what an earlier overseer knew, and listen; to ourselves we need not."""
        self._deaths_ns[program.instance].extend(program.deaths_boot_ns)
        self._epochs.hear(program.instance, program.epoch, 0)
        own_name, own_epoch = self._self
        if program.instance == own_name:
            return self._heard(own_name, own_epoch, now.boot_ns)
        return (Listen(program.instance, _HEALTH),)

    def _heard(self, instance: str, epoch: int, sent_boot_ns: int) -> Sequence[Effect]:
        is_news, notes = self._epochs.hear(instance, epoch, sent_boot_ns)
        return (self._remember(instance),) if is_news else notes

    def _remember(self, instance: str) -> Remember:
        return Remember(instance, self._epochs.highest(instance), tuple(self._deaths_ns[instance]))

    def _woken(self, timer: str, now: Moment) -> Sequence[Effect]:
        if timer == _RETIRE_AGAIN:
            return (RetireOrphans(),)
        if timer.startswith(_GIVEN_UP):
            instance = timer.removeprefix(_GIVEN_UP)
            again = (StartAgain(instance),) if instance in self._given_up else ()
            return (*self._given_up_still(instance, now), *again)
        if timer.startswith(_LOOPING):
            return self._looping_still(timer.removeprefix(_LOOPING), now)
        return ()

    def _changed(self, change: ProgramChanged, now: Moment) -> Sequence[Effect]:
        match change.state:
            case "EXITED" if change.expected:
                return (Note("warning", "process ended by itself", {**_who(change), "ended": "with exit code 0"}),)
            case "EXITED":
                ended = "by a signal, or with another exit code than 0"
                return (Note("warning", "process died", {**_who(change), "ended": ended}), *self._died(change, now))
            case "BACKOFF":
                return (Note("warning", "process died at its start", _who(change)), *self._died(change, now))
            case "FATAL" if change.instance in self._given_up:
                return ()  # it was started again in vain, and the alarm goes on
            case "FATAL":
                self._given_up.add(change.instance)
                return self._given_up_still(change.instance, now)
            case "RUNNING" | "STOPPED" if change.instance in self._given_up:
                self._given_up.remove(change.instance)
                event = "process is back" if change.state == "RUNNING" else "process was stopped"
                return (Note("info", event, _who(change)), WakeAt(f"{_GIVEN_UP}{change.instance}", None))
            case _:
                return ()

    def _died(self, change: ProgramChanged, now: Moment) -> Sequence[Effect]:
        self._deaths_ns[change.instance].append(now.boot_ns)
        remember = self._remember(change.instance)
        if change.instance in self._looping or not self._loops(change.instance, now):
            return (remember,)
        self._looping.add(change.instance)
        return (remember, *self._looping_still(change.instance, now))

    def _loops(self, instance: str, now: Moment) -> bool:
        deaths_ns = self._deaths_ns[instance]
        return len(deaths_ns) == CRASH_LOOP_DEATHS and now.boot_ns - deaths_ns[0] <= CRASH_LOOP_WINDOW_NS

    def _given_up_still(self, instance: str, now: Moment) -> Sequence[Effect]:
        if instance not in self._given_up:
            return ()
        details = {"instance": instance, "advice": "its log says why; it is started again every minute"}
        return (
            Note("critical", "process is down, and supervisord has given up on it", details),
            WakeAt(f"{_GIVEN_UP}{instance}", now.boot_ns + ALARM_PERIOD_NS),
        )

    def _looping_still(self, instance: str, now: Moment) -> Sequence[Effect]:
        if not self._loops(instance, now):
            self._looping.discard(instance)
            if instance in self._given_up:
                return ()
            return (Note("info", "process no longer dies again and again", {"instance": instance}),)
        return (
            Note("critical", "process dies again and again", {"instance": instance, "deaths": CRASH_LOOP_DEATHS}),
            WakeAt(f"{_LOOPING}{instance}", now.boot_ns + ALARM_PERIOD_NS),
        )


def _reported(happening: Happening, now: Moment) -> Sequence[Effect]:
    """Say what our hands report."""
    match happening:
        case OrphanRetired():
            return _retirement(happening)
        case OrphanLeft(words=words):
            return (Note("critical", "an orphan could not be retired", {"reason": words}), _retire_again(now))
        case NotStartedAgain(instance=instance, words=words):
            return (Note("warning", "process was not started again", {"instance": instance, "reason": words}),)
        case NotRemembered(words=words):
            return (Note("warning", "what was seen could not be written down", {"reason": words}),)
        case PipeUnreadable(reason=reason):
            return (Note("critical", "what starts us is not supervisord", {"reason": reason}), Stop())
        case SupervisorGone():
            return (Note("critical", "supervisord is gone: nothing that dies is started again"), Stop())
        case _:
            return ()


def _who(change: ProgramChanged) -> dict[str, object]:
    return {"instance": change.instance, "process_id": change.process_id}


def _retire_again(now: Moment) -> WakeAt:
    """Look once more after a while: what stood in the way may be gone."""
    return WakeAt(_RETIRE_AGAIN, now.boot_ns + ALARM_PERIOD_NS)


def _retirement(retired: OrphanRetired) -> Sequence[Effect]:
    details = {
        "instance": retired.instance,
        "process_id": retired.process_id,
        "killed": retired.killed,
        "successor_id": retired.successor_id,
    }
    if retired.successor_id is not None:
        return (Note("warning", "orphan retired", details),)
    # What became of this one may become of the next: no look by ourselves, or the mesh would go down one by one.
    advice = "the other orphans are left alone; its log says why; then `bowline up`"
    event = "orphan retired, and nobody took its seat and kept it"
    return (Note("critical", event, {**details, "advice": advice}), WakeAt(_RETIRE_AGAIN, None))
