"""What the tests of the guards begin with."""

import pytest

from tests.shared.risk.readings import Tape


@pytest.fixture
def tape() -> Tape:
    """Return a journal in which both guards count from 1000."""
    tape = Tape()
    tape.reads(1000, 1000)
    return tape
