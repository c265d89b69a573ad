"""An executor that places no stops and gives nothing up: what the others do about it, everything else being real."""

import re
from typing import Final

from tests.simulation.hunt import copy_with, run_in
from tests.simulation.mutants import Edit, Mutant
from tests.simulation.world import Result, World

SEEDS_MAX: Final = 20
NEGLIGENT: Final = Mutant(
    what="the executor places no stop, and gives nothing up",
    path="shared/execution/working.py",
    edit=(Edit(before="return self._cover_step(place, working, now)", after="return ()"),),
)
PROGRAM: Final = "from tests.simulation.test_negligence import seed_that_is_closed; print(seed_that_is_closed())"


def is_closed(result: Result) -> bool:
    """Say whether a symbol was closed by risk's order and read back as flat; what is written of trips has to hold."""
    text = "\n".join(result.lines)
    promises = {violation.removeprefix("checker: ").split(":")[0][:3] for violation in result.violations}
    assert not promises & {"I13", "I16"}, result.violations
    begun = re.findall(r"FlattenBegun\(flatten_id='([^']+)', symbol='[^']+', actor='risk'", text)
    return any(f"FlatnessTold(flatten_id='{flatten_id}', is_flat=True" in text for flatten_id in begun)


def seed_that_is_closed() -> int | None:
    """Return the first seed in which risk had something closed."""
    return next((seed for seed in range(SEEDS_MAX) if is_closed(World(seed).run())), None)


def test_position_that_is_left_without_a_stop_is_closed_by_risk() -> None:
    """By the word of the executor that leaves it so, and by what the flattener reads; faults or not."""
    with copy_with(NEGLIGENT) as copy:
        ran = run_in(copy, "-c", PROGRAM)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip().isdecimal(), f"risk had nothing closed in {SEEDS_MAX} seeds"
