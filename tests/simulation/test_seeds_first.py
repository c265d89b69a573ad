"""The order path under faults, and without: the first quarter of what `make test` has time for; and once more."""

import os
import subprocess
import sys

from tests.house.tree import CHECKOUT
from tests.simulation.quarters import QUARTERS, assert_it_is_not_all_fair_weather, quarter

REPEATED = 8
PROGRAM = f"""
import sys
from tests.simulation.world import World
sys.stdout.write(" ".join(World(seed).run().digest for seed in range(0, {REPEATED * QUARTERS}, {QUARTERS})))
"""


def test_every_promise_is_kept_and_the_same_seed_leaves_the_same_trace() -> None:
    """Nothing is lost, doubled or unapproved while faults last; soon after, all is terminal, equal and covered.

    Two processes with other hashes of text do the same things in the same order.
    """
    assert_it_is_not_all_fair_weather(quarter(0))
    digests = digests_of_another_process("314")
    assert digests_of_another_process("2718") == digests
    assert len(set(digests)) == REPEATED


def digests_of_another_process(hash_seed: str) -> list[str]:
    """Run some seeds in a process of their own, in which no other test has run, and return their digests."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    return ran.stdout.split()
