"""A program of the mesh that runs so many hours ago: `python -m tests.trading.earlier HOURS MODULE WORDS...`.

Only its wall clock is behind. What it writes down is as old then as if it had lain there since.
"""

import runpy
import sys
import time
from typing import Final

NS_PER_HOUR: Final = 3_600_000_000_000
SECONDS_PER_HOUR: Final = 3_600


def set_back(hours: int) -> None:
    """Put the wall clock of this process back."""
    seconds_now, ns_now = time.time, time.time_ns
    time.time = lambda: seconds_now() - hours * SECONDS_PER_HOUR
    time.time_ns = lambda: ns_now() - hours * NS_PER_HOUR


if __name__ == "__main__":
    set_back(int(sys.argv[1]))
    module, sys.argv = sys.argv[2], sys.argv[2:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
