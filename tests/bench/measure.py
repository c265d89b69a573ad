"""Times contenders side by side: in turn, many rounds, so that a machine that slows down slows all of them.

What counts is the ratio to the floor measured in the same round; absolute times only say how fast this machine was.
"""

import gc
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

ROUNDS: Final = 25
CALLS_PER_ROUND: Final = 4_000
TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")

# A function and its one argument: a lambda around them would be timed as well.
Call = tuple[Callable[[Any], object], Any]


class Timing(msgspec.Struct, frozen=True):
    """What one contender took per call: the median and the best of its rounds."""

    median_us: float
    best_us: float
    rounds_us: tuple[float, ...]

    def ratio_to(self, floor: "Timing") -> float:
        """Compare with the floor round by round and give the median."""
        return statistics.median(mine / theirs for mine, theirs in zip(self.rounds_us, floor.rounds_us, strict=True))


def timed_in_turn(contenders: dict[str, Call]) -> dict[str, Timing]:
    """Run every contender in every round and give each its timing."""
    rounds: dict[str, list[float]] = {name: [] for name in contenders}
    gc.collect()
    gc.disable()  # a collection would be charged to whoever happens to run
    try:
        for round_number in range(-2, ROUNDS):
            for name, (function, argument) in contenders.items():
                elapsed_us = _time_us(function, argument)
                if round_number >= 0:  # the first rounds only warm up
                    rounds[name].append(elapsed_us)
    finally:
        gc.enable()
    return {
        name: Timing(median_us=statistics.median(taken), best_us=min(taken), rounds_us=tuple(taken))
        for name, taken in rounds.items()
    }


def _time_us(function: Callable[[Any], object], argument: object) -> float:
    started_ns = time.perf_counter_ns()
    for _ in range(CALLS_PER_ROUND):
        function(argument)
    return (time.perf_counter_ns() - started_ns) / CALLS_PER_ROUND / 1_000


def cpu_seconds(process_id: int) -> float:
    """Return the processor time that a process has taken, as the kernel counts it."""
    fields = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def resident_bytes(process_id: int) -> int:
    """Return what a process holds in memory, as the kernel counts it."""
    return int(Path(f"/proc/{process_id}/statm").read_text(encoding="ascii").split()[1]) * PAGE_BYTES
