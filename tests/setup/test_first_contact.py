"""A fresh clone, set up as a stranger would: the only proof that the first two minutes work.

Each case builds a whole environment, about a minute; `.ci/run` asks for them with `-m first_contact`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.house.tree import CHECKOUT

NOBODY = 65534

pytestmark = pytest.mark.first_contact


@dataclass(frozen=True)
class Visitor:
    """Somebody with a fresh clone: who runs the commands, where, and in which environment."""

    clone: Path
    user: int
    environment: Mapping[str, str]

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command in the clone; its output is kept for the message of a failing test."""
        other_user = self.user if self.user != os.getuid() else None
        return subprocess.run(
            command,
            cwd=self.clone,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
            user=other_user,
            group=other_user,
            extra_groups=None if other_user is None else [],
        )


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder with a space in its name that every user may enter; pytest's own is closed to others."""
    with tempfile.TemporaryDirectory(prefix="bowline first contact ") as name:
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


def set_up_twice(visitor: Visitor) -> None:
    """Set up, see that the tools run under this path, and see that the second time nothing is installed."""
    first = visitor.run("make", "setup")
    assert first.returncode == 0, first.stdout + first.stderr
    assert first.stdout.endswith("set-up: done\n"), first.stdout
    # make clears PYTHONHOME for what it runs; a tool run by hand does not survive a wrong one, here or anywhere.
    rules = visitor.run(
        "env", "-u", "PYTHONHOME", ".venv/bin/python", "-m", "pytest", "-q", "tests/house/test_rules.py"
    )
    assert rules.returncode == 0, rules.stdout + rules.stderr
    script = visitor.run("env", "-u", "PYTHONHOME", ".venv/bin/lint-imports", "--no-logo")
    assert script.returncode == 0, script.stdout + script.stderr
    started = time.monotonic()
    second = visitor.run("make", "-s", "setup")
    sys.stdout.write(f"second set-up: {time.monotonic() - started:.1f} s\n")
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")


def test_set_up_works_inside_another_environment(folder: Path) -> None:
    """With another environment active and its variables set, set-up builds its own, once, in a path with a space."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "active"], check=True)
    environment = {
        **os.environ,
        "VIRTUAL_ENV": str(folder / "active"),
        "PATH": f"{folder / 'active/bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(folder / "nowhere"),
        "PYTHONHOME": str(folder / "nowhere"),
    }
    clone = a_clone(folder, os.getuid())
    set_up_twice(Visitor(clone, os.getuid(), environment))


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user; the other test ran as an ordinary one")
def test_set_up_works_as_an_ordinary_user(folder: Path) -> None:
    """A user without rights, with an empty home and nothing cached, sets up a clone of their own, once."""
    clone = a_clone(folder, NOBODY)
    environment = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHON"}}
    set_up_twice(Visitor(clone, NOBODY, {**environment, "HOME": str(folder / "home")}))
