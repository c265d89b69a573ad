"""Two small services for tests: one with a journal, and one that follows it.

    python -m tests.shared.mesh.service.ledger ROOT executor|metrics [interrupted|with-a-last-word|heir]

The executor writes down what it is asked to pause, and says how many such requests there were; asked again under an id
that stands in its journal, it answers from there. What either is told goes into its log. An interrupted executor is
told to end as soon as it has begun to fold its past. One with a last word writes it down when it is told to end. An
heir is handed what stands in the flattener's journal.
"""

import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from proto.control import ControlDone, ControlRefused, PauseEntries
from proto.orders import ReconcileFinished
from shared.core.service import (
    Answer,
    Asked,
    Effect,
    Follow,
    Happening,
    InheritanceUnread,
    Inherited,
    Journaling,
    Moment,
    Note,
    NotRecorded,
    Recorded,
    Report,
    Restored,
    Started,
    Stop,
    StopAsked,
    Told,
    ToldOfLoss,
)
from shared.mesh.service import Inherits, JournaledPlan, Plan, run


class LedgerCore:
    """Knows which requests stand in the journal, and the number of each."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._asked: dict[str, Asked] = {}
        self._inherited: list[str] = []

    def state(self) -> bytes:
        """Return the numbers."""
        return json.dumps(self._numbers).encode()

    def handle(self, happening: Happening, _now: Moment) -> Sequence[Effect]:
        """Write down, answer, say what was found."""
        match happening:
            case Restored(state=state):
                self._numbers = json.loads(state)
            case Recorded(envelope=envelope):
                self._numbers[envelope.cause_id] = len(self._numbers) + 1
            case Inherited(envelope=envelope):
                self._inherited.append(envelope.id)
            case InheritanceUnread(reason=reason):
                self._inherited.append(reason)
            case Started():
                details = {
                    "state": dict(self._numbers),
                    "troubles": happening.troubles,
                    "epoch": happening.epoch,
                    "inherited": self._inherited,
                }
                return (Note("info", "folded", details),)
            case Asked():
                return self._wanted(happening)
            case NotRecorded(reason=reason):
                asked = self._asked.popitem()[1]
                refusal = ControlRefused(rule="no_room", reason=reason)
                return (Note("warning", "not recorded", {"bodies": len(happening.bodies)}), Answer(asked, refusal))
            case StopAsked():
                return (Stop(),)
            case _:
                pass
        return ()

    def _wanted(self, asked: Asked) -> Sequence[Effect]:
        request_id, body = asked.envelope.id, asked.envelope.body
        if request_id in self._numbers:
            return (Answer(asked, ControlDone(summary=f"number {self._numbers[request_id]}")),)
        assert isinstance(body, PauseEntries), "nobody asks anything else here"
        self._asked = {request_id: asked}
        number = len(self._numbers) + 1
        record = ReconcileFinished(pass_number=number, clean=True, differences=(body.reason,), trades_read=())
        return (Report(record, cause_id=request_id), Answer(asked, ControlDone(summary=f"number {number}")))


class Interrupted:
    """A ledger whose process gets SIGTERM with the first record it folds."""

    def __init__(self) -> None:
        self._ledger: Final = LedgerCore()
        self._told = False

    def state(self) -> bytes:
        """Return what the ledger does."""
        return self._ledger.state()

    def handle(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Do what the ledger does."""
        if isinstance(happening, Recorded) and not self._told:
            self._told = True
            signal.raise_signal(signal.SIGTERM)
        return self._ledger.handle(happening, now)


class WithALastWord:
    """A ledger that has something to write down when it ends."""

    def __init__(self) -> None:
        self._ledger: Final = LedgerCore()

    def state(self) -> bytes:
        """Return what the ledger does."""
        return self._ledger.state()

    def handle(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Do what the ledger does, but for the end."""
        if isinstance(happening, StopAsked):
            last = ReconcileFinished(pass_number=1, clean=True, differences=(), trades_read=())
            return (Report(last, cause_id="last-word"), Stop())
        return self._ledger.handle(happening, now)


class FollowerCore:
    """Says what the executor tells."""

    def handle(self, happening: Happening, _now: Moment) -> Sequence[Effect]:
        """Follow from the beginning."""
        match happening:
            case Started():
                return (Follow("executor", "reports", 1),)
            case Told(envelope=envelope):
                return (Note("info", "told", {"sequence": envelope.sequence, "cause": envelope.cause_id}),)
            case ToldOfLoss(next_sequence=next_sequence):
                return (Note("warning", "told of loss", {"next_sequence": next_sequence}),)
            case StopAsked():
                return (Stop(),)
            case _:
                return ()


def main() -> int:
    """Run one of the two."""
    root, instance = Path(sys.argv[1]), sys.argv[2]
    if instance == "executor":
        conducts: dict[str, type[Journaling]] = {"interrupted": Interrupted, "with-a-last-word": WithALastWord}
        core: Journaling = conducts.get(sys.argv[-1], LedgerCore)()
        heir = Inherits(instance="flattener", has_adopted=lambda _: False) if sys.argv[-1] == "heir" else None
        plan: Plan = JournaledPlan(instance=instance, core=core, answers=("control",), reports="reports", inherits=heir)
    else:
        plan = Plan(instance=instance, core=FollowerCore())
    return run(plan, root=root)


if __name__ == "__main__":
    sys.exit(main())
