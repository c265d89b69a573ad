"""The bytes of a journal, read as docs/journal.md describes them: frames, their chain, and how far they are durable."""

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

HEAD, RECORD, GAP = b"BJh1", b"BJr1", b"BJg1"
SUFFIX: Final = ".journal"
MARK_NAME: Final = "committed"

_HEADER: Final = struct.Struct("<4sIQHH")
_TRAILER: Final = struct.Struct("<32sI")
_SEGMENT: Final = struct.Struct("<QQ32s32s10s32s")
_MARK: Final = struct.Struct("<4sQQQ32sI")
_LOST: Final = struct.Struct("<QH")
_NOTHING: Final = bytes(32)


class JournalBrokenError(Exception):
    """The bytes are not a whole journal; the text says where and why. Nothing behind that place can be believed."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a journal is durable: in which segment, to which byte, up to which record."""

    segment: int
    end: int
    sequence: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame that is whole and in the chain."""

    tag: bytes
    sequence: int
    position: int
    group_size: int
    payload: bytes
    digest: bytes


def mark_of(content: bytes) -> Mark | None:
    """Return what a mark says, None while it is being written."""
    if len(content) != _MARK.size:
        return None
    tag, segment, end, sequence, digest, checksum = _MARK.unpack(content)
    if tag != b"BJm1" or zlib.crc32(content[:-4]) != checksum:
        return None
    return Mark(segment, end, sequence, digest)


def durable_frames(files: Mapping[str, bytes], mark: Mark) -> Iterator[Frame]:
    """Yield the heads, records and gaps that the mark says are durable, each proved; raise at the first that is not."""
    place = _Place()
    for name in sorted(name for name in files if int(name[:8]) <= mark.segment):
        is_newest = int(name[:8]) == mark.segment
        content = files[name][: mark.end] if is_newest else files[name]
        if is_newest and len(content) < mark.end:
            raise JournalBrokenError(f"{name}: ends at byte {len(content)}, {mark.end} are durable")
        yield from _segment(name, content, place)
    if (place.sequence or 0, place.record_digest) != (mark.sequence, mark.digest):
        raise JournalBrokenError(f"the tail is missing: it ends at {place.sequence}, {mark.sequence} are durable")


class _Place:
    """Where the reading stands: what the next frame must be chained to, and which number comes next."""

    def __init__(self) -> None:
        self.link = _NOTHING
        self.sequence: int | None = None
        self.record_digest = _NOTHING
        self.segment_bytes = 0


def _segment(name: str, content: bytes, place: _Place) -> Iterator[Frame]:
    expected_position, group_size = 0, 0
    for number, frame in enumerate(_chained(name, content, place)):
        if (frame.tag == HEAD) != (number == 0):
            raise JournalBrokenError(f"{name}: a head is not its first frame")
        if frame.tag == HEAD:
            _enter(name, frame, place)
            yield frame
        else:
            if frame.position != expected_position or (frame.position and frame.group_size != group_size):
                raise JournalBrokenError(f"{name}: record {frame.sequence} is out of its group")
            group_size = frame.group_size
            expected_position = (frame.position + 1) % group_size
            _follow(name, frame, place)
            yield frame
    if expected_position:
        raise JournalBrokenError(f"{name}: its last group is not whole")
    place.segment_bytes = len(content)


def _chained(name: str, content: bytes, place: _Place) -> Iterator[Frame]:
    at = 0
    while at < len(content):
        if at + _HEADER.size > len(content):
            raise JournalBrokenError(f"{name}: the frame at byte {at} is cut off")
        tag, length, sequence, position, size = _HEADER.unpack_from(content, at)
        body = at + _HEADER.size
        end = body + length + _TRAILER.size
        if tag not in {HEAD, RECORD, GAP} or size == 0 or end > len(content):
            raise JournalBrokenError(f"{name}: what stands at byte {at} is no frame")
        digest, checksum = _TRAILER.unpack_from(content, body + length)
        if zlib.crc32(content[at : end - 4]) != checksum:
            raise JournalBrokenError(f"{name}: the frame at byte {at}, number {sequence}, is damaged")
        payload = content[body : body + length]
        link = _head_of(name, payload)[2] if tag == HEAD else place.link
        if tag == HEAD and link != place.link:
            raise JournalBrokenError(f"{name}: it does not follow the segment before it")
        if sha256(link + content[at : body + length]).digest() != digest:
            raise JournalBrokenError(f"{name}: the frame at byte {at}, number {sequence}, is not in the chain")
        yield Frame(tag, sequence, position, size, payload, digest)
        place.link, at = digest, end


def _head_of(name: str, payload: bytes) -> tuple[int, int, bytes, bytes, bytes, bytes]:
    if len(payload) < _SEGMENT.size:
        raise JournalBrokenError(f"{name}: its head is too short")
    number, previous_bytes, link, record_digest, date, snapshot = _SEGMENT.unpack_from(payload)
    return number, previous_bytes, link, record_digest, date, snapshot


def _enter(name: str, frame: Frame, place: _Place) -> None:
    number, previous_bytes, _, record_digest, date, snapshot = _head_of(name, frame.payload)
    if name != f"{number:08}-{date.decode('ascii', 'replace')}{SUFFIX}":
        raise JournalBrokenError(f"{name}: its head says segment {number} of {date!r}")
    if previous_bytes != place.segment_bytes or record_digest != place.record_digest:
        raise JournalBrokenError(f"{name}: the segment before it is another than it was")
    if place.sequence not in {None, frame.sequence}:
        raise JournalBrokenError(f"{name}: begins behind {frame.sequence}, the one before ends at {place.sequence}")
    if sha256(state_of(frame.payload)).digest() != snapshot:
        raise JournalBrokenError(f"{name}: its snapshot is another than it was")
    place.sequence = frame.sequence


def _follow(name: str, frame: Frame, place: _Place) -> None:
    before = place.sequence or 0
    follows = frame.sequence == before + 1 or (frame.tag == GAP and frame.sequence > before)
    if not follows:
        raise JournalBrokenError(f"{name}: after {before} comes {frame.sequence}, what is between is missing")
    place.sequence, place.record_digest = frame.sequence, frame.digest


def state_of(payload: bytes) -> bytes:
    """Return the state that a head's segment begins with."""
    return payload[_SEGMENT.size :]


def gap_words(payload: bytes) -> tuple[int, str]:
    """Return the last record before a gap, and the reason it gives."""
    after, forgiven = _LOST.unpack_from(payload)
    return after, payload[_LOST.size + 40 * forgiven :].decode("utf-8", "replace")
