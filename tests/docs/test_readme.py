"""What the README shows of the running mesh is what it does."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.house.tree import CHECKOUT
from tests.loopback import THIS_HOST, free_port
from tests.services.supervision.harness import eventually

BOWLINE = CHECKOUT / ".venv" / "bin" / "bowline"
SHOWN = re.compile(r"\$ make status\n(.*?)```", re.DOTALL)


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """Give the mesh directories of its own; short, for the paths of sockets."""
    home = Path(tempfile.mkdtemp(prefix="bw-"))
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(CHECKOUT),  # another working tree may share the .venv
        "BOWLINE_PATHS__VAR_DIRECTORY": str(home / "var"),
        "BOWLINE_PATHS__RUN_DIRECTORY": str(home / "run"),
        "BOWLINE_METRICS__PORT": str(free_port(THIS_HOST)),
        "BOWLINE_SIM_EXCHANGE__PORT": str(free_port(THIS_HOST)),
    }
    yield environment
    verb("down", environment)
    shutil.rmtree(home)


def verb(name: str, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a verb against this checkout, as its user does."""
    return subprocess.run(
        [BOWLINE, name, *arguments], env=environment, capture_output=True, encoding="utf-8", check=False
    )


def words(table: str) -> list[list[str]]:
    """Return the cells of a table, with a number in the place of every number and time; what stands behind varies."""
    lines = [re.split(r"  +", line.strip()) for line in table.partition("\n\n")[0].splitlines()]
    return [[re.sub(r"(\d+ min )?[\d.]+", "1", cell) for cell in line] for line in lines]


def test_the_mesh_runs_as_the_readme_shows(environment: dict[str, str]) -> None:
    """Demo, status, crash and down do what the page says, with the processes there are; the checker finds all kept."""
    shown = SHOWN.findall((CHECKOUT / "README.md").read_text(encoding="utf-8"))
    assert len(shown) == 1
    demo = verb("demo", environment)
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "bowline watch" in demo.stdout
    looks: list[subprocess.CompletedProcess[str]] = []

    def is_as_shown() -> bool:
        looks.append(verb("status", environment))
        return (looks[-1].returncode, words(looks[-1].stdout)) == (0, words(shown[0]))

    with suppress(AssertionError):  # on a busy machine one may be silent, or have a worry, for a moment
        eventually(is_as_shown)
    assert (looks[-1].returncode, words(looks[-1].stdout)) == (0, words(shown[0]))
    watched = verb("watch", environment, "--once")
    assert "BTC/USDT feed" in watched.stdout, watched.stdout + watched.stderr
    crash = verb("crash", environment, "feed")
    assert crash.returncode == 0, crash.stdout + crash.stderr
    down = verb("down", environment)
    assert down.returncode == 0, down.stdout + down.stderr
    assert verb("status", environment).returncode == 3
    verified = verb("verify", environment)
    assert verified.returncode == 0, verified.stdout + verified.stderr
