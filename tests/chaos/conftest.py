"""Meshes for the chaos tests; each ends with its test, whatever happened in it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.mesh import ChaosMesh
from tests.chaos.single import Singles


@pytest.fixture
def mesh() -> Iterator[ChaosMesh]:
    """Return a mesh that is not up yet, in a folder short enough for sockets."""
    mesh = ChaosMesh(Path(tempfile.mkdtemp(prefix="bw-")))
    yield mesh
    mesh.leave()


@pytest.fixture
def singles(mesh: ChaosMesh) -> Iterator[Singles]:
    """Return a starter of single services of that mesh, without a supervisord."""
    with Singles(mesh) as singles:
        yield singles
