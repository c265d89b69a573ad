"""Disks that are full, fail, are read-only, short or slow: what the writer is told, and what is left."""

import errno
from random import Random

import pytest

from shared.mesh.journal import Journal, JournalFailed, JournalFull, open_journal
from tests.shared.mesh.journal.journals import (
    NEXT_DAY,
    RESERVE_BYTES,
    a_journal,
    an_opening,
    commit,
    numbered,
    payloads,
    reopened,
)
from tests.shared.mesh.journal.sim_disk import SimDisk

SEGMENT = ".journal"


def a_full_disk(room: int = 100) -> tuple[SimDisk, Journal]:
    """Return a journal of three records with that many bytes left on its disk."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(3))
    disk.capacity = disk.used() + room
    return disk, journal


def refuses_everything(journal: Journal) -> None:
    """See that a failed journal takes nothing more, of any kind."""
    with pytest.raises(JournalFailed):
        journal.append(b"more")
    with pytest.raises(JournalFailed):
        journal.append_reducing(b"more")
    with pytest.raises(JournalFailed):
        journal.commit()
    with pytest.raises(JournalFailed):
        journal.begin_segment(date=NEXT_DAY, state=b"")
    with pytest.raises(JournalFailed):
        journal.refill_reserve()


def test_a_full_disk_refuses_and_keeps_what_is_there() -> None:
    """On a full disk commit raises JournalFull, nothing of the group is left, and append refuses from then on."""
    disk, journal = a_full_disk()
    before = disk.copied()
    for payload in (b"x" * 200, b"y"):
        journal.append(payload)
    with pytest.raises(JournalFull, match="no room"):
        journal.commit()
    assert disk.copied() == before
    assert journal.is_full
    with pytest.raises(JournalFull, match="only risk-reducing"):
        journal.append(b"z")
    assert journal.anchor.sequence == 3


def test_the_reserve_carries_what_reduces_risk() -> None:
    """On a full disk a risk-reducing record is committed out of the reserve, under the next number, and is durable."""
    disk, journal = a_full_disk()
    assert journal.append_reducing(b"exit " + bytes(1000)) == 4
    anchor = journal.commit().anchor
    assert (anchor.sequence, journal.is_full) == (4, True)
    with pytest.raises(JournalFull):
        journal.append(b"entry")
    journal.append_reducing(b"another exit")
    assert journal.commit().anchor.sequence == 5
    assert payloads(reopened(disk.after_kill(), anchor).records(5)) == [b"another exit"]


def test_a_group_goes_into_the_reserve_whole() -> None:
    """A group that holds a risk-reducing record is carried by the reserve with all that was appended before it."""
    _, journal = a_full_disk()
    journal.append(b"verdict " + bytes(200))
    journal.append_reducing(b"exit")
    assert journal.commit().records == 2


def test_the_reserve_is_bounded() -> None:
    """When the reserve is used up too, risk-reducing records are refused as well, and the journal is still intact."""
    disk, journal = a_full_disk()
    taken = 3
    with pytest.raises(JournalFull, match="no room"):  # noqa: PT012 -- how many fit is for the disk to say
        while True:
            journal.append_reducing(bytes(500))
            taken = journal.commit().anchor.sequence
    assert taken * 500 > RESERVE_BYTES - 1000
    assert reopened(disk.after_kill(), journal.anchor).anchor.sequence == taken


def test_room_again_is_used_again() -> None:
    """When there is room for the reserve again, refilling it makes the journal take everything."""
    disk, journal = a_full_disk()
    journal.append_reducing(bytes(500))
    journal.commit()
    assert not journal.refill_reserve()
    assert disk.copied()["reserve"] == b""  # half a reserve is none
    disk.capacity = None
    assert journal.refill_reserve()
    assert len(disk.copied()["reserve"]) == RESERVE_BYTES
    assert commit(journal, [b"entry"]).sequence == 5


def test_opening_on_a_full_disk() -> None:
    """A journal opens on a full disk without its reserve, takes no entries, and takes exits where there is room."""
    disk, journal = a_full_disk()
    journal.append_reducing(bytes(500))
    journal.commit()
    later = disk.after_kill()
    journal = reopened(later, journal.anchor)
    assert journal.is_full
    with pytest.raises(JournalFull):
        journal.append(b"entry")
    journal.append_reducing(b"exit")
    assert journal.commit().anchor.sequence == 5


def test_a_new_segment_on_a_full_disk() -> None:
    """A segment that does not fit leaves no trace, and the journal goes on in the old one."""
    disk, journal = a_full_disk(room=300)
    before = disk.copied()
    with pytest.raises(JournalFull, match="no room for a segment"):
        journal.begin_segment(date=NEXT_DAY, state=bytes(1000))
    assert disk.copied() == before
    assert commit(journal, [b"goes on"]).sequence == 4
    assert reopened(disk.after_kill(), journal.anchor).notes == ()


def test_a_failed_sync_is_the_end() -> None:
    """After a failed sync nothing is acknowledged and nothing taken; no second sync of the segment is ever tried."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(3))
    before = disk.copied()
    disk.fail("sync", errno.EIO, name=SEGMENT, times=1)
    journal.append(b"in doubt")
    synced = disk.syncs
    with pytest.raises(JournalFailed, match=r"syncing failed: .* \(EIO\); restart"):
        journal.commit()
    refuses_everything(journal)
    assert disk.syncs == synced
    assert journal.anchor.sequence == 3
    assert disk.copied() == before
    assert payloads(reopened(disk.after_kill(), journal.anchor).records(1)) == numbered(3)


def test_a_group_left_by_a_failed_sync_is_written_again() -> None:
    """If not even cutting back works, the next opening writes the group anew: clean pages in memory prove nothing."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(3))
    disk.fail("sync", errno.EIO, name=SEGMENT)
    disk.fail("truncate", errno.EIO, name=SEGMENT)
    journal.append(b"in doubt")
    with pytest.raises(JournalFailed):
        journal.commit()
    later = disk.after_kill()
    anchor = reopened(later, journal.anchor).anchor
    assert anchor.sequence == 4
    for seed in range(20):
        assert reopened(later.after_power_cut(Random(seed)), anchor).anchor == anchor  # noqa: S311 -- a seed


@pytest.mark.parametrize("number", [errno.EIO, errno.EROFS, errno.ENODEV])
def test_a_failed_write_is_the_end(number: int) -> None:
    """Any failure to write but want of room fails the journal; the journal is cut back to its last record."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(3))
    before = disk.copied()
    disk.fail("write", number, name=SEGMENT)
    journal.append_reducing(b"in doubt")
    with pytest.raises(JournalFailed, match=errno.errorcode[number]):
        journal.commit()
    refuses_everything(journal)
    assert disk.copied() == before


def test_a_disk_that_takes_a_few_bytes_at_a_time() -> None:
    """Short writes are continued until the group is whole."""
    disk = SimDisk()
    journal = a_journal(disk)
    disk.write_bytes_max = 7
    commit(journal, numbered(20))
    assert payloads(reopened(disk.after_kill(), journal.anchor).records(1)) == numbered(20)


def test_half_a_group_written_before_the_disk_was_full() -> None:
    """A group that fits in part is cut off again, durably, before anything else is written."""
    disk, journal = a_full_disk(room=500)
    for number in range(20):
        journal.append(bytes([number]) * 40)
    with pytest.raises(JournalFull):
        journal.commit()
    assert all(not content.pending for name, content in disk.contents().items() if name.endswith(SEGMENT))


def test_a_mark_that_cannot_be_written_is_the_end() -> None:
    """When readers cannot be told, the journal fails; the record was durable, and the next opening finds it."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(3))
    disk.fail("write", errno.EIO, name="committed")
    journal.append(b"durable, not acknowledged")
    with pytest.raises(JournalFailed, match="writing the mark"):
        journal.commit()
    refuses_everything(journal)
    assert reopened(disk.after_kill()).anchor.sequence == 4


def test_a_failing_reserve_is_the_end() -> None:
    """A disk so broken that the reserve cannot be given up fails the journal."""
    disk, journal = a_full_disk()
    disk.fail("truncate", errno.EIO, name="reserve")
    journal.append_reducing(bytes(500))
    with pytest.raises(JournalFailed, match="giving up the reserve"):
        journal.commit()
    refuses_everything(journal)


@pytest.mark.parametrize("operation", ["create", "write", "sync", "rename", "sync_names"])
def test_a_new_segment_on_a_failing_disk(operation: str) -> None:
    """Wherever the making of a segment fails, the journal fails, and opening finds all that was acknowledged."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(3))
    disk.fail(operation, errno.EIO)
    with pytest.raises(JournalFailed, match="beginning segment 2 failed"):
        journal.begin_segment(date=NEXT_DAY, state=b"three")
    refuses_everything(journal)
    later = reopened(disk.after_kill(), journal.anchor)
    assert payloads(later.records(1)) == numbered(3)
    assert later.snapshot.date == (NEXT_DAY if operation == "sync_names" else "2026-03-01")


@pytest.mark.parametrize("operation", ["names", "view", "read", "edit", "write", "sync", "sync_names"])
def test_opening_on_a_failing_disk(operation: str) -> None:
    """Whatever fails while opening is one typed error that says what the disk did."""
    disk = SimDisk()
    a_journal(disk, numbered(3))
    later = disk.after_kill()
    later.fail(operation, errno.EACCES)
    with pytest.raises(JournalFailed, match=r"opening the journal failed: Permission denied \(EACCES\)"):
        reopened(later)


def test_a_slow_sync_is_told() -> None:
    """Commit says how long the disk took, so that its owner can refuse to act on what came too late."""
    disk = SimDisk()
    journal = a_journal(disk)
    disk.sync_ns = 2_000_000_000
    journal.append(b"slow")
    assert journal.commit().sync_ns == 2_000_000_000


def test_the_reserve_is_as_big_as_asked() -> None:
    """The reserve grows and shrinks to what is asked for at each opening, nothing included."""
    disk = SimDisk()
    a_journal(disk, reserve_bytes=8192)
    for size in (1000, 0, 2000):
        journal = open_journal(an_opening(disk, reserve_bytes=size))
        assert len(disk.copied()["reserve"]) == size
        assert not journal.is_full
