"""A journal is read stretch by stretch: all of it, with its holes said, and never much at once."""

from pathlib import Path
from typing import Final

import pytest

from shared.mesh.bus.numbered import RecordsUnreadableError, Stretch
from shared.mesh.journal import Journal, resume_above
from shared.mesh.journal_records import PASSED_OVER_MAX, PLACES_MAX, JournalRecords
from tests.shared.mesh.journal.journals import (
    NEXT_DAY,
    a_journal,
    a_real_disk,
    an_opening,
    commit,
    numbered,
)
from tests.shared.mesh.journal.sim_disk import SimDisk

FIRST: Final = "00000001-2026-03-01.journal"
PLENTY: Final = 1_000_000


def stretch(
    records: JournalRecords, from_sequence: int, *, records_max: int = 1_000, bytes_max: int = PLENTY
) -> Stretch:
    """Read a stretch, of a thousand records unless a test says otherwise."""
    return records.stretch(from_sequence, records_max=records_max, bytes_max=bytes_max)


def a_long_journal(count: int, disk: SimDisk | None = None) -> Journal:
    """Return a journal of so many records in one segment, committed by the thousand."""
    journal = a_journal(disk or SimDisk())
    for start in range(1, count + 1, 1_000):
        commit(journal, numbered(min(1_000, count + 1 - start), start=start))
    return journal


def test_one_stretch_after_the_other_gives_everything() -> None:
    """Whoever asks on from where a stretch ended gets each record once and in order, across segments too."""
    journal = a_journal(SimDisk(), numbered(300))
    journal.begin_segment(date=NEXT_DAY, state=b"")
    commit(journal, numbered(300, start=301))
    records, found = JournalRecords(journal), list[bytes]()
    while len(found) < records.last_sequence:
        given = stretch(records, len(found) + 1, records_max=7)
        assert given.first_sequence == len(found) + 1
        assert 1 <= len(given.frames) <= 7
        found += given.frames
    assert found == numbered(600)
    assert stretch(records, 601) == Stretch(first_sequence=601, frames=[])
    commit(journal, numbered(1, start=601))
    assert stretch(records, 601) == Stretch(first_sequence=601, frames=numbered(1, start=601))


def test_a_hole_ends_a_stretch_and_the_next_begins_behind_it() -> None:
    """What was lost with a tail is told by the number at which the next stretch begins, record or none."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(3))
    older = disk.copied()
    anchor = commit(journal, numbered(4, start=4))
    journal = resume_above(an_opening(SimDisk().restore(older), anchor), above=7, reason="the tail is lost")
    records = JournalRecords(journal)
    assert stretch(records, 2) == Stretch(first_sequence=2, frames=numbered(2, start=2))
    for asked in (4, 6, 8):
        assert stretch(records, asked) == Stretch(first_sequence=9, frames=[])
    commit(journal, [b"goes on"])
    assert stretch(records, 2) == Stretch(first_sequence=2, frames=numbered(2, start=2))
    for asked in (4, 6, 8, 9):
        assert stretch(records, asked) == Stretch(first_sequence=9, frames=[b"goes on"])


def test_a_stretch_is_bounded_in_bytes() -> None:
    """What would be too much comes with the next stretch; a single record may be over the bound."""
    records = JournalRecords(a_journal(SimDisk(), [b"a" * 60, b"b" * 60, b"c" * 200, b"d"]))
    assert stretch(records, 1, bytes_max=120).frames == [b"a" * 60, b"b" * 60]
    assert stretch(records, 3, bytes_max=120).frames == [b"c" * 200]
    assert stretch(records, 4, bytes_max=120).frames == [b"d"]


def test_a_long_way_is_gone_in_steps() -> None:
    """Whoever asks for a number deep in a segment gets empty stretches while the way is gone, and then records."""
    last = 2 * PASSED_OVER_MAX + 10
    records = JournalRecords(a_long_journal(last))
    for _ in range(2):
        assert stretch(records, last) == Stretch(first_sequence=last, frames=[])
    assert stretch(records, last).frames == numbered(1, start=last)


def test_going_on_is_no_long_way() -> None:
    """Several readers that ask on side by side, and one that skips a little, never wait for the way from the start."""
    last = 2 * PASSED_OVER_MAX
    journal = a_long_journal(last)
    records = JournalRecords(journal)
    for start in range(1, last, 1_000):
        for _ in range(3):
            assert len(stretch(records, start).frames) == 1_000
    commit(journal, numbered(20, start=last + 1))
    assert stretch(records, last + 11, records_max=1).frames == numbered(1, start=last + 11)
    assert stretch(records, last + 15).frames == numbered(6, start=last + 15)


def test_few_files_are_kept_open(tmp_path: Path) -> None:
    """However many different places are asked for, only a few stay open, and none behind `close`."""
    journal = a_journal(a_real_disk(tmp_path), numbered(100))
    records = JournalRecords(journal)
    before = _open_files()
    for number in range(100, 0, -1):
        assert stretch(records, number, records_max=1).frames == numbered(1, start=number)
    assert _open_files() - before <= PLACES_MAX
    records.close()
    assert _open_files() == before
    journal.close()


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_damage_is_told_and_not_remembered() -> None:
    """A record that cannot be read is said to be so, each time it is asked for; the others are given."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(1))
    end = len(disk.copied()[FIRST])
    commit(journal, numbered(2, start=2))
    records = JournalRecords(journal)
    disk.edit(FIRST).write(end + 40, b"\xff")
    for _ in range(2):
        with pytest.raises(RecordsUnreadableError, match=FIRST):
            stretch(records, 2)
        assert stretch(records, 1, records_max=1).frames == numbered(1)
