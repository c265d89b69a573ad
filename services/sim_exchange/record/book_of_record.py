"""The log on disk: numbered segments of lines, of which the newest holds everything that is needed.

Lines are written before anybody hears of what they say, in one call each. That survives the death of the process at
any moment; it is not forced to the disk, so a power cut may cost the last moments, as the page on the exchange says.
"""

import os
from collections.abc import Iterator
from typing import Final

from services.sim_exchange.faults.saboteur import Fired
from services.sim_exchange.record.lines import (
    VERSION,
    CarriedOver,
    Happened,
    Interfered,
    LastingCarried,
    Line,
    LineDamagedError,
    Opened,
    Received,
    lasting,
    lasting_carried,
    read,
    written,
)
from services.sim_exchange.venue.exchange import Exchange
from services.sim_exchange.venue.vocabulary import Event
from shared.mesh.private_directory import FileUnusableError, PrivateDirectory, usable

SEGMENT_BYTES_MAX: Final = 16 * 1024 * 1024  # beside what was carried over
SEGMENTS_KEPT: Final = 16
_SUFFIX: Final = ".jsonl"


class RecordDamagedError(Exception):
    """A line within the log that cannot be read; the message says where, and what to do."""


class BookOfRecord:
    """Writes the log of one exchange. Whoever writes holds the exchange's seat, so there is one."""

    def __init__(
        self,
        directory: PrivateDirectory,
        exchange: Exchange,
        *,
        segment_bytes_max: int = SEGMENT_BYTES_MAX,
    ) -> None:
        """Bring an empty exchange back to where the log ends. Nothing is written before `begin`."""
        self._directory: Final = directory
        self._exchange: Final = exchange
        self._segment_bytes_max: Final = segment_bytes_max
        self._descriptor: int | None = None
        self._failed: FileUnusableError | None = None
        segments = segment_numbers(directory)
        self._segment = segments[-1] if segments else 0
        self._number = 0
        for event in self._told():
            exchange.restore(event)

    def begin(self, now_ms: int) -> None:
        """Begin a segment that stands for itself, and throw the oldest away."""
        carried = lasting_carried(self._exchange.carried_over())
        first = Opened(number=self._next(), at_ms=now_ms, version=VERSION, carried_over=len(carried))
        lines = [CarriedOver(number=self._next(), at_ms=now_ms, carried=part) for part in carried]
        content = written(first) + b"".join(written(line) for line in lines)
        self.close()
        self._segment += 1
        self._directory.replace_file(_name(self._segment), content)
        self._descriptor = self._directory.open_file(_name(self._segment), os.O_WRONLY | os.O_APPEND)
        self._size = self._carried_size = len(content)
        for number in segment_numbers(self._directory)[:-SEGMENTS_KEPT]:
            with usable(self._directory.path / _name(number)):
                (self._directory.path / _name(number)).unlink()

    def happened(self, events: tuple[Event, ...], at_ms: int) -> None:
        """Write down what a command brought about, before it is told."""
        kept = lasting(events)
        if kept:
            self._append(Happened(number=self._next(), at_ms=at_ms, events=kept))

    def received(self, *, endpoint: str, address: str, account: str | None, sent: dict[str, str], at_ms: int) -> None:
        """Write down a request."""
        self._append(
            Received(number=self._next(), at_ms=at_ms, endpoint=endpoint, address=address, account=account, sent=sent)
        )

    def interfered(self, fired: Fired) -> None:
        """Write down that a fault struck."""
        met = fired.occasion
        self._append(
            Interfered(
                number=self._next(),
                at_ms=fired.time_ms,
                fault_id=fired.fault_id,
                kind=fired.kind,
                fired=fired.fired,
                endpoint=met.endpoint,
                account=met.account,
                symbol=met.symbol,
                client_id=met.client_id,
                stream=met.stream,
            )
        )

    def close(self) -> None:
        """Write no more."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _append(self, line: Received | Happened | Interfered) -> None:
        assert self._descriptor is not None, "nothing is written before the beginning, or after the end"
        if self._failed is not None:  # the exchange knows of something that is not written: it must tell nobody more
            raise self._failed
        try:
            self._write(self._descriptor, written(line))
            if self._size - self._carried_size > self._segment_bytes_max:
                self.begin(line.at_ms)
        except FileUnusableError as error:
            self._failed = error
            raise

    def _write(self, descriptor: int, text: bytes) -> None:
        with usable(self._directory.path / _name(self._segment)):
            try:
                done = 0
                while done < len(text):
                    done += os.write(descriptor, text[done:])
            except OSError:
                os.ftruncate(descriptor, self._size)  # whoever reads on must not find half of a line
                raise
        self._size += len(text)

    def _told(self) -> Iterator[LastingCarried]:
        if self._segment:
            for line in lines_of(self._directory, self._segment):
                self._number = line.number
                if isinstance(line, Happened):
                    yield from line.events
                elif isinstance(line, CarriedOver):
                    yield line.carried


def segment_numbers(directory: PrivateDirectory) -> list[int]:
    """Return the segments that are there, oldest first."""
    with usable(directory.path):
        return sorted(int(file.stem) for file in directory.path.glob(f"*{_SUFFIX}") if file.stem.isdecimal())


def lines_of(directory: PrivateDirectory, segment: int) -> Iterator[Line]:
    """Yield the lines of a segment. What follows the last line's end was being written when the exchange died."""
    path = directory.path / _name(segment)
    with usable(path), os.fdopen(directory.open_file(path.name, os.O_RDONLY), "rb") as file:
        for place, text in enumerate(file, start=1):
            if not text.endswith(b"\n"):
                return
            try:
                yield read(text)
            except LineDamagedError as error:
                raise RecordDamagedError(
                    f"line {place} of {path} cannot be read ({error}): put the file back from a copy, or move "
                    f"{directory.path} away to begin with new accounts"
                ) from error


def _name(segment: int) -> str:
    return f"{segment:08}{_SUFFIX}"
