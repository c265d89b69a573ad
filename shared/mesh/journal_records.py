"""A journal as those read it who ask its owner for the tail: stretch by stretch, from any number, without blocking.

Held by the shell that owns the journal, and handed to its `EventPublisher`. Readers ask for one stretch after another,
so the places where the last few stretches ended are remembered, each by an open reader: going on there costs what is
read and no more. To a number in the middle of a segment there is no shorter way than past everything before it, so
that way is gone in steps, and until its end whoever asks is given an empty stretch and asks again.
"""

from collections import deque
from typing import Final

from shared.mesh.bus.numbered import RecordsUnreadableError, Stretch
from shared.mesh.journal import Gap, Journal, JournalError, JournalReader, Record

PLACES_MAX: Final = 8
PASSED_OVER_MAX: Final = 5_000
_POLL_RECORDS: Final = 128


class JournalRecords:
    """What is durable in a journal. Each call reads a bounded number of records."""

    def __init__(self, journal: Journal) -> None:
        self._journal: Final = journal
        self._places: Final[list[_Place]] = []  # the one used last stands last

    @property
    def last_sequence(self) -> int:
        """The newest durable number."""
        return self._journal.last_sequence

    def stretch(self, from_sequence: int, *, records_max: int, bytes_max: int) -> Stretch:
        """Read the records in a row from a number on, or from behind the hole there."""
        place = self._place(from_sequence)
        try:
            stretch = place.stretch(from_sequence, records_max=records_max, bytes_max=bytes_max)
        except (JournalError, OSError) as error:
            place.close()
            raise RecordsUnreadableError(str(error)) from error
        self._places.append(place)
        if len(self._places) > PLACES_MAX:
            self._places.pop(0).close()
        return stretch

    def close(self) -> None:
        """Give the files back."""
        while self._places:
            self._places.pop().close()

    def _place(self, from_sequence: int) -> "_Place":
        """Take the place that is nearest before a number; one in an older segment only if it is that very number."""
        newest = self._journal.snapshot.sequence
        before = [
            place
            for place in self._places
            if place.sequence == from_sequence or newest < place.sequence <= from_sequence
        ]
        if not before:
            return _Place(self._journal.reader(from_sequence))
        nearest = max(before, key=lambda place: place.sequence)
        self._places.remove(nearest)
        return nearest


class _Place:
    """Where a stretch ended: the number that comes next, and a reader that stands there."""

    def __init__(self, reader: JournalReader) -> None:
        self.sequence = 0
        self._reader: Final = reader
        self._ahead: Final[deque[Record | Gap]] = deque()

    def stretch(self, from_sequence: int, *, records_max: int, bytes_max: int) -> Stretch:
        """Go on to a number and read from there."""
        self._skip_to(from_sequence)
        frames: list[bytes] = []
        size = 0
        while len(frames) < records_max and (entry := self._next()) is not None:
            here = self.sequence + len(frames)
            if isinstance(entry, Gap) or entry.sequence != here:
                if frames:
                    break  # what follows the hole is another stretch
                self.sequence = entry.sequence
            if isinstance(entry, Gap):
                self.sequence += 1
            else:
                size += len(entry.payload)
                if frames and size > bytes_max:
                    break
                frames.append(entry.payload)
            self._ahead.popleft()
        first_sequence = self.sequence
        self.sequence += len(frames)
        return Stretch(first_sequence=first_sequence, frames=frames)

    def close(self) -> None:
        self._reader.close()

    def _skip_to(self, sequence: int) -> None:
        self.sequence = sequence
        self._reader.skip_to(sequence)
        while self._ahead and self._ahead[0].sequence < sequence:
            self._ahead.popleft()

    def _next(self) -> Record | Gap | None:
        if not self._ahead:
            self._ahead.extend(self._reader.poll(_POLL_RECORDS, passed_over_max=PASSED_OVER_MAX))
        return self._ahead[0] if self._ahead else None
