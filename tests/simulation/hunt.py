"""`make mutants`: let the simulation look for each mutant in a copy of the tree, and say how many seeds it took."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.house.tree import CHECKOUT
from tests.simulation.mutants import Mutant, mutants, mutated
from tests.simulation.world import World

SEEDS: Final = 1_000
COPIED: Final = ("proto", "shared", "services", "tests", "pyproject.toml")
NOT_FOUND: Final = "not found"
DID_NOT_RUN: Final = "did not run"


def main() -> int:
    """Hunt every mutant, those whose description holds the words given, or, within a copy, the one that is there."""
    if sys.argv[1:] == ["here"]:
        _say(first_failure())
        return 0
    wanted = [mutant for mutant in mutants() if " ".join(sys.argv[1:]) in mutant.what]
    survivors = 0
    for mutant in wanted:
        found = hunted(mutant)
        survivors += found == NOT_FOUND or found.startswith(DID_NOT_RUN)
        _say(f"| {mutant.what} | {found} |")
    _say(f"{len(wanted) - survivors} of {len(wanted)} mutants found within {SEEDS} seeds")
    return 1 if survivors else 0


def first_failure() -> str:
    """Run seeds until one fails, and say which, and why."""
    for seed in range(SEEDS):
        violations = World(seed).run().violations
        if violations:
            return f"{seed + 1} | {violations[0].partition(':')[0]}"
    return NOT_FOUND


def hunted(mutant: Mutant) -> str:
    """Make the mutant in a copy of the tree, and hunt it there."""
    with copy_with(mutant) as copy:
        if mutant.tests:
            return tested(mutant.tests, copy)
        run = run_in(copy, "-m", "tests.simulation.hunt", "here")
        lines = run.stdout.splitlines()
        return lines[-1] if lines else f"{DID_NOT_RUN}: {run.stderr.splitlines()[-1]}"


@contextmanager
def copy_with(mutant: Mutant) -> Iterator[Path]:
    """Lend a copy of the tree with the mutant in it."""
    with tempfile.TemporaryDirectory(prefix="bw-mutant-") as folder:
        copy = Path(folder)
        for name in COPIED:
            source = CHECKOUT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__", "recordings"))
            else:
                shutil.copy(source, copy / name)
        path = copy / mutant.path
        path.write_text(mutated(mutant, path.read_text(encoding="utf-8")), encoding="utf-8")
        yield copy


def tested(tests: str, copy: Path) -> str:
    """Say whether a file of tests finds the mutant that is in a copy of the tree."""
    run = run_in(copy, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", tests)
    if run.returncode not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
        return f"{DID_NOT_RUN}: {run.stdout.splitlines()[-1]}"
    return NOT_FOUND if run.returncode == pytest.ExitCode.OK else f"{tests} |"


def run_in(copy: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a copy of the tree."""
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    command = [sys.executable, *words]
    return subprocess.run(command, cwd=copy, env=environment, capture_output=True, encoding="utf-8", check=False)


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
