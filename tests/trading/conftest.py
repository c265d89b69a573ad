"""One mesh for the tests of a file. Whatever they do to it, the checker has the last word on each, and on all."""

from collections.abc import Iterator

import pytest

from tests.trading.mesh import TradingMesh
from tests.trading.trader import Trader


@pytest.fixture(scope="module")
def mesh(request: pytest.FixtureRequest) -> Iterator[TradingMesh]:
    """Run a mesh, with what else a file has in `BESIDE`; in the end all is sold, and the checker wants all ended."""
    with TradingMesh() as running:
        for instance in getattr(request.module, "BESIDE", ()):
            running.start(instance)
        yield running
        Trader(running).settle()
        running.judge("--settled")


@pytest.fixture
def trader(mesh: TradingMesh) -> Trader:
    """Return a strategy that does what a test says."""
    return Trader(mesh)


@pytest.fixture(autouse=True)
def _judged(mesh: TradingMesh) -> Iterator[None]:
    """Make the mesh whole after each test, and hold what was written down against the promises."""
    yield
    mesh.heal()
    mesh.judge()
