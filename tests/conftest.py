"""What all tests share: asynchronous ones run on the loop the mesh runs on, and waiting ones beside computing ones."""

import asyncio
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

from shared.mesh.loop import Loop

WAITING: Final = Path(__file__).parent / "trading"  # the minutes of a whole run in which processes wait for each other

# How long an example takes says how busy the machine is: tests run beside each other.
settings.register_profile("beside-others", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("beside-others")


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Give every asynchronous test the loop of the mesh."""
    return {"uvloop": Loop}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread the files that mostly wait evenly among the others: else a run ends with nothing but waiting."""
    files = [list(found) for _, found in groupby(items, key=lambda item: item.path)]
    kinds = [[tests for tests in files if (WAITING in tests[0].path.parents) is waits] for waits in (True, False)]
    places = sorted(
        (place / len(kind), number, place) for number, kind in enumerate(kinds) for place in range(len(kind))
    )
    items[:] = [item for _, number, place in places for item in kinds[number][place]]
