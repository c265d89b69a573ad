"""The bytes of a journal: frames of three kinds, and nothing else. docs/journal.md explains them to a stranger.

A frame is a header, a payload, the digest that chains it to the frame before it, and a checksum over all of that. The
checksum tells that a frame is whole without knowing anything else; the chain tells that it is the one that was written.
"""

import struct
import zlib
from hashlib import sha256
from typing import Final

import msgspec

from proto.risk import Anchor
from proto.topics import ORDER_BYTES_MAX

PAYLOAD_BYTES_MAX: Final = ORDER_BYTES_MAX  # what is journaled about orders travels as it stands
SNAPSHOT_BYTES_MAX: Final = 16 * 1024 * 1024
GROUP_RECORDS_MAX: Final = 4096
GROUP_BYTES_MAX: Final = 4 * 1024 * 1024
FORGIVEN_MAX: Final = 16
REASON_BYTES_MAX: Final = 1024

HEAD, RECORD, GAP = b"BJh1", b"BJr1", b"BJg1"
DIGEST_BYTES: Final = 32
NOTHING: Final = bytes(DIGEST_BYTES)  # what the first frame of all is chained to

# Tag, length of the payload, sequence, place in the commit group (from 0), size of the group.
_HEADER: Final = struct.Struct("<4sIQHH")
_CHECKSUM: Final = struct.Struct("<I")
# Number of the segment, bytes of the segment before it, that one's last digest, the last record's digest, UTC date,
# digest of the snapshot.
_HEAD: Final = struct.Struct("<QQ32s32s10s32s")
_GAP: Final = struct.Struct("<QH")
_ANCHOR: Final = struct.Struct("<Q32s")

_EMPTY: Final = (
    sha256()
)  # copying it is a third cheaper than making one, which counts after a sync left the caches cold

HEADER_BYTES: Final = _HEADER.size
TRAILER_BYTES: Final = DIGEST_BYTES + _CHECKSUM.size
FRAME_BYTES_MIN: Final = HEADER_BYTES + TRAILER_BYTES
HEAD_START_BYTES: Final = HEADER_BYTES + _HEAD.size  # what tells a segment's place without its snapshot
_LENGTHS_MAX: Final = {
    HEAD: _HEAD.size + SNAPSHOT_BYTES_MAX,
    RECORD: PAYLOAD_BYTES_MAX,
    GAP: _GAP.size + FORGIVEN_MAX * _ANCHOR.size + REASON_BYTES_MAX,
}


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record, as it was appended."""

    sequence: int
    payload: bytes
    digest: bytes


class Gap(msgspec.Struct, frozen=True):
    """Says that records are gone: those after number `after`, up to its own. It takes a sequence number like a record.

    `forgiven` are the anchors that no longer agree with what is here, and need not.
    """

    sequence: int
    digest: bytes
    after: int
    forgiven: tuple[Anchor, ...]
    reason: str


class Snapshot(msgspec.Struct, frozen=True):
    """The state after record number `sequence`, in bytes only its writer understands, and the date it was taken on."""

    sequence: int
    date: str
    state: bytes


class Head(msgspec.Struct, frozen=True):
    """The start of a segment: where it belongs, and the state it starts from.

    `link` is the last digest of the segment before it, `record_digest` that of the last record. Both are zero at the
    very beginning, and where a journal was started anew above a gap.
    """

    number: int
    previous_bytes: int
    link: bytes
    record_digest: bytes
    sequence: int
    date: str

    @property
    def starts_anew(self) -> bool:
        """Tell whether nothing stands before this segment."""
        return self.link == NOTHING


class Frame(msgspec.Struct, frozen=True, gc=False):
    """A frame whose checksum is right. Its place in the chain is somebody else's to judge."""

    tag: bytes
    sequence: int
    position: int
    group_size: int
    payload: bytes
    digest: bytes
    size: int


def frame_bytes(tag: bytes, sequence: int, place: tuple[int, int], payload: bytes, link: bytes) -> tuple[bytes, bytes]:
    """Return a frame chained to `link`, and its digest; `place` is its position in its group and the group's size."""
    chained = _HEADER.pack(tag, len(payload), sequence, *place) + payload
    digest = _digest(link + chained)
    covered = chained + digest
    return covered + _CHECKSUM.pack(zlib.crc32(covered)), digest


def frame_length(start: bytes, offset: int = 0) -> int:
    """Return the bytes the frame that starts there claims to take, or 0 if no frame of ours starts like that."""
    if len(start) - offset < HEADER_BYTES:
        return 0
    tag, length, _, position, count = _HEADER.unpack_from(start, offset)
    lawful = length <= _LENGTHS_MAX.get(tag, -1) and position < count <= GROUP_RECORDS_MAX
    return FRAME_BYTES_MIN + length if lawful else 0


def frame_at(buffer: bytes, offset: int = 0) -> Frame | None:
    """Return the frame that starts there, or None unless a whole one with the right checksum does."""
    size = frame_length(buffer, offset)
    end = offset + size
    if not size or end > len(buffer):
        return None
    covered = end - _CHECKSUM.size
    if zlib.crc32(memoryview(buffer)[offset:covered]) != _CHECKSUM.unpack_from(buffer, covered)[0]:
        return None
    tag, _, sequence, position, count = _HEADER.unpack_from(buffer, offset)
    payload_end = covered - DIGEST_BYTES
    payload = buffer[offset + HEADER_BYTES : payload_end]
    return Frame(tag, sequence, position, count, payload, buffer[payload_end:covered], size)


def is_chained(frame: Frame, link: bytes) -> bool:
    """Tell whether the frame was written behind the one with digest `link`."""
    header = _HEADER.pack(frame.tag, len(frame.payload), frame.sequence, frame.position, frame.group_size)
    return _digest(link + header + frame.payload) == frame.digest


def _digest(linked: bytes) -> bytes:
    digest = _EMPTY.copy()
    digest.update(linked)
    return digest.digest()


def last_digest(end: bytes) -> bytes:
    """Return the digest at the end of a file whose last bytes these are."""
    return end[-TRAILER_BYTES : -_CHECKSUM.size]


def head_bytes(head: Head, state: bytes) -> tuple[bytes, bytes]:
    """Return the frame that starts a segment, and its digest."""
    date = head.date.encode("ascii")
    start = _HEAD.pack(head.number, head.previous_bytes, head.link, head.record_digest, date, sha256(state).digest())
    return frame_bytes(HEAD, head.sequence, (0, 1), start + state, head.link)


def head_start(start: bytes) -> Head | None:
    """Return the head that starts like that, unproved; None if no head does."""
    if len(start) < HEAD_START_BYTES or start[:4] != HEAD:
        return None
    sequence = _HEADER.unpack_from(start)[2]
    number, previous_bytes, link, record_digest, date, _ = _HEAD.unpack_from(start, HEADER_BYTES)
    return Head(number, previous_bytes, link, record_digest, sequence, date.decode("ascii", errors="replace"))


def snapshot_of(frame: Frame) -> Snapshot | None:
    """Return the snapshot in a segment's first frame; None if its own hash says it is another."""
    if len(frame.payload) < _HEAD.size:
        return None
    *_, date, digest = _HEAD.unpack_from(frame.payload)
    state = frame.payload[_HEAD.size :]
    if sha256(state).digest() != digest:
        return None
    return Snapshot(frame.sequence, date.decode("ascii", errors="replace"), state)


def gap_payload(*, after: int, forgiven: tuple[Anchor, ...], reason: str) -> bytes:
    """Return what a gap's frame carries. A reason too long is cut; more anchors than fit raise ValueError."""
    if len(forgiven) > FORGIVEN_MAX:
        raise ValueError(f"{len(forgiven)} anchors to forgive, over {FORGIVEN_MAX}")
    anchors = b"".join(_ANCHOR.pack(anchor.sequence, bytes.fromhex(anchor.digest)) for anchor in forgiven)
    return _GAP.pack(after, len(forgiven)) + anchors + reason.encode()[:REASON_BYTES_MAX]


def entry_of(frame: Frame) -> Record | Gap:
    """Return what a frame that is no head stands for; a gap that makes no sense raises ValueError."""
    if frame.tag == RECORD:
        return Record(frame.sequence, frame.payload, frame.digest)
    if len(frame.payload) < _GAP.size:
        raise ValueError("a gap too short to say what is missing")
    after, count = _GAP.unpack_from(frame.payload)
    end = _GAP.size + count * _ANCHOR.size
    if end > len(frame.payload):
        raise ValueError("a gap that forgives more anchors than it names")
    anchors = (_ANCHOR.unpack_from(frame.payload, start) for start in range(_GAP.size, end, _ANCHOR.size))
    forgiven = tuple(Anchor(sequence=sequence, digest=digest.hex()) for sequence, digest in anchors)
    reason = frame.payload[end:].decode(errors="replace")
    return Gap(frame.sequence, frame.digest, after, forgiven, reason)
