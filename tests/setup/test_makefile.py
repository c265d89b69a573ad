"""The verbs of the Makefile, as a person meets them."""

import os
import re
import subprocess

import pytest
import yaml

from tests.house.tree import CHECKOUT

VERBS = (
    "setup",
    "check",
    "test",
    "sim",
    "mutants",
    "bench",
    "fuzz",
    "chaos",
    "demo",
    "up",
    "down",
    "status",
    "logs",
    "lock",
    "clean",
)
OF_THE_MESH = ("demo", "up", "down", "status", "logs")


def make(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run make in this checkout as a person does, also when `make test` is what runs this test."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")} | variables
    command = ["make", *arguments]
    return subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, encoding="utf-8", check=False)


def test_make_alone_lists_the_verbs() -> None:
    """Make without a verb prints each verb with what it does, one line each, and does nothing."""
    listed = make()
    assert listed.returncode == 0
    assert [line.split()[1] for line in listed.stdout.splitlines()] == list(VERBS)
    assert all(len(line.split()) > 3 and len(line) <= 120 for line in listed.stdout.splitlines())


def test_variables_of_python_do_not_reach_what_make_runs() -> None:
    """Another Python's paths do not break the verbs, and compiled tests are kept: the second run starts fast."""
    names = ("PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE")
    shown = make("--eval=probe: ; @env", "probe", **dict.fromkeys(names, "1"))
    assert [line for line in shown.stdout.splitlines() if line.startswith(names)] == []
    assert "PATH=" in shown.stdout


def test_pre_commit_runs_what_check_runs() -> None:
    """The hooks before a commit are the commands of `make check`, in its order."""
    hooks = yaml.safe_load((CHECKOUT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"]
    recipe = make("--dry-run", "check").stdout
    commands = [line.strip() for line in re.findall(r"^(?:@?echo .*\$\()?(\.venv/bin/[^)\n]+)", recipe, re.MULTILINE)]
    assert [hook["entry"] for hook in hooks] == commands
    assert len(commands) == 5


@pytest.mark.parametrize("verb", OF_THE_MESH)
def test_verb_of_the_mesh_is_the_verb_of_bowline(verb: str) -> None:
    """The verbs that start, stop and show the mesh do nothing but call the verb of the same name."""
    recipe = make("--dry-run", verb).stdout.splitlines()
    assert recipe == ["sh services/bootstrap.sh", f".venv/bin/bowline {verb}"]
