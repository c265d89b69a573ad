"""`make sim`: run seeds of the simulation. `python -m tests.simulation SEEDS [FIRST]`, or `replay SEED [FAULT,FAULT]`.

`replay` prints everything that happened in a seed, with the faults named switched off. A seed that fails is run again
with each of its faults off in turn, so that what is printed is what it takes to fail. The digest at the end is of every
trace: another run of the same seeds, on the same state, prints the same.
"""

import hashlib
import sys
from collections import Counter
from typing import Final

from tests.simulation.world import Result, World

SEEDS: Final = 1_000
LAST_LINES: Final = 60
TOLD_MAX: Final = 5


def main() -> int:
    """Run what is asked for."""
    if sys.argv[1:2] == ["replay"]:
        without = sys.argv[3].split(",") if len(sys.argv) > 3 else []
        result = World(int(sys.argv[2]), without=without).run()
        for line in result.lines:
            _say(line)
        for violation in result.violations:
            _say(violation)
        return 1 if result.violations else 0
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    failed: list[Result] = []
    traces = hashlib.sha256()
    counted: Counter[str] = Counter()
    struck: Counter[str] = Counter()
    for seed in range(first, first + seeds):
        result = World(seed).run()
        traces.update(result.digest.encode())
        counted.update(result.counts)
        struck.update(result.struck)
        if result.violations:
            failed.append(result)
            _say(f"seed {seed} failed: {'; '.join(result.violations[:3])}")
    for result in failed[:TOLD_MAX]:
        _tell(result)
    _say("; ".join(f"{fault} {count}" for fault, count in sorted(struck.items())))
    _say(", ".join(f"{count} {what}" for what, count in counted.items()))
    _say(f"all that happened in seeds {first} to {first + seeds - 1}: {traces.hexdigest()[:16]}")
    _say(f"{len(failed)} of {seeds} seeds failed" if failed else f"{seeds} seeds, and every promise was kept")
    return 1 if failed else 0


def _tell(result: Result) -> None:
    """Say how a seed failed, and what it takes."""
    without: list[str] = []
    for fault in result.faults:
        if World(result.seed, without=[*without, fault]).run().violations:
            without.append(fault)
    smallest = World(result.seed, without=without).run()
    for line in smallest.lines[-LAST_LINES:]:
        _say(line)
    _say(f"seed {result.seed} failed: {'; '.join(result.violations[:3])}")
    _say(f"it takes: {', '.join(smallest.faults) or 'nothing'}")
    _say(f"all of it: .venv/bin/python -m tests.simulation replay {result.seed} '{','.join(without)}'")


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
