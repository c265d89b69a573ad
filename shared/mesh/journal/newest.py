"""What is found by looking back from a journal's end: its newest record, and what its segments begin with."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from shared.mesh.journal.disk import Disk
from shared.mesh.journal.examination import Examination
from shared.mesh.journal.record import Gap, Record, Snapshot
from shared.mesh.journal.segment import Broken, Walk
from shared.mesh.journal.verdict import Finding, JournalDamaged

LOOK_BACK_FACTOR: Final = 16


def newest_record(entries_from: Callable[[int], Iterable[Record | Gap]], *, last: int) -> Record | None:
    """Return the newest record of a journal that ends at `last`, None when it has none.

    It may stand far below the newest number: before a gap, or in an older segment.
    """
    looked_back = 1
    while True:
        newest = None
        for entry in entries_from(max(1, last - looked_back)):
            newest = newest if isinstance(entry, Gap) else entry
        if newest is not None or looked_back >= last:
            return newest
        looked_back *= LOOK_BACK_FACTOR


def snapshots(disk: Disk, examination: Examination) -> Iterator[Snapshot]:
    """Yield what each segment begins with, the newest first. JournalDamaged: one does not begin as it was written."""
    for report in reversed(examination.segments):
        file = disk.view(report.name)
        try:
            snapshot = Walk(file, report.number).snapshot
        except Broken as broken:
            found = Finding(broken.kind, f"{report.name}:{broken.offset}", broken.text)
            raise JournalDamaged([found], sequence_highest=report.sequence_before) from broken
        finally:
            file.close()
        yield snapshot
