"""Builders: journals on simulated and real disks, with sensible defaults."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from proto.risk import Anchor
from shared.mesh.journal import (
    Disk,
    Gap,
    Journal,
    JournalReader,
    Opening,
    RealDisk,
    Record,
    create_journal,
    examine,
    mark_on,
    open_journal,
)

DAY = "2026-03-01"
NEXT_DAY = "2026-03-02"
RESERVE_BYTES = 4096


def anything(payload: bytes) -> object:
    """Prove nothing: for tests in which payloads are only bytes."""
    return payload


def an_opening(disk: Disk, *anchors: Anchor, reserve_bytes: int = RESERVE_BYTES, room_ahead_bytes: int = 0) -> Opening:
    """Return an opening that takes any payload and keeps a small reserve; segments end where their records end."""
    return Opening(
        disk=disk,
        prove=anything,
        anchors=anchors,
        reserve_bytes=reserve_bytes,
        room_ahead_bytes=room_ahead_bytes,
    )


def a_journal(
    disk: Disk, *groups: Sequence[bytes], reserve_bytes: int = RESERVE_BYTES, room_ahead_bytes: int = 0
) -> Journal:
    """Return a new journal with these groups committed."""
    opening = an_opening(disk, reserve_bytes=reserve_bytes, room_ahead_bytes=room_ahead_bytes)
    journal = create_journal(opening, date=DAY, state=b"the beginning")
    for group in groups:
        commit(journal, group)
    return journal


def a_real_disk(directory: Path) -> RealDisk:
    """Return a disk that is a directory."""
    return RealDisk(directory / "journal")


def durable_bytes(directory: Path) -> int:
    """Return where the records of the newest segment end; its file is longer."""
    mark = mark_on(RealDisk(directory))
    assert mark is not None, "whoever opened it wrote one"
    return mark.end


def commit(journal: Journal, payloads: Iterable[bytes]) -> Anchor:
    """Append and commit these as one group, and return the anchor."""
    for payload in payloads:
        journal.append(payload)
    return journal.commit().anchor


def numbered(count: int, *, start: int = 1) -> list[bytes]:
    """Return payloads that say their number."""
    return [f"record {number}".encode() for number in range(start, start + count)]


def payloads(entries: Iterable[Record | Gap]) -> list[bytes]:
    """Return what the records carry; a gap stands as its reason."""
    return [entry.payload if isinstance(entry, Record) else entry.reason.encode() for entry in entries]


def reopened(disk: Disk, *anchors: Anchor) -> Journal:
    """Open what is there."""
    return open_journal(an_opening(disk, *anchors))


def all_there(disk: Disk) -> list[bytes]:
    """Return every payload a reader of the intact part would be given."""
    examination = examine(disk)
    reader = JournalReader(disk, committed=lambda: examination.mark)
    found: list[bytes] = []
    while entries := reader.poll():
        found += payloads(entries)
    return found
