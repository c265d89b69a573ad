"""Going on above a lost tail, or anew above damage: what is kept, what is said, and that no number is given twice."""

import contextlib
import errno
from random import Random

import pytest

from proto.risk import Anchor
from shared.mesh.journal import (
    Gap,
    Journal,
    JournalAbsent,
    JournalDamaged,
    JournalFailed,
    JournalRefused,
    TailLost,
    examine,
    resume_above,
    start_anew_above,
)
from shared.mesh.journal.record import REASON_BYTES_MAX
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
from tests.shared.mesh.journal.sim_disk import PowerCut, SimDisk

FIRST = "00000001-2026-03-01.journal"
REASON = "the tail is lost"


def a_lost_tail() -> tuple[SimDisk, Anchor]:
    """Return an older copy of a journal, three records long, and a peer's anchor at number 7."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(3))
    older = disk.copied()
    return SimDisk().restore(older), commit(journal, numbered(4, start=4))


def a_damaged_journal() -> tuple[SimDisk, Anchor]:
    """Return a journal of seven records with a flipped byte in its first segment's second record, and its anchor."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(3))
    anchor = commit(journal, numbered(4, start=4))
    files = disk.copied()
    flipped = bytearray(files[FIRST])
    flipped[flipped.index(b"record 2")] ^= 1
    return SimDisk().restore({**files, FIRST: bytes(flipped)}), anchor


def anew(disk: SimDisk, *anchors: Anchor, above: int = 7) -> Journal:
    """Start anew with a rebuilt state."""
    return start_anew_above(an_opening(disk, *anchors), above=above, date=NEXT_DAY, state=b"rebuilt", reason=REASON)


def test_a_lost_tail_is_resumed_above() -> None:
    """What is there stays, a gap takes the number above the highest known, and appending goes on behind it."""
    disk, anchor = a_lost_tail()
    journal = resume_above(an_opening(disk, anchor), above=7, reason=REASON)
    assert journal.append(b"goes on") == 9
    journal.commit()
    entries = list(journal.records(1))
    assert payloads(entries) == [*numbered(3), REASON.encode(), b"goes on"]
    gap = entries[3]
    assert isinstance(gap, Gap)
    assert (gap.sequence, gap.after) == (8, 3)
    assert anchor in gap.forgiven


def test_a_resumed_journal_is_intact() -> None:
    """Opened again, even with the anchor of the lost record, the journal is in order: the gap explains it."""
    disk, anchor = a_lost_tail()
    journal = resume_above(an_opening(disk, anchor), above=9, reason=REASON)
    newer = commit(journal, [b"goes on"])
    assert newer.sequence == 11
    assert reopened(disk, anchor, newer).anchor == newer
    journal.begin_segment(date=NEXT_DAY, state=b"")
    assert reopened(disk, anchor, newer).anchor == newer
    assert examine(disk, [anchor], segments_walked=9).findings == ()


def test_another_tail_is_resumed_above() -> None:
    """A journal that went on from an older copy keeps what it has; the anchor that disagreed is forgiven by name."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(3))
    older = SimDisk().restore(disk.copied())
    anchor = commit(journal, [b"the one acknowledged"])
    commit(reopened(older), [b"another", b"and on"])
    journal = resume_above(an_opening(older, anchor), above=5, reason=REASON)
    assert journal.anchor.sequence == 6
    assert reopened(older, anchor).anchor.sequence == 6
    with pytest.raises(TailLost):
        reopened(older, Anchor(sequence=4, digest="5b" * 32))


def test_a_cut_tail_is_resumed_above() -> None:
    """A segment cut in the middle of an acknowledged record is cut back to whole groups before the gap is written."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(3), numbered(4, start=4))
    files = disk.copied()
    for less in range(1, 250):
        cut = SimDisk().restore({**files, FIRST: files[FIRST][:-less]})
        with pytest.raises(TailLost) as raised:
            reopened(cut)
        resumed = resume_above(an_opening(cut), above=raised.value.sequence_highest, reason=REASON)
        assert payloads(resumed.records(1)) == [*numbered(3), REASON.encode()]
        assert reopened(cut, journal.anchor).anchor.sequence == 8


def test_a_lost_newest_segment_is_resumed_above() -> None:
    """With the newest segment gone, the journal goes on in the one before it."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(3))
    journal.begin_segment(date=NEXT_DAY, state=b"three")
    files = {name: content for name, content in disk.copied().items() if NEXT_DAY not in name}
    later = SimDisk().restore(files)
    with pytest.raises(TailLost, match="segment 2 was durable"):
        reopened(later)
    journal = resume_above(an_opening(later), above=3, reason=REASON)
    assert journal.anchor.sequence == 4
    journal.begin_segment(date=NEXT_DAY, state=b"three and a gap")
    assert reopened(later, journal.anchor).notes == ()


def test_no_number_is_given_twice() -> None:
    """Resuming or starting anew below a number that somebody holds is refused, and changes nothing."""
    disk, anchor = a_lost_tail()
    before = disk.copied()
    with pytest.raises(ValueError, match="somebody holds record 7"):
        resume_above(an_opening(disk, anchor), above=6, reason=REASON)
    assert disk.copied() == before
    disk, anchor = a_damaged_journal()
    before = disk.copied()
    with pytest.raises(ValueError, match="somebody holds record 7"):
        anew(disk, anchor, above=6)
    assert disk.copied() == before


def test_damage_is_not_resumed() -> None:
    """What is damaged inside cannot be gone on with; only starting anew helps, and that is another call."""
    disk, anchor = a_damaged_journal()
    before = disk.copied()
    with pytest.raises(JournalDamaged):
        resume_above(an_opening(disk, anchor), above=100, reason=REASON)
    assert disk.copied() == before
    with pytest.raises(JournalAbsent):
        resume_above(an_opening(SimDisk()), above=0, reason=REASON)


def test_an_intact_journal_is_only_opened() -> None:
    """Resuming or starting anew where nothing is wrong opens the journal as it is."""
    disk = SimDisk()
    a_journal(disk, numbered(3))
    before = disk.copied()
    assert resume_above(an_opening(disk), above=100, reason=REASON).anchor.sequence == 3
    assert anew(disk, above=100).anchor.sequence == 3
    assert disk.copied() == before


def test_damage_goes_to_quarantine() -> None:
    """Started anew, the old segments stand in a directory of their own, whole, and the new one begins with the gap."""
    disk, anchor = a_damaged_journal()
    damaged = disk.copied()[FIRST]
    journal = anew(disk, anchor)
    assert disk.copied()[f"quarantine-001/{FIRST}"] == damaged
    assert (journal.snapshot.state, journal.snapshot.sequence) == (b"rebuilt", 7)
    assert journal.append(b"first") == 9
    newer = journal.commit().anchor
    gap, _ = journal.records(1)
    assert isinstance(gap, Gap)
    assert (gap.sequence, gap.after, gap.reason) == (8, 0, REASON)
    assert reopened(disk, anchor, newer).notes == ()


def test_a_journal_that_is_gone_is_started_anew() -> None:
    """Where nothing is left but a peer's anchor, the journal begins above it."""
    _, anchor = a_lost_tail()
    disk = SimDisk()
    with pytest.raises(JournalDamaged):
        reopened(disk, anchor)
    assert anew(disk, anchor).anchor.sequence == 8
    assert reopened(disk, anchor).anchor.sequence == 8


def test_quarantines_are_counted() -> None:
    """A second damage gets a second quarantine; with everything in quarantine, nothing is created in silence."""
    disk, anchor = a_damaged_journal()
    newer = commit(anew(disk, anchor), numbered(2))
    files = disk.copied()
    name = next(name for name in files if name.endswith(f"-{NEXT_DAY}.journal"))
    flipped = bytearray(files[name])
    flipped[-100] ^= 1
    later = SimDisk().restore({**files, name: bytes(flipped)})
    journal = anew(later, newer, above=10)
    assert {part.partition("/")[0] for part in later.copied() if "/" in part} == {"quarantine-001", "quarantine-002"}
    assert journal.anchor.sequence == 11
    only = {name: content for name, content in later.copied().items() if "/" in name}
    with pytest.raises(JournalDamaged, match="now in quarantine"):
        reopened(SimDisk().restore(only))


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_crash_while_going_on(cut: int) -> None:
    """Cut at any operation, going on can be repeated until it is done, and nothing intact is lost on the way."""
    for damaged in (False, True):
        disk, anchor = a_damaged_journal() if damaged else a_lost_tail()
        disk.cut_power_at(cut)
        with contextlib.suppress(PowerCut):
            again(disk, anchor, damaged=damaged)
        for seed in range(5):
            later = disk.after_power_cut(Random(seed))  # noqa: S311 -- a seed
            journal = again(later, anchor, damaged=damaged)
            newer = commit(journal, [b"goes on"])
            assert newer.sequence >= 9
            assert reopened(later, anchor, newer).anchor == newer
            assert all_there(later)[-1] == b"goes on"
            if not damaged:
                assert all_there(later)[:3] == numbered(3)


def again(disk: SimDisk, anchor: Anchor, *, damaged: bool) -> Journal:
    """Open, and go on as the error demands."""
    try:
        return reopened(disk, anchor)
    except JournalRefused as refused:
        above = refused.sequence_highest
        if damaged or isinstance(refused, JournalDamaged):
            return anew(disk, anchor, above=above)
        return resume_above(an_opening(disk, anchor), above=above, reason=REASON)


def test_a_long_reason_is_cut() -> None:
    """A reason takes at most its bound, whatever an operator writes."""
    disk, anchor = a_lost_tail()
    journal = resume_above(an_opening(disk, anchor), above=7, reason="ä" * REASON_BYTES_MAX)
    entry = next(iter(journal.records(8)))
    assert isinstance(entry, Gap)
    assert entry.reason == "ä" * (REASON_BYTES_MAX // 2)


def test_a_failing_disk_while_going_on() -> None:
    """A disk that fails meanwhile is one typed error."""
    for damaged in (False, True):
        disk, anchor = a_damaged_journal() if damaged else a_lost_tail()
        disk.fail("write", errno.EIO)
        with pytest.raises(JournalFailed):
            again(disk, anchor, damaged=damaged)
