"""The mark: a small file that says how far the journal is durable, written after each fdatasync.

Readers in other processes go no further than the mark, so they never see a record that a crash could still take back.
For whoever opens the journal it is also an anchor: what it says was durable must still be there. It is overwritten in
place and synced only when a journal is opened; a power cut may leave an older mark, which says too little, never
too much.
"""

import struct
import zlib
from typing import Final

import msgspec

from shared.mesh.journal.disk import Disk, File, write_all
from shared.mesh.journal.record import DIGEST_BYTES

MARK_NAME: Final = "committed"
_TAG: Final = b"BJm1"
_MARK: Final = struct.Struct(f"<4sQQQ{DIGEST_BYTES}s")
_CHECKSUM: Final = struct.Struct("<I")
MARK_BYTES: Final = _MARK.size + _CHECKSUM.size


class Mark(msgspec.Struct, frozen=True):
    """In segment `number` everything before byte `end` is durable, up to the record `sequence` with that digest."""

    number: int
    end: int
    sequence: int
    digest: bytes


def mark_bytes(mark: Mark) -> bytes:
    """Return the content of the file."""
    body = _MARK.pack(_TAG, mark.number, mark.end, mark.sequence, mark.digest)
    return body + _CHECKSUM.pack(zlib.crc32(body))


def mark_in(file: File) -> Mark | None:
    """Return the mark in an open file, None when there is no whole one; one being written may read as none."""
    content = file.read(0, MARK_BYTES)
    if len(content) < MARK_BYTES or zlib.crc32(content[: _MARK.size]) != _CHECKSUM.unpack_from(content, _MARK.size)[0]:
        return None
    tag, number, end, sequence, digest = _MARK.unpack_from(content)
    return Mark(number, end, sequence, digest) if tag == _TAG else None


def mark_on(disk: Disk) -> Mark | None:
    """Return the mark of a journal, None when there is no whole one."""
    try:
        file = disk.view(MARK_NAME)
    except FileNotFoundError:
        return None
    try:
        return mark_in(file)
    finally:
        file.close()


class MarkWriter:
    """Holds the mark's file open for the one writer."""

    def __init__(self, disk: Disk) -> None:
        """Open the file, making it where it is missing."""
        try:
            self._file = disk.edit(MARK_NAME)
        except FileNotFoundError:
            self._file = disk.create(MARK_NAME)

    def publish(self, mark: Mark) -> None:
        """Say it to readers."""
        write_all(self._file, 0, mark_bytes(mark))

    def sync(self) -> None:
        """Make it durable."""
        self._file.sync()

    def close(self) -> None:
        """Give the file back."""
        self._file.close()
