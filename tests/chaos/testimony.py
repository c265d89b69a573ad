"""What the processes of the chaos tests testify, in a file each, line by line, under the epoch of the run."""

from pathlib import Path
from typing import Final

import msgspec


class Testimony(msgspec.Struct, frozen=True, tag=True):
    """Base of whatever a process may say."""


class Took(Testimony, frozen=True):
    """It has the seat. `sole` is the word of a lock of another kind than the seat's: nobody else has it."""

    process_id: int
    sole: bool
    troubles: tuple[str, ...] = ()


class Left(Testimony, frozen=True):
    """It ends in order."""


class Stood(Testimony, frozen=True):
    """It stood still, and knows it."""

    gap_ns: int


class Broke(Testimony, frozen=True):
    """A topic is not current."""

    topic: str
    reason: str


class Synced(Testimony, frozen=True):
    """A topic runs on behind this number; 0 is its beginning, whatever the epoch."""

    topic: str
    epoch: int
    sequence: int


class Saw(Testimony, frozen=True):
    """A message of a topic came; what the publisher wrote into it is the text, its epoch and number."""

    topic: str
    epoch: int
    sequence: int
    text: str
    age_ns: int


class AskedFor(Testimony, frozen=True):
    """It is about to ask."""

    ask_id: str


class GotAnswer(Testimony, frozen=True):
    """This was the answer."""

    ask_id: str
    quantity: str


class GotNothing(Testimony, frozen=True):
    """Nobody answered in time."""

    ask_id: str


class GotRefusal(Testimony, frozen=True):
    """The bus turned the request away."""

    ask_id: str
    rule: str


class WasTold(Testimony, frozen=True):
    """A numbered event came."""

    sequence: int
    request_id: str
    quantity: str


class WasToldOfLoss(Testimony, frozen=True):
    """Numbered events before this one will never come."""

    next_sequence: int


Said = (
    Took
    | Left
    | Stood
    | Broke
    | Synced
    | Saw
    | AskedFor
    | GotAnswer
    | GotNothing
    | GotRefusal
    | WasTold
    | WasToldOfLoss
)


class Line(msgspec.Struct, frozen=True, array_like=True):
    """One line of a file: under which epoch its writer ran, and what it says."""

    epoch: int
    said: Said


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Line)


def line_of(line: Line) -> bytes:
    """Return the line as it stands in the file."""
    return _ENCODER.encode(line) + b"\n"


def lines_in(content: bytes) -> list[Line]:
    """Read whole lines."""
    return [_DECODER.decode(line) for line in content.splitlines()]


class Ledger:
    """Reads on in the file of one process, as far as its lines are whole."""

    def __init__(self, path: Path) -> None:
        self._path: Final = path
        self._offset = 0
        self.lines: Final[list[Line]] = []

    def look(self) -> list[Line]:
        """Return all lines so far."""
        if self._path.exists():
            with self._path.open("rb") as file:
                file.seek(self._offset)
                whole, newline, _ = file.read().rpartition(b"\n")
            self.lines.extend(lines_in(whole))
            self._offset += len(whole) + len(newline)
        return self.lines
