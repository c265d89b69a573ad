"""The order path under faults, and without: as many seeds as `make test` has time for. `make sim` runs more."""

import pytest

from tests.simulation.world import World

SEEDS = 60


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_promise_is_kept(seed: int) -> None:
    """Nothing is lost, doubled or unapproved while faults last; soon after, all is terminal, equal and covered."""
    result = World(seed).run()
    lines = "\n".join(result.lines[-40:])
    replay = f".venv/bin/python -m tests.simulation replay {seed}"
    assert not result.violations, f"{result.violations[:3]}\n{lines}\neverything: {replay}"


def test_faults_are_not_all_fair_weather() -> None:
    """The seeds of this file trade, kill and confuse: what never strikes proves nothing."""
    results = [World(seed).run() for seed in range(8)]
    assert sum(result.counts["fills"] for result in results) > 30
    assert sum(result.counts["deaths of executor"] for result in results) > 2
    assert len({fault for result in results for fault in result.struck}) > 15
