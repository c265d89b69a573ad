"""What all tests share: asynchronous ones run on the loop the mesh runs on, and waiting ones beside computing ones."""

import asyncio
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

from shared.mesh.loop import Loop

LONG: Final = tuple(Path(__file__).parent / name for name in ("trading", "simulation"))  # waits, and computes

# How long an example takes says how busy the machine is: tests run beside each other.
settings.register_profile("beside-others", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("beside-others")


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Give every asynchronous test the loop of the mesh."""
    return {"uvloop": Loop}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread the long files evenly among the others, so that no run ends with one worker that is busy alone."""
    kinds: dict[Path | None, list[list[pytest.Item]]] = {}
    for path, tests in groupby(items, key=lambda item: item.path):
        kinds.setdefault(next((long for long in LONG if long in path.parents), None), []).append(list(tests))
    placed = [(place / len(files), file) for files in kinds.values() for place, file in enumerate(files)]
    items[:] = [item for _, file in sorted(placed, key=lambda one: one[0]) for item in file]
