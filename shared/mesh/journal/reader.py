"""The reader's side of a journal: follows what is durable, in any process, any number of them at once.

It only reads. It goes no further than the mark, so a record it was given cannot be taken back by a crash, and it
crosses from segment to segment while the writer goes on. It never waits: `poll` returns what there is.
"""

from collections.abc import Callable
from typing import Final

from shared.mesh.journal.disk import Disk, File
from shared.mesh.journal.mark import Mark, mark_on
from shared.mesh.journal.record import HEAD_START_BYTES, Gap, Record, head_start
from shared.mesh.journal.segment import Broken, SegmentName, Walk, segment_names
from shared.mesh.journal.verdict import Finding, JournalDamaged, Kind

POLL_RECORDS_MAX: Final = 1024


class JournalReader:
    """Reads a journal from a number on.

    `committed` tells how far to go: by default the mark that the living writer publishes. Who follows a dead writer
    under its lock gives the mark of an `Examination` instead.
    """

    def __init__(
        self, disk: Disk, *, from_sequence: int = 1, committed: Callable[[], Mark | None] | None = None
    ) -> None:
        self._disk = disk
        self._from = from_sequence
        self._committed = committed or (lambda: mark_on(disk))
        self._walk: Walk | None = None
        self._file: File | None = None
        self._name: SegmentName | None = None

    def skip_to(self, sequence: int) -> None:
        """Pass over what is still to come below that number."""
        self._from = sequence

    def poll(self, limit: int = POLL_RECORDS_MAX, *, passed_over_max: int | None = None) -> list[Record | Gap]:
        """Return the next durable records of one segment, at most `limit`; an empty list: no more as yet.

        Who may not block for long says how many records below the number asked for may be passed over at once. Then an
        empty list may also mean that the way to that number is longer: poll again.

        JournalDamaged: what was durable is not there any more, or is something else. OSError: it cannot be read.
        """
        mark = self._committed()
        if mark is None:
            return []
        found: list[Record | Gap] = []
        while not found:
            walk, file = self._current(mark)
            if mark.number < walk.here.number or (mark.number == walk.here.number and mark.end < walk.here.offset):
                raise self._damaged(Kind.OLDER_COPY, walk.here.offset, "the journal ends before what was read already")
            end = mark.end if mark.number == walk.here.number else file.size()
            found = self._read(walk, end, limit, passed_over_max)
            if not found:
                if mark.number == walk.here.number or walk.here.offset < end:
                    break
                self._cross(walk)
        return found

    def close(self) -> None:
        """Give the file back."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _read(self, walk: Walk, end: int, limit: int, passed_over_max: int | None) -> list[Record | Gap]:
        found: list[Record | Gap] = []
        passed_over = 0
        try:
            for entry in walk.entries(end):
                if entry.sequence >= self._from:
                    found.append(entry)
                else:
                    passed_over += 1
                if len(found) == limit or passed_over == passed_over_max:
                    break
        except Broken as broken:
            if not found:  # else the next poll will meet it again
                raise self._damaged(broken.kind, broken.offset, broken.text) from broken
        return found

    def _current(self, mark: Mark) -> tuple[Walk, File]:
        if self._walk is None or self._file is None:
            return self._entered(self._first_segment(mark))
        return self._walk, self._file

    def _entered(self, name: SegmentName) -> tuple[Walk, File]:
        file = self._disk.view(name.text)
        try:
            walk = Walk(file, name.number)
        except Broken as broken:
            file.close()
            raise self._damaged(broken.kind, broken.offset, broken.text, name=name) from broken
        self.close()
        self._name, self._walk, self._file = name, walk, file
        return walk, file

    def _first_segment(self, mark: Mark) -> SegmentName:
        """Return the newest segment that begins below the number asked for, or the oldest there is."""
        names = [name for name in segment_names(self._disk.names()) if name.number <= mark.number]
        if not names:
            raise JournalDamaged(
                [Finding(Kind.MISSING_SEGMENT, "", f"segment {mark.number} was durable, and none is here")],
                sequence_highest=mark.sequence,
            )
        return next((name for name in reversed(names) if self._begins_below(name)), names[0])

    def _begins_below(self, name: SegmentName) -> bool:
        file = self._disk.view(name.text)
        try:
            head = head_start(file.read(0, HEAD_START_BYTES))
        finally:
            file.close()
        return head is not None and head.sequence < self._from

    def _cross(self, walk: Walk) -> None:
        """Go on to the next segment. It must continue this one, or start anew, which a gap then explains."""
        left = walk.here
        following = [name for name in segment_names(self._disk.names()) if name.number > left.number]
        if not following:
            raise self._damaged(Kind.MISSING_SEGMENT, left.offset, f"segment {left.number + 1} is missing")
        entered, _ = self._entered(following[0])
        head = entered.head
        if head.starts_anew and head.sequence >= left.sequence:
            return
        if (head.number, head.previous_bytes, head.link) != (left.number + 1, left.offset, left.link):
            raise self._damaged(Kind.MISSING_SEGMENT, 0, f"it does not continue segment {left.number}")

    def _damaged(self, kind: Kind, offset: int, text: str, *, name: SegmentName | None = None) -> JournalDamaged:
        name = name or self._name
        where = f"{name.text}:{offset}" if name else ""
        sequence = self._walk.here.sequence if self._walk else 0
        return JournalDamaged([Finding(kind, where, text)], sequence_highest=sequence)
