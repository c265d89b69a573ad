"""A fresh clone, set up as a stranger would: the only proof that the first two minutes work.

It builds a whole environment and runs the tests there, which takes minutes; `.ci/run` asks for it with
`-m first_contact`.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from tests.house.tree import CHECKOUT

NOBODY = 65534

# What only computes is the same for everybody, and `.ci/run` has just run it: a stranger's machine adds nothing to it.
# Of the services with real processes it has the mesh as a whole, its runtime, its supervision and its verbs.
LEFT_OUT = (
    "tests/bench",
    "tests/proto",
    "tests/shared/market",
    "tests/shared/mesh/bus",
    "tests/shared/mesh/journal",
    "tests/shared/strategies",
    "tests/shared/trading",
    "tests/chaos",
    "tests/checker",
    "tests/simulation",
    "tests/trading",
    "tests/shared/execution",
    "tests/shared/risk",
    "tests/services/feed_handler",
    "tests/services/flattener",
    "tests/services/metrics",
    "tests/services/risk_watchdog",
    "tests/services/sim_exchange",
    "tests/services/strategy",
)

pytestmark = pytest.mark.first_contact


@dataclass(frozen=True)
class Visitor:
    """Somebody with a fresh clone: who runs the commands, where, and in which environment."""

    clone: Path
    user: int
    environment: Mapping[str, str]

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command in the clone; its output is kept for the message of a failing test."""
        with self.start(*command) as process:
            output, errors = process.communicate()
        return subprocess.CompletedProcess(command, process.returncode, output, errors)

    def start(self, *command: str) -> "subprocess.Popen[str]":
        """Start a command in the clone, in a group of processes of its own."""
        other_user = self.user if self.user != os.getuid() else None
        return subprocess.Popen(
            command,
            cwd=self.clone,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
            user=other_user,
            group=other_user,
            extra_groups=None if other_user is None else [],
        )


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder with a space in its name that every user may enter; pytest's own is closed to others."""
    with tempfile.TemporaryDirectory(prefix="bowline first contact ", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


def a_clone(folder: Path, user: int) -> Path:
    """Return a fresh clone of this checkout that belongs to the user."""
    clone, home = folder / "my bowline", folder / "home"
    home.mkdir()
    subprocess.run(["git", "clone", "--quiet", CHECKOUT, clone], check=True)
    for path in (clone, *clone.rglob("*"), home):
        shutil.chown(path, user, user)
    return clone


def up_to_first_test(output: IO[str]) -> str:
    """Read what is written up to the mark of the first test, or to the end where there is none."""
    said = ""
    while (character := output.read(1)) and not (character == "." and said.endswith("\n")):
        said += character
    return said + character


def the_end_of(finished: "subprocess.CompletedProcess[str]") -> str:
    """Return the last lines of what a command said: set-up names a hundred packages before."""
    return "\n".join([*finished.stdout.splitlines()[-150:], *finished.stderr.splitlines()[-50:]])


def make_test_twice(visitor: Visitor) -> None:
    """Run the README's command, and see that it passes; that the second time nothing is installed and tests start."""
    first = visitor.run("make", "test")
    assert first.returncode == 0, the_end_of(first)
    assert "set-up: done\n" in first.stdout
    assert " passed" in first.stdout.splitlines()[-1]
    # make clears PYTHONHOME for what it runs; a tool run by hand does not survive a wrong one, here or anywhere.
    script = visitor.run("env", "-u", "PYTHONHOME", ".venv/bin/lint-imports", "--no-logo")
    assert script.returncode == 0, script.stdout + script.stderr
    started = time.monotonic()
    with visitor.start("make", "test") as second:
        assert second.stdout is not None
        said = up_to_first_test(second.stdout)
        waited = time.monotonic() - started
        os.killpg(second.pid, signal.SIGTERM)
        second.communicate()
    sys.stdout.write(f"second `make test`: {waited:.1f} s to its first test\n")
    assert said.startswith(".venv/bin/python -m pytest -q "), said
    assert said.endswith("\n."), said


def test_make_test_works_for_a_stranger(folder: Path) -> None:
    """An ordinary user with an empty home, in a path with a space, inside another environment: set up once, tests pass.

    Root in a clean clone is what `.ci/run` is itself.
    """
    user = NOBODY if os.getuid() == 0 else os.getuid()
    clone = a_clone(folder, user)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "active"], check=True)
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTHON"},
        "HOME": str(folder / "home"),
        "VIRTUAL_ENV": str(folder / "active"),
        "PATH": f"{folder / 'active/bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(folder / "nowhere"),
        "PYTHONHOME": str(folder / "nowhere"),
        "PYTEST_ADDOPTS": " ".join(f"--ignore={directory}" for directory in LEFT_OUT),
    }
    make_test_twice(Visitor(clone, user, environment))
