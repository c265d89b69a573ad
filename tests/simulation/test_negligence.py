"""An executor that places no stops and gives nothing up: what the others do about it, everything else being real."""

import re

import pytest

from shared.execution.working import Worker
from tests.simulation.world import Result, World

SEEDS_MAX = 20


def is_closed(result: Result) -> bool:
    """Say whether a symbol was closed by risk's order and read back as flat; what is written of trips has to hold."""
    text = "\n".join(result.lines)
    promises = {violation.removeprefix("checker: ").split(":")[0][:3] for violation in result.violations}
    assert not promises & {"I13", "I16"}, result.violations
    begun = re.findall(r"FlattenBegun\(flatten_id='([^']+)', symbol='[^']+', actor='risk'", text)
    return any(f"FlatnessTold(flatten_id='{flatten_id}', is_flat=True" in text for flatten_id in begun)


def test_position_that_is_left_without_a_stop_is_closed_by_risk(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the word of the executor that leaves it so, and by what the flattener reads; faults or not."""
    monkeypatch.setattr(Worker, "_cover_step", lambda *_: ())
    assert any(is_closed(World(seed).run()) for seed in range(SEEDS_MAX))
