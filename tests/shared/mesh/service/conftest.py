"""A project in which the services of this folder run."""

from collections.abc import Iterator

import pytest

from tests.shared.mesh.service.running import Project


@pytest.fixture
def project() -> Iterator[Project]:
    """Return a project; its processes end with the test."""
    with Project() as project:
        yield project
