"""A program of the mesh that runs so many hours ago: `python -m tests.trading.earlier HOURS MODULE WORDS...`.

Only its wall clock is behind. What it writes down is as old then as if it had lain there since.
"""

import runpy
import sys
from collections.abc import Callable
from typing import Final

from shared.mesh.clock import SystemClock

NS_PER_HOUR: Final = 3_600_000_000_000


def wall_clock_of(hours_ago: int) -> Callable[[SystemClock], int]:
    """Return what tells the time of so many hours ago in the place of a clock's own `wall_ns`."""
    wall_ns = SystemClock.wall_ns
    return lambda clock: wall_ns(clock) - hours_ago * NS_PER_HOUR


if __name__ == "__main__":
    SystemClock.wall_ns = wall_clock_of(int(sys.argv[1]))  # type: ignore[method-assign, assignment]
    module, sys.argv = sys.argv[2], sys.argv[2:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
