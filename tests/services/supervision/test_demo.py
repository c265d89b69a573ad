"""What `bowline demo` says beside what `bowline up` says."""

import re

from services.supervision.demo import tour
from shared.mesh.settings import load_configuration
from tests.house.tree import CHECKOUT


def test_tour_is_a_table() -> None:
    """Whatever the port, every command has its explanation in one column, at a distance from the longest."""
    for port in ("80", "65535"):
        settings = load_configuration(root=CHECKOUT, environment={"BOWLINE_METRICS__PORT": port}).settings
        lines = [re.fullmatch(r"  (.*\S) {3,}(\S.*)", line) for line in tour(settings).splitlines()]
        assert len({line.start(2) if line else None for line in lines}) == 1, lines
        assert f"  curl -s http://127.0.0.1:{port}/metrics   the same for Prometheus" in tour(settings)
