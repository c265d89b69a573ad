"""What never strikes proves nothing: the seeds trade, kill and confuse."""

from tests.simulation.weather import FAULTS
from tests.simulation.world import World

SEEDS = 10


def test_faults_are_not_all_fair_weather() -> None:
    """A few seeds trade, kill every process, ask again, and meet most of the faults."""
    results = [World(seed).run() for seed in range(SEEDS)]
    counts = {name: sum(result.counts[name] for result in results) for name in results[0].counts}
    assert counts["fills"] > 100
    assert min(counts[f"deaths of {name}"] for name in ("executor", "risk", "strategy")) > 0
    assert counts["intents asked for again"] > 0
    assert len({fault for result in results for fault in result.struck}) > len(FAULTS) * 2 // 3
