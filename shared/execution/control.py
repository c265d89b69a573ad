"""What keeps entries waiting until an operator has looked, and what an operator tells the executor itself. Pure."""

from collections.abc import Sequence
from typing import Final

from proto.control import ControlDone, ControlRefused, PauseEntries, ResumeEntries
from proto.envelope import Body
from proto.fields import Name, clipped
from proto.orders import ConditionCleared, ConditionSet
from proto.risk import Condition, Everything
from shared.core.service import Answer, Asked, Report
from shared.execution.books import Books

PAUSED: Final = "operator_pause"
RECORDS_LOST: Final = "records_lost"
TROUBLED_START: Final = "troubled_start"


class Control:
    """Answers operators, and says what they have to look at."""

    def __init__(self, books: Books) -> None:
        self._books: Final = books
        self._unwritten: Final[dict[Name, str]] = {}

    def wary(self, name: Name, reason: str) -> None:
        """Let entries wait for a reason of our own, which is written down as soon as it can be."""
        self._unwritten[name] = reason

    def due(self) -> Sequence[Report]:
        """Return what is to be written down, again and again until it is."""
        return [
            Report(ConditionSet(Condition(name, Everything(), "REDUCE_ONLY", clipped(reason, 64))), reducing=True)
            for name, reason in self._unwritten.items()
        ]

    def recorded(self, body: Body) -> None:
        """Take in that it is, in this life or in one before, and maybe lifted since."""
        match body:
            case ConditionSet(condition=Condition(name=name)) | ConditionCleared(name=name):
                self._unwritten.pop(name, None)
            case _:
                pass

    def asked(self, asked: Asked, body: Body) -> tuple[Sequence[Report], Answer]:
        """Return what is written down, and the answer."""
        match body:
            case PauseEntries(actor=actor, reason=reason, scope=scope):
                condition = Condition(PAUSED, scope, "REDUCE_ONLY", clipped(f"{actor}: {reason}", 64))
                report = Report(ConditionSet(condition), cause_id=asked.envelope.id, reducing=True)
                return (report,), Answer(asked, ControlDone("the executor sends no entries"))
            case ResumeEntries(actor=actor, reason=reason, scope=scope):
                standing = [one for one in self._books.conditions.values() if scope in {one.scope, Everything()}]
                if not standing:
                    return (), Answer(asked, ControlRefused("scope_is_paused", "nothing of that scope is waiting"))
                reports = [
                    Report(ConditionCleared(one.name, one.scope, actor, reason), cause_id=asked.envelope.id)
                    for one in standing
                ]
                names = ", ".join(one.name for one in standing)
                return reports, Answer(asked, ControlDone(clipped(f"lifted: {names}")))
            case _:
                reason = "the executor takes pauses and their end; everything else is asked of risk"
                return (), Answer(asked, ControlRefused("asked_of_risk", reason))
