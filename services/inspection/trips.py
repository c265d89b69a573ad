"""`bowline trips`: when a guard tripped and the kill latch was set, by whom and why, and who cleared or resumed it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from proto.risk import Latch, OfSymbol
from proto.verdicts import CoverTripped, EntriesResumed, GuardTripped, KillCleared, KillLatched
from services.inspection.command import show
from services.inspection.story import Story
from services.inspection.why import time_of
from shared.core.presses import SAME_PRESS_NS_MAX
from shared.core.tables import Row
from shared.mesh.halt_file import NOBODY

STANDS: Final = "no"
LATCHED: Final = "latched"


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    return show("trips", _rows, argv)


def _rows(story: Story) -> Iterator[Row]:
    rows: list[Row] = []
    latched: list[Row] = []  # by all their names: clearing the newest clears the others with it
    closed: dict[str, list[Row]] = {}  # by symbol: those are resumed
    set_ns = 0  # when the newest latch was set
    for record in story.guarded:
        at = time_of(record.sent_wall_ns)
        match record.body:
            case GuardTripped(trip_id=trip_id, reason=reason):
                latched.append(_row(at, "tripped", trip_id, "risk", reason))
                rows.append(latched[-1])
            case KillLatched(latch=latch):
                if latched and _is_of_press(latched[-1], latch, set_ns):
                    _go_on(latched[-1], latch)
                else:
                    latched.append(_row(at, LATCHED, latch.latch_id, latch.actor, latch.reason))
                    rows.append(latched[-1])
                set_ns = latch.set_wall_ns
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


def _is_of_press(row: Row, latch: Latch, set_ns: int) -> bool:
    """Say whether a latch is of the press that a row shows: its file, which could not take words, or as another has it.

    Two that nobody has put his name to were touched by hand twice.
    """
    if row["event"] != LATCHED or abs(latch.set_wall_ns - set_ns) > SAME_PRESS_NS_MAX:
        return False
    if NOBODY in {row["actor"], latch.actor}:
        return row["actor"] != latch.actor
    return (row["actor"], row["reason"]) == (latch.actor, latch.reason)


def _go_on(row: Row, latch: Latch) -> None:
    """Let a row have the newest name, which is the one to clear, and the words of the person who pressed."""
    row["name"] = latch.latch_id
    if latch.actor != NOBODY:
        row["actor"], row["reason"] = latch.actor, latch.reason


def _clear(rows: Iterable[Row], at: str) -> None:
    for row in rows:
        row["cleared"] = at


def _row(at: str, event: str, name: str, actor: str, reason: str) -> Row:
    return {"at": at, "event": event, "name": name, "cleared": STANDS, "actor": actor, "reason": reason}
