"""A scene for each test."""

import pytest

from tests.services.risk_watchdog.bare_position import bought, passes
from tests.services.risk_watchdog.bench import Bench
from tests.services.risk_watchdog.surroundings import Scene


@pytest.fixture
def scene() -> Scene:
    """Return a life in which entries can be judged."""
    scene = Scene(Bench())
    scene.begin()
    return scene


@pytest.fixture
def guarded(scene: Scene) -> Scene:
    """Return a life in which both guards count from 10000."""
    scene.account("10000", "10000")
    return scene


@pytest.fixture
def bare(scene: Scene) -> Scene:
    """Return a scene with a position that was to have a stop, and has had none for a quarter of a minute."""
    bought(scene)
    passes(scene, 15.5)
    return scene
