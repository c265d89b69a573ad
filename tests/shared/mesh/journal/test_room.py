"""Room that a segment takes ahead of its records: zeros behind the last frame, which are neither records nor damage."""

import errno
from typing import Final

import pytest

from shared.mesh.journal import Journal, JournalRefused, Kind, TailLost, examine
from shared.mesh.journal.mark import MARK_NAME
from tests.shared.mesh.journal.journals import (
    NEXT_DAY,
    a_journal,
    all_there,
    an_opening,
    commit,
    numbered,
    payloads,
    reopened,
)
from tests.shared.mesh.journal.sim_disk import SimDisk
from tests.shared.mesh.journal.test_damage import FIRST

ROOM: Final = 500


def with_room(disk: SimDisk) -> Journal:
    """Return a journal of nine records in three groups, with room behind them."""
    return a_journal(disk, numbered(2), numbered(3, start=3), numbered(4, start=6), room_ahead_bytes=ROOM)


def test_file_keeps_its_size_while_there_is_room() -> None:
    """A sync that changes no size costs half: the file grows at once for many records, and not with each."""
    disk = SimDisk()
    journal = a_journal(disk, room_ahead_bytes=1000)
    began, sizes = journal.segment_bytes, set()
    for number in range(30):
        commit(journal, numbered(1, start=number))
        sizes.add(len(disk.copied()[FIRST]))
    assert max(sizes) >= journal.segment_bytes
    assert len(sizes) == 1 + (journal.segment_bytes - began) // 1000


def test_room_is_no_tail() -> None:
    """After a kill all records are there, nothing is noted, and the next life begins where they end."""
    disk = SimDisk()
    journal = with_room(disk)
    ends = journal.segment_bytes
    assert len(disk.copied()[FIRST]) > ends
    later = disk.after_kill()
    again = reopened(later, journal.anchor)
    assert again.notes == ()
    assert payloads(again.records(1)) == numbered(9)
    assert len(later.copied()[FIRST]) == ends
    commit(again, [b"ten"])
    assert all_there(later) == [*numbered(9), b"ten"]


def test_bytes_that_are_lost_to_zeros() -> None:
    """Pages that never reached the disk read as zeros: from whatever byte on, no acknowledged record goes unmissed."""
    disk = SimDisk()
    journal = with_room(disk)
    files, anchor = disk.copied(), journal.anchor
    head_ends = a_journal(SimDisk()).segment_bytes
    for at in range(head_ends, journal.segment_bytes):
        zeroed = files | {FIRST: files[FIRST][:at] + bytes(len(files[FIRST]) - at)}
        if zeroed == files:
            continue  # the checksum ends in zeros
        for held_to in ([], [anchor]):
            with pytest.raises(JournalRefused):
                reopened(disk.restore(zeroed), *held_to)
        alone = {name: content for name, content in zeroed.items() if name != MARK_NAME}
        with pytest.raises(TailLost):
            reopened(disk.restore(alone), anchor)
        found = reopened(disk.restore(alone))  # nobody knows better: whole groups, and it is said that there is no mark
        assert payloads(found.records(1)) in ([], numbered(2), numbered(5))
        assert Kind.MARK_LOST in {note.kind for note in found.notes}


def test_half_a_record_before_the_room_is_a_torn_tail() -> None:
    """What a crash left of a group that was never acknowledged is cut off, with the room behind it."""
    disk = SimDisk()
    journal = with_room(disk)
    mark, ends = disk.copied()[MARK_NAME], journal.segment_bytes
    commit(journal, numbered(2, start=10))
    files = disk.copied() | {MARK_NAME: mark}
    for at in range(ends + 1, journal.segment_bytes):
        torn = disk.restore(files | {FIRST: files[FIRST][:at] + bytes(len(files[FIRST]) - at)})
        found = reopened(torn)
        assert [note.kind for note in found.notes] == [Kind.TORN_TAIL], at
        assert payloads(found.records(1)) == numbered(9)
        assert len(torn.copied()[FIRST]) == ends


def test_something_in_the_room_is_a_torn_tail() -> None:
    """A byte that is not zero behind the last record was never acknowledged: it is cut off, and said."""
    disk = SimDisk()
    journal = with_room(disk)
    files = disk.copied()
    for at in range(journal.segment_bytes, len(files[FIRST])):
        content = bytearray(files[FIRST])
        content[at] = 1
        found = reopened(disk.restore(files | {FIRST: bytes(content)}), journal.anchor)
        assert [note.kind for note in found.notes] == [Kind.TORN_TAIL], at
        assert payloads(found.records(1)) == numbered(9)


def test_segment_ends_with_its_last_record_once_there_is_another() -> None:
    """Only the newest segment has room behind it: the size of the others is in the head of the next."""
    disk = SimDisk()
    journal = with_room(disk)
    ends = journal.segment_bytes
    journal.begin_segment(date=NEXT_DAY, state=b"nine")
    assert len(disk.copied()[FIRST]) == ends
    commit(journal, [b"ten"])
    assert examine(disk.after_kill(), [journal.anchor]).findings == ()
    assert all_there(disk) == [*numbered(9), b"ten"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EOPNOTSUPP, errno.EFBIG, errno.EIO])
def test_no_room_ahead_is_no_trouble(number: int) -> None:
    """Where no room can be taken the file grows with each record, as far as there is room for that."""
    disk = SimDisk()
    journal = a_journal(disk, reserve_bytes=0, room_ahead_bytes=ROOM)
    disk.fail("allocate", number)
    for start in range(1, 50):
        commit(journal, numbered(1, start=start))
    assert len(disk.copied()[FIRST]) == journal.segment_bytes
    assert reopened(disk.after_kill(), journal.anchor).notes == ()


def test_a_disk_without_room_ahead_is_not_filled_for_it() -> None:
    """What could not be had whole is given back: the last bytes of a disk are for records."""
    disk = SimDisk()
    journal = a_journal(disk, reserve_bytes=0, room_ahead_bytes=10_000)
    disk.capacity = disk.used() + 3_000
    anchor = journal.anchor
    for start in range(1, 20):
        anchor = commit(journal, numbered(1, start=start))
    assert disk.used() < disk.capacity
    assert all_there(disk) == numbered(19)
    assert reopened(disk.after_kill(), anchor).anchor == anchor


def test_room_is_a_mebibyte_unless_told_otherwise() -> None:
    """Enough for a thousand records, and nothing on a disk of today."""
    disk = SimDisk()
    assert an_opening(disk).room_ahead_bytes == 0
    journal = a_journal(disk, numbered(1), room_ahead_bytes=1024 * 1024)
    assert len(disk.copied()[FIRST]) - journal.segment_bytes == 1024 * 1024
