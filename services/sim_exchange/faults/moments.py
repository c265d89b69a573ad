"""Times as people write them in a fault: so long after it was added, or a moment in UTC. Pure."""

import re
from datetime import UTC, datetime
from typing import Final

_RELATIVE: Final = re.compile(r"\+([0-9]{1,9})(ms|s|m|h)")
_UNITS_MS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}
_SECOND_MS: Final = 1_000
HOW_TO_WRITE: Final = "write how long after, such as +500ms, +12s, +3m or +2h, or a moment such as 2026-01-31T12:00:00Z"


def moment_ms(text: str, start_ms: int) -> int:
    """Return the moment a text means; one that begins with + counts from `start_ms`. ValueError says what to write."""
    relative = _RELATIVE.fullmatch(text)
    if relative is not None:
        return start_ms + int(relative[1]) * _UNITS_MS[relative[2]]
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError(HOW_TO_WRITE)
    return round(moment.astimezone(UTC).timestamp() * _SECOND_MS)
