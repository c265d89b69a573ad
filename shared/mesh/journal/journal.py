"""The writer's side of a journal: append, commit, begin a new segment.

Held by the one process that holds the role's lock. It asks no clock (dates are handed in), starts no thread, and never
repeats a sync that failed.
"""

import contextlib
import errno
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from proto.risk import Anchor
from shared.mesh.journal.disk import Disk, write_all
from shared.mesh.journal.mark import Mark, MarkWriter
from shared.mesh.journal.reader import JournalReader
from shared.mesh.journal.record import (
    FRAME_BYTES_MIN,
    GROUP_BYTES_MAX,
    GROUP_RECORDS_MAX,
    PAYLOAD_BYTES_MAX,
    RECORD,
    SNAPSHOT_BYTES_MAX,
    Gap,
    Head,
    Record,
    Snapshot,
    frame_bytes,
    head_bytes,
)
from shared.mesh.journal.reserve import NO_ROOM, Reserve
from shared.mesh.journal.segment import UNFINISHED, Place, lawful_name
from shared.mesh.journal.verdict import Finding, JournalFailed, JournalFull

Prove = Callable[[bytes], object]


class Committed(msgspec.Struct, frozen=True):
    """What `commit` acknowledges: everything up to the anchor is durable. `sync_ns` is what the disk took for it."""

    place: Place
    records: int
    sync_ns: int

    @property
    def anchor(self) -> Anchor:
        """The last record of the group. Made when asked for: most owners do not, and each commit would pay for it."""
        return _anchor_at(self.place)


class Standing(msgspec.Struct, frozen=True):
    """Where a journal stands when it is opened: its end, the newest snapshot, and what was found."""

    place: Place
    snapshot: Snapshot
    notes: tuple[Finding, ...]


class Journal:
    """One open journal. Made by `open_journal` and its siblings, never by hand.

    `snapshot` is the state the newest segment starts from; fold `records(snapshot.sequence + 1)` over it. `notes` say
    what was found and repaired at opening. A failed journal stays failed: end the process and open again.
    """

    def __init__(
        self,
        *,
        disk: Disk,
        prove: Prove,
        standing: Standing,
        reserve: Reserve,
        room_ahead_bytes: int,
    ) -> None:
        self.notes: Final = standing.notes
        self.snapshot = standing.snapshot
        self._disk = disk
        self._prove = prove
        self._place = standing.place
        self._file = disk.edit(lawful_name(standing.place.number, standing.snapshot.date).text)
        self._mark = MarkWriter(disk)
        self._reserve = reserve
        self._payloads: list[bytes] = []
        self._group_bytes = 0
        self._reducing = False  # whether the group holds a record the reserve is there for
        self._full = False
        self._room_ahead_bytes = room_ahead_bytes
        self._room = standing.place.offset  # up to there the file has its size already
        self._failure: str | None = None

    @property
    def anchor(self) -> Anchor:
        """The last durable record, for a peer to keep."""
        return _anchor_at(self._place)

    @property
    def last_sequence(self) -> int:
        """The number of the last durable record."""
        return self._place.sequence

    @property
    def is_full(self) -> bool:
        """Whether only risk-reducing records are taken, until `refill_reserve` succeeds."""
        return self._full

    @property
    def segment_bytes(self) -> int:
        """The size of the newest segment. A segment has no bound but the disk; begin another whenever it is too big."""
        return self._place.offset

    def append(self, payload: bytes) -> int:
        """Put a record into the group, and return its number, which counts only once `commit` has returned.

        Raises whatever the proof raises when the payload could not be read back, JournalFull on a full disk, and
        ValueError when the payload is over PAYLOAD_BYTES_MAX or the group over its bounds: commit more often.
        """
        if self._full and not self._failure:
            raise JournalFull("the disk is full: only risk-reducing records are taken")
        return self._appended(payload)

    def append_reducing(self, payload: bytes) -> int:
        """Append a record that reduces risk, for which the reserve is given up. It carries the rest of its group."""
        sequence = self._appended(payload)
        self._reducing = True
        return sequence

    def commit(self) -> Committed:
        """Write the group and return when it is durable: all of it, or none of it counts.

        JournalFull: the group is dropped, the journal as before; numbers given out for it will be given again.
        JournalFailed: the group may or may not be there; nothing more is taken.
        """
        self._refuse_if_failed()
        if not self._payloads:
            return Committed(self._place, 0, 0)
        payloads, reducing = self._payloads, self._reducing
        self._payloads, self._group_bytes, self._reducing = [], 0, False
        content, place = self._frames(payloads)
        if place.offset > self._room:
            self._take_room(place.offset + self._room_ahead_bytes)
        try:
            write_all(self._file, self._place.offset, content)
        except OSError as error:
            self._write_again(content, error, reducing=reducing)
        try:
            sync_ns = self._file.sync()
        except OSError as error:
            raise self._unsynced(error) from error
        self._publish(place)
        return Committed(place, len(payloads), sync_ns)

    def begin_segment(self, *, date: str, state: bytes) -> None:
        """Go on in a new segment headed by this state, which must be the fold of everything committed so far.

        JournalFull: there was no room, and the journal goes on in the old one; `append` still works.
        """
        self._refuse_if_failed()
        if self._payloads:
            raise ValueError("commit before beginning a segment: its state could not say whether the group is in it")
        head = Head(
            number=self._place.number + 1,
            previous_bytes=self._place.offset,
            link=self._place.link,
            record_digest=self._place.record_digest,
            sequence=self._place.sequence,
            date=date,
        )
        try:
            self._give_room_back()  # the size of a segment is the end of its last frame once there is another
            place = write_segment(self._disk, head, state)
            file = self._disk.edit(lawful_name(place.number, date).text)
        except JournalFull:
            raise
        except OSError as error:
            raise self._failed(f"beginning segment {head.number}", error) from error
        self._file.close()
        self._file, self.snapshot = file, Snapshot(head.sequence, date, state)
        self._room = place.offset
        self._publish(place)

    def records(self, from_sequence: int) -> Iterator[Record | Gap]:
        """Yield what is durable from that number on, across segments, as any reader would see it."""
        reader = self.reader(from_sequence)
        try:
            while entries := reader.poll():
                yield from entries
        finally:
            reader.close()

    def reader(self, from_sequence: int) -> JournalReader:
        """Return a reader of what is durable, for whoever reads on later from where they stopped."""
        return JournalReader(self._disk, from_sequence=from_sequence, committed=self._durable)

    def refill_reserve(self) -> bool:
        """Try to take the reserve's room again; on success everything is taken again. Ask now and then when full."""
        self._refuse_if_failed()
        try:
            filled = self._reserve.fill()
        except OSError as error:
            raise self._failed("filling the reserve", error) from error
        self._full = not filled
        return filled

    def close(self) -> None:
        """Give the files back. A group not committed is gone, as it would be in a crash."""
        for file in (self._file, self._mark, self._reserve):
            file.close()
        self._failure = self._failure or "it is closed"

    def _appended(self, payload: bytes) -> int:
        self._refuse_if_failed()
        size = FRAME_BYTES_MIN + len(payload)
        if len(payload) > PAYLOAD_BYTES_MAX:
            raise ValueError(f"a payload of {len(payload)} bytes, over {PAYLOAD_BYTES_MAX}")
        if len(self._payloads) == GROUP_RECORDS_MAX or self._group_bytes + size > GROUP_BYTES_MAX:
            raise ValueError(f"a group over {GROUP_RECORDS_MAX} records or {GROUP_BYTES_MAX} bytes: commit first")
        self._prove(payload)
        self._payloads.append(payload)
        self._group_bytes += size
        return self._place.sequence + len(self._payloads)

    def _frames(self, payloads: Sequence[bytes]) -> tuple[bytes, Place]:
        link, sequence, count = self._place.link, self._place.sequence, len(payloads)
        frames = []
        for position, payload in enumerate(payloads):
            sequence += 1
            frame, link = frame_bytes(RECORD, sequence, (position, count), payload, link)
            frames.append(frame)
        content = b"".join(frames)
        return content, Place(self._place.number, self._place.offset + len(content), sequence, link, link)

    def _take_room(self, size: int) -> None:
        """Let the file have its size ahead of what is written: a sync that changes no size has less to write.

        Where there is no such room the file grows with each record, and its write says what is wrong.
        """
        self._room = size
        try:
            self._file.allocate(size)
        except OSError:
            with contextlib.suppress(OSError):
                self._file.truncate(self._place.offset)  # a part of it would only be missing elsewhere

    def _give_room_back(self) -> None:
        """Cut the file where its last durable frame ends, durably."""
        self._room = self._place.offset
        self._file.truncate(self._place.offset)
        self._file.sync()

    def _write_again(self, content: bytes, error: OSError, *, reducing: bool) -> None:
        """Write what did not fit out of the reserve, if that is what it takes; never leave half of it."""
        self._cut_back(error)
        if not (reducing and self._freed()):
            raise JournalFull(f"no room for {len(content)} bytes: {error.strerror}") from error
        try:
            write_all(self._file, self._place.offset, content)
        except OSError as again:
            self._cut_back(again)
            raise JournalFull(f"no room for {len(content)} bytes, not even the reserve's") from again

    def _cut_back(self, error: OSError) -> None:
        """Return to the last durable record after a write that failed; JournalFailed unless it was for want of room."""
        try:
            self._give_room_back()  # or a crash could mix what was cut with what is written there next
        except OSError as second:
            raise self._failed("cutting off what could not be written", second) from error
        if error.errno not in NO_ROOM:
            raise self._failed("writing", error) from error
        self._full = True

    def _freed(self) -> bool:
        try:
            return self._reserve.free()
        except OSError as error:
            raise self._failed("giving up the reserve", error) from error

    def _unsynced(self, error: OSError) -> JournalFailed:
        # What the kernel did with the pages is unknown. They must not be taken for durable at the next opening.
        failure = self._failed("syncing", error)
        try:
            self._file.truncate(self._place.offset)
        except OSError:
            failure.add_note("cutting the group off failed as well")
        return failure

    def _publish(self, place: Place) -> None:
        self._place = place
        try:
            self._mark.publish(self._durable())
        except OSError as error:
            raise self._failed("writing the mark", error) from error

    def _durable(self) -> Mark:
        return Mark(self._place.number, self._place.offset, self._place.sequence, self._place.record_digest)

    def _failed(self, doing: str, error: OSError) -> JournalFailed:
        reason = error.strerror or str(error)
        self._failure = f"{doing} failed: {reason} ({errno.errorcode.get(error.errno or 0, 'no number')})"
        return JournalFailed(f"{self._failure}; restart and open the journal again")

    def _refuse_if_failed(self) -> None:
        if self._failure:
            raise JournalFailed(f"the journal takes nothing more: {self._failure}")


def _anchor_at(place: Place) -> Anchor:
    return Anchor(sequence=place.sequence, digest=place.record_digest.hex())


def write_segment(disk: Disk, head: Head, state: bytes, *, following: bytes = b"") -> Place:
    """Make a segment durable under its name and return the place behind its head; raises JournalFull or OSError.

    `following` are frames that must stand behind the head from the first moment.

    It is written under a name of its own first: a crash before the rename leaves a file that never was a segment.
    """
    name = lawful_name(head.number, head.date).text
    if len(state) > SNAPSHOT_BYTES_MAX:
        raise ValueError(f"a snapshot of {len(state)} bytes, over {SNAPSHOT_BYTES_MAX}")
    content, digest = head_bytes(head, state)
    try:
        file = disk.create(name + UNFINISHED)
        try:
            write_all(file, 0, content + following)
            file.sync()
        finally:
            file.close()
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        _remove_unfinished(disk, name + UNFINISHED)
        raise JournalFull(f"no room for a segment of {len(content)} bytes") from error
    disk.rename(name + UNFINISHED, name)
    disk.sync()
    return Place(head.number, len(content), head.sequence, head.record_digest, digest)


def _remove_unfinished(disk: Disk, name: str) -> None:
    if name in disk.names():
        disk.remove(name)
