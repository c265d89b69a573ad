"""The HALT file between two steps of whoever renames or removes it: no look misses it, and no touch is lost."""

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from proto.risk import Latch
from shared.mesh import halt_file
from shared.mesh.halt_file import NAME, NOBODY, HaltFile

LINES_MAX = 200
LATCH = Latch("kill-1", "operator", "a test", 1)


@pytest.mark.parametrize("look", [HaltFile.is_there, HaltFile.latch])
def test_a_look_while_it_is_renamed_sees_it(look: Callable[[HaltFile], object], fast_path: Path) -> None:
    """It goes from one place to the other and back between two looks, and neither shows it: the third one does."""
    path, aside = fast_path / NAME, fast_path / "HALT.clearing"

    def goes_back() -> None:
        path.write_bytes(b"")
        aside.unlink()

    for line in range(1, LINES_MAX):
        path.unlink(missing_ok=True)
        aside.write_bytes(b"")
        looker = HaltFile(fast_path)
        seen, is_over = at_line(line, goes_back, partial(look, looker))
        assert seen, line
        if is_over:
            return
    raise AssertionError("it looked for ever")


def test_a_late_touch_is_another_latch(fast_path: Path) -> None:
    """Somebody has opened the file before it is moved aside, and touches it before its name is gone: that is kept."""
    halt, aside, seen_at = HaltFile(fast_path), fast_path / "HALT.clearing", list[bool]()

    def touches() -> None:
        seen_at.append(halt.path.exists() or aside.exists())
        os.utime(descriptor)

    for line in range(1, LINES_MAX):
        halt.make(LATCH)
        descriptor = os.open(halt.path, os.O_WRONLY)
        _, is_over = at_line(line, touches, partial(HaltFile(fast_path).take_away, "kill-1"))
        os.close(descriptor)
        if is_over:
            return
        latch = halt.latch()
        assert latch is not None or not seen_at[-1], line
        assert latch is None or latch.actor == NOBODY
        halt.path.unlink(missing_ok=True)
        aside.unlink(missing_ok=True)
    raise AssertionError("it never came to its end")


def at_line(line: int, act: Callable[[], None], do: Callable[[], object]) -> tuple[object, bool]:
    """Do something, and another thing before so many lines of it have run; tell whether it was over before."""
    met, before = 0, sys.gettrace()

    def trace(frame: FrameType, event: str, _: object) -> Any:  # noqa: ANN401 - a trace function is typed by its caller
        nonlocal met
        if frame.f_code.co_filename != halt_file.__file__:
            return None
        if event == "line":
            met += 1
            if met == line:
                act()
        return trace

    sys.settrace(trace)
    try:
        return do(), met < line
    finally:
        sys.settrace(before)


def test_a_directory_does_not_keep_what_lies_aside(fast_path: Path) -> None:
    """A latch is cleared, its file moved aside, and whoever did it killed: a directory made then is another latch."""
    halt, aside = HaltFile(fast_path), fast_path / "HALT.clearing"
    halt.make(LATCH)
    halt.path.rename(aside)
    halt.path.mkdir()
    assert not HaltFile(fast_path).take_away("kill-1")
    assert not aside.exists()
    latch = HaltFile(fast_path).latch()
    assert latch is not None
    assert latch.latch_id != "kill-1"
