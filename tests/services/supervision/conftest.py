"""Meshes for the tests of this folder; each ends with its test or its module, whatever happened in it."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.services.supervision.harness import SmallMesh

MakeMesh = Callable[..., SmallMesh]


@pytest.fixture(scope="module")
def make_mesh() -> Iterator[MakeMesh]:
    """Return a maker of meshes, in folders short enough for sockets."""
    with ExitStack() as held:

        def make(
            changes: Mapping[str, Mapping[str, str]] | None = None, *, overseen: bool = False, **programs: str
        ) -> SmallMesh:
            root = Path(tempfile.mkdtemp(prefix="bw-"))
            named = {name.replace("_", "-"): conduct for name, conduct in programs.items()}
            mesh = SmallMesh(root, named, changes or {}, overseen=overseen)
            held.callback(mesh.leave)
            return mesh

        yield make
