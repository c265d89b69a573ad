"""Readers that follow a journal while it is written, across segments, and never see what could still be taken back."""

import pytest

from shared.mesh.journal import Gap, JournalDamaged, JournalReader, start_anew_above
from shared.mesh.journal.mark import MARK_NAME
from tests.shared.mesh.journal.journals import (
    NEXT_DAY,
    a_journal,
    an_opening,
    commit,
    numbered,
    payloads,
    reopened,
)
from tests.shared.mesh.journal.sim_disk import SimDisk

FIRST = "00000001-2026-03-01.journal"
SECOND = "00000002-2026-03-02.journal"


def test_a_reader_follows() -> None:
    """Each poll gives what was committed since the last one, and nothing twice."""
    disk = SimDisk()
    journal = a_journal(disk)
    reader = JournalReader(disk)
    assert reader.poll() == []
    for start, count in ((1, 1), (2, 5), (7, 2)):
        commit(journal, numbered(count, start=start))
        assert payloads(reader.poll()) == numbered(count, start=start)
        assert reader.poll() == []


def test_a_reader_waits_for_a_journal() -> None:
    """Before there is a journal, and where its mark is unreadable, there is nothing to read yet, and no error."""
    disk = SimDisk()
    reader = JournalReader(disk)
    assert reader.poll() == []
    journal = a_journal(disk, numbered(1))
    assert payloads(reader.poll()) == numbered(1)
    later = disk.restore({**disk.copied(), MARK_NAME: b"half"})
    assert JournalReader(later).poll() == []
    assert journal.anchor.sequence == 1


def test_a_reader_never_sees_what_is_not_durable() -> None:
    """Whatever a reader is given at any operation of the writer is there after a power cut at that operation."""
    disk = SimDisk()
    journal = a_journal(disk)
    given: list[bytes] = []
    reader = JournalReader(disk)
    durable: list[int] = []

    def look(_operation: str, _name: str) -> None:
        if not durable:  # the reader's own operations are watched as well
            durable.append(1)
            given.extend(payloads(reader.poll()))
            content = bytes(disk.contents()[FIRST].durable)
            assert all(payload in content for payload in given)
            durable.clear()

    disk.listen(look)
    for start in range(1, 20, 3):
        commit(journal, numbered(3, start=start))
    look("", "")
    assert given == numbered(21)


def test_a_poll_is_bounded() -> None:
    """A poll gives at most as many as asked, and the next goes on where it stopped, in the middle of a group too."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(25))
    journal.begin_segment(date=NEXT_DAY, state=b"")
    commit(journal, numbered(25, start=26))
    reader = JournalReader(disk)
    found = [payloads(reader.poll(limit=7)) for _ in range(8)]
    assert [len(part) for part in found] == [7, 7, 7, 4, 7, 7, 7, 4]
    assert [payload for part in found for payload in part] == numbered(50)


def test_what_is_passed_over_in_a_poll_is_bounded() -> None:
    """Who may not block goes the way to a number in steps, and gives what stands there and behind it."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(25))
    journal.begin_segment(date=NEXT_DAY, state=b"")
    commit(journal, numbered(25, start=26))
    reader = JournalReader(disk, from_sequence=20)
    assert [payloads(reader.poll(passed_over_max=7)) for _ in range(2)] == [[], []]
    assert payloads(reader.poll(passed_over_max=7)) == numbered(6, start=20)
    reader.skip_to(40)
    assert [payloads(reader.poll(passed_over_max=7)) for _ in range(2)] == [[], []]
    reader.skip_to(30)
    assert payloads(reader.poll(passed_over_max=7)) == numbered(11, start=40)


def test_a_reader_crosses_segments() -> None:
    """Segments begun between two polls, several and empty ones too, are crossed without a word."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(2))
    reader = JournalReader(disk)
    assert payloads(reader.poll()) == numbered(2)
    commit(journal, numbered(2, start=3))
    for day in (2, 3, 4):
        journal.begin_segment(date=f"2026-03-{day:02}", state=b"")
    assert payloads(reader.poll()) == numbered(2, start=3)
    commit(journal, numbered(1, start=5))
    assert payloads(reader.poll()) == numbered(1, start=5)


def test_a_number_to_come_is_waited_for() -> None:
    """A reader that starts above the end gets the record when it comes, and none before."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(2))
    reader = JournalReader(disk, from_sequence=5)
    assert reader.poll() == []
    commit(journal, numbered(2, start=3))
    assert reader.poll() == []
    commit(journal, numbered(2, start=5))
    assert payloads(reader.poll()) == numbered(2, start=5)


def test_two_readers_do_not_meet() -> None:
    """Readers have nothing to do with each other, nor with the writer's own reading."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(4))
    one, other = JournalReader(disk), JournalReader(disk, from_sequence=3)
    assert payloads(one.poll(limit=1)) == numbered(1)
    assert payloads(other.poll()) == numbered(2, start=3)
    assert payloads(journal.records(2)) == numbered(3, start=2)
    assert payloads(one.poll()) == numbered(3, start=2)


def test_damage_below_the_mark_is_an_error() -> None:
    """A flipped byte in an old segment, which opening does not walk, is met by whoever reads it."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(4))
    journal.begin_segment(date=NEXT_DAY, state=b"four")
    commit(journal, numbered(1, start=5))
    files = disk.copied()
    flipped = bytearray(files[FIRST])
    flipped[flipped.index(b"record 3")] ^= 1
    later = disk.restore({**files, FIRST: bytes(flipped)})
    assert payloads(JournalReader(later, from_sequence=5).poll()) == numbered(1, start=5)
    reader = JournalReader(later)
    assert payloads(reader.poll()) == numbered(2)
    for _ in range(3):
        with pytest.raises(JournalDamaged, match=f"damaged at {FIRST}:"):
            reader.poll()


def test_a_segment_taken_away_is_an_error() -> None:
    """A reader that has to cross into a segment that is gone, or is another, says so."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(2))
    journal.begin_segment(date=NEXT_DAY, state=b"two")
    journal.begin_segment(date="2026-03-03", state=b"two")
    files = disk.copied()
    for gone in (FIRST, SECOND):
        later = disk.restore({name: content for name, content in files.items() if name != gone})
        reader = JournalReader(later)
        if gone == SECOND:
            assert payloads(reader.poll()) == numbered(2)
            with pytest.raises(JournalDamaged, match="does not continue segment 1"):
                reader.poll()
    with pytest.raises(JournalDamaged, match="none is here"):
        JournalReader(disk.restore({MARK_NAME: files[MARK_NAME]})).poll()


def test_a_journal_put_back_under_a_reader() -> None:
    """When the journal suddenly ends before what was read already, the reader says so instead of waiting for ever."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(2))
    older = disk.copied()[MARK_NAME]
    commit(journal, numbered(2, start=3))
    reader = JournalReader(disk)
    assert len(reader.poll()) == 4
    disk.edit(MARK_NAME).write(0, older)
    with pytest.raises(JournalDamaged, match="ends before what was read already"):
        reader.poll()


def test_a_reader_lives_through_a_new_beginning() -> None:
    """A reader that was up to date when its journal was started anew is given the gap, and what comes after."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(4))
    reader = JournalReader(disk)
    assert len(reader.poll()) == 4
    flipped = bytearray(disk.copied()[FIRST])
    flipped[-200] ^= 1
    disk.edit(FIRST).write(0, bytes(flipped))
    journal = start_anew_above(an_opening(disk), above=10, date=NEXT_DAY, state=b"rebuilt", reason="flipped")
    commit(journal, [b"after"])
    gap, after = reader.poll()
    assert isinstance(gap, Gap)
    assert (gap.sequence, gap.reason) == (11, "flipped")
    assert payloads([after]) == [b"after"]


def test_a_reader_outlives_the_writer() -> None:
    """A writer that dies and comes back goes on where it was, for its readers too."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(2))
    reader = JournalReader(disk)
    assert payloads(reader.poll()) == numbered(2)
    journal.append(b"not committed")
    journal.close()
    commit(reopened(disk), numbered(1, start=3))
    assert payloads(reader.poll()) == numbered(1, start=3)
