"""The newest record of a journal. It may stand far below the newest number: before a gap, or in an older segment."""

from collections.abc import Callable, Iterable
from typing import Final

from shared.mesh.journal.record import Gap, Record

LOOK_BACK_FACTOR: Final = 16


def newest_record(entries_from: Callable[[int], Iterable[Record | Gap]], *, last: int) -> Record | None:
    """Return the newest record of a journal that ends at `last`, None when it has none; so far back as it has to."""
    looked_back = 1
    while True:
        newest = None
        for entry in entries_from(max(1, last - looked_back)):
            newest = newest if isinstance(entry, Gap) else entry
        if newest is not None or looked_back >= last:
            return newest
        looked_back *= LOOK_BACK_FACTOR
