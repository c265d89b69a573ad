"""The verbs of the Makefile, as a person meets them."""

import os
import subprocess

import pytest

from tests.house.tree import CHECKOUT

VERBS = ("setup", "check", "test", "bench", "fuzz", "demo", "up", "down", "status", "logs", "lock", "clean")
NOT_BUILT = ("demo", "up", "down", "status", "logs")


def make(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run make in this checkout as a person does, also when `make test` is what runs this test."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", *arguments]
    return subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, encoding="utf-8", check=False)


def test_make_alone_lists_the_verbs() -> None:
    """Make without a verb prints each verb with what it does, one line each, and does nothing."""
    listed = make()
    assert listed.returncode == 0
    assert [line.split()[1] for line in listed.stdout.splitlines()] == list(VERBS)
    assert all(len(line.split()) > 3 and len(line) <= 120 for line in listed.stdout.splitlines())


@pytest.mark.parametrize("verb", NOT_BUILT)
def test_verb_not_built_yet_says_what_it_waits_for(verb: str) -> None:
    """A promised verb says in one line that it is not built yet and which part it waits for, and fails."""
    refused = make(verb)
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert refused.stderr.startswith(f"make {verb} is not built yet: it waits for the ")
