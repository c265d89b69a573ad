"""The journal of another role, read from its files by a process that does not write it, and does not ask its owner.

Whoever acts for an owner that is dead, or takes over what another did, must know what that one wrote down. The files
are only read, and only what stands there whole and in its chain is believed: a torn tail was never acknowledged, and is
no part of it; a tail that is known to be lost ends in `RecordsLost`, as every other hole does.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from proto.codec import BadFrame, EnvelopeCodec
from proto.envelope import Envelope
from proto.risk import Anchor
from shared.core.service import Recorded, RecordsLost
from shared.mesh.journal import (
    Disk,
    Examination,
    Gap,
    JournalError,
    JournalReader,
    Record,
    Snapshot,
    TailLost,
    examine,
    newest_record,
    snapshots,
)


class TailUnreadError(Exception):
    """A journal that cannot be believed, or not be read at all; it says why."""


class Page(NamedTuple):
    """The state that a segment begins with, and all that was recorded since, the holes included."""

    state: bytes
    past: Iterator[Recorded | RecordsLost]


class JournalTail:
    """What was durable in a journal when it was looked at."""

    def __init__(self, disk: Disk, examination: Examination, snapshot: Snapshot, codec: EnvelopeCodec) -> None:
        self.state: Final = snapshot.state  # what its newest segment begins with
        self._from: Final = snapshot.sequence + 1
        self._disk: Final = disk
        self._examination: Final = examination
        self._codec: Final = codec

    def past(self) -> Iterator[Recorded | RecordsLost]:
        """Yield what was recorded since the state, the holes included; TailUnreadError: it cannot be read on."""
        return self._entries(self._from)

    def page(self, has_all_before: Callable[[bytes], bool]) -> "Page":
        """Return the newest page that begins with a state of which that is true, or the first that is there.

        TailUnreadError: it cannot be read, or, while its past is read, it cannot be read on.
        """
        try:
            for snapshot in snapshots(self._disk, self._examination):
                if has_all_before(snapshot.state):
                    break
        except (JournalError, OSError) as error:
            raise TailUnreadError(str(error)) from error
        return Page(snapshot.state, self._entries(snapshot.sequence + 1))

    def newest(self) -> Envelope | None:
        """Return the newest record, in whichever segment it stands; TailUnreadError: it cannot be read."""
        mark = self._examination.mark
        record = None if mark is None else newest_record(self._read_from, last=mark.sequence)
        return None if record is None else self._envelope(record)

    def _entries(self, from_sequence: int) -> Iterator[Recorded | RecordsLost]:
        yield from (self._happened(entry) for entry in self._read_from(from_sequence))
        if (lost := self._examination.refusal) is not None:
            # Behind the record by which its owner will say what is lost: the same hole has the same number then.
            yield RecordsLost(lost.sequence_highest + 2, str(lost))

    def _read_from(self, sequence: int) -> Iterator[Record | Gap]:
        mark = self._examination.mark
        reader = JournalReader(self._disk, from_sequence=sequence, committed=lambda: mark)
        try:
            while entries := reader.poll():
                yield from entries
        except (JournalError, OSError) as error:
            raise TailUnreadError(str(error)) from error
        finally:
            reader.close()

    def _happened(self, entry: Record | Gap) -> Recorded | RecordsLost:
        if isinstance(entry, Gap):
            return RecordsLost(entry.sequence + 1, entry.reason)
        return Recorded(self._envelope(entry))

    def _envelope(self, record: Record) -> Envelope:
        try:
            return self._codec.decode_stored(record.payload)
        except BadFrame as error:
            raise TailUnreadError(str(error)) from error


def journal_tail(disk: Disk, *, codec: EnvelopeCodec, anchors: Sequence[Anchor] = ()) -> JournalTail | None:
    """Look at the journal in a directory, None where there never was one; TailUnreadError: it is damaged.

    `anchors` are what peers hold of it: they show a lost tail that the directory itself does not.
    """
    try:
        examination = examine(disk, anchors)
    except OSError as error:
        raise TailUnreadError(str(error)) from error
    refusal = examination.refusal
    if refusal is not None and not isinstance(refusal, TailLost):
        raise TailUnreadError(str(refusal)) from refusal
    if examination.snapshot is None:
        return None
    return JournalTail(disk, examination, examination.snapshot, codec)
