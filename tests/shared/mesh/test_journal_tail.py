"""Another role's journal, read from its files: all that was durable, with its holes said, and nothing that was not."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.codec import EnvelopeCodec
from proto.orders import ReconcileFinished
from proto.risk import Anchor
from shared.core.service import Recorded, RecordsLost
from shared.mesh.bus.sender import Sender
from shared.mesh.clock import VirtualClock
from shared.mesh.journal import Journal, resume_above
from shared.mesh.journal_tail import JournalTail, TailUnreadError, journal_tail
from tests.shared.mesh.journal.journals import NEXT_DAY, a_journal, an_opening, commit
from tests.shared.mesh.journal.sim_disk import SimDisk

CODEC: Final = EnvelopeCodec()
SENDER: Final = Sender(instance="executor", epoch=3, clock=VirtualClock(boot_ns=1))
FIRST: Final = "00000001-2026-03-01.journal"
SECOND: Final = "00000002-2026-03-02.journal"


def records(*numbers: int) -> list[bytes]:
    """Return records of the executor that say their number."""
    bodies = {n: ReconcileFinished(pass_number=n, clean=True, differences=(), trades_read=()) for n in numbers}
    return [CODEC.encode(SENDER.envelope(body, sequence=number)) for number, body in bodies.items()]


def two_segments(disk: SimDisk) -> Journal:
    """Return a journal of three records, two of them before the state it goes on from."""
    journal = a_journal(disk, records(1), records(2))
    journal.begin_segment(date=NEXT_DAY, state=b"two records")
    commit(journal, records(3))
    return journal


def nothing_before(_: bytes) -> bool:
    """Want all that there is."""
    return False


def tail_of(disk: SimDisk, *anchors: Anchor) -> JournalTail:
    """Look at a journal that is there."""
    tail = journal_tail(disk, codec=CODEC, anchors=anchors)
    assert tail is not None
    return tail


def numbers(tail: JournalTail) -> list[int]:
    """Return the numbers of everything in it; a hole stands as the number behind it, below zero."""
    return [
        past.envelope.sequence if isinstance(past, Recorded) else -past.next_sequence
        for past in tail.page(nothing_before).past
    ]


def test_it_begins_with_the_newest_state() -> None:
    """Whoever folds it needs the state and what came after; whoever wants everything gets all segments."""
    disk = SimDisk()
    two_segments(disk)
    tail = tail_of(disk)
    assert tail.state == b"two records"
    assert [past.envelope.sequence for past in tail.past() if isinstance(past, Recorded)] == [3]
    assert numbers(tail) == [1, 2, 3]


def test_it_is_read_from_a_page_on() -> None:
    """Whoever has what stands before a page is given its state, and what came after; who never has, the first page."""
    disk = SimDisk()
    two_segments(disk).begin_segment(date=NEXT_DAY, state=b"three records")
    tail, wanted = tail_of(disk), [b"three records", b"two records", b"the beginning", b"another"]
    pages = [tail.page(state.__eq__) for state in wanted]
    assert [page.state for page in pages] == [*wanted[:3], b"the beginning"]
    read = [[one.envelope.sequence for one in page.past if isinstance(one, Recorded)] for page in pages]
    assert read == [[], [3], [1, 2, 3], [1, 2, 3]]


def test_a_page_that_is_damaged_is_an_error() -> None:
    """Looking back for a page, a head that is not what was written is said, and where."""
    disk = SimDisk()
    two_segments(disk)
    tail, file = tail_of(disk), disk.edit(FIRST)
    file.write(file.size() // 3, b"XX")
    with pytest.raises(TailUnreadError, match=FIRST):
        list(tail.page(nothing_before).past)


def test_the_newest_record_is_found_in_whichever_segment() -> None:
    """A page that has just been begun has none, and its owner has not been silent since ever."""
    disk = SimDisk()
    two_segments(disk).begin_segment(date=NEXT_DAY, state=b"three records")
    newest = tail_of(disk).newest()
    assert newest is not None
    assert newest.sequence == 3
    empty = SimDisk()
    a_journal(empty)
    assert tail_of(empty).newest() is None


def test_it_is_read_while_its_owner_writes() -> None:
    """What is written later is no part of what was looked at."""
    disk = SimDisk()
    journal = two_segments(disk)
    tail = tail_of(disk)
    commit(journal, records(4))
    assert numbers(tail) == [1, 2, 3]
    assert numbers(tail_of(disk)) == [1, 2, 3, 4]


def test_no_journal_is_none() -> None:
    """A role that never wrote has nothing to be read."""
    assert journal_tail(SimDisk(), codec=CODEC) is None


def test_nothing_is_touched() -> None:
    """The files of a dead writer stand afterwards as before, torn tail and all."""
    disk = SimDisk()
    two_segments(disk)
    file = disk.edit(SECOND)
    file.write(file.size(), b"BJr1 torn")
    before = disk.after_kill()
    assert numbers(tail_of(disk)) == [1, 2, 3]
    after = disk.after_kill()
    assert sorted(after.names()) == sorted(before.names())
    for name in after.names():
        file, other = after.view(name), before.view(name)
        assert file.read(0, file.size()) == other.read(0, other.size())


@given(st.data())
def test_a_torn_tail_costs_only_what_was_never_acknowledged(data: st.DataObject) -> None:
    """Whatever a crash leaves of a record that is being written, those before it are read."""
    disk = SimDisk()
    two_segments(disk)
    torn = records(4)[0]
    file = disk.edit(SECOND)
    file.write(file.size(), b"BJr1" + torn[: data.draw(st.integers(0, len(torn)))])
    assert numbers(tail_of(disk)) == [1, 2, 3]


def test_a_lost_tail_ends_in_a_hole() -> None:
    """A record that a peer holds the number of, and that is not there, is said to be lost."""
    disk = SimDisk()
    two_segments(disk)
    assert numbers(tail_of(disk, Anchor(sequence=7, digest="0" * 64))) == [1, 2, 3, -9]


def test_a_hole_that_was_resumed_above_is_one_here_too() -> None:
    """What its owner said to be lost is lost for everybody."""
    disk = SimDisk()
    two_segments(disk).close()
    journal = resume_above(an_opening(disk, Anchor(sequence=5, digest="0" * 64)), above=5, reason="an old copy")
    commit(journal, records(7))
    assert numbers(tail_of(disk)) == [1, 2, 3, -7, 7]


@pytest.mark.parametrize("name", [FIRST, SECOND])
def test_damage_is_an_error(name: str) -> None:
    """One byte changed in the middle: it is not read around the damage, and the error says where that is."""
    disk = SimDisk()
    commit(two_segments(disk), records(4))
    file = disk.edit(name)
    place = file.size() // 2
    file.write(place, bytes([file.read(place, 1)[0] ^ 1]))
    with pytest.raises(TailUnreadError, match=name):
        numbers(tail_of(disk))


def test_a_record_that_is_no_message_is_an_error() -> None:
    """What a program of another day wrote in its own words is not taken for something else."""
    disk = SimDisk()
    a_journal(disk, [b"no message"])
    with pytest.raises(TailUnreadError):
        list(tail_of(disk).past())


def test_lost_is_told_as_a_service_folds_it() -> None:
    """A hole is the same happening that a service gets of its own journal."""
    disk = SimDisk()
    two_segments(disk)
    *_, last = tail_of(disk, Anchor(sequence=7, digest="0" * 64)).past()
    assert isinstance(last, RecordsLost)
    assert "record 7" in last.reason


def test_a_lost_tail_is_the_same_hole_before_and_after_its_owner_has_gone_on() -> None:
    """By its number those who read know it again: the owner leaves a record that says what is lost."""
    disk = SimDisk()
    two_segments(disk)
    lost = Anchor(sequence=7, digest="0" * 64)
    *_, before = tail_of(disk, lost).past()
    resume_above(an_opening(disk, lost), above=7, reason="the tail is lost").close()
    (after,) = [one for one in tail_of(disk).past() if isinstance(one, RecordsLost)]
    assert isinstance(before, RecordsLost)
    assert after.next_sequence == before.next_sequence
