"""What whoever clears the kill latch should know before: what is still open, and what stands beside it. Pure."""

from collections.abc import Iterator, Sequence

from proto.risk import Condition
from services.risk_watchdog.core.latch import KILL_LATCH
from services.risk_watchdog.core.reports import ExecutorReports


def in_the_way(reports: ExecutorReports, conditions: Sequence[Condition], *, executor_moves: bool) -> str:
    """Return what stands in the way of trading when this latch is gone, in a line."""
    return "; ".join(_found(reports, conditions, executor_moves=executor_moves)) or "nothing else stands in the way"


def _found(reports: ExecutorReports, conditions: Sequence[Condition], *, executor_moves: bool) -> Iterator[str]:
    if not executor_moves:
        yield "the executor is not heard to work: the HALT file stays until it has lifted the latch"
    told = reports.flatness
    if reports.latch is not None and (told is None or told.flatten_id != reports.latch.latch_id):
        yield "whether everything is closed was not told yet"
    elif reports.latch is not None and told is not None and not told.is_flat:
        yield f"NOT FLAT: {told.reason}"
    if reports.positions:
        yield f"held: {', '.join(sorted(symbol for _, symbol in reports.positions))}"
    for condition in conditions:
        if condition.name != KILL_LATCH:
            yield f"{condition.name} ({condition.permission}): {condition.reason}"
