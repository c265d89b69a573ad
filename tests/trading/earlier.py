"""A program of the mesh that runs so many hours ago: `python -m tests.trading.earlier HOURS MODULE WORDS...`.

Only its wall clock is behind. What it writes down is as old then as if it had lain there since.
"""

import runpy
import sys
from typing import Final

from shared.mesh.clock import SystemClock

NS_PER_HOUR: Final = 3_600_000_000_000


if __name__ == "__main__":
    wall_ns, behind_ns = SystemClock.wall_ns, int(sys.argv[1]) * NS_PER_HOUR
    SystemClock.wall_ns = lambda self: wall_ns(self) - behind_ns  # type: ignore[method-assign]  # as if it were set
    module, sys.argv = sys.argv[2], sys.argv[2:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
