"""Looks at a journal without touching it and says what state it is in.

Called before a journal is opened for append, by `bowline journal verify`, and by whoever takes over from a dead writer
and must read what that one left behind. The newest segment is walked whole; older ones back to the oldest anchor, or
as far back as the caller asks. What lies before is held to its place: number, size and last digest must be what the
next segment says.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from proto.risk import Anchor
from shared.mesh.journal.disk import Disk
from shared.mesh.journal.mark import MARK_NAME, Mark, mark_on
from shared.mesh.journal.record import (
    GROUP_BYTES_MAX,
    HEAD_START_BYTES,
    TRAILER_BYTES,
    Gap,
    Head,
    Snapshot,
    head_start,
    last_digest,
)
from shared.mesh.journal.reserve import RESERVE_NAME
from shared.mesh.journal.segment import (
    Broken,
    Place,
    SegmentName,
    Walk,
    is_unfinished,
    later_frames,
    segment_names,
    written_end,
)
from shared.mesh.journal.verdict import LOSSES, NOTES, Finding, JournalDamaged, JournalRefused, Kind, TailLost

QUARANTINE: Final = "quarantine-"


class SegmentReport(msgspec.Struct, frozen=True):
    """One segment as found, without room taken ahead.

    `sequence_last` and `records`, gaps counted, are known only of one that was walked.
    """

    name: str
    number: int
    date: str
    size: int
    sequence_before: int
    sequence_last: int | None
    records: int | None


class Examination(msgspec.Struct, frozen=True):
    """What was found. `end` is where the intact journal ends, `group_start` where its last group begins.

    `anchors` are all that the journal was held to, the published mark's own included.
    """

    findings: tuple[Finding, ...]
    segments: tuple[SegmentReport, ...]
    unfinished: tuple[str, ...]
    snapshot: Snapshot | None
    end: Place | None
    group_start: int
    sequence_highest: int
    published: Mark | None
    anchors: tuple[Anchor, ...]

    @property
    def faults(self) -> tuple[Finding, ...]:
        """What keeps the journal from being opened for append."""
        return tuple(finding for finding in self.findings if finding.kind not in NOTES)

    @property
    def notes(self) -> tuple[Finding, ...]:
        """What opening repairs, or only wants said."""
        return tuple(finding for finding in self.findings if finding.kind in NOTES)

    @property
    def refusal(self) -> JournalRefused | None:
        """The error these findings amount to. Damage outweighs loss."""
        if not self.faults:
            return None
        lost = all(fault.kind in LOSSES for fault in self.faults) and self.end is not None
        return (TailLost if lost else JournalDamaged)(self.faults, sequence_highest=self.sequence_highest)

    @property
    def mark(self) -> Mark | None:
        """Everything intact, as a mark: what a reader takes who follows a dead writer."""
        if self.end is None:
            return None
        return Mark(self.end.number, self.end.offset, self.end.sequence, self.end.record_digest)


def examine(disk: Disk, anchors: Sequence[Anchor] = (), *, segments_walked: int = 1) -> Examination:
    """Look at the journal in a directory; what cannot be read raises OSError, and a missing directory is an empty one.

    `anchors` are the last (sequence, digest) that peers hold.
    """
    return _Examiner(disk, anchors).examination(segments_walked)


class _Examiner:
    """Collects findings; used once."""

    def __init__(self, disk: Disk, anchors: Sequence[Anchor]) -> None:
        self._disk = disk
        self._findings: list[Finding] = []
        self._mark = mark_on(disk)  # before the names: a living writer publishes a new segment only when it has a name
        names = _names(disk)
        self._names = segment_names(names)
        self._unfinished = tuple(name for name in names if is_unfinished(name))
        self._anchors = [anchor for anchor in anchors if anchor.sequence > 0]
        if self._mark and self._mark.sequence > 0:
            self._anchors.append(Anchor(sequence=self._mark.sequence, digest=self._mark.digest.hex()))
        self._wanted = {anchor.sequence for anchor in self._anchors}
        self._digests: dict[int, str] = {}
        self._gaps: list[Gap] = []
        self._highest = max(self._wanted, default=0)
        self._list(names)

    def examination(self, segments_walked: int) -> Examination:
        """Look at everything, and say it."""
        walk: Walk | None = None
        reports: list[SegmentReport] = []
        if self._names:
            heads = self._heads_in_order()
            oldest_walked = self._oldest_walked(heads, segments_walked)
            for index, name in enumerate(self._names):
                walked = None
                if index >= oldest_walked:
                    newest = index + 1 == len(self._names)
                    walked = self._newest(name) if newest else self._older(name, heads[index + 1])
                    walk = walked if newest else walk
                reports.append(self._report(name, heads[index], walked))
        self._highest = max(self._highest, walk.settled.sequence if walk else self._highest_anywhere())
        self._hold_to_mark()
        self._hold_to_anchors(walk)
        return Examination(
            findings=tuple(dict.fromkeys(self._findings)),
            segments=tuple(reports),
            unfinished=self._unfinished,
            snapshot=walk.snapshot if walk else None,
            end=walk.settled if walk else None,
            group_start=walk.settled_before.offset if walk else 0,
            sequence_highest=self._highest,
            published=self._mark,
            anchors=tuple(dict.fromkeys(self._anchors)),
        )

    def _highest_anywhere(self) -> int:
        """Return the highest number in any whole frame, where the newest segment cannot be walked at all."""
        for name in reversed(self._names):
            file = self._disk.view(name.text)
            try:
                highest = max((frame.sequence for frame in later_frames(file, 0, file.size())), default=0)
            finally:
                file.close()
            if highest:
                return highest
        return 0

    def _list(self, names: Sequence[str]) -> None:
        ours = {name.text for name in self._names} | {MARK_NAME, RESERVE_NAME, *self._unfinished}
        for name in self._unfinished:
            self._say(Kind.HALF_SEGMENT, name, "a crash kept this segment from being one; it holds no record")
        for name in names:
            if name not in ours and not name.startswith(QUARANTINE):
                self._say(Kind.STRANGER, name, "no file of a journal; left alone")
        if not self._names and any(name.startswith(QUARANTINE) for name in names):
            self._say(Kind.MISSING_SEGMENT, "", "there was a journal, now in quarantine, and none was begun after it")
        if self._mark is None and self._names:
            self._say(Kind.MARK_LOST, MARK_NAME, "missing or unreadable; only a peer's anchor can show a lost tail")

    def _heads_in_order(self) -> list[Head | None]:
        heads = [self._head(name) for name in self._names]
        first = heads[0]
        if first and not first.starts_anew:
            self._say(Kind.MISSING_SEGMENT, self._names[0].text, f"segment {first.number - 1} before it is missing")
        for (name, _), (next_name, head) in pairwise(zip(self._names, heads, strict=True)):
            if next_name.number == name.number:
                self._say(Kind.DAMAGED, next_name.text, f"there is another segment {name.number}")
            elif next_name.number > name.number + 1:
                missing = f"{name.number + 1} to {next_name.number - 1}"
                self._say(Kind.MISSING_SEGMENT, next_name.text, f"missing before it: segment {missing}")
            elif head:
                self._hold_to_next(name, head)
        return heads

    def _head(self, name: SegmentName) -> Head | None:
        file = self._disk.view(name.text)
        try:
            head = head_start(file.read(0, HEAD_START_BYTES))
        finally:
            file.close()
        if head is None:
            self._say(Kind.DAMAGED, name.text, "does not begin as a segment does")
        elif (head.number, head.date) != name:
            self._say(Kind.DAMAGED, name.text, f"calls itself segment {head.number} of {head.date}")
        return head

    def _hold_to_next(self, name: SegmentName, head: Head) -> None:
        file = self._disk.view(name.text)
        try:
            size = file.size()
            digest = last_digest(file.read(max(0, size - TRAILER_BYTES), TRAILER_BYTES))
        finally:
            file.close()
        if size != head.previous_bytes:
            kind = Kind.OLDER_COPY if size < head.previous_bytes else Kind.DAMAGED
            self._say(kind, name.text, f"holds {size} bytes; it had {head.previous_bytes} when the next one began")
        elif digest != head.link:
            self._say(Kind.DAMAGED, name.text, "does not end as it did when the next segment began")

    def _oldest_walked(self, heads: Sequence[Head | None], segments_walked: int) -> int:
        """Return the index of the first segment to walk: as asked, or earlier if an anchor lies there."""
        index = max(0, len(heads) - segments_walked)
        oldest = min(self._wanted, default=None)
        while oldest is not None and index > 0 and (head := heads[index]) and head.sequence > oldest:
            index -= 1
        return index

    def _older(self, name: SegmentName, following: Head | None) -> Walk | None:
        file = self._disk.view(name.text)
        try:
            walk = Walk(file, name.number)
            self._follow(walk, file.size())
        except Broken as broken:
            self._say(broken.kind, f"{name.text}:{broken.offset}", broken.text)
            return None
        finally:
            file.close()
        end = walk.settled
        if following and (following.sequence, following.record_digest, following.link) != (
            end.sequence,
            end.record_digest,
            end.link,
        ):
            self._say(Kind.DAMAGED, name.text, f"ends at record {end.sequence}; the next segment says otherwise")
        return walk

    def _newest(self, name: SegmentName) -> Walk | None:
        file = self._disk.view(name.text)
        try:
            walk = Walk(file, name.number)
            written = written_end(file, walk.here.offset)  # a living writer goes on: what is read is all before here
            size = min(file.size(), written + TRAILER_BYTES)  # a checksum may end in zeros
            met = self._met_end(walk, size)
            if walk.here.offset >= written:
                met = None  # nothing but room that was taken ahead
            if met is None and walk.here != walk.settled:
                met = Broken(Kind.DAMAGED, walk.here.offset, "the group breaks off", torn=True)
            if met is not None:
                later = [(frame.sequence, frame.position) for frame in later_frames(file, met.offset + 1, size)]
                self._judge_end(name, walk, met, max(written, walk.here.offset), later)
        except Broken as broken:
            self._say(broken.kind, f"{name.text}:{broken.offset}", broken.text)
            return None
        finally:
            file.close()
        return walk

    def _met_end(self, walk: Walk, size: int) -> Broken | None:
        """Follow a segment as far as its frames make sense, and return what was met there, None at its very end."""
        try:
            self._follow(walk, size)
        except Broken as broken:
            return broken
        return None

    def _judge_end(
        self, name: SegmentName, walk: Walk, broken: Broken, size: int, later: Sequence[tuple[int, int]]
    ) -> None:
        """Tell a tail that was never acknowledged from one that was cut off, and both from damage."""
        where, settled = f"{name.text}:{broken.offset}", walk.settled
        self._highest = max(self._highest, *(sequence for sequence, _ in later), 0)
        marked = self._mark.end if self._mark and self._mark.number == name.number else 0
        # A group is written only when the one before it is durable: a later group proves that this one was.
        later_group = any(sequence - position != settled.sequence + 1 for sequence, position in later)
        if later_group or not broken.torn or size - settled.offset > GROUP_BYTES_MAX:
            self._say(broken.kind, where, broken.text)
        elif settled.offset >= marked:
            text = f"{size - settled.offset} bytes were never acknowledged; the records end at {settled.sequence}"
            self._say(Kind.TORN_TAIL, where, text)
        elif size < marked:
            self._say(Kind.LOST_TAIL, where, f"{marked} bytes were durable, {size} are left")
        else:
            self._say(broken.kind, where, broken.text)

    def _follow(self, walk: Walk, end: int) -> None:
        self._see(walk.head.sequence, walk.head.record_digest)
        for entry in walk.entries(end):
            self._see(entry.sequence, entry.digest)
            if isinstance(entry, Gap):
                self._gaps.append(entry)

    def _see(self, sequence: int, digest: bytes) -> None:
        if sequence in self._wanted:
            self._digests[sequence] = digest.hex()

    def _hold_to_mark(self) -> None:
        mark = self._mark
        if mark and mark.number > (self._names[-1].number if self._names else 0):
            self._say(Kind.LOST_TAIL, MARK_NAME, f"segment {mark.number} was durable; it is not here")

    def _hold_to_anchors(self, walk: Walk | None) -> None:
        last = walk.settled.sequence if walk else 0
        if not walk and self._names:
            return  # the newest segment cannot be read, and that is said
        for anchor in self._anchors:
            digest = self._digests.get(anchor.sequence)
            if anchor.sequence > last:
                self._say(Kind.LOST_TAIL, "", f"record {anchor.sequence} was acknowledged; the journal ends at {last}")
            elif digest != anchor.digest and not self._is_forgiven(anchor, digest):
                self._say(Kind.OTHER_TAIL, "", f"record {anchor.sequence} is not the one that was acknowledged")

    def _is_forgiven(self, anchor: Anchor, digest: str | None) -> bool:
        """Tell whether a gap explains that the anchor does not agree."""
        if anchor in _forgiven(self._gaps):
            return True
        # A record in a gap is gone, and said to be. One that stands here with another digest is another record.
        return digest is None and any(gap.after < anchor.sequence < gap.sequence for gap in self._gaps)

    def _report(self, name: SegmentName, head: Head | None, walk: Walk | None) -> SegmentReport:
        file = self._disk.view(name.text)
        try:
            size = file.size()
            if name == self._names[-1]:
                size = max(written_end(file, 0), walk.here.offset if walk else 0)  # room taken ahead is no part of it
        finally:
            file.close()
        before = head.sequence if head else 0
        if walk is None:
            return SegmentReport(name.text, *name, size, before, None, None)
        return SegmentReport(name.text, *name, size, before, walk.settled.sequence, walk.count)

    def _say(self, kind: Kind, where: str, text: str) -> None:
        self._findings.append(Finding(kind, where, text))


def _names(disk: Disk) -> list[str]:
    try:
        return sorted(disk.names())
    except FileNotFoundError:
        return []


def _forgiven(gaps: Iterable[Gap]) -> set[Anchor]:
    return {anchor for gap in gaps for anchor in gap.forgiven}
