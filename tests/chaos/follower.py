"""The core of the recorder of the chaos tests: follows the executor's reports from where its testimony ends. Pure."""

from collections.abc import Sequence

from proto.orders import PositionChanged
from shared.core.service import Effect, Follow, Happening, Moment, Told, ToldOfLoss
from tests.chaos.duty import Duty
from tests.chaos.testimony import Line, WasTold, WasToldOfLoss


class FollowerCore(Duty):
    """Its position is durable: the last number in its file."""

    def begin(self, past: Sequence[Line], now: Moment) -> Sequence[Effect]:
        """Follow on."""
        del now
        told = [line.said.sequence for line in past if isinstance(line.said, WasTold)]
        return (Follow("executor", "reports", told[-1] + 1 if told else 1),)

    def work(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Say what was told."""
        del now
        match happening:
            case Told(envelope=envelope):
                body = envelope.body
                quantity = str(body.quantity) if isinstance(body, PositionChanged) else type(body).__name__
                return (self.testify(WasTold(envelope.sequence, envelope.cause_id, quantity)),)
            case ToldOfLoss(next_sequence=next_sequence):
                return (self.testify(WasToldOfLoss(next_sequence)),)
            case _:
                return ()
