"""A bounded run of chaos with every test run; `make chaos` goes on for as long as you like."""

from typing import Final

from tests.chaos.mesh import ChaosMesh
from tests.chaos.rounds import Chaos

ROUNDS: Final = 8
SEED: Final = 186


def test_mesh_keeps_its_promises_under_fire(mesh: ChaosMesh) -> None:
    """Whoever is killed or stopped at random, everything is delivered once and in order, and only the victim dies."""
    said: list[str] = []
    wrong = Chaos(mesh, seed=SEED, frozen_ms_max=1_500, say=said.append).go_through(ROUNDS)
    assert wrong == [], "\n".join([*said, *wrong])
    assert len(said) == ROUNDS + 1
