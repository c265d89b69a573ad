"""Room on the disk kept for the day it is full: a file without content, given up when records must be saved."""

import errno
from typing import Final

from shared.mesh.journal.disk import Disk, File

RESERVE_NAME: Final = "reserve"
RESERVE_BYTES_DEFAULT: Final = 16 * 1024 * 1024
BESIDE_BYTES: Final = 64 * 1024  # the largest record
NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Reserve:
    """The reserve file of one journal, for its one writer."""

    def __init__(self, disk: Disk, *, size: int) -> None:
        """Touch nothing yet; `fill` takes the room."""
        self._disk = disk
        self._size = size
        self._file: File | None = None

    def fill(self) -> bool:
        """Take the room; False when there is not enough, or none beside it for what is to be written."""
        try:
            self._file = self._file or self._opened()
            if self._file.size() < self._size:
                self._file.allocate(self._size)
                self._file.sync()
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            self.free()  # half of it would be of no use here, and may be to others
            return False
        return self._has_room_beside(self._file)

    def free(self) -> bool:
        """Give the room up; False when there was none to give."""
        if self._file is None or self._file.size() == 0:
            return False
        self._file.truncate(0)
        self._file.sync()
        return True

    def _has_room_beside(self, file: File) -> bool:
        """Tell whether the disk has more than the reserve: a reserve that stands says nothing about that."""
        try:
            file.allocate(self._size + BESIDE_BYTES)
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            return False
        finally:
            file.truncate(self._size)
        return True

    def close(self) -> None:
        """Give the file back; the room stays taken."""
        if self._file is not None:
            self._file.close()

    def _opened(self) -> File:
        try:
            return self._disk.edit(RESERVE_NAME)
        except FileNotFoundError:
            return self._disk.create(RESERVE_NAME)
