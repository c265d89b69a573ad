"""Numbered events are seen once and in order, whoever dies, sleeps or comes late."""

from collections.abc import Awaitable, Callable, Sequence

from proto.codec import EnvelopeCodec
from proto.control import ControlDone
from proto.envelope import Envelope
from shared.mesh.bus.numbered import EventPublisher, EventReader
from tests.shared.mesh.bus.conftest import Mesh, Process

Eventually = Callable[[Callable[[], object]], Awaitable[None]]


class Ledger:
    """Committed records in memory: what outlives the process that published them."""

    def __init__(self) -> None:
        self.stored: list[bytes] = []

    @property
    def last_sequence(self) -> int:
        """The newest number."""
        return len(self.stored)

    def frames(self, from_sequence: int, records_max: int) -> Sequence[bytes]:
        """Read from a number on."""
        return self.stored[from_sequence - 1 : from_sequence - 1 + records_max]


class Owner:
    """An executor that reports."""

    def __init__(self, process: Process, ledger: Ledger) -> None:
        self._process = process
        self._ledger = ledger
        self._codec = EnvelopeCodec()
        self.publisher = EventPublisher(
            hub=process.hub,
            name="reports",
            records=ledger,
            sender=process.sender,
            clock=process.clock,
            codec=process.codec,
        )

    def commit(self, count: int = 1, *, hint: bool = True) -> None:
        """Commit events and, unless the hint is lost, publish them."""
        frames = []
        for _ in range(count):
            number = self._ledger.last_sequence + 1
            envelope = self._process.sender.envelope(ControlDone(summary=f"event {number}"), sequence=number)
            frames.append(self._codec.encode(envelope))
            self._ledger.stored.append(frames[-1])
        if hint:
            self.publisher.publish(frames)


class Listener:
    """A reader of reports that remembers them."""

    def __init__(self, process: Process, next_sequence: int = 1) -> None:
        self.seen: list[int] = []
        self.reader = EventReader(
            hub=process.hub,
            instance="executor",
            name="reports",
            next_sequence=next_sequence,
            requester=process.asks("executor", "tail"),
            codec=process.codec,
            on_events=self._on_events,
        )

    def _on_events(self, events: Sequence[Envelope]) -> None:
        self.seen += [event.sequence for event in events]


async def test_events_arrive_once_and_in_order(mesh: Mesh, eventually: Eventually) -> None:
    """A reader that is there sees each event as it is committed."""
    owner = Owner(mesh.process("executor"), Ledger())
    listener = Listener(mesh.process("risk"))
    for _ in range(200):
        owner.commit()
    await eventually(lambda: listener.reader.next_sequence > 1)
    owner.commit()
    await eventually(lambda: len(listener.seen) == 201)
    assert listener.seen == list(range(1, 202))


async def test_a_late_reader_gets_the_tail(mesh: Mesh, eventually: Eventually) -> None:
    """Whoever comes late gets all it missed, in as many answers as it takes."""
    owner = Owner(mesh.process("executor"), Ledger())
    owner.commit(2_500)
    listener = Listener(mesh.process("risk"))
    await eventually(lambda: len(listener.seen) == 2_500)
    assert listener.seen == list(range(1, 2_501))


async def test_a_reader_continues_where_it_stopped(mesh: Mesh, eventually: Eventually) -> None:
    """A reader that knows what it has asks only for the rest."""
    owner = Owner(mesh.process("executor"), Ledger())
    owner.commit(10)
    listener = Listener(mesh.process("risk"), next_sequence=8)
    await eventually(lambda: listener.seen == [8, 9, 10])


async def test_lost_hints_are_made_good(mesh: Mesh, eventually: Eventually) -> None:
    """Hints that were lost are noticed by the next one, and the very last one by the heartbeat."""
    owner = Owner(mesh.process("executor"), Ledger())
    listener = Listener(mesh.process("risk"))
    owner.commit()
    await eventually(lambda: listener.seen == [1])
    owner.commit(3, hint=False)
    owner.commit()
    await eventually(lambda: listener.seen == [1, 2, 3, 4, 5])
    owner.commit(hint=False)
    listener.reader.announced(6)
    await eventually(lambda: listener.seen == [1, 2, 3, 4, 5, 6])


async def test_an_owner_that_is_killed_and_comes_back_is_followed(mesh: Mesh, eventually: Eventually) -> None:
    """The numbers go on through a restart, and what was committed but never published is seen."""
    ledger = Ledger()
    process = mesh.process("executor")
    owner = Owner(process, ledger)
    listener = Listener(mesh.process("risk"))
    owner.commit()
    await eventually(lambda: listener.seen == [1])
    owner.commit(2, hint=False)
    mesh.end(process)
    successor = Owner(mesh.process("executor"), ledger)
    successor.commit(hint=False)
    listener.reader.announced(4)
    await eventually(lambda: listener.seen == [1, 2, 3, 4])
