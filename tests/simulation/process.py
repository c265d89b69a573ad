"""A process without a machine: one life of a core behind a shell like shared/mesh/service/shell.py, on virtual time.

It keeps the same promises in the same order: one input at a time; every report durable before anything that was
returned with it; `Recorded` for each before any effect of the first. Between any two of these steps it can be killed.
A commit takes time, in which nothing else is handled; a frozen process handles nothing, and is told `Stalled` first.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, cast

from proto.codec import EnvelopeCodec
from proto.envelope import Envelope
from shared.core.service import (
    Core,
    Effect,
    Happening,
    InheritanceUnread,
    Inherited,
    InheritedState,
    JournalRoom,
    Moment,
    NotRecorded,
    Recorded,
    Report,
    Restored,
    Stalled,
    Started,
    Stop,
    StopAsked,
    WakeAt,
    Woken,
)
from shared.mesh.bus.sender import Sender
from shared.mesh.journal import JournalAbsent, JournalFull, Opening, create_journal, open_journal
from shared.mesh.service.diary import Diary, date_of
from tests.shared.mesh.journal.sim_disk import PowerCut, SimDisk
from tests.simulation.scheduler import SECOND_NS, Scheduler
from tests.simulation.timers import Timers

if TYPE_CHECKING:
    from shared.core.service import Journaling

ROOM_AHEAD_BYTES: Final = 8_192  # a dozen records
RESERVE_BYTES: Final = 16 * 1024
STALL_NS: Final = SECOND_NS
TEND_NS: Final = 10 * SECOND_NS
CODEC: Final = EnvelopeCodec()


class Hands(Protocol):
    """What a process reaches outside, and who watches it."""

    def perform(self, effect: Effect) -> None:
        """Carry out an effect."""

    def taken(self, happening: Happening) -> None:
        """Take note of what the core is handed."""

    def recorded(self, envelope: Envelope) -> None:
        """Take note of a record that is durable: when it was written, and whenever it is read again."""

    def committed(self, envelopes: Sequence[Envelope]) -> None:
        """Tell whoever follows of new records."""

    def is_struck(self, what: Effect | str) -> bool:
        """Say whether the process dies here, before this step."""

    def died(self, *, by_power_cut: bool) -> None:
        """Take note that it died."""

    def commit_ns(self) -> int:
        """Say how long the disk takes this time."""

    def stood_still(self) -> None:
        """Give up what waited and is of no use when it is old."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What reached a socket: what it comes to shows when it is read. What grows old is dropped after a stall."""

    read: Callable[[], Iterable[Happening]]
    grows_old: bool


class Process:
    """One life."""

    def __init__(
        self,
        *,
        instance: str,
        core: Core,
        epoch: int,
        disk: SimDisk | None,
        scheduler: Scheduler,
        hands: Hands,
        inheritance: Callable[[Core], Iterable[InheritedState | Inherited | InheritanceUnread]],
    ) -> None:
        self.instance: Final = instance
        self.core: Final = core
        self.epoch: Final = epoch
        self.sender: Final = Sender(instance=instance, epoch=epoch, clock=scheduler.clock)
        self.since_ns: Final = scheduler.now_ns
        self.is_alive = True
        self.is_draining = False
        self.has_stopped = False  # in order: that is no death
        self.handled = 0
        self._disk: Final = disk
        self._inheritance: Final = inheritance
        self._scheduler: Final = scheduler
        self._hands: Final = hands
        self._inputs: Final[deque[Happening | Arrival]] = deque()
        self._tasks: Final[deque[Callable[[], None]]] = deque()
        self._timers: Final = Timers(scheduler, lambda timer: self.take(Woken(timer)))
        self._is_working = self._is_writing = False
        self._has_room = True
        self._frozen_since_ns: int | None = None
        self._diary: Diary | None = None

    @property
    def diary(self) -> Diary:
        """Return its journal."""
        assert self._diary is not None, "it has one, and has started"
        return self._diary

    @property
    def is_idle(self) -> bool:
        """Whether it is between two inputs."""
        return self.is_alive and not (self._tasks or self._is_writing or self._is_working)

    @property
    def is_frozen(self) -> bool:
        """Whether it stands still."""
        return self._frozen_since_ns is not None

    def start(self, *, restarts: int, troubles: tuple[str, ...], died: bool) -> None:
        """Open the journal, fold it, and go."""
        try:
            if self._disk is not None:
                self._fold(self._disk)
        except PowerCut:
            self.die(by_power_cut=True)
            return
        self.take(Started(self.instance, self.epoch, restarts, troubles, died=died))
        if self._diary is not None:
            self._note_room()
            self._scheduler.after(TEND_NS, self._tend)

    def take(self, one: Happening | Arrival) -> None:
        """Hand in what happened, or read what reached a socket, as soon as it is its turn."""
        if self.is_alive:
            self._inputs.append(one)
            self._work()

    def receive(self, read: Callable[[], Iterable[Happening]], *, grows_old: bool = False) -> None:
        """Read what reached a socket, as soon as it is its turn."""
        self.take(Arrival(read, grows_old))

    def ask_to_stop(self) -> None:
        """Let it finish what must be finished."""
        self.is_draining = True
        self.take(StopAsked())

    def freeze(self, duration_ns: int) -> None:
        """Stand still for a while."""
        if self._frozen_since_ns is None and self.is_alive:
            self._frozen_since_ns = self._scheduler.now_ns
            self._timers.is_asleep = True
            self._scheduler.after(duration_ns, self._thaw)

    def die(self, *, by_power_cut: bool) -> None:
        """End without a word."""
        if self.is_alive:
            self.is_alive = False
            self._tasks.clear()
            self._inputs.clear()
            self._hands.died(by_power_cut=by_power_cut)

    def begin_segment(self) -> None:
        """Turn a page of the journal, if the process is between two inputs."""
        if self.is_idle and not self.is_frozen:
            try:
                date = date_of(self._scheduler.clock.wall_ns())
                self.diary.journal.begin_segment(date=date, state=self._state())
            except JournalFull:
                return
            except PowerCut:
                self.die(by_power_cut=True)

    def _fold(self, disk: SimDisk) -> None:
        self._diary = _opened(disk, wall_ns=self._scheduler.clock.wall_ns(), empty_state=self._state())
        self.core.handle(Restored(self.diary.journal.snapshot.state), self._now())
        for past in self.diary.past():
            if isinstance(past, Recorded):
                self._hands.recorded(past.envelope)
            self.core.handle(past, self._now())
        for inherited in self._inheritance(self.core):
            self.core.handle(inherited, self._now())

    def _state(self) -> bytes:
        return cast("Journaling", self.core).state()  # a process that has a disk here has a journal there

    def _thaw(self) -> None:
        since_ns = self._frozen_since_ns
        if since_ns is None or not self.is_alive:
            return
        self._stood_still(self._scheduler.now_ns - since_ns)
        self._frozen_since_ns = None
        self._timers.wake()
        self._work()

    def _stood_still(self, gap_ns: int) -> None:
        if gap_ns > STALL_NS:
            kept = [one for one in self._inputs if not (isinstance(one, Arrival) and one.grows_old)]
            self._inputs.clear()
            self._inputs.extend((Stalled(gap_ns), *kept))
            self._hands.stood_still()

    def _work(self) -> None:
        if self._is_working:
            return
        self._is_working = True
        try:
            while self.is_alive and not self._is_writing and not self.is_frozen:
                if self._tasks:
                    self._tasks.popleft()()
                elif self._inputs:
                    self._read(self._inputs.popleft())
                else:
                    break
        except PowerCut:
            self.die(by_power_cut=True)
        self._is_working = False

    def _read(self, one: Happening | Arrival) -> None:
        if isinstance(one, Arrival):
            self._inputs.extendleft(reversed(list(one.read())))
        else:
            self._do(self._handled(one))

    def _handled(self, happening: Happening) -> Sequence[Effect]:
        self.handled += 1
        self._hands.taken(happening)
        return self.core.handle(happening, self._now())

    def _do(self, effects: Sequence[Effect]) -> None:
        """Let effects be done before anything else: first of all what shall be recorded."""
        reports = [effect for effect in effects if isinstance(effect, Report)]
        steps: list[Callable[[], None]] = [lambda: self._record(reports, effects)] if reports else []
        if not reports:
            steps = [self._performing(effect) for effect in effects]
        self._tasks.extendleft(reversed(steps))

    def _record(self, reports: Sequence[Report], effects: Sequence[Effect]) -> None:
        if self._hands.is_struck("before the commit"):
            self.die(by_power_cut=False)
            return
        try:
            envelopes, _ = self.diary.record(reports, self.sender)
        except JournalFull as full:
            self._do(
                self._handled(
                    NotRecorded(
                        tuple(report.body for report in reports), str(full), any(report.reducing for report in reports)
                    )
                )
            )
            self._note_room()
            return
        for envelope in envelopes:
            self._hands.recorded(envelope)
        self._is_writing, took_ns = True, self._hands.commit_ns()

        def written() -> None:
            if self.is_alive:
                self._stood_still(took_ns)
                self._tasks.appendleft(lambda: self._written(envelopes, effects))
            self._is_writing = False
            self._work()

        self._scheduler.after(took_ns, written)

    def _written(self, envelopes: Sequence[Envelope], effects: Sequence[Effect]) -> None:
        if self._hands.is_struck("after the commit"):
            self.die(by_power_cut=False)
            return
        self._hands.committed(envelopes)
        led_to = [self._handled(Recorded(envelope)) for envelope in envelopes]
        self._tasks.extendleft(reversed([self._performing(effect) for effect in effects]))
        for following in reversed(led_to):
            self._do(following)
        self._note_room()

    def _performing(self, effect: Effect) -> Callable[[], None]:
        def perform() -> None:
            match effect:
                case WakeAt(timer=timer, boot_ns=boot_ns):
                    self._timers.set(timer, boot_ns)
                case Stop():
                    self.has_stopped = True
                    self.die(by_power_cut=False)
                case Report():
                    pass  # it is recorded
                case _ if self._hands.is_struck(effect):
                    self.die(by_power_cut=False)
                case _:
                    self._hands.perform(effect)

        return perform

    def _tend(self) -> None:
        if not self.is_alive:
            return
        self._scheduler.after(TEND_NS, self._tend)
        if self.is_idle and not self.is_frozen and self.diary.journal.is_full:
            try:
                self.diary.journal.refill_reserve()
            except PowerCut:
                self.die(by_power_cut=True)
                return
            self._note_room()
            self._work()

    def _note_room(self) -> None:
        has_room = not self.diary.journal.is_full
        if has_room != self._has_room and self.is_alive:
            self._has_room = has_room
            self._inputs.append(JournalRoom(has_room))

    def _now(self) -> Moment:
        clock = self._scheduler.clock
        return Moment(clock.wall_ns(), clock.boot_ns(), clock.boot_id)


def _opened(disk: SimDisk, *, wall_ns: int, empty_state: bytes) -> Diary:
    opening = Opening(
        disk=disk, prove=CODEC.decode_stored, reserve_bytes=RESERVE_BYTES, room_ahead_bytes=ROOM_AHEAD_BYTES
    )
    try:
        journal = open_journal(opening)
    except JournalAbsent:
        journal = create_journal(opening, date=date_of(wall_ns), state=empty_state)
    return Diary(journal, codec=CODEC, troubles=())
