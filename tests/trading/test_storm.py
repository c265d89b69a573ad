"""A few rounds of the storm with every test run; `make chaos` goes on for as long as you like."""

from typing import Final

from tests.trading.mesh import TradingMesh
from tests.trading.storm import Storm

ROUNDS: Final = 5
SEED: Final = 7


def test_no_order_is_lost_doubled_or_unapproved_in_a_storm(mesh: TradingMesh) -> None:
    """Killed, frozen and lied to at random, the mesh settles, and the checker finds every promise kept."""
    said: list[str] = []
    weathered = Storm(mesh, seed=SEED, say=said.append).go_through(ROUNDS)
    assert sum(weathered.acts.values()) == len(said) == ROUNDS
    assert weathered.fills
