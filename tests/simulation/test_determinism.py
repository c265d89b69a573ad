"""The same seed is the same run: in another process, with other hashes of text, to the last digit."""

import json
import os
import subprocess
import sys

from tests.house.tree import CHECKOUT

SEEDS = range(3)
PROGRAM = """
import json, sys
from tests.simulation.world import World
json.dump([World(seed).run().digest for seed in range(3)], sys.stdout)
"""


def digests(hash_seed: str) -> list[str]:
    """Run the seeds in a process of their own."""
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    found: list[str] = json.loads(run.stdout)
    return found


def test_same_seed_leaves_the_same_trace() -> None:
    """Two processes with different hash seeds do the same things in the same order, and different seeds do not."""
    once, again = digests("1"), digests("2718")
    assert once == again
    assert len(set(once)) == len(SEEDS)
