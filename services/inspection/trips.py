"""`bowline trips`: when a guard tripped and the kill latch was set, by whom and why, and who cleared or resumed it."""

from collections.abc import Iterator, Sequence

from proto.risk import OfSymbol
from proto.verdicts import CoverTripped, EntriesResumed, GuardTripped, KillCleared, KillLatched
from services.inspection.command import show
from services.inspection.story import Story
from services.inspection.why import time_of
from shared.core.tables import Row

STANDS = "no"


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    return show("trips", _rows, argv)


def _rows(story: Story) -> Iterator[Row]:
    rows: list[Row] = []
    standing: list[Row] = []  # by all its names: clearing the newest clears the others with it
    closed: dict[str, list[Row]] = {}  # by symbol: those are resumed
    for record in story.guarded:
        at = time_of(record.sent_wall_ns)
        match record.body:
            case GuardTripped(trip_id=trip_id, reason=reason):
                standing.append(_row(at, "tripped", trip_id, "risk", reason))
            case CoverTripped(trip_id=trip_id, symbol=symbol, reason=reason):
                row = _row(at, "tripped", trip_id, "risk", reason)
                rows.append(row)
                closed.setdefault(symbol, []).append(row)
            case EntriesResumed(scope=OfSymbol(symbol=symbol), actor=actor, reason=reason) if symbol in closed:
                for row in closed.pop(symbol):
                    row["cleared"] = at
                rows.append(_row(at, "resumed", symbol, actor, reason) | {"cleared": at})
            case KillLatched(latch=latch):
                standing.append(_row(at, "latched", latch.latch_id, latch.actor, latch.reason))
            case KillCleared(latch_id=latch_id, actor=actor, reason=reason):
                for row in standing:
                    row["cleared"] = at
                rows += standing
                standing = []
                rows.append(_row(at, "cleared", latch_id, actor, reason) | {"cleared": at})
            case _:
                pass
    yield from (*rows, *standing)


def _row(at: str, event: str, name: str, actor: str, reason: str) -> Row:
    return {"at": at, "event": event, "name": name, "cleared": STANDS, "actor": actor, "reason": reason}
