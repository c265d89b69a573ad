"""The durable truth of a single-writer role: an append-only, chained, checked journal in daily segments.

The owner of the truth writes with `create_journal`, `open_journal`, `Journal`; everybody else reads with
`JournalReader`, and looks with `examine`. The bytes are explained in docs/journal.md. Nothing here knows what a payload
means, asks a clock, or takes a lock: the role's lock, held by the caller, is what makes it the only writer.
"""

from shared.mesh.journal.disk import Disk, File, RealDisk, journal_directory
from shared.mesh.journal.examination import Examination, SegmentReport, examine
from shared.mesh.journal.journal import Committed, Journal
from shared.mesh.journal.mark import Mark, mark_on
from shared.mesh.journal.newest import newest_record, snapshots
from shared.mesh.journal.opening import Opening, create_journal, open_journal
from shared.mesh.journal.reader import JournalReader
from shared.mesh.journal.record import SNAPSHOT_BYTES_MAX, Gap, Record, Snapshot
from shared.mesh.journal.resumption import resume_above, start_anew_above
from shared.mesh.journal.verdict import (
    Finding,
    JournalAbsent,
    JournalDamaged,
    JournalError,
    JournalFailed,
    JournalFull,
    JournalRefused,
    Kind,
    TailLost,
)

__all__ = [
    "SNAPSHOT_BYTES_MAX",
    "Committed",
    "Disk",
    "Examination",
    "File",
    "Finding",
    "Gap",
    "Journal",
    "JournalAbsent",
    "JournalDamaged",
    "JournalError",
    "JournalFailed",
    "JournalFull",
    "JournalReader",
    "JournalRefused",
    "Kind",
    "Mark",
    "Opening",
    "RealDisk",
    "Record",
    "SegmentReport",
    "Snapshot",
    "TailLost",
    "create_journal",
    "examine",
    "journal_directory",
    "mark_on",
    "newest_record",
    "open_journal",
    "resume_above",
    "snapshots",
    "start_anew_above",
]
