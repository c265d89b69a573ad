"""The seeds of `make test`, in four parts: a file of tests is what a worker takes, and four of them share these."""

from collections.abc import Sequence
from typing import Final

from tests.simulation.weather import FAULTS
from tests.simulation.world import Result, World

SEEDS: Final = 200
QUARTERS: Final = 4
PROCESSES: Final = ("executor", "risk", "strategy")
FILLS_MIN, TAKEOVERS_MIN, TRIPS_MIN = 400, 1, 2


def quarter(number: int) -> list[Result]:
    """Run the seeds of one part; of those with which something is wrong, say how they are repeated."""
    results = [World(seed).run() for seed in range(number, SEEDS, QUARTERS)]
    wrong = [_told(result) for result in results if result.violations]
    assert not wrong, "\n\n".join(wrong)
    return results


def assert_it_is_not_all_fair_weather(results: Sequence[Result]) -> None:
    """See that seeds trade, kill every process, ask again, and meet most faults: what never strikes is no proof."""
    counts = {name: sum(result.counts[name] for result in results) for name in results[0].counts}
    assert counts["fills"] > FILLS_MIN
    assert counts["takeovers"] > TAKEOVERS_MIN
    assert counts["records adopted"] > TAKEOVERS_MIN
    assert counts["trips"] > TRIPS_MIN
    assert min(counts[f"deaths of {name}"] for name in PROCESSES) > 5
    assert counts["intents asked for again"] > 20
    assert len({fault for result in results for fault in result.struck}) > len(FAULTS) * 9 // 10


def _told(result: Result) -> str:
    lines = "\n".join(result.lines[-40:])
    replay = f".venv/bin/python -m tests.simulation replay {result.seed}"
    return f"seed {result.seed}: {result.violations[:3]}\n{lines}\neverything: {replay}"
