"""The kill latch as it stands in risk's journal. Pure.

One latch stands at a time, under the name that came last; those before it are other names of the same standing, and
are cleared with it. A name that was cleared never latches anew: its file, or the executor, may only not know yet.
"""

from typing import Final

import msgspec

from proto.envelope import Envelope
from proto.fields import Id
from proto.risk import Latch
from proto.verdicts import KillCleared, KillLatched

KILL_LATCH: Final = "kill_latch"
NAMES_MAX: Final = 256


class LatchState(msgspec.Struct, frozen=True):
    """All that is known of it, from which the same can be made again."""

    standing: Latch | None = None
    names: tuple[Id, ...] = ()
    cleared: tuple[Id, ...] = ()
    clear: KillCleared | None = None


class LatchFacts:
    """What stands, what was cleared, and by whom."""

    def __init__(self) -> None:
        self.standing: Latch | None = None
        self.clear: KillCleared | None = None  # the newest one
        self._names: dict[Id, None] = {}  # those of what stands, the newest one last
        self._cleared: dict[Id, None] = {}

    def state(self) -> LatchState:
        """Return everything."""
        return LatchState(self.standing, tuple(self._names), tuple(self._cleared), self.clear)

    def restore(self, state: LatchState) -> None:
        """Begin with what `state` returned."""
        self.standing, self.clear = state.standing, state.clear
        self._names, self._cleared = dict.fromkeys(state.names), dict.fromkeys(state.cleared)

    def fold(self, envelope: Envelope) -> None:
        """Take in a record of the journal."""
        match envelope.body:
            case KillLatched(latch=latch):
                self.standing = latch
                self._names.pop(latch.latch_id, None)
                self._names[latch.latch_id] = None
                keep_newest(self._names)
            case KillCleared() as clear if self.stands(clear.latch_id):
                self._cleared |= self._names
                self.standing, self.clear, self._names = None, clear, {}
                keep_newest(self._cleared)
            case _:
                pass

    def stands(self, latch_id: Id) -> bool:
        """Say whether this very latch is the one that stands."""
        return self.standing is not None and self.standing.latch_id == latch_id

    def is_name(self, latch_id: Id) -> bool:
        """Say whether what stands has this name, or had it before."""
        return latch_id in self._names

    def is_cleared(self, latch_id: Id) -> bool:
        """Say whether a latch of this name was cleared."""
        return latch_id in self._cleared

    def is_known(self, latch_id: Id) -> bool:
        """Say whether a latch of this name is nothing new."""
        return latch_id in self._names or latch_id in self._cleared


def keep_newest(names: dict[Id, None]) -> None:
    """Let the oldest names go where there are too many."""
    while len(names) > NAMES_MAX:
        del names[next(iter(names))]
