"""Lines of coloured spans, tables whose columns fit a width, and rows shared out over a height."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Final

ELLIPSIS: Final = "…"
LAST_WIDTH_MAX: Final = 16  # what goes beyond costs no other column
_GAP: Final = "  "


class Tone(Enum):
    """What a span means; how that looks is the terminal's business."""

    PLAIN = "plain"
    HEADING = "heading"
    FAINT = "faint"
    WELL = "well"
    WARNING = "warning"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line."""

    text: str
    tone: Tone = Tone.PLAIN


Line = tuple[Span, ...]


def text_of(line: Line) -> str:
    """Return a line without its tones."""
    return "".join(span.text for span in line).rstrip()


def printable(text: str) -> str:
    """Return the text without what could steer a terminal."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def width_of(text: str) -> int:
    """Return how many cells a terminal needs for it: some characters take two, and marks upon others none."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def clipped_to(line: Line, width: int) -> Line:
    """Return as much of a line as fits."""
    fitting, room = [], width
    for span in line:
        text = shortened(span.text, room)
        fitting.append(Span(text, span.tone))
        room -= width_of(text)
        if text != span.text:
            break
    return tuple(span for span in fitting if span.text)


def shortened(text: str, width: int) -> str:
    """Return a text that fits, its end replaced by an ellipsis where something is missing."""
    if width_of(text) <= width:
        return text
    kept, room = "", width - 1
    for character in text:
        room -= _cells(character)
        if room < 0:
            break
        kept += character
    return kept + ELLIPSIS if width > 0 else ""


@dataclass(frozen=True)
class Column:
    """One column of a table. The one with the highest `rank` is the first to go when the width does not suffice.

    It is `least` wide, so that it does not move the others whenever a figure gains or loses a digit.
    """

    heading: str
    cells: Sequence[Span]
    rank: int = 0
    to_the_right: bool = True
    least: int = 0

    @cached_property
    def width(self) -> int:
        """Return the width of its widest cell, or the least it may have."""
        return max(self.least, *map(width_of, (self.heading, *(cell.text for cell in self.cells))))

    def aligned(self, cell: Span) -> Span:
        """Return a cell as wide as the column."""
        padding = " " * (self.width - width_of(cell.text))
        return Span(padding + cell.text if self.to_the_right else cell.text + padding, cell.tone)


def table(columns: Sequence[Column], width: int) -> list[Line]:
    """Return the heading and the rows, without the columns that do not fit; a last one that is too wide is clipped."""
    fitting = list(columns)
    while _width_needed(fitting) > width and (droppable := [column for column in fitting if column.rank]):
        fitting.remove(max(droppable, key=lambda column: column.rank))
    headings = [Span(column.heading, Tone.HEADING) for column in fitting]
    rows = zip(*(column.cells for column in fitting), strict=True)
    return [clipped_to(_joined(fitting, row), width) for row in (headings, *rows)]


def _width_needed(columns: Sequence[Column]) -> int:
    *others, last = (column.width for column in columns)
    return sum(others) + len(_GAP) * len(others) + min(last, LAST_WIDTH_MAX)


def _joined(columns: Sequence[Column], row: Sequence[Span]) -> Line:
    *others, last = zip(columns, row, strict=True)
    spans = [span for column, cell in others for span in (column.aligned(cell), Span(_GAP))]
    column, cell = last
    return (*spans, column.aligned(cell) if column.to_the_right else cell)


def shares(needs: Sequence[int], room: int) -> list[int]:
    """Share out a room evenly, giving nobody more than it needs and what it does not need to the others."""
    given = [0] * len(needs)
    while room > 0 and (hungry := [place for place, need in enumerate(needs) if need > given[place]]):
        for place in hungry[:room]:
            given[place] += 1
        room -= len(hungry)
    return given
