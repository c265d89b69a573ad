"""Real processes for the tests of this folder."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.shared.mesh.crew import Crew


@pytest.fixture(scope="session")
def helper() -> Iterator[Crew]:
    """Return a helper that forks processes, one for all tests."""
    with Crew() as crew:
        yield crew


@pytest.fixture
def fast_path(tmp_path: Path) -> Iterator[Path]:
    """Return a directory in memory where there is one: for hundreds of starts, each of which waits for its disk."""
    memory = Path("/dev/shm")  # noqa: S108 - the directory below it is made afresh and for us alone
    if not memory.is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as path:
        yield Path(path)


@pytest.fixture
def crew(helper: Crew) -> Iterator[Crew]:
    """Return the helper, and kill after the test whatever it forked."""
    yield helper
    helper.dismiss()
