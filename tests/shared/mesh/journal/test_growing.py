"""A journal may be looked at while its writer is alive and writing."""

from typing_extensions import override

from shared.mesh.journal import examine
from shared.mesh.journal.mark import MARK_NAME
from tests.shared.mesh.journal.journals import a_journal, commit, numbered
from tests.shared.mesh.journal.sim_disk import Content, SimDisk, SimFile
from tests.shared.mesh.journal.test_damage import FIRST, Files


class GrowingDisk(SimDisk):
    """A disk on which a writer goes on while the segment is looked at: its size is that of a moment ago."""

    def __init__(self, files: Files, size_seen: int) -> None:
        super().__init__()
        self._files = {name: Content(content) for name, content in files.items()}
        self._size_seen = size_seen

    @override
    def view(self, name: str) -> SimFile:
        return GrowingFile(self, name, self._files[name], self._size_seen) if name == FIRST else super().view(name)


class GrowingFile(SimFile):
    """The segment on it."""

    def __init__(self, disk: SimDisk, name: str, content: Content, size_seen: int) -> None:
        super().__init__(disk, name, content)
        self._size_seen = size_seen

    @override
    def size(self) -> int:
        return self._size_seen


def test_a_writer_that_goes_on_while_it_is_looked_at_is_no_damage() -> None:
    """However far a living writer has come when its size is read, what it writes meanwhile is held against nobody."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(1), reserve_bytes=0)
    mark, marked = disk.copied()[MARK_NAME], journal.segment_bytes
    for start in (2, 5, 8):
        commit(journal, numbered(3, start=start))
    files = disk.copied() | {MARK_NAME: mark}
    for size_seen in range(marked, len(files[FIRST]) + 1):
        examined = examine(GrowingDisk(files, size_seen))
        assert examined.faults == (), size_seen
        assert examined.end is not None
