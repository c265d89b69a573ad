"""Journals cut, flipped, mixed up and put back, on every byte where that is feasible: what opening says of each."""

from collections.abc import Iterable
from random import Random

import pytest

from proto.risk import Anchor
from shared.mesh.journal import Finding, JournalDamaged, JournalRefused, Kind, TailLost, examine
from shared.mesh.journal.mark import MARK_NAME
from shared.mesh.journal.record import HEAD, NOTHING, RECORD, frame_at, frame_bytes
from tests.shared.mesh.journal.journals import (
    NEXT_DAY,
    a_journal,
    all_there,
    commit,
    numbered,
    payloads,
    reopened,
)
from tests.shared.mesh.journal.sim_disk import SimDisk

FIRST = "00000001-2026-03-01.journal"
SECOND = "00000002-2026-03-02.journal"
Files = dict[str, bytes]


def a_small_journal() -> tuple[Files, Anchor, set[int]]:
    """Return the files of a journal of four groups in one segment, its anchor, and the sizes at which a group ends."""
    disk = SimDisk()
    journal = a_journal(disk, reserve_bytes=0)
    ends = {journal.segment_bytes}
    for start, count in ((1, 1), (2, 3), (5, 2), (7, 1)):
        commit(journal, numbered(count, start=start))
        ends.add(journal.segment_bytes)
    return disk.copied(), journal.anchor, ends


def two_segments() -> tuple[Files, Anchor]:
    """Return the files of a journal with four records in each of two segments, and its anchor."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(2), numbered(2, start=3), reserve_bytes=0)
    journal.begin_segment(date=NEXT_DAY, state=b"four")
    commit(journal, numbered(2, start=5))
    commit(journal, numbered(2, start=7))
    return disk.copied(), journal.anchor


def without(files: Files, *names: str) -> Files:
    """Return the files but these."""
    return {name: content for name, content in files.items() if name not in names}


def refusal(files: Files, *anchors: Anchor) -> JournalRefused:
    """Open what must be refused, see that it was not touched, and return the error."""
    disk = SimDisk().restore(files)
    with pytest.raises(JournalRefused) as raised:
        reopened(disk, *anchors)
    assert disk.copied() == files
    return raised.value


def kinds(findings: Iterable[Finding]) -> set[Kind]:
    """Return what kinds of finding there are."""
    return {finding.kind for finding in findings}


def test_cut_at_every_byte_below_the_mark() -> None:
    """However short the newest segment is cut, the mark shows that acknowledged records are gone."""
    files, _, _ = a_small_journal()
    for size in range(len(files[FIRST])):
        error = refusal({**files, FIRST: files[FIRST][:size]})
        assert error.sequence_highest == 7


def test_cut_at_every_byte_with_a_peer() -> None:
    """Without a mark, a peer's anchor shows it, and tells the number to resume above."""
    files, anchor, _ = a_small_journal()
    for size in range(len(files[FIRST])):
        error = refusal({**without(files, MARK_NAME), FIRST: files[FIRST][:size]}, anchor)
        assert error.sequence_highest == 7


def test_cut_at_every_byte_alone() -> None:
    """With neither mark nor peer, whole groups stay, a torn one is dropped and said, and a torn head is damage."""
    files, _, ends = a_small_journal()
    for size in range(len(files[FIRST])):
        cut = {**without(files, MARK_NAME), FIRST: files[FIRST][:size]}
        if size < min(ends):
            assert isinstance(refusal(cut), JournalDamaged)
            continue
        journal = reopened(SimDisk().restore(cut))
        assert journal.segment_bytes == max(end for end in ends if end <= size)
        assert (Kind.TORN_TAIL in kinds(journal.notes)) == (size not in ends)
        assert payloads(journal.records(1)) == numbered(journal.anchor.sequence)
        assert journal.anchor.sequence in {0, 1, 4, 6}


def test_a_tail_beyond_the_mark_is_dropped_and_said() -> None:
    """Bytes written and never acknowledged, cut anywhere, go; a whole group that was never acknowledged stays."""
    files, anchor, _ = a_small_journal()
    journal = reopened(SimDisk().restore(files))
    disk = SimDisk().restore(files)
    commit(reopened(disk), [b"never", b"acknowledged"])
    written = disk.copied()[FIRST]
    for size in range(journal.segment_bytes, len(written) + 1):
        torn = SimDisk().restore({**files, FIRST: written[:size]})
        cut = reopened(torn, anchor)
        assert cut.anchor.sequence == (9 if size == len(written) else 7)
        assert (Kind.TORN_TAIL in kinds(cut.notes)) == (journal.segment_bytes < size < len(written))
        commit(cut, [b"a"])
        assert reopened(torn, cut.anchor).notes == ()


@pytest.mark.parametrize("with_mark", [True, False])
def test_a_bit_flipped_in_a_thousand_places(with_mark: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    """A flipped bit is detected when the journal is opened or read, or everything acknowledged is still there."""
    dice = Random(1)  # noqa: S311 -- a seed
    files, anchor = two_segments()
    if not with_mark:
        files = without(files, MARK_NAME)
    detected = 0
    for _ in range(1000):
        name = dice.choice(sorted(without(files, "reserve")))
        content = bytearray(files[name])
        content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
        disk = SimDisk().restore({**files, name: bytes(content)})
        if examine(disk, [anchor], segments_walked=9).refusal:
            detected += 1
            continue
        assert name == MARK_NAME  # an unreadable mark is said, and written anew
        assert payloads(reopened(disk, anchor).records(1)) == numbered(8)
    assert detected > 0


def test_any_damage_is_a_verdict() -> None:
    """Whatever is done to the files, opening answers with a journal that holds everything, or with its own refusal."""
    dice = Random(2)  # noqa: S311 -- a seed
    files, anchor = two_segments()
    for _ in range(600):
        damaged = dict(files)
        for _ in range(dice.randint(1, 3)):
            name = dice.choice((FIRST, SECOND, MARK_NAME))
            damaged[name] = mangled(damaged[name], dice)
        try:
            journal = reopened(SimDisk().restore(damaged), anchor)
        except JournalRefused:
            continue
        assert journal.anchor == anchor
        assert payloads(journal.records(5)) == numbered(4, start=5)


def mangled(content: bytes, dice: Random) -> bytes:
    """Cut, exchange, repeat, zero or overwrite a part."""
    start, end = sorted(dice.randrange(len(content) + 1) for _ in range(2))
    part = content[start:end]
    other = dice.choice((b"", part[::-1], part + part, bytes(len(part)), dice.randbytes(len(part)), b"BJr1", part))
    return content[:start] + other + content[end:]


def test_a_bit_flipped_at_every_byte_of_the_newest_segment() -> None:
    """Opening alone finds a flip anywhere in the newest segment, and never changes what is damaged."""
    files, anchor = two_segments()
    for offset in range(len(files[SECOND])):
        content = bytearray(files[SECOND])
        content[offset] ^= 0x10
        assert isinstance(refusal({**files, SECOND: bytes(content)}, anchor), JournalDamaged)


def test_a_flip_in_the_middle_is_damage_without_mark_or_peer() -> None:
    """Where a later group stands behind the flipped byte, the flip cannot pass for a torn tail."""
    files, _, ends = a_small_journal()
    for offset in range(sorted(ends)[-2]):
        content = bytearray(files[FIRST])
        content[offset] ^= 0x01
        error = refusal({**without(files, MARK_NAME), FIRST: bytes(content)})
        assert isinstance(error, JournalDamaged)
        assert error.sequence_highest == 7  # what stands behind the damage has its numbers


def test_an_older_copy_of_the_directory() -> None:
    """Put back from yesterday, mark and all, the journal is behind its peer's anchor: the tail is lost."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(3))
    older = disk.copied()
    anchor = commit(journal, numbered(4, start=4))
    error = refusal(older, anchor)
    assert isinstance(error, TailLost)
    assert kinds(error.findings) == {Kind.LOST_TAIL}
    assert error.sequence_highest == 7
    assert "record 7 was acknowledged; the journal ends at 3" in str(error)


def test_an_older_copy_that_went_on() -> None:
    """Put back and written on before anybody looked, it holds another record where the peer's anchor stands."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(3))
    older = SimDisk().restore(disk.copied())
    anchor = commit(journal, [b"the one that was acknowledged"])
    commit(reopened(older), [b"another", b"and on"])
    error = refusal(older.copied(), anchor)
    assert isinstance(error, TailLost)
    assert kinds(error.findings) == {Kind.OTHER_TAIL}


def test_an_anchor_from_before_is_good() -> None:
    """A peer's anchor may lag by any number of records and segments, and agrees wherever it stands."""
    disk = SimDisk()
    journal = a_journal(disk)
    anchors = [commit(journal, numbered(2))]
    for day in range(2, 6):
        journal.begin_segment(date=f"2026-03-{day:02}", state=b"")
        anchors.append(journal.anchor)
        anchors.append(commit(journal, [b"one", b"more"]))
    assert reopened(disk, *anchors).notes == ()
    for anchor in anchors:
        wrong = Anchor(sequence=anchor.sequence, digest="5b" * 32)
        assert kinds(refusal(disk.copied(), wrong).findings) == {Kind.OTHER_TAIL}


def test_the_whole_journal_is_gone() -> None:
    """An empty directory that a peer has an anchor of is damage, and no new beginning."""
    _, anchor, _ = a_small_journal()
    error = refusal({}, anchor)
    assert isinstance(error, JournalDamaged)
    assert error.sequence_highest == 7


@pytest.mark.parametrize(("gone", "kind"), [(FIRST, Kind.MISSING_SEGMENT), (SECOND, Kind.LOST_TAIL)])
def test_a_segment_is_gone(gone: str, kind: Kind) -> None:
    """A missing segment is seen at opening, wherever it is missing, even with a mark alone."""
    files, _ = two_segments()
    assert kinds(refusal(without(files, gone)).findings) == {kind}


def test_a_segment_is_gone_from_the_middle() -> None:
    """A missing segment between two others is seen at opening."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(1))
    for day in ("2026-03-02", "2026-03-03"):
        journal.begin_segment(date=day, state=b"")
        commit(journal, [b"more"])
    error = refusal(without(disk.copied(), SECOND))
    assert kinds(error.findings) == {Kind.MISSING_SEGMENT}
    assert "missing before it: segment 2" in str(error)


def test_a_segment_from_an_older_copy() -> None:
    """One file put back from before it was finished is seen at opening, though the newest segment is in order."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(2))
    older = disk.copied()[FIRST]
    commit(journal, numbered(2, start=3))
    journal.begin_segment(date=NEXT_DAY, state=b"four")
    commit(journal, numbered(1, start=5))
    assert kinds(refusal({**disk.copied(), FIRST: older}).findings) == {Kind.OLDER_COPY}


def test_a_segment_of_another_journal() -> None:
    """A file of the same name and size from another journal does not fit in."""
    files, _ = two_segments()
    other = SimDisk()
    a_journal(other, [b"RECORD 1", b"RECORD 2"], [b"RECORD 3", b"RECORD 4"], reserve_bytes=0)
    assert len(other.copied()[FIRST]) == len(files[FIRST])
    for name in (FIRST, SECOND):
        assert isinstance(refusal({**files, name: other.copied()[FIRST]}), JournalDamaged)


def test_a_segment_under_another_name() -> None:
    """A segment renamed to another date, or standing twice, is damage."""
    files, _ = two_segments()
    renamed = {**without(files, SECOND), "00000002-2026-04-01.journal": files[SECOND]}
    assert kinds(refusal(renamed).findings) == {Kind.DAMAGED}
    assert "another segment 2" in str(refusal({**files, "00000002-2026-04-01.journal": files[SECOND]}))


def test_a_record_cut_out() -> None:
    """Every single record, cut out of either segment, is missed: in the newest at opening, elsewhere by its size."""
    files, anchor = two_segments()
    for name in (FIRST, SECOND):
        content, offset = files[name], files[name].index(RECORD)
        while offset < len(content):
            frame = frame_at(content, offset)
            assert frame is not None
            cut = content[:offset] + content[offset + frame.size :]
            assert kinds(refusal({**files, name: cut}, anchor).findings) & {
                Kind.MISSING_RECORD,
                Kind.DAMAGED,
                Kind.LOST_TAIL,
                Kind.OLDER_COPY,
            }
            offset += frame.size


def test_a_group_cut_out_without_mark_or_peer() -> None:
    """A whole group cut out of the middle leaves the next one behind a number that is missing."""
    files, _, ends = a_small_journal()
    first, second = sorted(ends)[1:3]
    cut = {**without(files, MARK_NAME), FIRST: files[FIRST][:first] + files[FIRST][second:]}
    assert Kind.MISSING_RECORD in kinds(refusal(cut).findings)


def test_a_record_written_by_another_hand() -> None:
    """A record with a right checksum and a right number that is not chained to the one before it is damage."""
    files, _, _ = a_small_journal()
    forged = SimDisk()
    a_journal(forged, [b"forged 1"], reserve_bytes=0)
    head = files[FIRST].index(RECORD)
    frame = frame_at(forged.copied()[FIRST], head)
    assert frame is not None
    other = bytearray(files[FIRST])
    other[head : head + frame.size] = forged.copied()[FIRST][head : head + frame.size]
    assert isinstance(refusal({**files, FIRST: bytes(other)}), JournalDamaged)


def test_two_records_change_places() -> None:
    """Records of equal length exchanged are damage."""
    files, _, _ = a_small_journal()
    content = files[FIRST]
    start = content.index(RECORD)
    one = frame_at(content, start)
    assert one is not None
    two = content[start + one.size : start + 2 * one.size]
    swapped = content[:start] + two + content[start : start + one.size] + content[start + 2 * one.size :]
    assert isinstance(refusal({**files, FIRST: swapped}), JournalDamaged)


def test_the_mark_of_another_time() -> None:
    """An older mark is harmless; one from the future says that records are gone."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(2))
    older = disk.copied()
    commit(journal, numbered(2, start=3))
    newer = disk.copied()
    assert reopened(SimDisk().restore({**newer, MARK_NAME: older[MARK_NAME]})).anchor.sequence == 4
    assert isinstance(refusal({**older, MARK_NAME: newer[MARK_NAME]}), TailLost)


def test_half_a_segment_is_removed_and_said() -> None:
    """A segment that a crash kept from getting its name is removed at opening, and the day begun again."""
    files, anchor = two_segments()
    disk = SimDisk().restore({**files, "00000003-2026-03-03.journal.part": files[FIRST][:50]})
    journal = reopened(disk, anchor)
    assert kinds(journal.notes) == {Kind.HALF_SEGMENT}
    journal.begin_segment(date="2026-03-03", state=b"eight")
    assert payloads(reopened(disk, anchor).records(1)) == numbered(8)


def test_numbers_are_known_though_heads_are_not() -> None:
    """With the newest segment unreadable from its start, the highest number comes from any whole frame there is."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(4))
    journal.begin_segment(date=NEXT_DAY, state=b"")
    files = {name: content for name, content in disk.copied().items() if name != MARK_NAME}
    assert refusal({**files, SECOND: files[SECOND][1:]}).sequence_highest == 4


def test_a_snapshot_that_is_not_what_its_hash_says() -> None:
    """A snapshot exchanged for another, with checksum and digest made right, is betrayed by its own hash."""
    files, _, _ = a_small_journal()
    frame = frame_at(files[FIRST])
    assert frame is not None
    payload = frame.payload.replace(b"the beginning", b"The beginning")
    forged, _ = frame_bytes(HEAD, 0, (0, 1), payload, NOTHING)
    assert "the snapshot is not what its hash says" in str(refusal({**files, FIRST: forged}))


def test_strangers_are_left_alone_and_said() -> None:
    """A file that is none of a journal's is noted, and never touched."""
    files, anchor = two_segments()
    disk = SimDisk().restore({**files, "notes.txt": b"mine"})
    assert kinds(reopened(disk, anchor).notes) == {Kind.STRANGER}
    assert disk.copied()["notes.txt"] == b"mine"


def test_looking_changes_nothing() -> None:
    """Examining a journal in any state writes nothing."""
    files, anchor, _ = a_small_journal()
    for size in range(0, len(files[FIRST]), 7):
        disk = SimDisk().restore({**files, FIRST: files[FIRST][:size]})
        disk.fail("write", 5)
        disk.fail("truncate", 5)
        disk.fail("create", 5)
        disk.fail("remove", 5)
        examine(disk, [anchor])


def test_who_takes_over_reads_everything_intact() -> None:
    """The mark of an examination reaches past a stale one: what a dead writer acknowledged is all there."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(2))
    older = disk.copied()[MARK_NAME]
    commit(journal, numbered(3, start=3))
    assert all_there(SimDisk().restore({**disk.copied(), MARK_NAME: older})) == numbered(5)
    assert all_there(SimDisk().restore(without(disk.copied(), MARK_NAME))) == numbered(5)
