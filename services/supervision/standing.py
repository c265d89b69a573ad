"""What stands against trading, for people and for programs: the kill latch, and what keeps entries waiting. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from proto.risk import Latch, RiskSnapshot
from shared.core.durations import duration
from shared.core.scopes import scope_words

HALTED: Final = "HALTED"
_NS_PER_S: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Standing:
    """The latch that the HALT file stands for, and what risk says: None where it is not heard, be it there or not."""

    latch: Latch | None
    snapshot: RiskSnapshot | None = None
    is_risk_there: bool = False

    @property
    def is_halted(self) -> bool:
        """Tell whether the kill latch holds anywhere."""
        return self.latch is not None or (self.snapshot is not None and self.snapshot.permission == HALTED)

    @property
    def is_cleared(self) -> bool:
        """Tell whether risk has cleared this very latch: its file is there yet, or the executor has not lifted it."""
        snapshot, latch = self.snapshot, self.latch
        if snapshot is None or (latch is not None and latch.latch_id != snapshot.latch_id):
            return False
        return snapshot.latch_is_cleared


def latch_lines(standing: Standing, wall_ns: int) -> Iterator[str]:
    """Yield what is to be seen before all else, and a line between; nothing where no latch holds."""
    if not standing.is_halted:
        return
    latch, snapshot = standing.latch, standing.snapshot
    if snapshot is not None and standing.is_cleared:
        what = "the executor has not lifted it yet" if latch is None else "the HALT file is there yet"
        yield f"*** {HALTED} still: the kill latch {snapshot.latch_id} is cleared, and {what}."
        yield "*** No entry leaves until that is over. Why it is not stands below the table; nothing is left to clear."
        yield ""
        return
    if latch is not None:
        age = duration(max(wall_ns - latch.set_wall_ns, 0) / _NS_PER_S)
        since = f"{datetime.fromtimestamp(latch.set_wall_ns // _NS_PER_S, UTC):%Y-%m-%d %H:%M:%S} UTC, {age} ago"
        yield f"*** {HALTED} by {latch.actor}, {since}: {latch.reason}"
        yield f"*** The kill latch is {latch.latch_id}, and the HALT file is there."
    elif snapshot is not None:
        reasons = "; ".join(one.reason for one in snapshot.conditions if one.permission == HALTED)
        yield f"*** {HALTED}: {reasons}"
        yield f"*** The kill latch is {snapshot.latch_id or 'known to the executor alone'}. There is no HALT file."
    yield "*** No entry leaves, and all is sold until it is flat. `bowline clear-kill` ends it."
    yield ""


def way_out(latch: Latch) -> str:
    """Say what stands, and what to type once somebody has looked."""
    return (
        f"The kill latch {latch.latch_id} stands, set by {latch.actor}: {latch.reason}\n"
        "Nothing is entered until a person has looked, and cleared it:\n"
        f'    bowline clear-kill "why it is over" --yes {latch.latch_id}\n'
    )


def condition_lines(standing: Standing) -> Iterator[str]:
    """Yield why entries wait, a line each behind an empty one; nothing where nothing stands against them."""
    if standing.snapshot is None and standing.is_risk_there:
        yield ""
        yield "entries: not known, for risk is not heard. None is approved meanwhile, and whatever was paused stays so"
    if standing.snapshot is None or not standing.snapshot.conditions:
        return
    yield ""
    yield f"entries: {standing.snapshot.permission}"
    for one in standing.snapshot.conditions:
        yield f"  {one.permission} for {scope_words(one.scope)}: {one.name}, {one.reason}"


def as_builtins(standing: Standing) -> dict[str, Any]:
    """Return the same for programs."""
    latch, snapshot = standing.latch, standing.snapshot
    conditions = [
        {"name": one.name, "of": scope_words(one.scope), "permission": one.permission, "reason": one.reason}
        for one in (snapshot.conditions if snapshot is not None else ())
    ]
    return {
        "latch": None if latch is None else dict(zip(latch.__struct_fields__, msgspec.to_builtins(latch), strict=True)),
        "latch_id": latch.latch_id if latch is not None else snapshot.latch_id if snapshot is not None else None,
        "permission": None if snapshot is None else snapshot.permission,
        "conditions": conditions,
    }
