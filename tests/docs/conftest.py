"""A little mesh for what the pages show."""

from tests.shared.mesh.bus.conftest import eventually, mesh, run_directory

__all__ = ["eventually", "mesh", "run_directory"]
