"""What a person should know, written down under the name of the page that says what to do. Pure.

The same is not said again within a minute, however often it happens.
"""

from typing import Final, Literal

from proto.fields import Id, Name, clipped
from proto.verdicts import Alerted
from services.risk_watchdog.core.terms import SECOND_NS
from shared.core.service import Moment, Note, Report

Level = Literal["info", "warning", "critical"]
AGAIN_NS: Final = 60 * SECOND_NS


def alert(level: Level, name: Name, text: str, cause_id: Id | None = None) -> Report:
    """Return the record of something that happens once, by what it is. It may use the last room of the journal."""
    return Report(Alerted(level, name, clipped(text)), cause_id, reducing=True)


def note_of_alert(alerted: Alerted) -> Note:
    """Return what the log says of it."""
    return Note(alerted.level, alerted.name, {"text": alerted.text})


class Alerts:
    """Tells what may happen again and again."""

    def __init__(self) -> None:
        self._told_ns: Final[dict[Name, int]] = {}  # there are as many names as pages

    def tell(self, level: Level, name: Name, text: str, now: Moment, cause_id: Id | None = None) -> list[Report]:
        """Return the record, unless the same was told within the last minute."""
        told_ns = self._told_ns.get(name)
        if told_ns is not None and now.boot_ns - told_ns < AGAIN_NS:
            return []
        self._told_ns[name] = now.boot_ns
        return [alert(level, name, text, cause_id)]
