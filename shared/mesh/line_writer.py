"""Writes lines to a stream in a thread of its own, so that nobody waits for whoever reads them.

A stream is a pipe more often than not, and a pipe that nobody reads stops its writer. Lines wait here up to a bound;
beyond it they are dropped and counted, and the count is said as soon as something can be written again. Used by `logs`.
"""

import os
import select
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final, TextIO

WAITING_BYTES_MAX: Final = 1024 * 1024
BATCH_LINES_MAX: Final = 256
CLOSING_SECONDS_MAX: Final = 1.0
_END: Final = b""


class LineWriter:
    """Takes lines without ever waiting or raising. `put` is called by one thread at a time; logging sees to that.

    Each number is changed on one side only, by `put` or by the thread, so that no lock is needed: a lock would be met
    again where a finaliser that runs inside `put` logs.
    """

    def __init__(self, stream: TextIO, *, dropped: Callable[[int], str]) -> None:
        self._stream: Final = stream
        self._dropped: Final = dropped
        self._waiting: Final[SimpleQueue[bytes]] = SimpleQueue()
        self._closed = False
        self._taken_bytes = 0
        self._refused_lines = 0
        self._done_bytes = 0
        self._lost_lines = 0
        self._told_lines = 0
        # A daemon: written to a pipe that nobody reads, its last line would otherwise keep the process from ending.
        self._thread: Final = threading.Thread(target=self._write_all, name="log writer", daemon=True)
        self._thread.start()

    def put(self, line: str) -> None:
        """Have a line written; where too much waits already, it is dropped."""
        content = self._encoded(line)
        if self._closed or self._taken_bytes - self._done_bytes + len(content) > WAITING_BYTES_MAX:
            self._refused_lines += 1
            return
        self._taken_bytes += len(content)
        self._waiting.put(content)

    def close(self) -> None:
        """Wait until everything is written, but not for long."""
        if not self._closed:
            self._closed = True
            self._waiting.put(_END)
            self._thread.join(CLOSING_SECONDS_MAX)

    def _encoded(self, line: str) -> bytes:
        return f"{line}\n".encode(self._stream.encoding, errors="backslashreplace")

    def _write_all(self) -> None:
        ended = False
        while not ended:
            # All that waits goes in one piece: between two pieces this thread has to wait for a busy loop.
            batch = [self._waiting.get()]
            while batch[-1] != _END and len(batch) < BATCH_LINES_MAX and not self._waiting.empty():
                batch.append(self._waiting.get())
            ended = batch[-1] == _END
            content = b"".join(batch)
            if not self._write(content):
                self._lost_lines += len(batch) - ended
            self._done_bytes += len(content)
            self._tell()

    def _tell(self) -> None:
        """Say how many lines were dropped, if any were since that was said last."""
        lines = self._refused_lines + self._lost_lines - self._told_lines
        if lines and self._write(self._encoded(self._dropped(lines))):
            self._told_lines += lines

    def _write(self, content: bytes) -> bool:
        """Write it, however long that takes; False where the stream takes nothing any more.

        Past the stream's own buffer, whose lock would be held for as long, and be waited for when the process ends.
        """
        try:
            while content:
                content = content[self._write_some(content) :]
        except (OSError, ValueError):  # a full disk, a reader who went away, a stream that was closed
            return False
        return True

    def _write_some(self, content: bytes) -> int:
        descriptor = self._stream.fileno()
        try:
            return os.write(descriptor, content)
        except BlockingIOError:  # whoever shares the pipe with us has set it so
            select.select([], [descriptor], [])
            return 0
