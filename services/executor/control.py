"""What an operator tells the executor itself: to let entries wait, and that what made it wary was looked at. Pure."""

from collections.abc import Sequence
from typing import Final

from proto.control import ControlDone, ControlRefused, PauseEntries, ResumeEntries
from proto.envelope import Body
from proto.fields import clipped
from proto.orders import ConditionCleared, ConditionSet
from proto.risk import Condition, Everything
from services.executor.books import Books
from shared.core.service import Answer, Asked, Report

PAUSED: Final = "operator_pause"
RECORDS_LOST: Final = "records_lost"


class Control:
    """Answers operators."""

    def __init__(self, books: Books) -> None:
        self._books: Final = books

    def asked(self, asked: Asked, body: Body) -> tuple[Sequence[Report], Answer]:
        """Return what is written down, and the answer."""
        match body:
            case PauseEntries(actor=actor, reason=reason, scope=scope):
                condition = Condition(PAUSED, scope, "REDUCE_ONLY", clipped(f"{actor}: {reason}", 64))
                report = Report(ConditionSet(condition), cause_id=asked.envelope.id, reducing=True)
                return (report,), Answer(asked, ControlDone("the executor sends no entries"))
            case ResumeEntries(actor=actor, reason=reason, scope=scope):
                standing = [one for one in self._books.conditions.values() if scope in {one.scope, Everything()}]
                reports = [
                    Report(ConditionCleared(one.name, one.scope, actor, reason), cause_id=asked.envelope.id)
                    for one in standing
                ]
                names = ", ".join(one.name for one in standing) or "nothing"
                return reports, Answer(asked, ControlDone(clipped(f"lifted: {names}")))
            case _:
                reason = "the executor takes pauses and their end; everything else is asked of risk"
                return (), Answer(asked, ControlRefused("asked_of_risk", reason))

    def records_lost(self, reason: str) -> None:
        """Take in that our own journal has a hole: nobody knows what stood there."""
        condition = Condition(RECORDS_LOST, Everything(), "REDUCE_ONLY", clipped(reason, 64))
        self._books.conditions[condition.name, condition.scope] = condition
