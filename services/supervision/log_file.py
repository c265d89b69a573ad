"""One log on disk, read from its end and followed through rotations."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final

TAIL_BYTES_MAX: Final = 1024 * 1024
_UNFINISHED_BYTES_MAX: Final = 64 * 1024


class LogFile:
    """Follows one log. supervisord renames a full one and opens a new one under its name; both are read to the end."""

    def __init__(self, name: str, path: Path) -> None:
        self.name: Final = name
        self._path: Final = path
        self._file: BinaryIO | None = None
        self._unfinished = b""

    def open(self) -> Sequence[str]:
        """Return the lines at the end of the file, and follow it from there; a file not there yet is waited for."""
        if not self._reopen() or self._file is None:
            return ()
        size = self._file.seek(0, os.SEEK_END)
        self._file.seek(max(0, size - TAIL_BYTES_MAX))
        if size > TAIL_BYTES_MAX:
            self._file.readline()
        return self._lines(self._file.read())

    def added(self) -> Sequence[str]:
        """Return the whole lines added since."""
        lines: list[str] = []
        if self._file is not None:
            if os.fstat(self._file.fileno()).st_size < self._file.tell():  # emptied in place
                self._file.seek(0)
            lines += self._lines(self._file.read())
        if self._is_replaced() and self._reopen() and self._file is not None:
            lines += self._lines(self._file.read())
        return lines

    def close(self) -> None:
        """Let the file go."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _is_replaced(self) -> bool:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return False
        return self._file is None or not os.path.samestat(found, os.fstat(self._file.fileno()))

    def _reopen(self) -> bool:
        try:
            fresh = self._path.open("rb")
        except FileNotFoundError:
            return False
        if self._file is not None:
            # What was written between our last look and the renaming.
            self._unfinished += self._file.read()
        self.close()
        self._file = fresh
        return True

    def _lines(self, content: bytes) -> Sequence[str]:
        *whole, rest = (self._unfinished + content).split(b"\n")
        if len(rest) > _UNFINISHED_BYTES_MAX:
            whole, rest = [*whole, rest], b""
        self._unfinished = rest
        return [_printable(line.decode("utf-8", "replace")) for line in whole]


def last_lines(lines: Sequence[str], count: int) -> Sequence[str]:
    """Return so many lines from the end."""
    return lines[len(lines) - count :] if count < len(lines) else lines


def _printable(line: str) -> str:
    """Return the line without what could steer a terminal; tabs stay."""
    return "".join(
        character if character.isprintable() or character == "\t" else "\N{REPLACEMENT CHARACTER}" for character in line
    )
