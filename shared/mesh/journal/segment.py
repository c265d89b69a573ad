"""One segment file: its name, and the walk through its frames that proves each of them on the way."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from shared.mesh.journal.disk import File
from shared.mesh.journal.record import (
    FRAME_BYTES_MIN,
    GAP,
    HEAD,
    HEAD_START_BYTES,
    HEADER_BYTES,
    RECORD,
    Frame,
    Gap,
    Head,
    Record,
    entry_of,
    frame_at,
    frame_length,
    head_start,
    is_chained,
    snapshot_of,
)
from shared.mesh.journal.verdict import Kind

UNFINISHED: Final = ".part"
_NAME: Final = re.compile(r"([0-9]{8})-([0-9]{4}-[0-9]{2}-[0-9]{2})\.journal")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER_MAX: Final = 99_999_999
_CHUNK_BYTES: Final = 256 * 1024
_ZEROS: Final = bytes(16 * 1024)
_TAGS: Final = (RECORD, GAP)
_TAG_START: Final = b"BJ"


class SegmentName(NamedTuple):
    """A segment's file name, taken apart."""

    number: int
    date: str

    @property
    def text(self) -> str:
        """The name of the file."""
        return f"{self.number:08}-{self.date}.journal"


class Place(msgspec.Struct, frozen=True, gc=False):
    """A point between two frames: everything one must know to append there."""

    number: int
    offset: int
    sequence: int
    record_digest: bytes
    link: bytes


class Broken(Exception):  # noqa: N818 -- names what was met; whoever walks decides what it means
    """The walk met bytes that cannot be the next frame. `torn` ones are no frame at all, as a crash may leave them."""

    def __init__(self, kind: Kind, offset: int, text: str, *, torn: bool = False) -> None:
        super().__init__(text)
        self.torn: Final = torn
        self.kind: Final = kind
        self.offset: Final = offset
        self.text: Final = text


class Walk:
    """Goes through a segment from its head, in order and to any point; it may go on later when there is more.

    `here` is behind the last frame met, `settled` behind the last group that was met whole, `count` counts the frames.
    """

    def __init__(self, file: File, number: int) -> None:
        """Read the head; raises Broken when it is not a whole and true one."""
        self._file = file
        frame, head = self._read_head()
        if head.number != number:
            raise Broken(Kind.DAMAGED, 0, f"the file calls itself segment {head.number}")
        snapshot = snapshot_of(frame)
        if snapshot is None or not is_chained(frame, head.link):
            raise Broken(Kind.DAMAGED, 0, "the snapshot is not what its hash says")
        self.head: Final = head
        self.snapshot: Final = snapshot
        self.here = Place(number, frame.size, head.sequence, head.record_digest, frame.digest)
        self.settled = self.here
        self.settled_before = self.here  # where the last whole group begins
        self.count = 0
        self._expected = (0, 0)  # position and size of the group the next frame must continue; (0, 0) for a new one

    def entries(self, end: int) -> Iterator[Record | Gap]:
        """Yield what stands up to that byte; raises Broken where the frames stop making sense."""
        buffer, start = b"", self.here.offset
        while self.here.offset < end:
            at = self.here.offset - start
            if not self._holds_frame(buffer, at):
                start = self.here.offset
                buffer, at = self._chunk(start, end), 0
            frame = frame_at(buffer, at)
            if frame is None:
                raise Broken(Kind.DAMAGED, self.here.offset, "no whole frame stands here", torn=True)
            self.count += 1
            yield self._next(frame)

    def _holds_frame(self, buffer: bytes, at: int) -> bool:
        size = frame_length(buffer, at)
        return bool(size) and at + size <= len(buffer)

    def _chunk(self, start: int, end: int) -> bytes:
        # The longest lawful frame here fits a chunk, so one read is enough to hold the next frame.
        return self._file.read(start, min(_CHUNK_BYTES, end - start))

    def _next(self, frame: Frame) -> Record | Gap:
        place, offset = self.here, self.here.offset
        if frame.tag == HEAD:
            raise Broken(Kind.DAMAGED, offset, "a second head")
        expected = place.sequence + 1
        if frame.sequence != expected and (frame.tag == RECORD or frame.sequence < expected):
            kind = Kind.MISSING_RECORD if frame.sequence > expected else Kind.DAMAGED
            raise Broken(kind, offset, f"record {frame.sequence} stands where {expected} belongs")
        if not is_chained(frame, place.link):
            raise Broken(Kind.DAMAGED, offset, f"record {frame.sequence} was not written behind the one before it")
        position, count = self._expected
        if frame.position != position or (count and frame.group_size != count):
            raise Broken(Kind.DAMAGED, offset, f"record {frame.sequence} is out of place in its group")
        try:
            entry = entry_of(frame)
        except ValueError as error:
            raise Broken(Kind.DAMAGED, offset, str(error)) from error
        self.here = Place(place.number, offset + frame.size, frame.sequence, frame.digest, frame.digest)
        if frame.position + 1 == frame.group_size:
            self._expected = (0, 0)
            self.settled_before, self.settled = self.settled, self.here
        else:
            self._expected = (frame.position + 1, frame.group_size)
        return entry

    def _read_head(self) -> tuple[Frame, Head]:
        start = self._file.read(0, HEAD_START_BYTES)
        head = head_start(start)
        frame = frame_at(self._file.read(0, frame_length(start))) if head else None
        if head is None or frame is None:
            raise Broken(Kind.DAMAGED, 0, "no whole head stands here")
        return frame, head


def segment_names(names: list[str]) -> list[SegmentName]:
    """Return the segments among these files, oldest first."""
    found = (_NAME.fullmatch(name) for name in names)
    return sorted(SegmentName(int(match[1]), match[2]) for match in found if match)


def is_unfinished(name: str) -> bool:
    """Tell whether this is a segment that a crash kept from ever being one."""
    return name.endswith(UNFINISHED) and bool(_NAME.fullmatch(name.removesuffix(UNFINISHED)))


def lawful_name(number: int, date: str) -> SegmentName:
    """Return the name of a new segment; a date not written YYYY-MM-DD, or a number too high, raises ValueError."""
    if not _DATE.fullmatch(date):
        raise ValueError(f"{date!r} is no date written YYYY-MM-DD")
    if number > _NUMBER_MAX:
        raise ValueError(f"segment {number}, over {_NUMBER_MAX}")
    return SegmentName(number, date)


def written_end(file: File, offset: int) -> int:
    """Return where the last byte from `offset` on stands that is not zero: behind it is room that was taken ahead."""
    end = file.size()
    while end > offset:
        start = max(offset, end - len(_ZEROS))
        chunk = file.read(start, end - start)
        if chunk != _ZEROS[: len(chunk)]:  # a hundred times faster than to strip them
            return start + len(chunk.rstrip(b"\0"))
        end = start
    return offset


def later_frames(file: File, offset: int, end: int) -> Iterator[Frame]:
    """Yield every frame with a right checksum between a broken place and the end, whatever it is chained to.

    `end` is where the file ended when it was looked at: a living writer may have gone on since.
    """
    while offset + FRAME_BYTES_MIN <= end:
        chunk = file.read(offset, _CHUNK_BYTES)
        at = chunk.find(_TAG_START)
        while at >= 0:
            frame = _frame_of_file(file, offset + at)
            if frame and offset + at + frame.size <= end:
                yield frame
            at = chunk.find(_TAG_START, at + (frame.size if frame else 1))
        offset += len(chunk) - HEADER_BYTES if len(chunk) > HEADER_BYTES else len(chunk)
        if len(chunk) < _CHUNK_BYTES:
            return


def _frame_of_file(file: File, offset: int) -> Frame | None:
    start = file.read(offset, HEADER_BYTES)
    if start[:4] not in _TAGS:
        return None
    length = frame_length(start)
    return frame_at(file.read(offset, length)) if length else None
