"""A risk that does nothing but write down alerts, as a real process: `python -m tests.services.metrics.alarm_program`.

One with every start, and one on the way down.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from proto.verdicts import Alerted
from shared.core.service import Effect, Happening, Moment, Recorded, Report, Started, Stop, StopAsked
from shared.mesh.service import JournaledPlan, run

UP = Alerted("info", "made-up", "it began")
DOWN = Alerted("critical", "made-up", "it ends")


class Alarm:
    """Writes down what is to be known."""

    def __init__(self) -> None:
        self._ends = False

    def state(self) -> bytes:
        """Return nothing: nothing is to be remembered."""
        return b""

    def handle(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Write it down."""
        del now
        match happening:
            case Started():
                return (Report(UP),)
            case StopAsked():
                self._ends = True
                return (Report(DOWN),)
            case Recorded() if self._ends:
                return (Stop(),)
            case _:
                return ()


def main() -> int:
    """Run it."""
    plan = JournaledPlan(instance="risk", core=Alarm(), reports="verdicts")
    return run(plan, root=Path(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(main())
