"""What an operator tells the flattener itself: to set the kill latch, where nobody else may be there to do it. Pure."""

from collections.abc import Sequence
from typing import Final

from proto.control import ControlDone, ControlRefused, Kill
from proto.fields import clipped
from proto.risk import Latch
from shared.core.presses import is_of_press, latch_of
from shared.core.service import Answer, Asked, Effect, MakeHalt, Moment

KILLING_MAX: Final = 16  # who wait for the file to be made


class Control:
    """Answers operators. A kill is done once the HALT file is there: it holds then, whoever is dead.

    A latch that stands may have been cleared, which only risk knows: so a new press is a new latch in its place.
    """

    def __init__(self) -> None:
        self.latch: Latch | None = None  # of the HALT file
        self._killing: Final[list[Asked]] = []

    def asked(self, asked: Asked, now: Moment) -> Sequence[Effect]:
        """Return the answer, or what has to be done before there is one."""
        match asked.envelope.body:
            case Kill() as kill if self.latch is not None and is_of_press(self.latch, kill, now.wall_ns):
                return (Answer(asked, _stands(self.latch)),)
            case Kill() if len(self._killing) >= KILLING_MAX:
                reason = f"{KILLING_MAX} wait for the HALT file to be made: ask again"
                return (Answer(asked, ControlRefused("no_more_may_wait", reason)),)
            case Kill() as kill:
                self._killing.append(asked)
                return (MakeHalt(latch_of(kill, now.wall_ns), is_pressed=True),)
            case _:
                reason = (
                    "the flattener takes a kill, what shall be flat, and, while it acts for the executor, what is "
                    "resumed; everything else is asked of risk"
                )
                return (Answer(asked, ControlRefused("asked_of_risk", reason)),)

    def halt_seen(self, latch: Latch | None) -> Sequence[Effect]:
        """Take in what the HALT file stands for."""
        self.latch = latch
        return () if latch is None else self._answers(_stands(latch))

    def halt_unwritable(self, reason: str) -> Sequence[Effect]:
        """Say that the file could not be made: risk or executor have to hold the latch."""
        return self._answers(ControlRefused("halt_file_is_made", clipped(f"the HALT file cannot be made: {reason}")))

    def _answers(self, body: ControlDone | ControlRefused) -> Sequence[Effect]:
        answers = [Answer(asked, body) for asked in self._killing]
        self._killing.clear()
        return answers


def _stands(latch: Latch) -> ControlDone:
    return ControlDone(clipped(f"the kill latch {latch.latch_id} stands, set by {latch.actor}: {latch.reason}"))
