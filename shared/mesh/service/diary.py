"""The journal of a service, as its shell uses it.

Opened with all that could be wrong said, folded when the process starts, and written before anything is done.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from proto.codec import EnvelopeCodec
from proto.envelope import Envelope
from shared.core.service import Recorded, RecordsLost, Report
from shared.mesh.anchors import Witnessed, anchors_of
from shared.mesh.bus.sender import Sender
from shared.mesh.journal import (
    SNAPSHOT_BYTES_MAX,
    Gap,
    Journal,
    JournalAbsent,
    JournalFull,
    Opening,
    RealDisk,
    TailLost,
    create_journal,
    journal_directory,
    newest_record,
    open_journal,
    resume_above,
)
from shared.mesh.journal_records import JournalRecords
from shared.mesh.sealed_record import Damaged
from shared.mesh.settings import Configuration

# Beside the state that a segment begins with. Whoever starts, or acts for another, reads and folds one segment: this
# is half a second at most.
SEGMENT_BYTES_MAX: Final = 8 * 1024 * 1024
_NS_PER_SECOND: Final = 1_000_000_000


def open_diary(
    configuration: Configuration, role: str, *, codec: EnvelopeCodec, wall_ns: int, empty_state: bytes
) -> "Diary":
    """Open the journal of a role, or begin it; whoever calls holds the role's seat.

    A lost tail is resumed above, and is a trouble. Damage is for an operator to judge, and raises JournalDamaged.
    """
    kept = list(anchors_of(configuration.anchors_directory, role))
    troubles = [found.reason for found in kept if isinstance(found, Damaged)]
    witnessed = [found for found in kept if isinstance(found, Witnessed)]
    opening = Opening(
        disk=RealDisk(journal_directory(configuration.var_directory, role)),
        prove=codec.decode_stored,
        anchors=tuple(found.anchor for found in witnessed),
    )
    try:
        journal = open_journal(opening)
    except JournalAbsent:
        journal = create_journal(opening, date=date_of(wall_ns), state=empty_state)
    except TailLost as lost:
        troubles.append(f"the journal of {role} lost its tail: {lost}")
        journal = resume_above(opening, above=lost.sequence_highest, reason=str(lost))
    peers_epoch = max((found.epoch for found in witnessed), default=0)
    return Diary(journal, codec=codec, troubles=troubles, peers_epoch=peers_epoch)


class Diary:
    """An open journal, in terms of messages. `peers_epoch` is the highest of ours that others have witnessed."""

    def __init__(
        self, journal: Journal, *, codec: EnvelopeCodec, troubles: Sequence[str], peers_epoch: int = 0
    ) -> None:
        self.journal: Final = journal
        self.records: Final = JournalRecords(journal)
        self.troubles: Final = tuple(troubles)
        self._codec: Final = codec
        self._peers_epoch: Final = peers_epoch

    def past(self) -> Iterator[Recorded | RecordsLost]:
        """Yield everything since the state that the newest segment begins with, the holes included."""
        for entry in self.journal.records(self.journal.snapshot.sequence + 1):
            if isinstance(entry, Gap):
                yield RecordsLost(entry.sequence + 1, entry.reason)
            else:
                yield Recorded(self._codec.decode_stored(entry.payload))

    def known_epoch(self) -> int:
        """Return the highest epoch of ours that the journal or a peer knows: both, since a lost tail had one too."""
        return max(self._last_epoch(), self._peers_epoch)

    def _last_epoch(self) -> int:
        newest = newest_record(self.journal.records, last=self.journal.last_sequence)
        return 0 if newest is None else self._codec.decode_stored(newest.payload).epoch

    def record(self, reports: Sequence[Report], sender: Sender) -> tuple[list[Envelope], list[bytes]]:
        """Make reports durable, all of them or, on JournalFull, none; return them, and the bytes they stand as."""
        first = self.journal.last_sequence + 1
        envelopes = [
            sender.envelope(report.body, cause_id=report.cause_id, sequence=number)
            for number, report in enumerate(reports, start=first)
        ]
        frames = [self._codec.encode(envelope) for envelope in envelopes]
        # A group goes into the reserve whole, or one report of an input would be refused when another is in it already.
        reducing = any(report.reducing for report in reports)
        append = self.journal.append_reducing if reducing else self.journal.append
        for frame in frames:
            append(frame)
        self.journal.commit()
        return envelopes, frames

    def turn_page(self, *, wall_ns: int, state: Callable[[], bytes]) -> str | None:
        """Begin a segment if the day has changed, or the newest is large; return why not where it cannot be done."""
        newest = self.journal.snapshot.date
        date = max(date_of(wall_ns), newest)  # a wall clock that was set back changes no day
        written_bytes = self.journal.segment_bytes - len(self.journal.snapshot.state)
        if date == newest and written_bytes < SEGMENT_BYTES_MAX:
            return None
        content = state()
        if len(content) > SNAPSHOT_BYTES_MAX:
            return f"a state of {len(content)} bytes, over {SNAPSHOT_BYTES_MAX}, heads no segment"
        try:
            self.journal.begin_segment(date=date, state=content)
        except JournalFull as full:
            return str(full)
        return None

    def close(self) -> None:
        """Give the files back."""
        self.records.close()
        self.journal.close()


def date_of(wall_ns: int) -> str:
    """Return the UTC date of a moment, which names segments."""
    return dt.datetime.fromtimestamp(wall_ns // _NS_PER_SECOND, tz=dt.UTC).date().isoformat()
