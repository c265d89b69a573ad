"""`bowline trips`: when a guard tripped and the kill latch was set, by whom and why, and who cleared it."""

from collections.abc import Iterator, Sequence

from proto.verdicts import GuardTripped, KillCleared, KillLatched
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
    for record in story.guarded:
        at = time_of(record.sent_wall_ns)
        match record.body:
            case GuardTripped(trip_id=trip_id, reason=reason):
                standing.append(_row(at, "tripped", trip_id, "risk", reason))
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
