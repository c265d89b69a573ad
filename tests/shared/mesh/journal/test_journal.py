"""Appending, committing, reading back, and the segments of a journal in good health."""

import os
import stat
from pathlib import Path
from random import Random

import pytest

from proto.codec import BadFrame, EnvelopeCodec
from proto.risk import Anchor
from shared.mesh.journal import (
    Gap,
    JournalAbsent,
    JournalDamaged,
    JournalFailed,
    Opening,
    Record,
    create_journal,
    open_journal,
)
from shared.mesh.journal.record import GROUP_BYTES_MAX, GROUP_RECORDS_MAX, PAYLOAD_BYTES_MAX, SNAPSHOT_BYTES_MAX
from tests.proto.examples import BODIES, an_envelope
from tests.shared.mesh.journal.journals import (
    DAY,
    NEXT_DAY,
    a_journal,
    a_real_disk,
    an_opening,
    commit,
    numbered,
    payloads,
    reopened,
)
from tests.shared.mesh.journal.sim_disk import SimDisk


def test_numbers_are_dense_from_one() -> None:
    """The first record is number 1, and each next one the next number, across groups, segments and openings."""
    disk = SimDisk()
    journal = a_journal(disk)
    assert [journal.append(payload) for payload in numbered(3)] == [1, 2, 3]
    assert journal.commit().anchor.sequence == 3
    journal.begin_segment(date=NEXT_DAY, state=b"three")
    assert journal.append(b"four") == 4
    journal.commit()
    journal.close()
    assert reopened(disk).append(b"five") == 5


def test_what_was_committed_is_read_back() -> None:
    """Records come back as they were appended, from any number on, across segments."""
    journal = a_journal(SimDisk(), numbered(3), numbered(2, start=4))
    journal.begin_segment(date=NEXT_DAY, state=b"five")
    commit(journal, numbered(4, start=6))
    assert payloads(journal.records(1)) == numbered(9)
    for first in range(1, 11):
        assert payloads(journal.records(first)) == numbered(10 - first, start=first)


def test_nothing_counts_before_commit() -> None:
    """A record that was appended and not committed is nowhere: not on the disk, not for readers, not after opening."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(1))
    before = disk.copied()
    journal.append(b"not committed")
    assert disk.copied() == before
    assert payloads(journal.records(1)) == numbered(1)
    assert payloads(reopened(disk.after_kill()).records(1)) == numbered(1)


def test_a_group_costs_one_sync() -> None:
    """However many records a group has, it is written and synced once."""
    disk = SimDisk()
    journal = a_journal(disk)
    before = disk.syncs
    commit(journal, numbered(500))
    assert disk.syncs == before + 1


def test_the_anchor_names_the_last_record() -> None:
    """Commit returns number and digest of the last record, which a reader finds in the record as well."""
    journal = a_journal(SimDisk())
    anchor = commit(journal, numbered(5))
    last = list(journal.records(5))[-1]
    assert isinstance(last, Record)
    assert anchor == Anchor(sequence=5, digest=last.digest.hex()) == journal.anchor


def test_the_anchor_outlives_segment_and_process() -> None:
    """A new segment and a new process leave the anchor as it was."""
    disk = SimDisk()
    journal = a_journal(disk)
    anchor = commit(journal, numbered(5))
    journal.begin_segment(date=NEXT_DAY, state=b"five")
    assert journal.anchor == anchor
    journal.begin_segment(date=NEXT_DAY, state=b"five")
    assert reopened(disk, anchor).anchor == anchor


def test_an_empty_commit_does_nothing() -> None:
    """Committing without records returns the anchor there is, without a sync."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(2))
    before = disk.operations
    committed = journal.commit()
    assert (committed.anchor, committed.records, disk.operations) == (journal.anchor, 0, before)


def test_opening_folds_only_the_newest_segment() -> None:
    """An opened journal gives the newest snapshot, the number it stands for, and the records after it."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(3))
    journal.begin_segment(date=NEXT_DAY, state=b"three so far")
    commit(journal, numbered(2, start=4))
    journal = reopened(disk)
    assert (journal.snapshot.sequence, journal.snapshot.date) == (3, NEXT_DAY)
    assert journal.snapshot.state == b"three so far"
    assert payloads(journal.records(journal.snapshot.sequence + 1)) == numbered(2, start=4)
    assert journal.notes == ()


def test_quiet_days_are_segments_too() -> None:
    """A day without a record has its segment, and reading crosses it."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(1))
    for day in ("2026-03-02", "2026-03-03", "2026-03-04"):
        journal.begin_segment(date=day, state=b"one")
    commit(journal, numbered(1, start=2))
    assert payloads(reopened(disk, journal.anchor).records(1)) == numbered(2)
    assert [name for name in disk.names() if name.endswith(".journal")] == [
        "00000001-2026-03-01.journal",
        "00000002-2026-03-02.journal",
        "00000003-2026-03-03.journal",
        "00000004-2026-03-04.journal",
    ]


def test_a_segment_is_not_begun_in_the_middle_of_a_group() -> None:
    """With records appended and not committed, a state could not say whether it holds them."""
    journal = a_journal(SimDisk())
    journal.append(b"open")
    with pytest.raises(ValueError, match="commit before"):
        journal.begin_segment(date=NEXT_DAY, state=b"")


@pytest.mark.parametrize("date", ["", "2026-3-1", "20260301", "2026-03-01x", "../../x"])
def test_a_date_is_a_date(date: str) -> None:
    """A segment's date is written YYYY-MM-DD and nothing else, since it is part of a file's name."""
    journal = a_journal(SimDisk())
    with pytest.raises(ValueError, match="no date"):
        journal.begin_segment(date=date, state=b"")


def test_a_payload_is_proved_before_it_counts() -> None:
    """What could not be read back raises what the proof raises, and is not in the group."""
    codec = EnvelopeCodec()
    journal = create_journal(Opening(disk=SimDisk(), prove=codec.decode_stored), date=DAY, state=b"")
    with pytest.raises(BadFrame):
        journal.append(b"\x93 no frame")
    frames = [codec.encode(an_envelope(body)) for body in BODIES]
    anchor = commit(journal, frames)
    assert anchor.sequence == len(frames)
    assert payloads(journal.records(1)) == frames


def test_bounds_are_kept() -> None:
    """A payload, a group and a snapshot have a largest size, which is taken, and one byte or record more is refused."""
    journal = a_journal(SimDisk())
    journal.append(bytes(PAYLOAD_BYTES_MAX))
    with pytest.raises(ValueError, match="payload of 65537 bytes"):
        journal.append(bytes(PAYLOAD_BYTES_MAX + 1))
    for _ in range(GROUP_BYTES_MAX // (PAYLOAD_BYTES_MAX + 56) - 1):
        journal.append(bytes(PAYLOAD_BYTES_MAX))
    with pytest.raises(ValueError, match="commit first"):
        journal.append(bytes(PAYLOAD_BYTES_MAX))
    journal.commit()
    for _ in range(GROUP_RECORDS_MAX):
        journal.append(b"")
    with pytest.raises(ValueError, match="commit first"):
        journal.append(b"")
    anchor = journal.commit().anchor
    journal.begin_segment(date=NEXT_DAY, state=bytes(SNAPSHOT_BYTES_MAX))
    with pytest.raises(ValueError, match="snapshot of"):
        journal.begin_segment(date=NEXT_DAY, state=bytes(SNAPSHOT_BYTES_MAX + 1))
    assert journal.anchor == anchor
    assert sum(1 for _ in journal.records(1)) == anchor.sequence


def test_nothing_there_is_said() -> None:
    """A directory without a trace of a journal is absent, not empty: it must be created."""
    with pytest.raises(JournalAbsent):
        reopened(SimDisk())


def test_creating_over_a_journal_is_refused() -> None:
    """What is there is never begun again, nor is what a peer has an anchor of."""
    disk = SimDisk()
    anchor = a_journal(disk, numbered(1)).anchor
    with pytest.raises(ValueError, match="already"):
        a_journal(disk)
    with pytest.raises(JournalDamaged, match="record 1 was acknowledged"):
        create_journal(an_opening(SimDisk(), anchor), date=DAY, state=b"")


def test_a_closed_journal_takes_nothing() -> None:
    """After close, append and commit are refused, and the group that was open is gone."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(1))
    journal.append(b"lost")
    journal.close()
    with pytest.raises(JournalFailed, match="closed"):
        journal.append(b"more")
    with pytest.raises(JournalFailed, match="closed"):
        journal.commit()
    assert payloads(reopened(disk).records(1)) == numbered(1)


def test_frames_inside_payloads_are_only_bytes() -> None:
    """A payload that looks like a journal's own frames is carried like any other."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(2))
    content = disk.copied()["00000001-2026-03-01.journal"]
    commit(journal, [content, content[-80:]])
    assert payloads(reopened(disk, journal.anchor).records(3)) == [content, content[-80:]]


def test_a_real_directory_is_private(tmp_path: Path) -> None:
    """On a real disk the directory is made with mode 0700, every file with 0600, and the reserve takes real room."""
    journal = a_journal(a_real_disk(tmp_path), numbered(3))
    journal.begin_segment(date=NEXT_DAY, state=b"three")
    commit(journal, numbered(2, start=4))
    journal.close()
    directory = tmp_path / "journal"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in directory.iterdir()} == {0o600}
    assert (directory / "reserve").stat().st_blocks * 512 >= 4096
    with_anchor = open_journal(an_opening(a_real_disk(tmp_path), journal.anchor))
    assert payloads(with_anchor.records(1)) == numbered(5)
    with_anchor.close()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """A journal's file that is a symbolic link is refused: it would be somebody else's file."""
    disk = a_real_disk(tmp_path)
    a_journal(disk, numbered(1)).close()
    name = tmp_path / "journal" / "00000001-2026-03-01.journal"
    os.rename(name, tmp_path / "elsewhere")  # noqa: PTH104 -- two paths of one test
    name.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JournalFailed, match="ELOOP"):
        reopened(disk)


def test_random_use_comes_back() -> None:
    """Groups and payloads of random sizes, over random segments, come back as they were."""
    dice = Random(4711)  # noqa: S311 -- a seed, no secret
    disk = SimDisk()
    journal = a_journal(disk, reserve_bytes=0)
    written: list[bytes] = []
    for day in range(5):
        for _ in range(dice.randint(0, 12)):
            group = [dice.randbytes(dice.choice((0, 1, 100, 5000, 65536))) for _ in range(dice.randint(1, 9))]
            commit(journal, group)
            written += group
        journal.begin_segment(date=f"2026-03-{day + 2:02}", state=dice.randbytes(dice.choice((0, 70_000))))
    entries = list(reopened(disk, journal.anchor).records(1))
    assert payloads(entries) == written
    assert not any(isinstance(entry, Gap) for entry in entries)


def test_an_opening_says_what_it_needs() -> None:
    """An opening holds disk, proof, anchors and the size of the reserve, which is 16 MiB unless said."""
    assert an_opening(SimDisk()).reserve_bytes == 4096
    assert Opening(disk=SimDisk(), prove=bytes).reserve_bytes == 16 * 1024 * 1024
