"""What whoever clears the kill latch should know before: what is still open, and what stands beside it. Pure."""

from collections.abc import Iterator, Sequence

from proto.risk import Condition
from services.risk_watchdog.core.flat_watch import FlatWatch
from services.risk_watchdog.core.latch import KILL_LATCH
from services.risk_watchdog.core.reports import ExecutorReports


def in_the_way(
    reports: ExecutorReports, flat: FlatWatch, conditions: Sequence[Condition], *, executor_moves: bool
) -> str:
    """Return what stands in the way of trading when this latch is gone, in a line."""
    found = _found(reports, flat, conditions, executor_moves=executor_moves)
    return "; ".join(found) or "nothing else stands in the way"


def _found(
    reports: ExecutorReports, flat: FlatWatch, conditions: Sequence[Condition], *, executor_moves: bool
) -> Iterator[str]:
    if not executor_moves:
        yield "the executor is not heard to work: the HALT file stays until it has lifted the latch"
    if (trouble := flat.trouble()) is not None:
        yield trouble
    if reports.positions:
        yield f"held: {', '.join(sorted(symbol for _, symbol in reports.positions))}"
    for condition in conditions:
        if condition.name != KILL_LATCH:
            yield f"{condition.name} ({condition.permission}): {condition.reason}"
