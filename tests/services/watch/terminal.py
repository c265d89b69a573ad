"""A terminal for tests: a real pseudo-terminal, and as much of a screen as `bowline watch` uses."""

import codecs
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Self

from tests.house.tree import CHECKOUT

PATIENCE_S: Final = 90  # only a test that fails waits so long
_READ_BYTES: Final = 65_536
_SEQUENCE: Final = re.compile(r"\x1b\[(\??)([\d;]*)([A-Za-z])|([^\x1b]+)")
_UNFINISHED: Final = re.compile(r"\x1b(\[\??[\d;]*)?$")


class Display:
    """What stands on the screen, from what was written."""

    def __init__(self) -> None:
        self.alternate = False
        self.cursor_shown = True
        self.wrapping = True
        self.written: Final[list[int]] = []  # the lines that were written to
        self._lines: Final[dict[int, str]] = {}
        self._line = 1
        self._unfinished = ""  # the beginning of a sequence whose end was not read yet

    @property
    def text(self) -> str:
        """Return all lines that hold something."""
        return "\n".join(line for _, line in sorted(self._lines.items()) if line)

    @property
    def height(self) -> int:
        """Return the number of the last line that was written."""
        return max(self._lines, default=0)

    def write(self, text: str) -> None:
        """Take in what a program wrote."""
        text = self._unfinished + text
        cut = _UNFINISHED.search(text)
        self._unfinished = "" if cut is None else cut[0]
        for private, numbers, final, plain in _SEQUENCE.findall(text.removesuffix(self._unfinished)):
            if plain:
                self._lines[self._line] = self._lines.get(self._line, "") + plain
            elif private:
                self._set(numbers, on=final == "h")
            elif final == "H":
                self._line = int(numbers.partition(";")[0])
                self._lines[self._line] = ""  # we write whole lines and nothing else
                self.written.append(self._line)
            elif final == "J":
                self._lines.clear()

    def _set(self, mode: str, *, on: bool) -> None:
        if mode == "1049":
            self.alternate = on
        elif mode == "25":
            self.cursor_shown = on
        elif mode == "7":
            self.wrapping = on


class Terminal:
    """A program that has a terminal of its own, in a session of its own."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], *, width: int, height: int) -> None:
        self.display: Final = Display()
        self.raw = ""
        self._decoder: Final = codecs.getincrementaldecoder("utf-8")()
        self._ours, self._its = os.openpty()
        self._open: Final = [self._ours, self._its]
        self.resize(width, height)
        self.attributes_before: Final = self.attributes
        self.process: Final = subprocess.Popen(
            ["setsid", "--ctty", *command],
            cwd=CHECKOUT,
            env={"PATH": os.environ["PATH"], "TERM": "xterm", **environment},
            stdin=self._its,
            stdout=self._its,
            stderr=self._its,
        )

    @property
    def attributes(self) -> list[int | list[bytes | int]]:
        """Return how the terminal is set."""
        return termios.tcgetattr(self._its)

    @attributes.setter
    def attributes(self, attributes: list[int | list[bytes | int]]) -> None:
        termios.tcsetattr(self._its, termios.TCSANOW, attributes)

    def resize(self, width: int, height: int) -> None:
        """Make it larger or smaller; the kernel tells the program."""
        fcntl.ioctl(self._its, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def press(self, keys: str) -> None:
        """Press keys."""
        os.write(self._ours, keys.encode())

    def until(self, holds: Callable[[Display], object]) -> None:
        """Read what the program writes until the display is so."""
        while not holds(self.display):
            assert self._read(), f"it never came to that; on the display stands\n{self.display.text}"

    def ends(self) -> int:
        """Return the exit code of the program, having read what it wrote to the end."""
        code = self.process.wait(PATIENCE_S)
        while select.select([self._ours], [], [], 0)[0]:
            self._read()
        return code

    def _read(self) -> bool:
        if not select.select([self._ours], [], [], PATIENCE_S)[0]:
            return False
        text = self._decoder.decode(os.read(self._ours, _READ_BYTES))
        self.raw += text
        self.display.write(text)
        return True

    def hang_up(self) -> None:
        """Close the terminal while the program runs on it."""
        while self._open:
            os.close(self._open.pop())

    def close(self) -> None:
        """End the program, if it has not ended, and the terminal."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(PATIENCE_S)
        self.hang_up()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
