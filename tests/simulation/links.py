"""What one life is connected to, as shared/mesh/service/links.py has it, and how the lives of the mesh find each other.

Whoever follows or listens hears heartbeats: they say that a process moves, and how far its journal has come.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

from proto.envelope import Body, Envelope
from proto.health import Heartbeat, Hello
from proto.streams import StreamPosition
from proto.topics import topic_of
from services.risk_watchdog.core.terms import Likeness
from shared.core.service import (
    Answer,
    Ask,
    Effect,
    Follow,
    Happening,
    Heard,
    Listen,
    Retire,
    RetireEnded,
    Say,
    ShowFlattenStep,
    Watch,
)
from shared.mesh.fencing import FenceRefusal, is_spared
from shared.mesh.journal_records import JournalRecords
from shared.mesh.service.pulse import BEAT_NS, HELLO_EVERY_BEATS, YOUNG_BEAT_NS, YOUNG_BEATS
from tests.simulation.feed import Feed, Reader
from tests.simulation.process import Process
from tests.simulation.requests import Answerer, Answers, Questions, Reply
from tests.simulation.scheduler import MILLISECOND_NS, Scheduler
from tests.simulation.tails import Tail
from tests.simulation.wire import Wire

HEALTH: Final = "health"
RETIRED_NS: Final = 100 * MILLISECOND_NS
LIKENESS: Final = Likeness("simulated", "0" * 64, "0" * 64)


class Mesh:
    """Who lives now, by instance."""

    def __init__(self, scheduler: Scheduler, wire: Wire, feed: Feed) -> None:
        self.scheduler: Final = scheduler
        self.wire: Final = wire
        self.feed: Final = feed
        self.lives: Final[dict[str, Links]] = {}

    def life(self, instance: str) -> "Links | None":
        """Return the life that can be reached under a name now."""
        links = self.lives.get(instance)
        return links if links is not None and links.process.is_alive else None

    def answerer(self, instance: str) -> Answerer | None:
        """Return who can be asked under a name now."""
        return self.feed if instance == self.feed.instance else self.life(instance)

    def retire(self, instance: str, *, silent_epoch: int, by: Process) -> None:
        """Kill whoever holds a role, unless it is a successor that may still start, and say so to who wanted it."""
        held = self.life(instance)
        ended = RetireEnded(instance, None, "nobody holds the role")
        if held is not None:
            process, age_ns = held.process, self.scheduler.now_ns - held.process.since_ns
            if is_spared(process.epoch, silent_epoch=silent_epoch, age_ns=age_ns):
                ended = RetireEnded(instance, None, str(FenceRefusal.SUCCESSOR_STARTS))
            else:
                ended = RetireEnded(instance, process.epoch, "it was killed")
                process.die(by_power_cut=False)
        self.scheduler.after(RETIRED_NS, lambda: by.take(ended))

    def others(self, instance: str) -> "list[Links]":
        """Return everybody else who lives now."""
        return [links for name, links in self.lives.items() if name != instance and links.process.is_alive]


class Links:
    """The connections of one life. `reports` is the socket on which its journal is told, where it has one."""

    def __init__(self, *, mesh: Mesh, process: Process, reports: str | None) -> None:
        self.process: Final = process
        self._mesh: Final = mesh
        self._reports: Final = reports
        self._records: JournalRecords | None = None
        self._questions: Final = Questions(
            process=process, scheduler=mesh.scheduler, wire=mesh.wire, find=mesh.answerer
        )
        self._answers: Final = Answers(process, mesh.scheduler)
        self._tails: Final[dict[str, Tail]] = {}
        self._listens: Final[set[tuple[str, str]]] = set()
        self._reader: Final = Reader(process=process, feed=mesh.feed, scheduler=mesh.scheduler, wire=mesh.wire)
        self._beats = self._flatten_step = 0
        mesh.lives[process.instance] = self

    def records(self) -> JournalRecords:
        """Return what is durable in its journal."""
        if self._records is None:
            self._records = JournalRecords(self.process.diary.journal)
        return self._records

    def arrive(self, envelope: Envelope, asker: str, reply: Reply) -> None:
        """Take a request off the wire."""
        self._answers.arrive(envelope, asker, reply)

    def perform(self, effect: Effect) -> None:
        """Carry out an effect that concerns others of the mesh."""
        match effect:
            case Ask():
                self._questions.ask(effect)
            case Answer():
                self._answers.answer(effect)
            case Say(body=body):
                self._say(body)
            case Follow(instance=instance, next_sequence=next_sequence):
                self._tails[instance] = Tail(
                    process=self.process,
                    owner_name=instance,
                    find=self._mesh.life,
                    next_sequence=next_sequence,
                    scheduler=self._mesh.scheduler,
                    wire=self._mesh.wire,
                )
            case Listen(instance=instance, socket=socket):
                self._listens.add((instance, socket))
            case Watch(topic_prefix=prefix):
                self._reader.watch(prefix)
            case ShowFlattenStep(step=step):
                self._flatten_step = step
            case Retire(instance=instance, epoch=epoch):
                self._mesh.retire(instance, silent_epoch=epoch, by=self.process)
            case _:
                pass

    def tell(self, envelopes: Sequence[Envelope]) -> None:
        """Hint at new records of ours."""
        for other in self._mesh.others(self.process.instance):
            tail = other.tail_of(self.process.instance)
            if tail is not None:
                self._mesh.wire.send("hint", partial(tail.hint, envelopes))

    def tail_of(self, instance: str) -> Tail | None:
        """Return how an owner's journal is read here, None where it is not."""
        return self._tails.get(instance)

    def beat(self) -> None:
        """Say that the process moves, as often as it does."""
        process = self.process
        if not process.is_alive:
            return
        self._mesh.scheduler.after(YOUNG_BEAT_NS if self._beats < YOUNG_BEATS else BEAT_NS, self.beat)
        if process.is_frozen or not process.is_idle:
            return
        process.handled += 1
        if self._beats % HELLO_EVERY_BEATS == 0:
            self._say(_hello(process))
        self._beats += 1
        self._say(self._heartbeat())

    def stood_still(self) -> None:
        """Give up what waited."""
        self._reader.slept()

    def hear(self, envelope: Envelope) -> None:
        """Take what somebody says of which only the latest counts."""
        self.process.receive(lambda: self._heard(envelope), grows_old=True)

    def _heard(self, envelope: Envelope) -> Sequence[Happening]:
        if isinstance(envelope.body, Heartbeat) and envelope.sender in self._tails:
            for position in envelope.body.published:
                self._tails[envelope.sender].announced(position.sequence)
        socket = topic_of(type(envelope.body)).socket
        return (Heard(envelope.sender, envelope),) if (envelope.sender, socket) in self._listens else ()

    def _say(self, body: Body) -> None:
        envelope, socket = self.process.sender.envelope(body), topic_of(type(body)).socket
        for other in self._mesh.others(self.process.instance):
            if other.hears(self.process.instance, socket):
                self._mesh.wire.send("beat", partial(other.hear, envelope))

    def hears(self, instance: str, socket: str) -> bool:
        """Say whether this life is connected to a socket of somebody."""
        return (instance, socket) in self._listens or (socket == HEALTH and instance in self._tails)

    def _heartbeat(self) -> Heartbeat:
        published: tuple[StreamPosition, ...] = ()
        if self._reports is not None:
            last = self.process.diary.journal.anchor.sequence
            published = (StreamPosition(self._reports, self.process.epoch, last),)
        return Heartbeat(
            state="draining" if self.process.is_draining else "running",
            handled=self.process.handled,
            queued=0,
            flatten_step=self._flatten_step,
            money_config_digest=LIKENESS.money_config_digest,
            loop_gap_max_ns=0,
            memory_bytes=0,
            cpu_time_ns=0,
            published=published,
            anchor=None,
            troubles=(),
        )


def _hello(process: Process) -> Hello:
    return Hello(
        process_id=process.epoch,
        restarts=process.epoch - 1,
        build_id=LIKENESS.build_id,
        schema_digest=LIKENESS.schema_digest,
        money_config_digest=LIKENESS.money_config_digest,
        account_fingerprint=None,
    )
