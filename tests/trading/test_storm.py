"""A few rounds of the storm with every test run; `make chaos` goes on for as long as you like."""

from collections.abc import Iterator
from typing import Final

import pytest

from tests.trading.mesh import TradingMesh
from tests.trading.storm import Storm

ROUNDS: Final = 5
SEED: Final = 7


@pytest.fixture(scope="module")
def mesh() -> Iterator[TradingMesh]:
    """Run a mesh that the storm itself has judged."""
    with TradingMesh() as running:
        yield running


@pytest.fixture(autouse=True)
def _judged() -> None:
    """Leave the verdict to the storm."""


def test_no_order_is_lost_doubled_or_unapproved_in_a_storm(mesh: TradingMesh) -> None:
    """Killed, frozen and lied to at random, the mesh settles, and the checker finds every promise kept."""
    said: list[str] = []
    weathered = Storm(mesh, seed=SEED, say=said.append).go_through(ROUNDS)
    assert sum(weathered.acts.values()) == len(said) == ROUNDS
    assert weathered.fills
