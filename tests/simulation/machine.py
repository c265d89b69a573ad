"""One seat: a process through its lives. It is started, killed, frozen and started again, on the disk that is left."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from proto.envelope import Envelope
from proto.risk import AskLease, LeaseAnswered
from shared.core.service import (
    Answer,
    Ask,
    Core,
    Effect,
    Happening,
    InheritanceUnread,
    Inherited,
    InheritedState,
    MakeHalt,
    Outward,
    RemoveHalt,
    RenameHalt,
    Say,
    Watch,
)
from shared.mesh.clock import boot_time
from shared.mesh.epoch import RoleRecord, WitnessedEpochs, crash_loop, next_record, stopped
from tests.shared.mesh.journal.sim_disk import SimDisk
from tests.simulation.halt import HaltWatch, SimHalt
from tests.simulation.links import Links, Mesh
from tests.simulation.process import Process
from tests.simulation.scheduler import MILLISECOND_NS, SECOND_NS, Dice, Scheduler
from tests.simulation.trace import Trace, words
from tests.simulation.weather import FAULTS, Weather

DISK_FULL_NS_MAX: Final = 5 * SECOND_NS
OPERATIONS_PER_LIFE: Final = 600  # on the disk, after as many at most the power goes
LOOPS: Final = "crash loop: three deaths within a minute"  # as shared/mesh/service/start.py tells it


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What everything in a run shares."""

    scheduler: Scheduler
    weather: Weather
    dice: Dice
    trace: Trace
    halt: SimHalt


class Outside(Protocol):
    """What one life reaches beside the mesh."""

    def open(self) -> None:
        """Begin: the process has its first word."""

    def perform(self, effect: Outward) -> None:
        """Do what the core wants."""

    def close(self) -> None:
        """End: the process is dead."""


class Watcher(Protocol):
    """Who watches a process from outside."""

    def began(self) -> None:
        """Take note of a new life."""

    def taken(self, happening: Happening, epoch: int) -> None:
        """Take note of what the core is handed."""

    def performed(self, effect: Effect, epoch: int) -> None:
        """Take note of an effect that is about to be carried out."""

    def recorded(self, envelope: Envelope) -> None:
        """Take note of a durable record; each comes once."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seat:
    """Which process it is. `reports` is the socket on which its journal is told; without one it has no disk here.

    Whoever has a journal here heeds the HALT file. `inheritance` is what another wrote in its name.
    """

    instance: str
    make_core: Callable[[], Core]
    reports: str | None
    deaths_max: int
    operations_max: int = OPERATIONS_PER_LIFE
    inheritance: Callable[[Core], Iterable[InheritedState | Inherited | InheritanceUnread]] = lambda _: ()


class Machine:
    """The hands of a process, and what falls on it."""

    def __init__(
        self,
        *,
        seat: Seat,
        around: Surroundings,
        mesh: Mesh,
        watcher: Watcher,
        outside: Callable[[Process], Outside] | None,
    ) -> None:
        self._seat: Final = seat
        self._around: Final = around
        self._mesh: Final = mesh
        self._watcher: Final = watcher
        self._make_outside: Final = outside
        self._outside: Outside | None = None
        self.disk = SimDisk()
        self.epochs_ns: Final[list[int]] = []  # when each began, also those of another who holds the role
        self.deaths_ns: Final[list[int]] = []
        self.process: Process | None = None
        self._links: Links | None = None
        self._halt: HaltWatch | None = None
        self._record: RoleRecord | None = None  # what the role's epoch file says; no power takes it
        self._told_to = 0
        self._restarts_at_ns = self._away_ms = 0
        self._is_fenced = False  # another holds the role

    @property
    def is_well(self) -> bool:
        """Whether the process lives and moves."""
        return self.process is not None and self.process.is_alive and not self.process.is_frozen

    def new_core(self) -> Core:
        """Return a core as each life begins with one."""
        return self._seat.make_core()

    def boot(self) -> None:
        """Begin a life, under a new epoch; while another holds the role, stand by."""
        if self._is_fenced:
            self._note("stands by")
            return
        seat, around = self._seat, self._around
        record = self._begin_epoch(own_start=True)
        now = boot_time(around.scheduler.clock)
        loops, died = crash_loop(record.deaths, now=now), now in record.deaths[-1:]
        self._note(f"begins, epoch {record.epoch}")
        self._watcher.began()
        if seat.reports is not None and self._strikes("power cut"):
            self.disk.cut_power_at(self._amount("power cut", 1, seat.operations_max))
        process = self.process = Process(
            instance=seat.instance,
            core=self.new_core(),
            epoch=record.epoch,
            disk=None if seat.reports is None else self.disk,
            scheduler=around.scheduler,
            hands=self,
            inheritance=seat.inheritance,
        )
        self._links = Links(mesh=self._mesh, process=process, reports=seat.reports)
        self._halt = None if seat.reports is None else around.halt.watched_by(process)
        outside = self._outside = None if self._make_outside is None else self._make_outside(process)
        process.start(restarts=max(record.starts - 1, 0), troubles=(LOOPS,) if loops else (), died=died)
        if process.is_alive:
            self._links.beat()
            if self._halt is not None:
                self._halt.look()
            if outside is not None:
                outside.open()

    def fence(self) -> int:
        """End whoever holds the role, let nobody begin, and return the epoch under which it is held now."""
        self._is_fenced = True
        if self.process is not None:
            self.process.die(by_power_cut=False)
        return self._begin_epoch(own_start=False).epoch

    def end(self, *, away_ms: int) -> None:
        """Let the process die, and the next one not begin before a while."""
        self._away_ms = away_ms
        if self.process is not None:
            self.process.die(by_power_cut=False)

    def hand_back(self) -> None:
        """Let the next life begin, if it waits for that; else it begins as after any death."""
        self._is_fenced = False
        self._stopped()
        is_alive = self.process is not None and self.process.is_alive
        if not is_alive and self._restarts_at_ns <= self._around.scheduler.now_ns:
            self.boot()

    def weather_changes(self) -> None:
        """Let the machine suffer what falls on it from time to time."""
        process = self.process
        if process is None or not process.is_alive:
            return
        if self._strikes("frozen"):
            frozen_ms = self._amount("frozen", 100, 8_000)
            self._note(f"stands still for {frozen_ms} ms")
            process.freeze(frozen_ms * MILLISECOND_NS)
        if self._strikes("asked to stop"):
            self._note("is asked to stop")
            process.ask_to_stop()
        if self._seat.reports is None:
            return
        if self._strikes("disk full") and self.disk.capacity is None:
            self._note("its disk is full")
            self.disk.capacity = self.disk.used() + self._amount("disk full", 0, 3_000)
            self._around.scheduler.after(DISK_FULL_NS_MAX, self._empty_disk)
        if self.is_well and self._strikes("segment begun"):
            process.begin_segment()

    # The hands of a process.

    def perform(self, effect: Effect) -> None:
        """Carry out an effect."""
        if not isinstance(effect, Say | Watch):
            self._note(words(effect))
        self._watcher.performed(effect, self._epoch)
        assert self._links is not None, "it has connections"
        if isinstance(effect, Outward):
            assert self._outside is not None, "it has hands"
            self._outside.perform(effect)
        elif isinstance(effect, MakeHalt | RenameHalt | RemoveHalt):
            assert self._halt is not None, "it heeds the file"
            self._halt.perform(effect)
        else:
            self._links.perform(effect)

    def taken(self, happening: Happening) -> None:
        """Take note of what the core is handed."""
        self._watcher.taken(happening, self._epoch)

    def recorded(self, envelope: Envelope) -> None:
        """Take note of a durable record, once.

        Where the power went in the middle of a commit, nobody knew of it before the journal was read again.
        """
        if envelope.sequence <= self._told_to:
            return
        self._told_to = envelope.sequence
        self._around.trace.note(f"{self._seat.instance}'s", f"{envelope.sequence} {words(envelope.body)}")
        self._watcher.recorded(envelope)

    def committed(self, envelopes: Sequence[Envelope]) -> None:
        """Tell whoever follows of new records."""
        assert self._links is not None, "it has connections"
        self._links.tell(envelopes)

    def is_struck(self, what: Effect | str) -> bool:
        """Say whether the process dies before this step: an effect on others, or a commit."""
        is_step = isinstance(what, str | Outward | MakeHalt | RenameHalt | RemoveHalt)
        if not (is_step or (isinstance(what, Answer | Ask) and not _is_lease(what))):
            return False
        if len(self.deaths_ns) >= self._seat.deaths_max or not self._strikes("killed"):
            return False
        self._note(f"is killed: {what if isinstance(what, str) else type(what).__name__}")
        return True

    def stood_still(self) -> None:
        """Give up what waited and is of no use when it is old."""
        if self._links is not None:
            self._links.stood_still()

    def died(self, *, by_power_cut: bool) -> None:
        """Let the next life begin after a while, on what is left of the disk."""
        around = self._around
        self.deaths_ns.append(around.scheduler.now_ns)
        self._note("dies" + (" with the power" if by_power_cut else ""))
        if self.process is not None and self.process.has_stopped:
            self._stopped()
        dice = around.dice.of(f"{self._seat.instance}: disk after a death")
        # Only the power takes what the kernel was told; either way the files are others'.
        self.disk = self.disk.after_power_cut(dice) if by_power_cut else self.disk.after_kill()
        if self._outside is not None:
            self._outside.close()
        pause_ms = around.dice.of(f"{self._seat.instance}: restarts").randint(100, 2_000)
        pause_ms, self._away_ms = pause_ms + self._away_ms, 0
        if f"{self._seat.instance} stays away" in FAULTS and self._strikes("stays away"):
            pause_ms += self._amount("stays away", 3_000, 20_000)
        self._restarts_at_ns = around.scheduler.now_ns + pause_ms * MILLISECOND_NS
        around.scheduler.at(self._restarts_at_ns, self.boot)

    def commit_ns(self) -> int:
        """Say how long the disk takes."""
        slow_ms = self._amount("disk slow", 50, 2_500) if self._strikes("disk slow") else 0
        return slow_ms * MILLISECOND_NS + 300_000

    @property
    def _epoch(self) -> int:
        return 0 if self._record is None else self._record.epoch

    def _begin_epoch(self, *, own_start: bool) -> RoleRecord:
        """Take the seat, as `occupy` of shared/mesh/seat.py does."""
        now = boot_time(self._around.scheduler.clock)
        role, nobody_else = self._seat.instance, WitnessedEpochs(0, 0)
        self._record, _ = next_record(self._record, nobody_else, role=role, own_start=own_start, now=now)
        self.epochs_ns.append(now.boot_ns)
        return self._record

    def _stopped(self) -> None:
        assert self._record is not None, "somebody held the role"
        self._record = stopped(self._record)

    def _strikes(self, fault: str) -> bool:
        return self._around.weather.strikes(f"{self._seat.instance} {fault}")

    def _amount(self, fault: str, low: int, high: int) -> int:
        return self._around.weather.amount(f"{self._seat.instance} {fault}", low, high)

    def _note(self, what: str) -> None:
        self._around.trace.note(self._seat.instance, what)

    def _empty_disk(self) -> None:
        self.disk.capacity = None


def _is_lease(effect: Answer | Ask) -> bool:
    """Say whether it is about the lease: it is asked for all the time, and would be where nearly all kills fall."""
    return isinstance(effect.body, AskLease | LeaseAnswered)
