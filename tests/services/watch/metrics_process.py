"""A service that answers as metrics does, for tests: the bid of its first symbol rises with every answer.

python -m tests.services.watch.metrics_process ROOT well|troubled|refusing|wrong
"""

import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final, cast

from msgspec.structs import replace

from proto.envelope import Body
from proto.measures import AskMeasures, MeasuresGiven
from proto.streams import RequestRefused
from shared.core.service import Answer, Asked, Effect, Happening, Moment, Started, Stop, StopAsked
from shared.mesh.service import Plan, run
from tests.services.watch.examples import HOPS, TROUBLED, WELL


def _measured(given: MeasuresGiven, epoch: int, answers: int, now: Moment) -> MeasuresGiven:
    """Return an answer of this moment, by which one can tell how many there were, and of which epoch it is."""
    first, *others = given.symbols
    bid = Decimal(10_000 * epoch + answers)
    symbols = (replace(first, bid_price=bid, mid_price=bid + 1, ask_price=bid + 2), *others)
    return replace(given, taken_wall_ns=now.wall_ns, symbols=symbols)


class AnsweringCore:
    """Answers each question in its conduct's way."""

    def __init__(self, conduct: str) -> None:
        self._conduct: Final = conduct
        self._epoch = 0
        self._answers = 0

    def handle(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Answer, and stop when told to."""
        match happening:
            case Started(epoch=epoch):
                self._epoch = epoch
                return ()
            case Asked():
                return (Answer(happening, self._answer(cast("AskMeasures", happening.envelope.body), now)),)
            case StopAsked():
                return (Stop(),)
            case _:
                return ()

    def _answer(self, asked: AskMeasures, now: Moment) -> Body:
        if self._conduct == "refusing":
            return RequestRefused(rule="not_today", reason="it is a holiday")
        if asked.of == "hops" or self._conduct == "wrong":
            return HOPS
        self._answers += 1
        return _measured(GIVEN[self._conduct], self._epoch, self._answers, now)


GIVEN: Final[Mapping[str, MeasuresGiven]] = {"well": WELL, "troubled": TROUBLED}


if __name__ == "__main__":
    sys.exit(
        run(Plan(instance="metrics", core=AnsweringCore(sys.argv[2]), answers=("snapshot",)), root=Path(sys.argv[1]))
    )
