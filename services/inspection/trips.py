"""`bowline trips`: when a guard tripped and the kill latch was set, by whom and why, and who cleared or resumed it."""

from collections.abc import Iterable, Iterator, Sequence

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
    latched: list[Row] = []  # by all their names: clearing the newest clears the others with it
    closed: dict[str, list[Row]] = {}  # by symbol: those are resumed
    for record in story.guarded:
        at = time_of(record.sent_wall_ns)
        match record.body:
            case GuardTripped(trip_id=trip_id, reason=reason):
                latched.append(_row(at, "tripped", trip_id, "risk", reason))
                rows.append(latched[-1])
            case KillLatched(latch=latch):
                latched.append(_row(at, "latched", latch.latch_id, latch.actor, latch.reason))
                rows.append(latched[-1])
            case KillCleared(latch_id=latch_id, actor=actor, reason=reason):
                rows.append(_row(at, "cleared", latch_id, actor, reason))
                _clear([*latched, rows[-1]], at)
                latched.clear()
            case CoverTripped(trip_id=trip_id, symbol=symbol, reason=reason):
                rows.append(_row(at, "tripped", trip_id, "risk", reason))
                closed.setdefault(symbol, []).append(rows[-1])
            case EntriesResumed(scope=OfSymbol(symbol=symbol), actor=actor, reason=reason) if symbol in closed:
                rows.append(_row(at, "resumed", symbol, actor, reason))
                _clear([*closed.pop(symbol), rows[-1]], at)
            case _:
                pass
    yield from rows


def _clear(rows: Iterable[Row], at: str) -> None:
    for row in rows:
        row["cleared"] = at


def _row(at: str, event: str, name: str, actor: str, reason: str) -> Row:
    return {"at": at, "event": event, "name": name, "cleared": STANDS, "actor": actor, "reason": reason}
