"""What others ask of the executor: to work an approval, to bring a position down, to let entries wait. Pure."""

from collections.abc import Sequence
from typing import Final

from proto.fields import clipped
from proto.intents import ExitRefused, ExitTaken, SetExit
from proto.orders import EntryOpened, ExitOpened, SendMarked
from proto.verdicts import Approval, ApprovalDeclined, ApprovalTaken
from shared.core.service import Answer, Asked, Moment, Report
from shared.execution.books import Books, Place
from shared.execution.control import Control
from shared.execution.entrance import Entrance
from shared.execution.facts import Facts
from shared.execution.leave import Refusal

Reply = tuple[Sequence[Report], Answer]  # what is written down first, and what is answered then


class Requests:
    """Answers whoever asks."""

    def __init__(self, books: Books, entrance: Entrance, control: Control, facts: Facts) -> None:
        self._books: Final = books
        self._entrance: Final = entrance
        self._control: Final = control
        self._facts: Final = facts
        self.is_stopping = False

    def asked(self, asked: Asked, now: Moment) -> Reply:
        """Return what a request leads to."""
        body = asked.envelope.body
        if isinstance(body, Approval):
            return self._approved(asked, body, now)
        if isinstance(body, SetExit):
            return self._exit(asked, body)
        return self._control.asked(asked, body, now)

    def _approved(self, asked: Asked, approval: Approval, now: Moment) -> Reply:
        if approval.approval_id in self._books.entries:
            return (), Answer(asked, ApprovalTaken(approval.approval_id))
        entered = self._by_the_moment(now) or self._entrance.judged(approval, asked.envelope.boot_id, now)
        if not isinstance(entered, SendMarked):
            rule, reason = entered
            return (), Answer(asked, ApprovalDeclined(approval.approval_id, rule, clipped(reason)))
        reports = (
            Report(EntryOpened(approval), cause_id=approval.intent_id),
            Report(entered, cause_id=approval.approval_id),
        )
        return reports, Answer(asked, ApprovalTaken(approval.approval_id))

    def _by_the_moment(self, now: Moment) -> Refusal | None:
        if self.is_stopping:
            return "not_stopping", "the executor is ending"
        if self._facts.is_turn_over(now):
            return "facts_come_first", "what the venue told is not all in the books yet"
        return None

    def _exit(self, asked: Asked, wanted: SetExit) -> Reply:
        place: Place = (wanted.strategy, wanted.symbol)
        known = self._books.exits.get(place)
        is_taken = known is not None and known.target_quantity <= wanted.target_quantity
        # A flatten may be called off, and its exits with it: one of the strategy's own then takes the place of that.
        if known is not None and is_taken and (not known.is_of_flatten or wanted.target_quantity):
            return (), Answer(asked, ExitTaken(wanted.exit_id, known.target_quantity))
        is_held = self._books.is_entered(place) or self._books.positions.of(*place).owned
        if not is_held and not self._books.working(place):
            reason = f"{wanted.strategy} holds no {wanted.symbol}, and nothing is worked for it"
            return (), Answer(asked, ExitRefused(wanted.exit_id, reason))
        opened = ExitOpened(
            exit_id=wanted.exit_id,
            strategy=wanted.strategy,
            symbol=wanted.symbol,
            target_quantity=wanted.target_quantity,
            asked_by=asked.instance,
            reason=wanted.reason,
        )
        report = Report(opened, cause_id=asked.envelope.id, reducing=True)
        return (report,), Answer(asked, ExitTaken(wanted.exit_id, wanted.target_quantity))
