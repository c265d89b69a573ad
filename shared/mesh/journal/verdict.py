"""What can be said about a journal: findings as values, and the errors that refuse to go on.

JournalError
├── JournalAbsent    nothing was ever written here: `create_journal`
├── JournalRefused   not opened for append; `findings` say why
│   ├── TailLost         intact, but acknowledged records at its end are gone or others stand there: `resume_above`
│   └── JournalDamaged   something inside is not what was written: an operator decides, then `start_anew_above`
├── JournalFull      no room: the group is dropped, the journal intact; only risk-reducing records may still fit
└── JournalFailed    the medium failed: nothing more is taken, the process must end, restart and open again
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec
from typing_extensions import override


class Kind(StrEnum):
    """What a finding is about; a small, closed set."""

    # Repaired when the journal is opened for append, and said.
    TORN_TAIL = "torn_tail"
    HALF_SEGMENT = "half_segment"
    MARK_LOST = "mark_lost"
    STRANGER = "stranger"
    # Acknowledged records at the end are gone, or not the ones a peer saw.
    LOST_TAIL = "lost_tail"
    OTHER_TAIL = "other_tail"
    # Something inside is not what was written.
    DAMAGED = "damaged"
    MISSING_RECORD = "missing_record"
    MISSING_SEGMENT = "missing_segment"
    OLDER_COPY = "older_copy"


NOTES: Final = frozenset({Kind.TORN_TAIL, Kind.HALF_SEGMENT, Kind.MARK_LOST, Kind.STRANGER})
LOSSES: Final = frozenset({Kind.LOST_TAIL, Kind.OTHER_TAIL})


class Finding(msgspec.Struct, frozen=True):
    """One thing found: what, where (a file, and the byte in it) and in words."""

    kind: Kind
    where: str
    text: str

    @override
    def __str__(self) -> str:
        return f"{self.kind} at {self.where}: {self.text}" if self.where else f"{self.kind}: {self.text}"


class JournalError(Exception):
    """Whatever a journal refuses; the branch tells what may be done about it."""


class JournalAbsent(JournalError):  # noqa: N818 -- named for the state of the journal
    """No journal was ever created here, and no anchor says otherwise."""


class JournalRefused(JournalError):  # noqa: N818 -- named for what happened
    """The journal may not be appended to. `sequence_highest` is the highest number anyone is known to hold."""

    def __init__(self, findings: Sequence[Finding], *, sequence_highest: int) -> None:
        super().__init__("; ".join(str(finding) for finding in findings))
        self.findings: Final = tuple(findings)
        self.sequence_highest: Final = sequence_highest


class TailLost(JournalRefused):
    """What is there is intact, but a record that a mark or a peer holds the number of is gone or another."""


class JournalDamaged(JournalRefused):
    """A record, a segment or a snapshot is damaged or missing; nothing behind it is believed."""


class JournalFull(JournalError):  # noqa: N818 -- named for the state of the disk
    """There is no room. Nothing of the group counts; the journal stands where it stood before."""


class JournalFailed(JournalError):  # noqa: N818 -- named for what happened
    """The medium failed. What was not acknowledged may or may not be there; only opening again can tell."""
