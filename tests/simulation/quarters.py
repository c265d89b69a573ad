"""The seeds of `make test`, in four parts: a file of tests is what a worker takes, and four of them share these."""

from typing import Final

from tests.simulation.world import World

SEEDS: Final = 60
QUARTERS: Final = 4


def quarter(number: int) -> range:
    """Return the seeds of one part."""
    return range(number, SEEDS, QUARTERS)


def assert_every_promise_is_kept(seed: int) -> None:
    """Run a seed; if something is wrong with it, say how it is repeated."""
    result = World(seed).run()
    lines = "\n".join(result.lines[-40:])
    replay = f".venv/bin/python -m tests.simulation replay {seed}"
    assert not result.violations, f"{result.violations[:3]}\n{lines}\neverything: {replay}"
