"""Watches the kill latch in the records of the executor: it is lifted when it was cleared, and its file goes last."""

from typing import Final

from proto.envelope import Envelope
from proto.orders import ConditionCleared, ConditionSet, FlatnessTold, FlattenBegun
from shared.execution.flattens import KILL_LATCH
from tests.simulation.trace import Trace


class LatchWitness:
    """What stands by the executor's records, and what was told to be flat."""

    def __init__(self, trace: Trace) -> None:
        self._trace: Final = trace
        self.cleared: set[str] = set()  # latches, by risk's journal
        self.stands = False
        self.latch_id = ""  # under which name it flattens
        self.flat: Final[set[str]] = set()

    def told(self, envelope: Envelope) -> None:
        """Take note of a durable record."""
        match envelope.body:
            case ConditionSet(condition=condition) if condition.name == KILL_LATCH:
                self.stands = True
            case ConditionCleared(name=name) if name == KILL_LATCH:
                self.stands = False
                if not {envelope.cause_id, self.latch_id} <= self.cleared:
                    what = f"{envelope.cause_id} is lifted where {self.latch_id} stands, and nobody cleared it"
                    self._trace.violated("I13", what)
            case FlattenBegun(flatten_id=flatten_id, symbol=symbol):
                self.flat.discard(flatten_id)
                self.latch_id = flatten_id if self.stands and symbol is None else self.latch_id
            case FlatnessTold(flatten_id=flatten_id, is_flat=True):
                self.flat.add(flatten_id)
            case _:
                pass

    def removes_file(self) -> None:
        """Look at a HALT file that a program is about to remove: the executor's own latch is gone by then."""
        if self.stands and self.latch_id in self.cleared:
            self._trace.violated("I13", f"the HALT file goes while the executor has the latch {self.latch_id}")
