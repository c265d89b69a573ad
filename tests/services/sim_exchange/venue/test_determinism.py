"""The same commands give the same events, in whatever process."""

import os
import subprocess
import sys

from tests.house.tree import CHECKOUT

MODULE = "tests.services.sim_exchange.venue.scripted"


def test_two_processes_with_different_hash_seeds_tell_the_same() -> None:
    """Thousands of commands are answered alike, to the last digit, where strings hash to other numbers."""
    told = [
        subprocess.run(
            [sys.executable, "-m", MODULE],
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        ).stdout
        for seed in ("1", "2")
    ]
    assert told[0] == told[1]
    assert "trades" in told[0]
