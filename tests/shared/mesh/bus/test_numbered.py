"""Numbered events are seen once and in order, whoever dies, sleeps, comes late or loses its tail."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec
import pytest
import zmq

from proto.codec import EnvelopeCodec
from proto.control import ControlDone
from proto.envelope import Body, Envelope
from proto.orders import ReconcileFinished
from proto.risk import Anchor
from shared.mesh.bus.numbered import FRUITLESS_PAUSE_SECONDS, EventPublisher, EventReader
from shared.mesh.bus.packet import as_written, packed
from shared.mesh.journal import Journal, Opening, RealDisk, create_journal, open_journal, resume_above
from shared.mesh.journal_records import JournalRecords
from tests.shared.mesh.bus.conftest import Mesh, Process

Eventually = Callable[[Callable[[], object]], Awaitable[None]]


class Owner:
    """An executor that reports what it has journaled."""

    def __init__(self, process: Process, journal: Journal) -> None:
        self.process: Final = process
        self.journal: Final = journal
        self._records = JournalRecords(journal)
        self.publisher = EventPublisher(
            hub=process.hub,
            name="reports",
            records=self._records,
            sender=process.sender,
            clock=process.clock,
            codec=process.codec,
        )

    def commit(self, *bodies: Body, count: int = 1, hint: bool = True) -> None:
        """Commit these bodies, or so many of any, and, unless the hint is lost, publish them."""
        payloads = []
        for number, body in enumerate(bodies or [_an_event(n) for n in range(count)], self.journal.anchor.sequence + 1):
            envelope = self.process.sender.envelope(body, sequence=number)
            payloads.append(self.process.codec.encode_proved(envelope))
            self.journal.append(payloads[-1])
        self.journal.commit()
        if hint:
            self.publisher.publish(payloads)

    def end(self, mesh: Mesh) -> None:
        """End the process as a kill would, and let its files go."""
        mesh.end(self.process)
        self._records.close()
        self.journal.close()


def _an_event(number: int) -> ReconcileFinished:
    return ReconcileFinished(pass_number=number, clean=True, differences=(), trades_read=())


class Disk:
    """Where the executor's journal lies, from one life of it to the next."""

    def __init__(self, mesh: Mesh, directory: Path) -> None:
        self._mesh = mesh
        self._directory = directory
        self._owner: Owner | None = None

    def first_owner(self) -> Owner:
        """Start an executor with a new journal."""
        return self._owned(create_journal(self._opening(), date="2026-03-01", state=b""))

    def next_owner(self) -> Owner:
        """Start it again, after `end`."""
        return self._owned(open_journal(self._opening()))

    def owner_above(self, anchor: Anchor) -> Owner:
        """Start it again above a tail that it lost, and that a peer holds the anchor of."""
        return self._owned(resume_above(self._opening(anchor), above=anchor.sequence, reason="the tail is lost"))

    def copied(self) -> Path:
        """Keep a copy of what is there."""
        return Path(shutil.copytree(self._directory, self._directory.with_suffix(".copy")))

    def put_back(self, copy: Path) -> None:
        """Replace what is there by an older copy."""
        shutil.rmtree(self._directory)
        copy.rename(self._directory)

    def close(self) -> None:
        """Let the last owner's files go."""
        if self._owner is not None:
            self._owner._records.close()
            self._owner.journal.close()

    def _opening(self, *anchors: Anchor) -> Opening:
        prove = EnvelopeCodec().decode_stored
        return Opening(disk=RealDisk(self._directory), prove=prove, anchors=anchors, reserve_bytes=4096)

    def _owned(self, journal: Journal) -> Owner:
        self._owner = Owner(self._mesh.process("executor"), journal)
        return self._owner


@pytest.fixture
def disk(mesh: Mesh, tmp_path: Path) -> Iterator[Disk]:
    """Give a test a disk for the executor's journal."""
    disk = Disk(mesh, tmp_path / "journal")
    yield disk
    disk.close()


class Follower:
    """A reader of reports that remembers their numbers, and each loss by the number behind it."""

    def __init__(self, process: Process, next_sequence: int = 1) -> None:
        self.seen: list[int | tuple[str, int]] = []
        self.reader = EventReader(
            hub=process.hub,
            instance="executor",
            name="reports",
            next_sequence=next_sequence,
            requester=process.asks("executor", "tail"),
            codec=process.codec,
            on_events=self._on_events,
            on_loss=lambda number: self.seen.append(("lost before", number)),
        )

    def _on_events(self, events: Sequence[Envelope]) -> None:
        self.seen += [event.sequence for event in events]


async def test_events_arrive_once_and_in_order(mesh: Mesh, disk: Disk, eventually: Eventually) -> None:
    """A reader that is there sees each event as it is committed."""
    owner = disk.first_owner()
    follower = Follower(mesh.process("risk"))
    for _ in range(100):
        owner.commit()
    await eventually(lambda: follower.reader.next_sequence > 1)
    owner.commit()
    await eventually(lambda: len(follower.seen) == 101)
    assert follower.seen == list(range(1, 102))


async def test_a_late_reader_gets_the_tail(mesh: Mesh, disk: Disk, eventually: Eventually) -> None:
    """Whoever comes late gets all it missed, in as many answers as it takes."""
    disk.first_owner().commit(count=2_500)
    follower = Follower(mesh.process("risk"))
    await eventually(lambda: len(follower.seen) == 2_500)
    assert follower.seen == list(range(1, 2_501))


async def test_a_reader_continues_where_it_stopped(mesh: Mesh, disk: Disk, eventually: Eventually) -> None:
    """A reader that knows what it has asks only for the rest."""
    disk.first_owner().commit(count=10)
    follower = Follower(mesh.process("risk"), next_sequence=8)
    await eventually(lambda: follower.seen == [8, 9, 10])


async def test_lost_hints_are_made_good(mesh: Mesh, disk: Disk, eventually: Eventually) -> None:
    """Hints that were lost are noticed by the next one, and the very last one by the heartbeat."""
    owner = disk.first_owner()
    follower = Follower(mesh.process("risk"))
    owner.commit()
    await eventually(lambda: follower.seen == [1])
    owner.commit(count=3, hint=False)
    owner.commit()
    await eventually(lambda: follower.seen == [1, 2, 3, 4, 5])
    owner.commit(hint=False)
    follower.reader.announced(6)
    await eventually(lambda: follower.seen == [1, 2, 3, 4, 5, 6])


async def test_an_owner_that_is_killed_and_comes_back_is_followed(
    mesh: Mesh, disk: Disk, eventually: Eventually
) -> None:
    """The numbers go on through a restart, and what was committed but never published is seen."""
    owner = disk.first_owner()
    follower = Follower(mesh.process("risk"))
    owner.commit()
    await eventually(lambda: follower.seen == [1])
    owner.commit(count=2, hint=False)
    owner.end(mesh)
    disk.next_owner().commit(hint=False)
    follower.reader.announced(4)
    await eventually(lambda: follower.seen == [1, 2, 3, 4])


async def test_a_tail_that_was_lost_is_told_once(mesh: Mesh, disk: Disk, eventually: Eventually) -> None:
    """An owner that resumed above a lost tail tells each reader where it goes on, whatever of the tail it has seen."""
    owner = disk.first_owner()
    owner.commit(count=3)
    older = disk.copied()
    owner.commit(count=2)
    had_all = Follower(mesh.process("risk"))
    await eventually(lambda: had_all.seen == [1, 2, 3, 4, 5])
    anchor = owner.journal.anchor
    owner.end(mesh)
    disk.put_back(older)
    successor = disk.owner_above(anchor)  # the gap itself is number 6
    late = Follower(mesh.process("metrics"))
    await eventually(lambda: late.seen == [1, 2, 3, ("lost before", 7)])
    successor.commit(count=2)
    for follower in (had_all, late):
        follower.reader.announced(8)
    await eventually(lambda: had_all.seen == [1, 2, 3, 4, 5, ("lost before", 7), 7, 8])
    await eventually(lambda: late.seen == [1, 2, 3, ("lost before", 7), 7, 8])


async def test_what_the_owner_may_not_say_is_never_handed_on(mesh: Mesh, disk: Disk, eventually: Eventually) -> None:
    """An answer among the reports is counted; what follows it waits, and is asked for with pauses, not in a frenzy."""
    owner = disk.first_owner()
    owner.commit(_an_event(1), ControlDone(summary="no report"), _an_event(3))
    follower = Follower(mesh.process("risk"))
    await eventually(lambda: follower.seen == [1])
    before, began = follower.reader.refused["sender_may_say"], asyncio.get_running_loop().time()
    await eventually(lambda: follower.reader.refused["sender_may_say"] >= before + 3)
    assert asyncio.get_running_loop().time() - began > 2 * FRUITLESS_PAUSE_SECONDS
    assert follower.seen == [1]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sender": "flattener"}, "sender_may_say"),
        ({"body": ControlDone(summary="x")}, "sender_may_say"),
        ({"epoch": -1}, "bad_field"),
    ],
    ids=["another sender", "an answer", "no sense"],
)
async def test_a_hint_that_is_none_is_counted(
    mesh: Mesh, eventually: Eventually, change: dict[str, object], reason: str
) -> None:
    """A hint in another's name, of another kind or of no sense changes nothing, and the true one is seen."""
    executor = mesh.process("executor")
    socket = executor.hub.bind(zmq.PUB, "reports")
    follower = Follower(mesh.process("risk"))
    truth = executor.sender.envelope(_an_event(1), sequence=1)
    lie = msgspec.structs.replace(truth, **change)
    packet = packed(b"reports", as_written([msgspec.msgpack.encode(lie), executor.codec.encode(truth)]))

    def heard() -> bool:
        socket.send(packet)
        return bool(follower.seen)

    await eventually(heard)
    assert follower.seen == [1]
    assert set(follower.reader.refused) == {reason}


async def test_a_journal_that_cannot_be_read_is_asked_again(
    mesh: Mesh, disk: Disk, tmp_path: Path, eventually: Eventually
) -> None:
    """An owner whose disk fails under it refuses the tail in words, and gives it when it can."""
    disk.first_owner().commit(count=3)
    (segment,) = (tmp_path / "journal").glob("*.journal")
    segment.rename(tmp_path / "elsewhere")
    follower = Follower(mesh.process("risk"))
    await eventually(lambda: follower.reader.refused["bad tail"] > 0)
    (tmp_path / "elsewhere").rename(segment)
    await eventually(lambda: follower.seen == [1, 2, 3])
