"""The terminal while it is ours: another screen, keys that come at once, and lines redrawn where they changed.

However the verb ends or is stopped, the terminal is given back as it was found.
"""

import os
import termios
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import groupby
from typing import Final, Self, TextIO

from services.watch.picture.layout import Line, Tone

WIDTH_DEFAULT, HEIGHT_DEFAULT = 80, 24
# Another screen, without cursor, and without wrapping: a character that is wider than we thought costs its line only.
_ENTER: Final = "\x1b[?1049h\x1b[?25l\x1b[?7l"
_LEAVE: Final = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"
_CLEAR: Final = "\x1b[2J"
_TO_LINE: Final = "\x1b[{};1H"
_REST_OF_LINE: Final = "\x1b[K"
_RESET: Final = "\x1b[0m"
_INPUT, _LOCAL, _CHARACTERS = 0, 3, 6  # of the list that termios gives

COLOURED: Final = {
    Tone.HEADING: "\x1b[1m",
    Tone.FAINT: "\x1b[2m",
    Tone.WELL: "\x1b[32m",
    Tone.WARNING: "\x1b[33m",
    Tone.ALARM: "\x1b[1;31m",
}
# What is no colour may stay: https://no-color.org is about colours.
COLOURLESS: Final = {Tone.HEADING: "\x1b[1m", Tone.FAINT: "\x1b[2m", Tone.WARNING: "\x1b[1m", Tone.ALARM: "\x1b[1m"}
Palette = Mapping[Tone, str]


def palette_for(environment: Mapping[str, str]) -> Palette:
    """Return how tones look for who has or has not asked for no colours."""
    return COLOURLESS if environment.get("NO_COLOR") else COLOURED


def is_drawable(output: TextIO, environment: Mapping[str, str]) -> bool:
    """Tell whether the output is a terminal that can do more than show one line after another."""
    return output.isatty() and environment.get("TERM", "dumb") != "dumb"


def painted(line: Line, palette: Palette) -> str:
    """Return a line as the terminal wants it."""
    pieces = []
    for tone, spans in groupby(line, key=lambda span: span.tone):
        text = "".join(span.text for span in spans)
        pieces.append(f"{palette[tone]}{text}{_RESET}" if tone in palette else text)
    return "".join(pieces).rstrip(" ")


def redrawn(before: Sequence[str], after: Sequence[str]) -> str:
    """Return what turns one picture into the other: the lines that differ, each at its place.

    A picture of another height comes to an empty screen.
    """
    if len(before) != len(after):
        return _CLEAR + redrawn([""] * len(after), after)
    return "".join(
        f"{_TO_LINE.format(number)}{line}{_REST_OF_LINE}"
        for number, (old, line) in enumerate(zip(before, after, strict=True), start=1)
        if old != line
    )


class TerminalGoneError(Exception):
    """Nobody looks any more: the window was closed, or the connection to it is lost."""


@contextmanager
def _lasting() -> Iterator[None]:
    try:
        yield
    except (OSError, termios.error) as error:
        raise TerminalGoneError from error


class Screen:
    """The terminal, entered and left as often as need be. Without `keys` it is written to, and none are read."""

    def __init__(self, output: TextIO, *, keys: int | None, palette: Palette) -> None:
        self._output: Final = output.fileno()
        self._encoding: Final = output.encoding
        self._keys: Final = keys
        self._palette: Final = palette
        self._found: Final = None if keys is None else termios.tcgetattr(keys)
        self._before: list[str] = []
        self._entered = False

    @property
    def size(self) -> tuple[int, int]:
        """Return how wide and how high it is now."""
        with _lasting():
            width, height = os.get_terminal_size(self._output)
        return width or WIDTH_DEFAULT, height or HEIGHT_DEFAULT

    def enter(self) -> None:
        """Take the terminal, or take it back; everything is drawn anew."""
        if self._keys is not None:
            with _lasting():
                ours = termios.tcgetattr(self._keys)
                ours[_LOCAL] &= ~(termios.ECHO | termios.ICANON)
                ours[_INPUT] &= ~termios.IXON  # Ctrl-S would stop us in the middle of a picture, deaf to q
                ours[_CHARACTERS][termios.VMIN], ours[_CHARACTERS][termios.VTIME] = 1, 0
                termios.tcsetattr(self._keys, termios.TCSADRAIN, ours)
        if not self._entered:  # who was stopped unasked has not left
            self._write(_ENTER)
        self._entered = True
        self.forget()

    def leave(self) -> None:
        """Give the terminal back as it was found; one that is gone needs nothing."""
        self._entered = False
        with suppress(TerminalGoneError):
            self._write(_LEAVE)
            if self._keys is not None and self._found is not None:
                with _lasting():
                    termios.tcsetattr(self._keys, termios.TCSADRAIN, self._found)

    def draw(self, lines: Sequence[Line]) -> None:
        """Show these lines: what changed since the last time, at once, and nothing where nothing did."""
        after = [painted(line, self._palette) for line in lines]
        if changes := redrawn(self._before, after):
            self._write(changes)
        self._before = after

    def add(self, lines: Sequence[Line]) -> None:
        """Write lines where the shell writes, without taking the terminal."""
        self._write("".join(f"{painted(line, self._palette)}\n" for line in lines))

    def forget(self) -> None:
        """Have everything drawn anew the next time: what stands there is not ours, or not where it was."""
        self._before = []

    def _write(self, text: str) -> None:
        waiting = text.encode(self._encoding, "replace")
        with _lasting():
            while waiting:
                waiting = waiting[os.write(self._output, waiting) :]

    def __enter__(self) -> Self:
        self.enter()
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()
