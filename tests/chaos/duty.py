"""What the cores of the chaos tests have in common: they say when they have the seat, stood still, and end. Pure."""

from collections.abc import Sequence

from shared.core.service import Effect, Happening, Moment, Stalled, Started, Stop, StopAsked
from tests.chaos.testimony import Left, Line, Said, Stood, Took
from tests.chaos.witness import Testify, WitnessReady


class Duty:
    """A core that begins when its witness is ready."""

    def __init__(self) -> None:
        self.epoch = 0
        self._troubles: tuple[str, ...] = ()

    def handle(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Take in what happened and return what shall be done."""
        match happening:
            case Started():
                self.epoch, self._troubles = happening.epoch, happening.troubles
                return ()
            case WitnessReady():
                took = Took(happening.process_id, happening.sole, self._troubles)
                return (self.testify(took), *self.begin(happening.past, now))
            case Stalled(gap_ns=gap_ns):
                return (self.testify(Stood(gap_ns)),)
            case StopAsked():
                return self.finish()
            case _:
                return self.work(happening, now)

    def testify(self, *said: Said) -> Testify:
        """Return the effect of saying this."""
        return Testify(self.epoch, said)

    def begin(self, past: Sequence[Line], now: Moment) -> Sequence[Effect]:
        """Return what is to be done first."""
        del past, now
        return ()

    def work(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Take in what is this duty's own."""
        del happening, now
        return ()

    def finish(self) -> Sequence[Effect]:
        """Return what is to be done when asked to stop."""
        return (self.testify(Left()), Stop())
