"""The core of the executor of the chaos tests: decides every request once, and answers from its journal after. Pure.

What is decided depends on everything decided before: the answer is the number of decisions, so that deciding a second
time, or forgetting one, cannot go unnoticed.
"""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from proto.intents import ExitTaken, SetExit
from proto.orders import PositionChanged
from shared.core.service import Answer, Asked, Effect, Happening, Moment, Recorded, Report, Restored
from tests.chaos.duty import Duty


class ServerCore(Duty):
    """Knows the answer to every request, as the fold of its journal."""

    def __init__(self) -> None:
        super().__init__()
        self._answers: dict[str, Decimal] = {}

    def state(self) -> bytes:
        """Return every answer ever given."""
        return msgspec.json.encode(self._answers)

    def work(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Fold, or decide."""
        del now
        match happening:
            case Restored(state=state):
                self._answers = msgspec.json.decode(state, type=dict[str, Decimal])
            case Recorded(envelope=envelope) if isinstance(envelope.body, PositionChanged):
                self._answers[envelope.cause_id] = envelope.body.quantity
            case Asked(envelope=envelope) if isinstance(envelope.body, SetExit):
                return self._decided(happening, envelope.body)
            case _:
                pass
        return ()

    def _decided(self, asked: Asked, wanted: SetExit) -> Sequence[Effect]:
        request_id = asked.envelope.id
        if request_id in self._answers:
            return (Answer(asked, ExitTaken(wanted.exit_id, self._answers[request_id])),)
        number = Decimal(len(self._answers) + 1)
        decision = PositionChanged(
            strategy=wanted.strategy,
            symbol=wanted.symbol,
            quantity=number,
            average_entry_price=Decimal(1),
            covered_quantity=number,
        )
        return (Report(decision, cause_id=request_id), Answer(asked, ExitTaken(wanted.exit_id, number)))
