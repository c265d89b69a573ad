"""The same seed, the same script and the same clock make the same log, byte for byte."""

import subprocess
import sys
from pathlib import Path

from tests.house.tree import CHECKOUT


def test_log_is_the_same_in_every_process(tmp_path: Path) -> None:
    """Two processes with different hash seeds write the same log and tell the same of every trade and level."""
    ran = [
        subprocess.run(
            [sys.executable, "-m", "tests.services.sim_exchange.record.scripted", str(tmp_path / hash_seed)],
            cwd=CHECKOUT,
            env={"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert ran[0] == ran[1]
    assert int(ran[0].split()[2]) > 30, "the client hardly traded"
