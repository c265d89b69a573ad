"""The executor through its lives: it is started, killed, frozen and started again, on the disk that is left."""

from collections.abc import Callable
from typing import Final

from proto.envelope import Body, Envelope
from proto.risk import LeaseAnswered
from services.executor.core import ExecutorCore
from services.executor.vocabulary import SendOrder, StreamLost, StreamOpened
from shared.core.service import Answer, Answered, Ask, Happening, Note, Outward, Say, Stalled, StopAsked
from tests.shared.mesh.journal.sim_disk import SimDisk
from tests.simulation.gateway import Gateway
from tests.simulation.process import Process
from tests.simulation.scheduler import MILLISECOND_NS, SECOND_NS, Dice, Scheduler
from tests.simulation.trace import Trace, words
from tests.simulation.venue import SimVenue
from tests.simulation.weather import Weather
from tests.simulation.witness import Witness

DEATHS_MAX: Final = 30
DISK_FULL_NS_MAX: Final = 5 * SECOND_NS
OPERATIONS_PER_LIFE: Final = 600

MakeCore = Callable[[], ExecutorCore]


class Host:
    """One machine with one seat for the executor."""

    def __init__(
        self,
        *,
        make_core: MakeCore,
        venue: SimVenue,
        scheduler: Scheduler,
        weather: Weather,
        dice: Dice,
        trace: Trace,
        witness: Witness,
    ) -> None:
        self._make_core: Final = make_core
        self._venue: Final = venue
        self._scheduler: Final = scheduler
        self._weather: Final = weather
        self._dice: Final = dice
        self._trace: Final = trace
        self._witness: Final = witness
        self.disk = SimDisk()
        self.deaths = 0
        self.notes: Final[list[str]] = []  # what wants a person
        self.on_lease: Callable[[Ask], None] = lambda _: None
        self.on_answer: Callable[[str, Body], None] = lambda _, __: None
        self.on_record: Callable[[Envelope], None] = lambda _: None
        self.on_feed_anew: Callable[[], None] = lambda: None  # a reader that begins anew is told how things stand
        self.process: Process | None = None
        self._gateway: Gateway | None = None
        self._epoch = self._told_to = 0

    @property
    def core(self) -> ExecutorCore:
        """Return the core of this life, or of the last."""
        assert self.process is not None, "it was booted"
        assert isinstance(self.process.core, ExecutorCore), "which is an executor"
        return self.process.core

    @property
    def is_well(self) -> bool:
        """Whether the executor lives and moves."""
        return self.process is not None and self.process.is_alive and not self.process.is_frozen

    def boot(self) -> None:
        """Begin a life, under a new epoch."""
        self._epoch += 1
        self._trace.note("executor", f"begins, epoch {self._epoch}")
        self._witness.began()
        if self._weather.strikes("power cut"):
            self.disk.cut_power_at(self._weather.amount("power cut", 1, OPERATIONS_PER_LIFE))
        process = Process(
            core=self._make_core(), epoch=self._epoch, disk=self.disk, scheduler=self._scheduler, hands=self
        )
        self.process = process
        self._gateway = Gateway(
            process=process,
            venue=self._venue,
            scheduler=self._scheduler,
            weather=self._weather,
            dice=self._dice,
            trace=self._trace,
            witness=self._witness,
        )
        self._gateway.open()
        process.start(restarts=self.deaths)
        self.on_feed_anew()

    def deliver(self, happening: Happening) -> None:
        """Hand the executor what reached its sockets; without a life there it is lost."""
        if self.process is not None and self.process.is_alive:
            self.process.take(happening)

    def reply(self, epoch: int, happening: Happening) -> None:
        """Hand the executor what comes back to a question of that life: a later one never asked it."""
        if self._epoch == epoch:
            self.deliver(happening)

    def weather_changes(self) -> None:
        """Let the machine suffer what falls on it from time to time."""
        process = self.process
        if process is None or not process.is_alive:
            return
        if self._weather.strikes("frozen"):
            frozen_ms = self._weather.amount("frozen", 100, 8_000)
            self._trace.note("executor", f"stands still for {frozen_ms} ms")
            process.freeze(frozen_ms * MILLISECOND_NS)
        if self._weather.strikes("disk full") and self.disk.capacity is None:
            self._trace.note("executor", "its disk is full")
            self.disk.capacity = self.disk.used() + self._weather.amount("disk full", 0, 3_000)
            self._scheduler.after(DISK_FULL_NS_MAX, self._empty_disk)
        if self._weather.strikes("asked to stop"):
            self._trace.note("executor", "is asked to stop")
            process.take(StopAsked())
        if self._weather.strikes("segment begun"):
            process.begin_segment()

    # The hands of a process.

    def perform(self, effect: Outward | Answer | Ask | Say | Note) -> None:
        """Carry out an effect."""
        if not isinstance(effect, Say):
            self._trace.note("executor", words(effect))
        match effect:
            case Ask():
                self.on_lease(effect)
            case Answer(asked=asked, body=body):
                self.on_answer(asked.instance, body)
            case Note(level=level, event=event):
                if level == "critical":
                    self.notes.append(event)
            case Outward():
                if isinstance(effect, SendOrder):
                    self._witness.left(effect)
                assert self._gateway is not None, "it has hands"
                self._gateway.perform(effect)
            case _:
                pass

    def taken(self, happening: Happening) -> None:
        """Take note of what the core is handed."""
        match happening:
            case StreamOpened() | StreamLost() | Stalled():
                self._witness.gap()
                if isinstance(happening, Stalled):
                    self._scheduler.after(MILLISECOND_NS, self.on_feed_anew)
            case Answered(envelope=envelope) if isinstance(envelope.body, LeaseAnswered):
                self._witness.lease_heard(self._epoch, envelope.body)
            case _:
                pass

    def recorded(self, envelope: Envelope) -> None:
        """Take note of a durable record, and tell whoever follows; each is told once.

        Where the power went in the middle of a commit, nobody knew of it before the journal was read again.
        """
        if envelope.sequence <= self._told_to:
            return
        self._told_to = envelope.sequence
        self._trace.note("journal", f"{envelope.sequence} {words(envelope.body)}")
        self._witness.recorded(envelope)
        self.on_record(envelope)

    def is_struck(self, task: str) -> bool:
        """Say whether the process dies before this step."""
        if self.deaths >= DEATHS_MAX or not self._weather.strikes("killed"):
            return False
        self._trace.note("executor", f"is killed: {task}")
        return True

    def died(self, *, by_power_cut: bool) -> None:
        """Let the next life begin after a while, on what is left of the disk."""
        self.deaths += 1
        self._trace.note("executor", "dies" + (" with the power" if by_power_cut else ""))
        dice = self._dice.of("disk after a death")
        # Only the power takes what the kernel was told; either way the files are others'.
        self.disk = self.disk.after_power_cut(dice) if by_power_cut else self.disk.after_kill()
        self._scheduler.after(self._dice.of("restarts").randint(100, 2_000) * MILLISECOND_NS, self.boot)

    def commit_ns(self) -> int:
        """Say how long the disk takes."""
        slow_ms = self._weather.amount("disk slow", 50, 2_500) if self._weather.strikes("disk slow") else 0
        return slow_ms * MILLISECOND_NS + 300_000

    def _empty_disk(self) -> None:
        self.disk.capacity = None
